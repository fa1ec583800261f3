"""Revocation: what is asked, by whose key it is signed, and what is said.  The CA is the scripted one."""

import json
import os

import pytest

from program import API, USAGE, refused
from standalone import CA_REFUSED, Standalone, openssl, read

HOST = "host.example.com"


@pytest.fixture
def client(lab, acme_dme):
    ca = lab.acmesim()
    ca.set(validation="always")
    made = Standalone(lab, acme_dme, ca, acme__timeout="2s", acme__give_up_after="3s", acme__poll_timeout="3s")
    made.issue(HOST).ok()
    made.ca.reset("log")
    yield made
    made.stop_all()


def revoked(client):
    return [certificate["revoked"] for certificate in client.ca.state()["certificates"]]


def copies(client):
    """Copies of certificate and key beside the configuration."""
    paths = [os.path.join(client.dir, name) for name in ("copy.pem", "copy.key")]
    for path, file in zip(paths, ("cert.pem", "privkey.pem")):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as f:
            f.write(read(client.path_of(HOST, file)))
    return paths


@pytest.mark.parametrize("reason, number", [(None, 0), ("unspecified", 0), ("keyCompromise", 1), ("affiliationChanged", 3), ("superseded", 4),
                                            ("cessationOfOperation", 5)])
def test_each_reason_has_its_number(client, reason, number):
    client.lab.sim("POST", "/reset", {"only": ["log"]})
    done = client.run("revoke", HOST, *(["--reason", reason] if reason else [])).ok()
    assert done.stdout == f"{HOST}: revoked\n" and revoked(client) == [number]
    sent = json.loads(client.ca.requests("revoke")[0]["payload"])
    assert sent.get("reason") in ((None, 0) if number == 0 else (number,))
    assert client.generation(HOST) == 1 and os.path.exists(client.path_of(HOST, "privkey.pem")) and client.lab.requests() == []


@pytest.mark.parametrize("words, says", [
    ([], "name one certificate"), (["a", "--cert", "b"], "name one certificate"), ([HOST, "--reason", "boredom"], "boredom"),
    (["nobody.example.com"], "nobody.example.com"), (["--cert", "/does/not/exist.pem"], "/does/not/exist.pem"),
])
def test_the_command_line_is_explained_and_nothing_is_sent(client, words, says):
    refused(client.run("revoke", *words), USAGE, says)
    assert client.ca.requests() == [] and revoked(client) == [None]


def test_a_file_that_is_no_certificate_is_refused(client):
    done = client.run("revoke", "--cert", client.config)
    assert done.returncode != 0 and client.config in done.stderr, done
    assert client.ca.requests("revoke") == []


def test_twice_is_no_failure(client):
    client.run("revoke", HOST).ok()
    assert client.run("revoke", HOST).ok().stdout == f"{HOST}: was revoked already\n"
    assert revoked(client) == [0]


def test_with_the_certificates_key_neither_account_nor_credentials_are_needed(client):
    cert, key = copies(client)
    client.configure(state_dir=client.lab.new_dir("other-state"), credentials=None)
    client.run("revoke", "--cert", cert, "--key", key, "--reason", "keyCompromise").ok()
    assert revoked(client) == [1]
    assert [e["endpoint"] for e in client.ca.requests()] == ["directory", "nonce", "revoke"]
    assert client.ca.requests("revoke")[0]["signed_by"] == "jwk"


def test_another_key_revokes_nothing(client):
    cert, _ = copies(client)
    other = os.path.join(client.dir, "other.key")
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", other)
    os.chmod(other, 0o600)
    done = client.run("revoke", "--cert", cert, "--key", other)
    assert done.returncode in (USAGE, CA_REFUSED), done
    assert "other.key" in done.stderr or "unauthorized" in done.stderr, done
    assert revoked(client) == [None]


def test_the_ca_that_has_issued_it_is_asked(client):
    other = client.lab.pebble()
    client.configure(acme__directory=other.directory)
    client.run("revoke", HOST).ok()
    assert revoked(client) == [0] and other.count("POST", "/revoke-cert") == 0


def test_an_older_generation_is_revoked_by_its_file(client):
    old, _ = copies(client)
    client.run("renew", "--force").ok()
    client.run("revoke", "--cert", old, "--reason", "superseded").ok()
    assert revoked(client) == [4, None]


@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "close_after"])
def test_a_lost_answer_is_asked_for_again(client, kind):
    client.ca.fault("revoke", kind)
    client.run("revoke", HOST).ok()
    assert revoked(client) == [0]


@pytest.mark.parametrize("fault, status, says", [
    ({"kind": "problem", "type": "unauthorized", "status": 403, "detail": "not yours"}, CA_REFUSED, "not yours"),
    ({"kind": "problem", "type": "badRevocationReason"}, CA_REFUSED, "badRevocationReason"),
    ({"kind": "status", "status": 500}, API, "500"), ({"kind": "garbage"}, CA_REFUSED, "not an HTTP answer"), ({"kind": "timeout"}, API, ""),
])
def test_a_failure_is_one_message_and_the_certificate_counts_as_valid(client, fault, status, says):
    client.ca.fault("revoke", count=0, **fault)
    refused(client.run("revoke", HOST), status, says)
    assert revoked(client) == [None]
    client.ca.clear_faults()
    client.run("renew").ok()
    assert client.generation(HOST) == 1
