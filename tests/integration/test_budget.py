"""The API's request limit: processes count together, wait their turn, and are not refused."""

import json
import os
import signal
import time

import pytest

from program import CANCELLED, NAME, RATE_LIMIT, VALUE, Program, refused, silent, warnings

WAITS = "request limit of DNS Made Easy: needs "


@pytest.fixture
def quick(lab, program):
    """Name servers without lag."""
    lab.set_lag(0)
    return program


def limited(lab, program, limit, window_s):
    """The same at the API and in the configuration, which knows the window but not the limit."""
    lab.set(limit=limit, window=window_s)
    program.configure(dnsmadeeasy__request_window=f"{int(window_s * 1000)}ms")


def another_host(lab, acme_dme, window_s):
    """The same key with a state directory of its own."""
    other = Program(lab, acme_dme)
    other.configure(dnsmadeeasy__request_window=f"{int(window_s * 1000)}ms")
    return other


def refusals(lab):
    return [r["t"] for r in lab.requests() if r["status"] == 400]


def refusals_by_request(lab):
    """When each of the refused requests was so."""
    refused_at = {}
    for r in lab.requests():
        if r["status"] == 400:
            refused_at.setdefault((r["method"], r["path"], r["query"]), []).append(r["t"])
    return refused_at


def busiest(lab, window_s):
    """The most requests that the API served in a window."""
    served = sorted(r["t"] for r in lab.requests() if r["status"] != 400)
    return max(sum(1 for t in served if begin <= t < begin + window_s) for begin in served)


def names(count, prefix="p"):
    return [f"_acme-challenge.{prefix}{n}.example.com" for n in range(count)]


# -- one host ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit, count, window_s", [(5, 6, 3), (20, 24, 4)])
def test_parallel_hooks_share_a_small_budget_without_a_refusal(lab, quick, limit, count, window_s):
    limited(lab, quick, limit, window_s)
    running = [quick.start("add-record", name, VALUE) for name in names(count)]
    said = []
    for each in running:
        said += warnings(each.wait(90).ok())
    assert lab.txt() == sorted((name, VALUE) for name in names(count))
    running = [quick.start("del-record", name, VALUE) for name in names(count)]
    for each in running:
        said += warnings(each.wait(90).ok())
    quick.clean()
    assert said and all(WAITS in text and text.endswith("waiting, continuing") for text in said), said
    assert refusals(lab) == []
    assert busiest(lab, window_s) <= limit


def test_a_limit_of_150_is_no_hindrance(lab, quick):
    running = [quick.start("add-record", name, VALUE) for name in names(12)]
    for each in running:
        silent(each.wait(60))
    assert refusals(lab) == []
    for name in names(12):
        silent(quick.run("del-record", name, VALUE))
    quick.clean()


def test_one_after_the_other_they_wait_and_say_so(lab, quick):
    limited(lab, quick, 5, 3)
    said = []
    for name in names(6):
        said += warnings(quick.run("add-record", name, VALUE).ok())
    for name in names(6):
        said += warnings(quick.run("del-record", name, VALUE).ok())
    assert said and all(WAITS in text and " of 5, next free in " in text for text in said), said
    assert refusals(lab) == []
    quick.clean()


def test_the_limit_may_be_set_lower_than_the_api_s(lab, quick):
    quick.configure(dnsmadeeasy__request_limit=4, dnsmadeeasy__request_window="2s")
    for name in names(5):
        quick.run("add-record", name, VALUE).ok()
    assert busiest(lab, 2) <= 4
    for name in names(5):
        quick.run("del-record", name, VALUE).ok()
    quick.clean()


def test_a_request_that_has_waited_is_signed_anew(lab, quick):
    """The API takes dates that are two seconds off, and the wait is four."""
    limited(lab, quick, 2, 4)
    lab.set(max_skew_ms=2000)
    begin = time.monotonic()
    for name in names(2):
        quick.run("add-record", name, VALUE).ok()
    assert time.monotonic() - begin > 3
    assert [r["status"] for r in lab.requests() if r["status"] >= 400] == []
    lab.set(limit=150)
    for name in names(2):
        quick.run("del-record", name, VALUE).ok()
    quick.clean()


def test_a_waiting_call_that_is_killed_holds_nobody_up(lab, quick):
    limited(lab, quick, 3, 3)
    quick.run("add-record", NAME, VALUE).ok()
    waiting = [quick.start("add-record", name, VALUE) for name in names(2)]
    time.sleep(0.5)
    for each in waiting:
        each.signal(signal.SIGKILL)
        each.wait()
    begin = time.monotonic()
    quick.run("del-record", NAME, VALUE).ok()
    assert time.monotonic() - begin < 15
    assert refusals(lab) == []
    assert lab.txt() == []


def test_an_interrupted_wait_ends_at_once_and_changes_nothing(lab, quick):
    limited(lab, quick, 2, 60)
    quick.run("--budget-wait", "0s", "add-record", NAME, VALUE)
    before = lab.txt(), len(lab.requests())
    waiting = quick.start("-v", "add-record", "_acme-challenge.late.example.com", VALUE)
    time.sleep(1)
    begin = time.monotonic()
    waiting.signal(signal.SIGTERM)
    done = waiting.wait()
    assert done.returncode == CANCELLED and time.monotonic() - begin < 3, done
    assert (lab.txt(), len(lab.requests())) == before
    lab.set(limit=150)
    quick.run("reset", "--state").ok()
    quick.run("del-record", NAME, VALUE)


# -- what does not fit -------------------------------------------------------------------------------------------------------------


def test_a_run_that_does_not_fit_says_so_before_it_changes_anything(lab, quick):
    limited(lab, quick, 6, 4)
    pairs = [word for zone in ("example.com", "example.net", "sub.example.com") for word in (f"_acme-challenge.{zone}", VALUE)]
    quick.run("add-record", *pairs).ok()
    quick.run("del-record", *pairs).ok()
    before = len(lab.requests())
    done = quick.run("add-record", *pairs, timeout=60).ok()
    assert any(WAITS + "6 requests" in text and " of 6, " in text for text in warnings(done)), done
    after = lab.requests()[before:]
    assert [r["method"] for r in after if r["method"] != "GET"] == ["POST"] * 3
    assert refusals(lab) == []
    quick.run("del-record", *pairs, timeout=60).ok()
    quick.clean()


def test_a_wait_beyond_what_is_allowed_fails_at_once_and_changes_nothing(lab, quick):
    limited(lab, quick, 3, 60)
    quick.configure(dnsmadeeasy__budget_wait="5s")
    quick.run("add-record", NAME, VALUE).ok()
    before = lab.txt(), len(lab.requests())
    done = refused(quick.run("add-record", "_acme-challenge.late.example.com", VALUE), RATE_LIMIT, "request limit", "of 3, next free in", hint="key of their own")
    assert done.seconds < 3
    assert (lab.txt(), len(lab.requests())) == before
    lab.set(limit=150)
    quick.run("reset", "--state").ok()
    silent(quick.run("del-record", NAME, VALUE))
    quick.clean()


def test_a_client_that_does_not_listen_for_long_is_told_at_once(lab, quick):
    """Certify The Web hears within 73 s that there is no request for more; no setting of ours makes it wait."""
    limited(lab, quick, 3, 120)
    quick.configure(dnsmadeeasy__budget_wait="1h")
    quick.run("add-record", NAME, VALUE).ok()
    before = lab.txt()
    done = refused(lab.run([quick.named("acme-dme-create"), "late.example.com", "_acme-challenge.late.example.com", VALUE], env=quick.env()), RATE_LIMIT, "request limit")
    assert done.seconds < 3
    assert lab.txt() == before
    lab.set(limit=150)
    quick.run("reset", "--state").ok()
    silent(quick.run("del-record", NAME, VALUE))
    quick.clean()


# -- other hosts -------------------------------------------------------------------------------------------------------------------


def test_another_host_with_the_same_key_is_seen_in_the_answers(lab, quick, acme_dme):
    """A host can't know what the other took since its own last answer: a request may be refused, but not again while the
    API counts what filled it."""
    window_s = 4
    limited(lab, quick, 10, window_s)
    hosts = (quick, another_host(lab, acme_dme, window_s))
    for verb in ("add-record", "del-record"):
        for n, name in enumerate(names(8)):
            hosts[n % 2].run(verb, name, VALUE, timeout=60).ok()
    quick.clean()
    refused_at = refusals_by_request(lab)
    assert 1 <= len(refused_at) <= 4, refused_at
    assert all(b - a > window_s * 0.9 for each in refused_at.values() for a, b in zip(each, each[1:])), refused_at


def test_what_others_took_is_told_by_check(lab, quick, acme_dme):
    lab.set(limit=60)
    for name in names(20):
        another_host(lab, acme_dme, 300).run("--no-wait", "add-record", name, VALUE).ok()
    done = quick.run("check", "--json", "example.com")
    (budget,) = [f for f in json.loads(done.stdout)["findings"] if f["step"] == "budget"]
    assert budget["measures"]["requests_own"] == 1, budget
    assert budget["measures"]["requests_remaining"] + 41 == budget["measures"]["requests_limit"], budget
    lab.set(limit=150)
    for name in names(20):
        quick.run("del-record", name, VALUE)


# -- the file ----------------------------------------------------------------------------------------------------------------------


def test_a_damaged_count_is_set_aside_and_begins_anew(lab, quick):
    silent(quick.run("add-record", NAME, VALUE))
    directory = os.path.join(quick.state, "budget")
    (file,) = os.listdir(directory)
    with open(os.path.join(directory, file), "w", encoding="ascii") as f:
        f.write("{")
    (said,) = warnings(quick.run("del-record", NAME, VALUE).ok())
    assert "budget: damaged" in said and "counted anew, continuing" in said
    assert os.listdir(directory) == [file]
    quick.clean()


def test_without_a_journal_a_process_counts_alone(lab, quick):
    quick.configure(journal="none")
    silent(quick.run("add-record", NAME, VALUE))
    assert not os.path.exists(os.path.join(quick.state, "budget"))
    silent(quick.run("del-record", NAME, VALUE))
    quick.clean()
