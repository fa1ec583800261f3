"""Many names in several zones: requests grow with the zones, those of all zones go out side by side, and one that fails is the only one."""

import time

import pytest

from program import API, refused, silent

ZONES = ["example.com", "sub.example.com", "example.net"]


def records(count, zones=tuple(ZONES)):
    """[(record name, value)], in one zone after the other."""
    return [(f"_acme-challenge.host-{i}.{zones[i % len(zones)]}", f"value-{i}-" + "x" * 33) for i in range(count)]


def arguments(pairs):
    return [part for pair in pairs for part in pair]


def methods(lab):
    """{method: number of requests} since the last reset."""
    made = [r["method"] for r in lab.requests()]
    return {method: made.count(method) for method in set(made)}


def forget(lab):
    lab.sim("POST", "/reset", {"only": ["log"]})


@pytest.fixture
def quick(lab, program):
    lab.set_lag(0)
    return program


def test_names_of_three_zones_cost_three_requests_a_zone_and_two_once_they_are_remembered(lab, quick):
    pairs = records(60)
    silent(quick.run("add-record", *arguments(pairs)))
    assert lab.txt() == sorted(pairs)
    for server in lab.nameservers:
        for name, value in (pairs[0], pairs[31], pairs[59]):
            assert lab.dig(server, name)["answer"] == [value]
    silent(quick.run("del-record", *arguments(pairs)))
    assert methods(lab) == {"GET": 3, "POST": 3, "DELETE": 3}
    quick.clean()
    forget(lab)
    silent(quick.run("add-record", *arguments(pairs)))
    silent(quick.run("del-record", *arguments(pairs)))
    assert methods(lab) == {"POST": 3, "DELETE": 3}
    quick.clean()


def test_the_requests_of_all_zones_are_under_way_together(lab, quick):
    pairs = records(6)
    silent(quick.run("add-record", *arguments(pairs)))
    silent(quick.run("del-record", *arguments(pairs)))
    forget(lab)
    lab.set(delay_ms=1500)
    for verb, method in (("add-record", "POST"), ("del-record", "DELETE")):
        begin = time.monotonic()
        silent(quick.run(verb, *arguments(pairs)))
        assert time.monotonic() - begin < 4, "one after the other they would take 4.5 s"
        times = [r["t"] for r in lab.requests() if r["method"] == method]
        assert len(times) == 3 and max(times) - min(times) < 1
    quick.clean()


def test_more_than_two_hundred_records_of_a_zone_take_another_request(lab, quick):
    pairs = records(201, ("example.com",))
    silent(quick.run("--no-wait", "add-record", *arguments(pairs)))
    assert lab.txt() == sorted(pairs)
    silent(quick.run("del-record", *arguments(pairs)))
    assert methods(lab) == {"GET": 1, "POST": 2, "DELETE": 2}
    quick.clean()


def test_a_zone_that_refuses_takes_what_the_others_got_back(lab, quick):
    """On the command line and in hooks that is the contract: all or nothing."""
    lab.add_txt("example.net", "_acme-challenge.host-2", "some other program's")
    pairs = records(6)
    silent(quick.run("add-record", *arguments(pairs)))
    silent(quick.run("del-record", *arguments(pairs)))
    zone = {z["name"]: z["id"] for z in lab.state()["zones"]}["example.net"]
    lab.fault(method="POST", path=f"/dns/managed/{zone}/records", kind="status", status=400, body='{"error":["Not this one."]}',
              content_type="application/json", count=50)
    done = refused(quick.run("add-record", *arguments(pairs)), API, "Not this one.", f'"{pairs[2][0]}"')
    assert pairs[0][0] not in done.stderr
    quick.clean([("_acme-challenge.host-2.example.net", "some other program's")])


def test_a_zone_that_does_not_let_go_keeps_its_records_alone(lab, quick):
    pairs = records(6)
    silent(quick.run("add-record", *arguments(pairs)))
    zone = {z["name"]: z["id"] for z in lab.state()["zones"]}["example.com"]
    lab.fault(method="DELETE", path=f"/dns/managed/{zone}/records", kind="status", status=400, body='{"error":["Not now."]}',
              content_type="application/json", count=50)
    refused(quick.run("del-record", *arguments(pairs)), API, "Not now.", f'"{pairs[0][0]}"')
    assert lab.txt() == sorted([pairs[0], pairs[3]])
    assert {e["name"] for e in quick.journal()} == {pairs[0][0], pairs[3][0]}
    lab.sim("POST", "/reset", {"only": ["faults"]})
    silent(quick.run("del-record", *arguments(pairs)))
    quick.clean()


def test_zones_of_two_accounts_go_to_each_with_its_own_key(lab, quick):
    quick.configure(credentials=None, accounts=[
        {"name": "one", "default_account": True, "credentials": {"api_key": lab.api_key, "api_secret": lab.api_secret}},
        {"name": "two", "zones": ["example.org"], "credentials": {"api_key": lab.other_key, "api_secret": lab.other_secret}}])
    pairs = records(8, ("example.com", "example.org"))
    silent(quick.run("add-record", *arguments(pairs)))
    assert lab.txt() == sorted(pairs)
    silent(quick.run("del-record", *arguments(pairs)))
    assert methods(lab) == {"GET": 2, "POST": 2, "DELETE": 2}
    assert len({r["key"] for r in quick.changes()}) == 2
    quick.clean()
