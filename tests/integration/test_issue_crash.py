"""kill -9 at every request of an issuance, before and after the CA has acted on it: the next run finishes what was begun.  One account, one
order as soon as it is known here, the key of its CSR, and no record of ours that stays."""

import os
import re
import signal

import pytest

from program import OK, until
from standalone import Standalone, openssl, public_key_of_key, read

NAMES = ["example.com", "*.example.com"]
NAME = NAMES[0]
# directory, nonce, account, order, two authorizations, two challenges, a look at the order, finalize, certificate
REQUESTS = 11
#: The key of an order that was given up stays: nobody can know whether the CA has issued for it.
OLD_KEY = re.escape(NAME) + r"\.key\.\d.*"


@pytest.fixture
def client(lab, acme_dme):
    made = Standalone(lab, acme_dme, lab.acmesim(), acme__timeout="20s", dnsmadeeasy__timeout="20s")
    lab.set_lag(0)
    yield made
    made.stop_all()


def kill_when(client, reached, what):
    """An issuance that is killed once REACHED() is true; False: it came to its end before."""
    running = client.start("issue", *(word for name in NAMES for word in ("-d", name)))
    until(lambda: reached() or not running.alive(), 30, what)
    if not running.alive():
        assert running.wait().returncode == OK
        return False
    running.signal(signal.SIGKILL)
    running.wait()
    return True


def kill_at(client, number, kind):
    """It is killed at its NUMBER-th request, from 0 on."""
    client.ca.reset("log", "faults")
    client.ca.fault("", kind, skip=number, seconds=30)
    killed = kill_when(client, lambda: any(e["fault"] for e in client.ca.requests()), f"request {number}")
    client.ca.clear_faults()
    return killed


def under_way(client):
    """What is known here of the order: (its URL or "", the public key of its CSR or None)."""
    path = os.path.join(client.state, "orders", NAME)
    url = client.order_record(NAME).get("url", "") if os.path.exists(path + ".json") else ""
    key = public_key_of_key(path + ".key") if os.path.exists(path + ".key") else None
    return url, key


def finished(client, before=("", None), orders=()):
    """The next run does the rest; ORDERS as in Standalone.installed()."""
    client.issue(*NAMES).ok()
    client.installed(NAME, NAMES, orders=orders)
    state = client.ca.state()
    assert len(state["accounts"]) == 1
    url, key = before
    if url:
        assert [order["url"] for order in state["orders"] if order["status"] == "valid"] == [url]
        assert len(state["certificates"]) == 1
    if key:
        assert openssl("x509", "-in", client.path_of(NAME), "-noout", "-pubkey") == key
    return state


def test_the_number_of_requests_is_what_the_tests_below_go_through(client):
    client.issue(*NAMES).ok()
    assert REQUESTS <= len(client.ca.requests()) <= REQUESTS + 2, [e["endpoint"] for e in client.ca.requests()]


@pytest.mark.parametrize("kind", ["timeout", "hold_after"])
@pytest.mark.parametrize("number", range(REQUESTS))
def test_killed_at_a_request_it_is_taken_up_by_the_next_run(client, number, kind):
    assert kill_at(client, number, kind)
    before = under_way(client)
    endpoints = [e["endpoint"] for e in client.ca.requests()]
    # From the first authorization on the order is known here; a certificate that may exist has its key on disk.
    assert bool(before[0]) or "authz" not in endpoints, endpoints
    assert before[1] or "finalize" not in endpoints, endpoints
    finished(client, before)


def test_killed_again_and_again_it_gets_there_at_last(client):
    kills = 0
    for number in range(3, 30):
        if not kill_at(client, number, "hold_after"):
            break
        kills += 1
    assert kills > 2
    state = finished(client)
    assert len([order for order in state["orders"] if order["status"] == "valid"]) == 1


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("kind", ["timeout", "timeout_after"])
def test_killed_while_records_are_made_or_deleted_it_leaves_none(client, method, kind):
    client.lab.fault(method=method, kind=kind, seconds=30)
    assert kill_when(client, lambda: any(r.get("fault") for r in client.lab.requests()), f"the {method}")
    client.lab.sim("POST", "/reset", {"only": ["faults"]})
    finished(client)


def test_an_order_that_the_ca_has_forgotten_meanwhile_is_begun_anew(client):
    assert kill_at(client, 6, "hold_after")
    assert under_way(client)[0]
    client.ca.change("orders", forget=True)
    finished(client, orders=[OLD_KEY])


def test_an_order_that_has_expired_meanwhile_is_begun_anew(client):
    assert kill_at(client, 6, "hold_after")
    client.ca.change("orders", set={"expires": 0})
    finished(client, orders=[OLD_KEY])


def test_an_order_for_other_names_is_not_taken_up(client):
    assert kill_at(client, 6, "hold_after")
    client.issue(NAME, "www.example.com").ok()
    client.installed(NAME, [NAME, "www.example.com"], orders=[OLD_KEY])
    assert len(client.ca.state()["orders"]) == 2


def test_a_damaged_order_is_set_aside_and_the_key_is_kept(client):
    assert kill_at(client, 10, "hold_after")
    path = os.path.join(client.state, "orders", NAME)
    key = read(path + ".key")
    with open(path + ".json", "w", encoding="utf-8") as f:
        f.write("{")
    client.issue(*NAMES).ok()
    client.clean()
    assert client.generation(NAME) == 1
    directory = os.path.join(client.state, "orders")
    kept = [name for name in os.listdir(directory) if re.fullmatch(OLD_KEY, name)]
    assert [read(os.path.join(directory, name)) for name in kept] == [key]
