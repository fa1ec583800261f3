"""The scripted ACME server is faithful: other programs' clients get certificates from it, and it forgives as little as the RFC allows."""

import json
import os
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

import clients
from acmesim_harness import Answer, Hand, b64, der
from lab import x509
from program import until

NAMES = ["example.com", "*.example.com", "www.sub.example.com"]
KINDS = [clients.Lego, clients.Certbot, clients.Dehydrated, clients.Uacme, clients.Acmetool]


@pytest.fixture
def ca(lab):
    return lab.acmesim()


@pytest.fixture
def hand(ca):
    """Someone with an account at a CA that believes everything."""
    ca.set(validation="always")
    made = Hand(ca)
    made.register().ok(201)
    return made


# -- other programs' clients ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__.lower())
def test_a_real_client_gets_a_certificate(lab, ca, program, monkeypatch, kind):
    path = next((entry[2] for entry in clients.EVERY if entry[1] is kind), None)
    if not path:
        pytest.skip(f"optional: {kind.binary} is not installed")
    monkeypatch.setattr(lab, "acme_dir", ca.directory)
    monkeypatch.setattr(lab, "system_acme_dir", ca.directory)
    program.configure(**kind.settings)
    client = kind(lab, program, path)
    ca.set(terms=kind is not clients.Acmetool)  # it is told in advance which ones it may agree to
    run = client.run
    monkeypatch.setattr(client, "run", lambda argv, env=None, **more: run(argv, env=program.env(env), **more))
    try:
        done = client.issue(NAMES)
        assert done.returncode == 0, (done, client.hook.calls(), ca.requests())
        cert = client.cert("example.com")
        assert x509.names(cert) == sorted(NAMES)
        assert x509.verifies(cert, ca.root_file())
        # uacme asks first whether there is an account.
        refused = [e for e in ca.requests() if e["status"] >= 400 and e["endpoint"] != "new-account"]
        assert refused == [], refused
    finally:
        client.close()
    program.clean()


# -- what it does not forgive -----------------------------------------------------------------------------------------


def test_a_nonce_is_good_once_and_the_refusal_brings_another(hand):
    url, nonce = hand.directory["newOrder"], hand.nonce()
    payload = {"identifiers": [{"type": "dns", "value": "example.com"}]}
    hand.post(url, payload, nonce=nonce).ok(201)
    again = hand.post(url, payload, nonce=nonce).refused("badNonce", 400)
    hand.post(url, payload, nonce=again.headers["Replay-Nonce"]).ok(201)
    hand.post(url, payload, without=["nonce"]).refused("badNonce", 400)


def test_what_is_signed_wrongly_is_refused(hand):
    url = hand.directory["newOrder"]
    payload = {"identifiers": [{"type": "dns", "value": "example.com"}]}
    hand.post(url, payload, url=url + "x").refused("unauthorized", 403)
    hand.post(url, payload, jwk=hand.jwk()).refused("malformed", 400)
    hand.post(url, payload, without=["kid"]).refused("malformed", 400)
    hand.post(url, payload, kid=hand.kid + "9").refused("accountDoesNotExist", 400)
    hand.post(url, payload, alg="HS256").refused("badSignatureAlgorithm", 400)
    hand.post(url, payload, alg="ES384").refused("badSignatureAlgorithm", 400)
    spoilt = hand.sign(url, payload)
    spoilt["payload"] = b64(b'{"identifiers":[{"type":"dns","value":"example.net"}]}')
    hand.send(url, spoilt).refused("malformed", 400)
    hand.send(url, {**hand.sign(url, payload), "header": {}}).refused("malformed", 400)
    hand.send(url, hand.sign(url, payload), content_type="application/json").refused("malformed", 415)
    padded = hand.sign(url, payload)
    hand.send(url, {**padded, "payload": padded["payload"] + "="}).refused("malformed", 400)


def test_resources_are_not_to_be_had_by_get_nor_by_others(ca, hand):
    order = hand.order("example.com").ok(201)
    assert Answer(ca.lab.http("GET", order.headers["Location"])).status == 405
    other = Hand(ca)
    other.register().ok(201)
    other.post(order.headers["Location"]).refused("unauthorized", 403)
    other.post(order.json()["authorizations"][0]).refused("unauthorized", 403)
    other.post(hand.kid).refused("unauthorized", 403)


def test_an_order_goes_through_its_states(hand):
    order = hand.order("example.com", "*.example.com").ok(201)
    assert order.json()["status"] == "pending" and len(order.json()["authorizations"]) == 2
    authzs = [hand.post(url).ok().json() for url in order.json()["authorizations"]]
    assert [(a["identifier"]["value"], a.get("wildcard", False)) for a in authzs] == [("example.com", False), ("example.com", True)]
    finalize = order.json()["finalize"]
    hand.post(finalize, {"csr": hand.csr("example.com", "*.example.com")}).refused("orderNotReady", 403)
    ready = hand.prove(order).json()
    assert ready["status"] == "ready" and "certificate" not in ready
    hand.post(finalize, {"csr": hand.csr("example.com")}).refused("badCSR", 400)
    hand.post(finalize, {"csr": hand.csr("example.com", "*.example.com", key=hand.key)}).refused("badCSR", 400)
    hand.post(finalize, {"csr": "AAAA"}).refused("badCSR", 400)
    done = hand.post(finalize, {"csr": hand.csr("example.com", "*.example.com")}).ok().json()
    assert done["status"] == "valid" and hand.post(done["certificate"]).ok().body.count("BEGIN CERTIFICATE") == 2
    hand.post(finalize, {"csr": hand.csr("example.com", "*.example.com")}).refused("orderNotReady", 403)


@pytest.mark.parametrize("names, kind", [
    ([], "malformed"), (["example.com", "example.com"], "malformed"), (["Example.com"], "rejectedIdentifier"), (["192.0.2.1"], "rejectedIdentifier"),
    (["*.*.example.com"], "rejectedIdentifier"), (["example"], "rejectedIdentifier"), ([f"h{n}.example.com" for n in range(101)], "malformed"),
])
def test_names_that_no_ca_takes(hand, names, kind):
    hand.order(*names).refused(kind, 400)


def test_a_challenge_is_looked_up_and_its_failure_fails_the_order(ca, hand):
    ca.set(validation="really")
    order = hand.order("host.example.com").ok(201)
    challenge = hand.post(order.json()["authorizations"][0]).json()["challenges"][0]
    hand.post(challenge["url"], {"keyAuthorization": "x"}).refused("malformed", 400)
    hand.post(challenge["url"], {}).ok()
    until(lambda: hand.post(order.headers["Location"]).json()["status"] == "invalid", what="the failure")
    authz = hand.post(order.json()["authorizations"][0]).json()
    assert authz["status"] == "invalid" and authz["challenges"][0]["error"]["type"].endswith((":dns", ":unauthorized"))


def test_accounts_are_bound_changed_and_deactivated(ca):
    key = b64(b"k" * 32)
    ca.set(eab_required=True, eab={"kid-1": key})
    hand = Hand(ca)
    hand.register().refused("externalAccountRequired", 403)
    hand.register(externalAccountBinding=hand.eab("kid-2", key)).refused("unauthorized", 403)
    hand.register(externalAccountBinding=hand.eab("kid-1", b64(b"j" * 32))).refused("unauthorized", 403)
    hand.register(externalAccountBinding=hand.eab("kid-1", key, nonce="x")).refused("malformed", 400)
    hand.register(externalAccountBinding=hand.eab("kid-1", key), termsOfServiceAgreed=False).refused("userActionRequired", 403)
    hand.register(onlyReturnExisting=True).refused("accountDoesNotExist", 400)
    hand.register(externalAccountBinding=hand.eab("kid-1", key, alg="HS512")).ok(201)
    first, hand.kid = hand.kid, None
    hand.register(onlyReturnExisting=True).ok(200)
    assert hand.kid == first
    hand.post(first, {"contact": ["tel:1"]}).refused("unsupportedContact", 400)
    hand.post(first, {"contact": ["mailto:nobody"]}).refused("invalidContact", 400)
    assert hand.post(first, {"contact": ["mailto:a@example.com"]}).ok().json()["contact"] == ["mailto:a@example.com"]
    assert hand.post(first, {"status": "deactivated"}).ok().json()["status"] == "deactivated"
    hand.order("example.com").refused("unauthorized", 401)


def test_keys_are_changed_by_both_and_not_into_one_that_is_in_use(ca, hand):
    url, new, other = hand.directory["keyChange"], Hand(ca), Hand(ca)
    other.register().ok(201)

    def change(to, **payload):
        return hand.post(url, to.sign(url, {"account": hand.kid, "oldKey": hand.jwk(), **payload}, without=["nonce", "kid"], jwk=to.jwk()))

    assert change(other).refused("malformed", 409).headers["Location"] == other.kid
    change(new, account=other.kid).refused("malformed", 400)
    change(new, oldKey=new.jwk()).refused("malformed", 400)
    change(new).ok()
    hand.order("example.com").refused("malformed", 400)
    hand.key = new.key
    hand.order("example.com").ok(201)


def test_revocation_by_either_key_once(ca, hand):
    url, key, other = hand.directory["revokeCert"], ec.generate_private_key(ec.SECP256R1()), Hand(ca)
    other.register().ok(201)
    certificate = b64(der(hand.certificate("example.com", key=key)[1].body))
    other.post(url, {"certificate": certificate}).refused("unauthorized", 403)
    hand.post(url, {"certificate": certificate, "reason": 99}).refused("badRevocationReason", 400)
    owner = Hand(ca)
    owner.key = key
    owner.post(url, {"certificate": certificate, "reason": 1}).ok()
    hand.post(url, {"certificate": certificate}).refused("alreadyRevoked", 400)
    assert [c["revoked"] for c in ca.state()["certificates"]] == [1]


def test_chains_lead_to_their_roots(ca, hand):
    _, first = hand.certificate("example.com")
    alternate = hand.post(first.headers["Link"].partition("<")[2].partition(">")[0]).ok()
    for number, text in enumerate((first.body, alternate.body)):
        path = os.path.join(ca.lab.new_dir("chain"), "chain.pem")
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        assert x509.verifies(path, ca.root_file(number)) and not (number == 0 and x509.verifies(path, ca.root_file(1)))


def test_renewal_information_and_predecessors(ca, hand):
    order, _ = hand.certificate("example.com")
    cert_id = ca.state()["certificates"][0]["cert_id"]
    url = hand.directory["renewalInfo"] + "/" + cert_id
    answer = Answer(ca.lab.http("GET", url)).ok()
    window = answer.json()["suggestedWindow"]
    assert window["start"] < window["end"] and answer.headers["Retry-After"] == "21600"
    assert Answer(ca.lab.http("GET", url + "A")).status == 404
    assert hand.order("example.com", replaces=cert_id).ok(201).json()["replaces"] == cert_id
    renewed = hand.prove(hand.order("example.com", replaces=cert_id)).json()
    hand.post(renewed["finalize"], {"csr": hand.csr("example.com")}).ok()
    hand.order("example.com", replaces=cert_id).refused("alreadyReplaced", 409)
    assert order["status"] == "valid"


def test_profiles_set_the_lifetime(ca, hand):
    ca.set(profiles={"classic": 7776000, "short": 518400})
    assert set(Answer(ca.lab.http("GET", ca.directory)).json()["meta"]["profiles"]) == {"classic", "short"}
    hand.order("example.com", profile="long").refused("invalidProfile", 400)
    assert hand.order("example.com", profile="short").ok(201).json()["profile"] == "short"


# -- what goes wrong on purpose ---------------------------------------------------------------------------------------


def test_a_fault_hits_its_endpoint_after_the_skipped_and_so_often(ca, hand):
    ca.fault("new-order", "problem", skip=1, count=2, type="rateLimited", status=429, detail="too many", headers={"Retry-After": "@+60"})
    hand.order("example.com").ok(201)
    for _ in range(2):
        answer = hand.order("example.com").refused("rateLimited", 429)
        assert answer.json()["detail"] == "too many" and "GMT" in answer.headers["Retry-After"]
    hand.order("example.com").ok(201)
    assert [e["status"] for e in ca.requests("new-order")] == [201, 429, 429, 201]


@pytest.mark.parametrize("kind, acts", [("reset_before", False), ("reset_after", True), ("close_before", False), ("close_after", True)])
def test_answers_are_lost_before_or_after_the_deed(ca, hand, kind, acts):
    ca.fault("new-order", kind)
    with pytest.raises(RuntimeError, match="Reset|Disconnected|SSLEOF|closed"):
        hand.order("example.com")
    assert len(ca.state()["orders"]) == (1 if acts else 0)


def test_answers_are_bent_cut_and_slow(ca, hand):
    ca.fault("new-order", "bend", set={"identifiers.0.value": "x.example.org", "expires": None})
    bent = hand.order("example.com").ok(201).json()
    assert bent["identifiers"] == [{"type": "dns", "value": "x.example.org"}] and "expires" not in bent
    ca.fault("new-order", "truncate", bytes=10)
    with pytest.raises(RuntimeError, match="IncompleteRead"):
        hand.order("example.com")
    ca.fault("new-order", "garbage")
    with pytest.raises(RuntimeError, match="BadStatusLine|LineTooLong|Header"):
        hand.order("example.com")
    ca.fault("directory", "trickle", ms=1)
    begin = time.monotonic()
    assert "newOrder" in Answer(ca.lab.http("GET", ca.directory)).json()
    assert time.monotonic() - begin > 0.5
    ca.fault("directory", "oversize", bytes=3 << 20)
    assert len(ca.lab.http("GET", ca.directory)["body"]) == 3 << 20
    ca.fault("nonce", "none", nonce=None)
    assert "Replay-Nonce" not in ca.lab.http("HEAD", hand.directory["newNonce"])["headers"]


def test_things_change_behind_the_clients_back(ca, hand):
    order = hand.order("example.com").ok(201)
    ca.change("orders", set={"expires": 0})
    assert hand.post(order.headers["Location"]).json()["status"] == "invalid"
    ca.change("orders", forget=True)
    hand.post(order.headers["Location"]).refused("malformed", 404)
    ca.change("accounts", set={"status": "deactivated"})
    hand.order("example.com").refused("unauthorized", 401)
    ca.change("accounts", forget=True)
    hand.order("example.com").refused("accountDoesNotExist", 400)


def test_a_reset_forgets_everything(ca, hand):
    hand.order("example.com").ok(201)
    ca.fault("new-order", "timeout")
    ca.reset()
    state = ca.state()
    assert (state["accounts"], state["orders"], state["faults"], state["settings"]["validation"], ca.requests()) == ([], [], [], "really", [])
    assert json.dumps(state)
