"""What can happen to any request and any answer, at each endpoint of the CA in turn: what passes is got over, what stays is one error, with
the records withdrawn and nothing half-installed."""

import pytest

from program import API, refused
from standalone import CA_LIMIT, CA_REFUSED, Standalone

HOST = "host.example.com"
ENDPOINTS = ["directory", "nonce", "new-account", "new-order", "authz", "challenge", "order", "finalize", "certificate"]
#: Those whose body is needed: of an account its Location counts, and of a challenge that it was answered.
WITH_BODY = [endpoint for endpoint in ENDPOINTS if endpoint not in ("nonce", "new-account", "challenge")]
#: Where the less telling faults are tried: before anything was published, when it is, and when the CA has issued.
FEW = ["new-order", "finalize", "certificate"]
LIMIT_S = 20

#: What happens once, to two requests in a row, or to the answer only.
PASSING = {
    "reset": ("reset_before", {"count": 2}),
    "closed": ("close_before", {}),
    "lost": ("reset_after", {}),
    "closed-after": ("close_after", {}),
    "503": ("status", {"status": 503, "count": 2}),
    "503-retry-after": ("status", {"status": 503, "headers": {"Retry-After": "1"}}),
    "503-date": ("status", {"status": 503, "headers": {"Retry-After": "@+1"}}),
    "slow": ("slow", {"ms": 1500}),
    "silent": ("timeout", {"seconds": 60}),
    "silent-after": ("hold_after", {"seconds": 60}),
}
#: What stays: fault -> (what it does, exit statuses)
STAYING = {
    "reset": ("reset_before", {}, (API,)),
    "closed": ("close_after", {}, (API,)),
    "silent": ("timeout", {"seconds": 60}, (API,)),
    "garbage": ("garbage", {}, (API, CA_REFUSED)),
    "endless": ("oversize", {}, (API, CA_REFUSED)),
    "502-html": ("status", {"status": 502, "body": "<html><h1>Bad Gateway</h1>"}, (API,)),
    "403-html": ("status", {"status": 403, "body": "<html>Access denied by firewall</html>"}, (CA_REFUSED,)),
    "307": ("redirect", {"status": 307, "location": "https://elsewhere.example/"}, (CA_REFUSED,)),
    "limited": ("problem", {"type": "rateLimited", "status": 429, "detail": "too much", "headers": {"Retry-After": "86400"}}, (CA_LIMIT,)),
    "limited-until-2099": ("problem", {"type": "rateLimited", "status": 429, "headers": {"Retry-After": "Thu, 01 Jan 2099 00:00:00 GMT"}}, (CA_LIMIT,)),
    "maintenance": ("problem", {"type": "serverInternal", "status": 503, "detail": "down for maintenance"}, (API,)),
}
#: The same, of bodies.
STAYING_BODIES = {
    "cut": ("truncate", {}, (API, CA_REFUSED)),
    "dripping": ("trickle", {"ms": 300}, (API,)),
    "no-json": ("body", {"body": "\x00\x01 what?"}, (CA_REFUSED,)),
    "nothing": ("body", {"body": ""}, (CA_REFUSED,)),
}

EVERYWHERE = ("reset", "lost", "503", "silent", "garbage", "endless", "403-html", "limited")


def pairs(table):
    return [pytest.param(name, endpoint, id=f"{name}-{endpoint}") for name in table for endpoint in (ENDPOINTS if name in EVERYWHERE else FEW)]


@pytest.fixture
def client(lab, acme_dme):
    made = Standalone(lab, acme_dme, lab.acmesim(), acme__timeout="2s", acme__give_up_after="4s", acme__poll_timeout="4s")
    lab.set_lag(0)
    made.ca.set(processing_ms=200)  # so that the order is looked at
    yield made
    made.stop_all()


@pytest.mark.parametrize("name, endpoint", pairs(PASSING))
def test_what_passes_is_got_over(client, name, endpoint):
    kind, more = PASSING[name]
    client.configure(acme__give_up_after="20s", acme__poll_timeout="20s")
    client.ca.fault(endpoint, kind, **more)
    client.issue(HOST).ok()
    assert [e for e in client.ca.requests(endpoint) if e["fault"]], "the fault has met nothing"
    client.installed(HOST, [HOST])
    state = client.ca.state()
    assert len(state["accounts"]) == 1 and len(state["certificates"]) == 1, state


def one_error(client, endpoint, kind, more, statuses):
    if endpoint == "nonce":
        more = {**more, "nonce": None}  # else it is a nonce, whatever comes with it
    client.ca.fault(endpoint, kind, count=0, **more)
    done = client.issue(HOST)
    assert done.returncode in statuses, done
    refused(done, done.returncode)
    assert [e for e in client.ca.requests(endpoint) if e["fault"]], "the fault has met nothing"
    assert done.seconds < LIMIT_S and len(done.stderr) < 2000, done
    client.nothing_installed(HOST)
    # And nothing keeps the next one from it.
    client.ca.clear_faults()
    client.configure(acme__give_up_after="20s", acme__poll_timeout="20s")
    return done


@pytest.mark.parametrize("name, endpoint", pairs(STAYING))
def test_what_stays_is_one_error(client, name, endpoint):
    one_error(client, endpoint, *STAYING[name])
    if STAYING[name][2] == (CA_LIMIT,):
        return  # it keeps to what the CA has said
    client.issue(HOST).ok()
    client.installed(HOST, [HOST])


@pytest.mark.parametrize("endpoint", WITH_BODY)
@pytest.mark.parametrize("name", STAYING_BODIES)
def test_bodies_that_stay_wrong_are_one_error(client, endpoint, name):
    one_error(client, endpoint, *STAYING_BODIES[name])
    client.issue(HOST).ok()
    client.installed(HOST, [HOST])
