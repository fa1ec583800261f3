"""What a CA can do wrong, at every endpoint: one clear error with its exit status, the records withdrawn, nothing half-installed; or it is
got over.  The CA is the scripted one, tests/lab/acmesim."""

import dataclasses
import os
import time

import pytest

from program import API, CANCELLED, OK, refused, silent, until, warnings
from standalone import CA_LIMIT, CA_REFUSED, CHALLENGE, Standalone

HOST = "host.example.com"
QUICK = {"acme__give_up_after": "3s", "acme__timeout": "2s", "acme__poll_timeout": "3s"}


@dataclasses.dataclass
class Row:
    """A fault at an endpoint, and what it leads to."""

    name: str
    endpoint: str
    kind: str
    status: int
    says: str = ""
    hint: str = None
    more: dict = dataclasses.field(default_factory=dict)
    settings: dict = dataclasses.field(default_factory=dict)


def problem(name, endpoint, type_, status, says="", hint=None, http=400, **more):
    return Row(name, endpoint, "problem", status, says or type_, hint, {"type": type_, "status": http, "count": 0, **more})


def bent(name, endpoint, changes, says="", status=CA_REFUSED, **more):
    return Row(name, endpoint, "bend", status, says, None, {"set": changes, "count": 0, **more})


def certificate(form, says):
    return Row(f"certificate-{form}", "certificate", "certificate", CA_REFUSED, says, None, {"form": form})


ROWS = [
    # the directory
    Row("directory-html", "directory", "status", CA_REFUSED, "a web page", "directory URL", {"status": 200, "body": "<html>hello</html>", "count": 0}),
    Row("directory-404", "directory", "status", CA_REFUSED, "404", None, {"status": 404, "body": "<html>", "count": 0}),
    *(Row(f"directory-{code}", "directory", "redirect", CA_REFUSED, "https://elsewhere.example/dir", None,
          {"status": code, "location": "https://elsewhere.example/dir", "count": 0}) for code in (301, 302, 307, 308)),
    Row("directory-empty", "directory", "body", CA_REFUSED, "empty", None, {"body": "", "count": 0}),
    Row("directory-cut", "directory", "body", CA_REFUSED, "", None, {"body": '{"newNonce": "https://localh', "count": 0}),
    Row("directory-list", "directory", "body", CA_REFUSED, "", None, {"body": "[1, 2]", "count": 0}),
    Row("directory-huge", "directory", "status", CA_REFUSED, "larger than", None, {"status": 200, "body": "x" * (2 << 20), "count": 0}),
    bent("directory-without-order", "directory", {"newOrder": None}, "newOrder"),
    bent("directory-number", "directory", {"newNonce": 7}, "newNonce"),
    bent("directory-http", "directory", {"newOrder": "http://localhost/order"}, "newOrder"),
    bent("directory-meta-list", "directory", {"meta": [1]}, "meta"),
    # nonces
    Row("nonce-none", "nonce", "none", CA_REFUSED, "Replay-Nonce", None, {"nonce": None, "count": 0}),
    Row("nonce-garbage", "nonce", "none", CA_REFUSED, "Replay-Nonce", None, {"nonce": "not a nonce!", "count": 0}),
    problem("nonce-always-bad", "new-order", "badNonce", CA_REFUSED, "nonces in a row"),
    # accounts
    problem("account-refused", "new-account", "unauthorized", CA_REFUSED, http=403),
    problem("account-bad-key", "new-account", "badPublicKey", CA_REFUSED),
    problem("account-contact", "new-account", "invalidContact", CA_REFUSED),
    problem("account-bad-algorithm", "new-account", "badSignatureAlgorithm", CA_REFUSED, more={"algorithms": ["ES384"]}),
    problem("account-action", "new-account", "userActionRequired", CA_REFUSED, hint="https://ca.example/agree", http=403,
            more={"instance": "https://ca.example/agree"}),
    Row("account-no-location", "new-account", "none", CA_REFUSED, "Location", None, {"headers": {"Location": None}, "count": 0}),
    Row("account-html", "new-account", "status", CA_REFUSED, "Location", None, {"status": 200, "body": "<html>", "count": 0}),
    # orders
    problem("order-limited", "new-order", "rateLimited", CA_LIMIT, "too many", http=429, detail="too many orders", headers={"Retry-After": "3600"}),
    problem("order-limited-date", "new-order", "rateLimited", CA_LIMIT, "rateLimited", http=429, headers={"Retry-After": "@+7200"}),
    problem("order-refused-name", "new-order", "rejectedIdentifier", CA_REFUSED, "no wildcard here",
            more={"subproblems": [{"type": "urn:ietf:params:acme:error:rejectedIdentifier", "detail": "no wildcard here",
                                   "identifier": {"type": "dns", "value": HOST}}]}),
    problem("order-caa", "new-order", "caa", CHALLENGE, http=403),
    problem("order-account-gone", "new-order", "accountDoesNotExist", CA_REFUSED),
    problem("order-compound", "new-order", "compound", CA_REFUSED, "first thing", more={"subproblems": [
        {"type": "urn:ietf:params:acme:error:dns", "detail": "first thing", "identifier": {"type": "dns", "value": HOST}}]}),
    problem("order-escape", "new-order", "malformed", CA_REFUSED, "\\x1b", detail="\x1b[2Jboo"),
    Row("order-500", "new-order", "status", API, "500", None, {"status": 500, "count": 0}),
    Row("order-503-long", "new-order", "status", API, "503", None, {"status": 503, "headers": {"Retry-After": "86400"}, "count": 0}),
    Row("order-redirect", "new-order", "redirect", CA_REFUSED, "https://elsewhere.example/", None, {"location": "https://elsewhere.example/", "count": 0}),
    bent("order-other-names", "new-order", {"identifiers.0.value": "www.example.org"}, "other names"),
    bent("order-no-authorizations", "new-order", {"authorizations": None}, "authorizations"),
    bent("order-empty-authorizations", "new-order", {"authorizations": []}, "pending still", status=API),
    bent("order-strange-status", "new-order", {"status": "sleeping"}, "sleeping"),
    bent("order-http-url", "new-order", {"authorizations.0": "http://localhost/x"}, "URL"),
    bent("order-finalize-file", "new-order", {"finalize": "file:///etc/passwd"}, "finalize"),
    Row("order-no-location", "new-order", "none", CA_REFUSED, "Location", None, {"headers": {"Location": None}, "count": 0}),
    # authorizations
    bent("authz-no-dns-01", "authz", {"challenges.0.type": "http-01"}, "does not offer", more={}),
    bent("authz-no-token", "authz", {"challenges.0.token": None}, "token"),
    bent("authz-bad-token", "authz", {"challenges.0.token": "../../etc"}, "token"),
    bent("authz-empty-token", "authz", {"challenges.0.token": ""}, "token"),
    bent("authz-no-challenges", "authz", {"challenges": []}, "does not offer"),
    bent("authz-strange", "authz", {"challenges": "none"}, "challenges"),
    bent("authz-bad-name", "authz", {"identifier.value": "a b\x1b.example.com"}, "identifier"),
    bent("authz-of-another-name", "authz", {"identifier.value": "www.example.org"}, "www.example.org"),
    bent("authz-expired", "authz", {"status": "expired"}, "can't be used"),
    Row("authz-500", "authz", "status", API, "500", None, {"status": 500, "count": 0}),
    problem("authz-unauthorized", "authz", "unauthorized", CA_REFUSED, http=403),
    # challenges
    problem("challenge-malformed", "challenge", "malformed", CA_REFUSED),
    Row("challenge-503", "challenge", "status", API, "503", None, {"status": 503, "count": 0}),
    *(Row(f"validation-{t}", "", "set", CHALLENGE, t, None, settings={"validation": t}) for t in ("dns", "unauthorized", "caa", "connection")),
    Row("validation-never", "", "set", API, "pending still", "poll_timeout", settings={"validation": "never"}),
    *(Row(f"pending-{label}", "", "set", API, "pending still", "poll_timeout", settings={"validation": "never", "retry_after": text})
      for label, text in (("until-2099", "Thu, 01 Jan 2099 00:00:00 GMT"), ("for-a-day", "86400"), ("since-yesterday", "@-86400"), ("soon", "soon"))),
    # polling
    bent("poll-invalid", "order", {"status": "invalid"}, "does not say why", status=CHALLENGE),
    Row("poll-500", "order", "status", API, "500", None, {"status": 500, "count": 0}),
    bent("poll-garbage", "order", {"status": 1}, "status"),
    # finalize
    problem("finalize-bad-csr", "finalize", "badCSR", CA_REFUSED),
    problem("finalize-not-ready", "finalize", "orderNotReady", CA_REFUSED, http=403),
    Row("finalize-503", "finalize", "status", API, "503", None, {"status": 503, "count": 0}),
    Row("finalize-processing", "", "set", API, "has not issued", "taken up", settings={"processing_ms": -1}),
    Row("finalize-fails", "", "set", CA_REFUSED, "", None, settings={"order_fails": "badCSR"}),
    bent("finalize-no-certificate", "finalize", {"certificate": None}, "certificate"),
    bent("finalize-http-certificate", "finalize", {"certificate": "http://localhost/c"}, "certificate"),
    # certificates
    certificate("another-key", "another key"),
    certificate("another-name", "not for"),
    certificate("one-name-more", "www.example.org"),
    certificate("expired", "expired"),
    certificate("not-yet-valid", "not valid before"),
    certificate("unordered", "another key"),
    certificate("unlinked", "chain is broken"),
    certificate("self-signed", "another key"),
    certificate("without-leaf", "another key"),
    certificate("private-key", ""),
    certificate("private-key-first", ""),
    certificate("trailing-garbage", ""),
    certificate("damaged", ""),
    certificate("cut", ""),
    certificate("empty", ""),
    certificate("no-pem", ""),
    certificate("der", ""),
    certificate("huge", "larger than"),
    problem("certificate-404", "certificate", "malformed", CA_REFUSED, http=404),
    Row("certificate-500", "certificate", "status", API, "500", None, {"status": 500, "count": 0}),
    # TLS
    *(Row(f"tls-{name}", "", "set", API, says, None, settings={"certificate": name})
      for name, says in (("expired", "expired"), ("wrong-host", "www.example.org"), ("unknown-ca", "some other CA"))),
]


@pytest.fixture
def client(lab, acme_dme):
    made = Standalone(lab, acme_dme, lab.acmesim(), **QUICK)
    yield made
    made.stop_all()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_one_error_nothing_installed_nothing_left(client, row):
    if row.kind == "set":
        client.ca.set(**row.settings)
    else:
        client.ca.fault(row.endpoint, row.kind, **row.more)
    done = refused(client.issue(HOST), row.status, row.says, hint=row.hint)
    assert "\x1b" not in done.stderr
    client.nothing_installed(HOST)


#: name -> the fault that is got over
SURVIVED = {
    "nonce-bad-once": [("new-order", "problem", {"type": "badNonce"})],
    "nonce-bad-often": [("", "problem", {"type": "badNonce", "skip": 3, "count": 5})],
    "nonces-double": [("order", "none", {"nonce": "AAAAAAAAAAAAAAAAAAAAAAAA", "count": 0})],
    "order-500-once": [("new-order", "status", {"status": 500})],
    "order-503-retry-after": [("new-order", "status", {"status": 503, "headers": {"Retry-After": "1"}})],
    "order-limited-shortly": [("new-order", "problem", {"type": "rateLimited", "status": 429, "headers": {"Retry-After": "@+2"}})],
    "order-lost": [("new-order", "reset_after", {})],
    "account-lost": [("new-account", "reset_after", {})],
    "account-no-status": [("new-account", "bend", {"set": {"status": None}})],
    "challenge-strange": [("challenge", "bend", {"set": {"status": "what"}})],
    "authz-reset": [("authz", "reset_before", {})],
    "challenge-lost": [("challenge", "reset_after", {})],
    "poll-reset": [("order", "reset_before", {})],
    "finalize-lost": [("finalize", "reset_after", {})],
    "certificate-lost": [("certificate", "reset_after", {})],
    "certificate-crlf": [("certificate", "certificate", {"form": "crlf"})],
    "certificate-with-root": [("certificate", "certificate", {"form": "with-root"})],
    "certificate-leaf-only": [("certificate", "certificate", {"form": "leaf-only"})],
    "certificate-blank-lines": [("certificate", "certificate", {"form": "blank-lines"})],
    "retry-after-garbage": [("finalize", "none", {"headers": {"Retry-After": "soon"}})],
    "retry-after-negative": [("order", "none", {"headers": {"Retry-After": "-5"}})],
    "content-type-lies": [("order", "none", {"content_type": "text/plain", "count": 0})],
    "unknown-members": [("new-order", "bend", {"set": {"color": "blue", "sizes": [1, {"a": None}]}})],
    "unknown-challenges": [("authz", "bend", {"set": {"challenges.0.colour": {"deep": []}}})],
}


@pytest.mark.parametrize("name", SURVIVED)
def test_what_is_got_over(client, name):
    client.configure(acme__give_up_after="20s", acme__poll_timeout="20s")
    for endpoint, kind, more in SURVIVED[name]:
        client.ca.fault(endpoint, kind, **more)
    client.issue(HOST).ok()
    assert client.generation(HOST) == 1
    client.clean()


@pytest.mark.parametrize("settings", [
    {"challenges": ["dns-01", "dns-01"]}, {"challenges": ["http-01", "tls-alpn-01", "dns-01"]}, {"challenges": ["dns-persist-01", "dns-01"]},
    {"profiles": {}}, {"terms": False}, {"ari": False}, {"alternates": 0}, {"authz_reuse": True}, {"refuse_nonce_every": 2},
    {"retry_after": "@+1", "validation_ms": 500, "processing_ms": 500}, {"retry_after": "1", "validation_ms": 500, "processing_ms": 500},
], ids=lambda settings: "-".join(settings))
def test_cas_of_other_kinds(client, settings):
    client.configure(acme__give_up_after="20s", acme__poll_timeout="20s")
    client.ca.set(**settings)
    client.issue(HOST, "*.host.example.com").ok()
    client.installed(HOST, [HOST, "*.host.example.com"])


@pytest.mark.parametrize("left", [0, 1])
def test_an_authorization_that_is_missing_in_the_order_fails_it_in_the_end(client, left):
    client.ca.fault("new-order", "bend", set={f"authorizations.{left}": None})
    done = client.issue(HOST, "www.example.com")
    assert done.returncode in (API, CA_REFUSED), done
    refused(done, done.returncode)
    client.nothing_installed(HOST)


def test_the_body_that_head_only_promises_is_not_waited_for(client):
    client.ca.fault("nonce", "body", body="what GET would have brought")
    client.issue(HOST).ok()
    assert len(client.ca.requests("nonce")) == 1


def test_alternates_that_can_not_be_had_are_warned_of(client):
    client.ca.fault("certificate", "status", status=404, skip=1)
    done = client.issue(HOST, more=["--preferred-chain", "acmesim old root"]).ok()
    assert len(warnings(done)) == 2 and client.generation(HOST) == 1
    assert "acmesim old root" not in client.run("show", HOST).stdout.partition("preferred_chain")[0]


@pytest.mark.parametrize("refusal", [{"type": "alreadyReplaced", "status": 409}, {"type": "malformed", "status": 404}, {"type": "unauthorized", "status": 403},
                                     {"type": "malformed", "status": 400}])
def test_a_refused_predecessor_is_left_out(client, refusal):
    client.issue(HOST).ok()
    client.ca.reset("log")
    client.ca.fault("new-order", "problem", **refusal)
    client.run("renew", "--force").ok()
    orders = client.ca.requests("new-order")
    assert len(orders) == 2 and "replaces" not in orders[1]["payload"]
    assert client.generation(HOST) == 2


def test_the_predecessor_is_named_to_the_ca_that_issued_it_only(client):
    client.issue(HOST).ok()
    client.run("renew", "--force").ok()
    assert [o["replaces"] != "" for o in client.ca.state()["orders"]] == [False, True]
    other = client.lab.pebble()
    client.run("renew", "--directory", other.directory).ok()
    assert client.generation(HOST) == 3


@pytest.mark.parametrize("window, due", [([-3600, -1800], True), ([3600, 7200], False), ([7200, 3600], False)])
def test_the_window_of_the_ca(client, window, due):
    client.issue(HOST).ok()
    client.ca.set(ari_window=window, ari_explanation="https://ca.example/why")
    client.run("renew").ok()
    assert client.generation(HOST) == (2 if due else 1)
    assert ("https://ca.example/why" in client.run("show", HOST).stdout) == (not due and window[0] < window[1])


@pytest.mark.parametrize("fault", [("status", {"status": 500, "count": 0}), ("status", {"status": 404}), ("reset_before", {"count": 0}),
                                   ("status", {"status": 200, "body": "<html>"}), ("bend", {"set": {"suggestedWindow": None}})])
def test_without_renewal_information_the_lifetime_counts(client, fault):
    client.issue(HOST).ok()
    client.ca.fault("renewal-info", fault[0], **fault[1])
    silent(client.run("renew"))
    assert client.generation(HOST) == 1


# ------------------------------------------------------------------------------------------------------------- the account

def test_the_key_is_changed_and_a_lost_answer_does_no_harm(client):
    client.run("account", "register").ok()
    before = client.ca.state()["accounts"][0]["thumbprint"]
    client.ca.fault("key-change", "reset_after")
    client.run("account", "rollover").ok()
    after = client.ca.state()["accounts"]
    assert len(after) == 1 and after[0]["thumbprint"] != before
    client.issue(HOST).ok()


def test_a_rollover_that_was_killed_is_finished_by_the_next_call(client):
    client.run("account", "register").ok()
    client.ca.fault("key-change", "hold_after", seconds=20)
    running = client.start("account", "rollover")
    until(lambda: client.ca.requests("key-change"), what="the key change")
    running.signal(9)
    running.wait()
    client.issue(HOST).ok()
    assert len(client.ca.state()["accounts"]) == 1


def test_accounts_are_updated_shown_and_deactivated(client):
    client.run("account", "register", "--email", "a@example.com").ok()
    assert "mailto:a@example.com" in client.run("account", "show").ok().stdout
    client.run("account", "update", "--email", "b@example.com,c@example.com").ok()
    assert client.ca.state()["accounts"][0]["contacts"] == ["mailto:b@example.com", "mailto:c@example.com"]
    client.run("account", "deactivate").ok()
    assert client.ca.state()["accounts"][0]["status"] == "deactivated"
    refused(client.run("account", "show"), 5, "no account", hint="account register")
    client.run("account", "register").ok()
    assert len(client.ca.state()["accounts"]) == 2


# --------------------------------------------------------------------------------------------------------------- crashes

ENDPOINTS = ["directory", "nonce", "new-account", "new-order", "authz", "challenge", "order", "finalize", "certificate"]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_run_that_is_killed_at_any_request_is_taken_up_by_the_next(client, endpoint):
    client.configure(acme__timeout="20s")
    client.ca.fault(endpoint, "hold_after", seconds=30)
    running = client.start("issue", "-d", HOST)
    until(lambda: [e for e in client.ca.requests(endpoint) if e["fault"]], what=f"the request to {endpoint}")
    running.signal(9)
    running.wait()
    keys = os.listdir(os.path.join(client.state, "orders")) if os.path.isdir(os.path.join(client.state, "orders")) else []
    client.issue(HOST).ok()
    assert client.generation(HOST) == 1
    state = client.ca.state()
    assert len(state["accounts"]) == 1
    # Once it is known here, the order is taken up: no further one, and no further certificate.
    if endpoint in ("authz", "challenge", "order", "finalize", "certificate"):
        assert len(state["orders"]) == 1 and len(state["certificates"]) == 1 and HOST + ".key" in keys
    client.run("sweep").ok()
    client.clean()


@pytest.mark.parametrize("number", [2, 15])
def test_a_signal_in_the_middle_withdraws_what_was_published(client, number):
    client.configure(acme__timeout="20s")
    client.ca.fault("challenge", "hold_after", seconds=30)
    running = client.start("issue", "-d", HOST)
    until(lambda: client.ca.requests("challenge"), what="the challenge")
    running.signal(number)
    done = running.wait()
    assert done.returncode == CANCELLED, done
    client.clean()
    client.issue(HOST).ok()
    assert client.generation(HOST) == 1


def test_the_second_of_two_at_once_waits_for_the_first(client):
    client.configure(acme__timeout="20s")
    client.ca.fault("challenge", "hold_after", seconds=8)
    first = client.start("issue", "-d", HOST)
    until(lambda: client.ca.requests("challenge"), what="the challenge")
    second = client.start("issue", "-d", HOST)
    time.sleep(1)
    assert second.alive() and len(client.ca.requests("new-order")) == 1
    first.signal(15)
    assert first.wait().returncode == CANCELLED
    assert second.wait(60).returncode == OK
