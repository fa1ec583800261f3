"""Renewal: what is due and why, what was given once is used again and what overrides it, programs and their failures."""

import os
import signal
import time

import pytest

from lab import x509
from program import CANCELLED, OK, PROPAGATION, USAGE, ZONE, refused, silent, until, warnings
from standalone import CHALLENGE, PROGRAM, Standalone, document, needs, read

HOST = "host.example.com"


@pytest.fixture
def client(lab, acme_dme):
    ca = lab.pebble(profiles={"short": 6 * 86400, "long": 90 * 86400})
    made = Standalone(lab, acme_dme, ca, **({"acme__profile": "long"} if ca.has("profiles") else {}))
    yield made
    made.stop_all()


def script(client, text, name="program"):
    return client.script(name, "#!/bin/sh\n" + text)


def test_what_is_not_due_is_left_alone_in_silence(client):
    client.issue(HOST).ok()
    silent(client.run("renew"))
    assert client.generation(HOST) == 1
    assert [c["outcome"] for c in document(client.run("renew", "--json").ok())["certificates"]] == ["not-due"]


def test_with_a_third_of_its_lifetime_left_it_is_renewed(client):
    needs(client.ca, "profiles")
    client.configure(acme__ari=False, acme__profile="short")
    client.issue(HOST).ok()
    silent(client.run("renew", env=client.clock("+95h")))
    client.run("renew", env=client.clock("+97h")).ok()
    assert client.generation(HOST) == 2


def test_a_window_that_has_begun_makes_it_due_and_names_the_predecessor(client):
    needs(client.ca, "set-renewal-info")
    client.issue(HOST).ok()
    before = client.record(HOST)["ari_id"]
    past = {"suggestedWindow": {"start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"}, "explanationURL": "https://ca.example/why"}
    client.ca.set_renewal_info(read(client.path_of(HOST, "cert.pem")), past)
    client.run("renew").ok()
    assert client.generation(HOST) == 2
    assert client.record(HOST)["ari_id"] != before
    assert client.ca.count("POST", "/order-plz") == 2


@pytest.mark.parametrize("answer", ["", "not json", "{}", '{"suggestedWindow": {}}', '{"suggestedWindow": {"start": "x", "end": "y"}}',
                                    '{"suggestedWindow": {"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"}}',
                                    '{"suggestedWindow": [1, 2]}', '[' * 100])
def test_malformed_renewal_information_leaves_it_to_the_lifetime(client, answer):
    needs(client.ca, "set-renewal-info")
    client.issue(HOST).ok()
    client.ca.set_renewal_info(read(client.path_of(HOST, "cert.pem")), answer)
    silent(client.run("renew"))
    assert client.generation(HOST) == 1
    assert client.record(HOST)["next_look_ms"] > time.time() * 1000


def test_a_moment_is_drawn_once_and_kept(client):
    needs(client.ca, "ari")
    client.issue(HOST).ok()
    client.run("renew").ok()
    first = client.record(HOST)
    assert first["window_start_ms"] <= first["drawn_ms"] <= first["window_end_ms"]
    client.ca.forget()
    client.run("renew").ok()
    assert client.ca.count() == 0  # Retry-After: it is not asked again so soon
    assert client.record(HOST)["drawn_ms"] == first["drawn_ms"]
    assert "the CA suggests renewal" in client.run("show", HOST).ok().stdout


def test_what_was_given_at_issue_is_used_again_and_shown(client):
    client.issue(HOST, more=["--key-type", "ecdsa-p384", "--combined"]).ok()
    shown = client.run("show", HOST).ok().stdout
    assert "key_type: ecdsa-p384 (command line of issue)" in shown and "combined: true (command line of issue)" in shown
    client.run("renew", "--force").ok()
    assert "secp384r1" in x509.text(client.path_of(HOST), "-text") and os.path.exists(client.path_of(HOST, "combined.pem"))


def test_the_file_overrides_what_was_stored_with_a_word_and_the_command_line_both(client):
    client.issue(HOST, more=["--key-type", "ecdsa-p384"]).ok()
    client.configure(certificates=[{"name": HOST, "domains": [HOST], "key_type": "rsa-2048"}])
    done = client.run("renew", "--force").ok()
    assert [w for w in warnings(done) if "ecdsa-p384" in w and "overridden" in w and client.config in w]
    assert "rsaEncryption" in x509.text(client.path_of(HOST), "-text")
    client.run("renew", "--force", "--key-type", "ecdsa-p256").ok()
    assert "prime256v1" in x509.text(client.path_of(HOST), "-text")


def test_certificates_of_the_file_are_issued_renewed_and_changed(client):
    client.configure(certificates=[{"name": "www", "domains": ["example.com", "*.example.com"]}, {"domains": [HOST]}])
    client.run("renew").ok()
    client.installed("www", ["example.com", "*.example.com"])
    client.installed(HOST, [HOST])
    client.configure(certificates=[{"name": "www", "domains": ["example.com", "*.example.com", "new.example.com"]}, {"domains": [HOST]}])
    client.run("renew").ok()
    assert (client.generation("www"), client.generation(HOST)) == (2, 1)
    client.installed("www", ["example.com", "*.example.com", "new.example.com"])


def test_one_that_fails_keeps_no_other_from_being_renewed(client):
    client.configure(certificates=[{"domains": ["a.example.com"]}, {"domains": ["www.not-ours.test"]}, {"domains": ["b.example.com"]}])
    done = client.run("renew", timeout=90)
    assert done.returncode != OK and "www.not-ours.test" in done.stderr
    assert client.generation("a.example.com") == client.generation("b.example.com") == 1
    client.clean()


THREE = [{"domains": ["a.example.com"]}, {"domains": ["b.example.net"]}, {"domains": ["c.example.com", "*.c.example.com"]}]


def test_a_zone_that_never_shows_its_record_holds_up_no_other(client, lab):
    client.configure(certificates=THREE, propagation__timeout="20s")
    lab.set(hold_zones=["example.net"])
    running = client.start("renew")
    until(lambda: client.generation("a.example.com") == client.generation("c.example.com") == 1, what="the others' certificates")
    assert running.alive(), "the others are there while one is still waited for"
    done = running.wait()
    assert done.returncode == PROPAGATION
    errors = [line for line in done.stderr.splitlines() if "_acme-challenge.b.example.net" in line]
    assert errors and "20 s" in errors[0] and "is not at every name server" in errors[0], done
    assert "a.example.com" not in done.stderr and "c.example.com" not in done.stderr, done
    client.clean()
    # A second run takes up exactly what is left: the order that is still good.
    lab.set(release="all")
    client.ca.forget()
    client.run("renew").ok()
    assert client.ca.count("POST", "/order-plz") == 0
    assert [client.generation(name) for name in ("a.example.com", "b.example.net", "c.example.com")] == [1, 1, 1]
    client.installed("b.example.net", ["b.example.net"])


def test_an_interrupt_keeps_what_is_finished_and_withdraws_the_rest(client, lab):
    client.configure(certificates=THREE, propagation__timeout="60s")
    lab.set(hold_zones=["example.net"])
    running = client.start("renew")
    until(lambda: client.generation("a.example.com") == client.generation("c.example.com") == 1, what="the others' certificates")
    running.signal(signal.SIGTERM)
    done = running.wait()
    assert done.returncode == CANCELLED, done
    assert [client.generation(name) for name in ("a.example.com", "b.example.net", "c.example.com")] == [1, 0, 1]
    client.clean()
    lab.set(release="all")
    client.ca.forget()
    client.run("renew").ok()
    assert client.ca.count("POST", "/order-plz") == 0
    client.installed("b.example.net", ["b.example.net"])


def test_a_name_that_there_is_not_is_said(client):
    refused(client.run("renew", "nothing"), USAGE, 'no certificate "nothing"', hint="acme-dme list")


# ---------------------------------------------------------------------------------------------------------------- programs

EVENTS = """echo "$ACME_DME_EVENT $ACME_DME_NAME [$RENEWED_DOMAINS] $RENEWED_LINEAGE ${ACME_DME_ERROR:+error} $(test -s "$ACME_DME_FULLCHAIN" && echo there)" >>"$1"
"""


def test_programs_run_around_an_issuance_with_what_they_need_to_know(client):
    log = os.path.join(client.dir, "events")
    program = script(client, EVENTS)
    client.configure(acme__pre=[program, log], acme__deploy=[[program, log], [program, log]], acme__post=[program, log], acme__failed=[program, log])
    client.issue("example.com", "*.example.com").ok()
    lineage = os.path.join(client.state, "certs", "example.com")
    domains = "[example.com *.example.com]"
    assert read(log).splitlines() == [f"pre example.com {domains} {lineage}  ", f"deploy example.com {domains} {lineage}  there",
                                      f"deploy example.com {domains} {lineage}  there", f"post example.com {domains} {lineage}  there"]
    os.unlink(log)
    assert client.issue("www.example.org").returncode == ZONE
    assert [line.split(" ")[0] for line in read(log).splitlines()] == ["pre", "failed", "post"]


def test_secrets_of_the_environment_are_not_handed_on(client):
    out = os.path.join(client.dir, "env")
    client.configure(acme__deploy=[script(client, 'env >"$1"\n'), out], credentials=None)
    env = {"DNSMADEEASY_API_KEY": client.lab.api_key, "DNSMADEEASY_API_SECRET": client.lab.api_secret}
    client.issue(HOST, env=env).ok()
    assert client.lab.api_secret not in read(out) and client.lab.api_key not in read(out) and "ACME_DME_NAME=" + HOST in read(out)
    os.unlink(out)


def test_a_deploy_program_that_fails_is_run_again_without_another_certificate(client):
    marker = os.path.join(client.dir, "ok")
    program = script(client, f'test -e "{marker}" || {{ echo the server does not run >&2; exit 3; }}\n')
    client.configure(acme__deploy=[program])
    refused_done = client.issue(HOST)
    assert refused_done.returncode == PROGRAM and "the server does not run" in refused_done.stderr and "exit status 3" in refused_done.stderr
    assert client.generation(HOST) == 1 and client.record(HOST)["deploy_pending"] == 1
    client.ca.forget()
    assert client.run("renew").returncode == PROGRAM
    open(marker, "w", encoding="ascii").close()
    assert client.run("renew").ok().stdout == f"{HOST}: deployed\n"
    silent(client.run("renew"))
    assert client.ca.count("POST") == 0 and client.generation(HOST) == 1


def test_a_pre_program_that_fails_stops_the_issuance(client):
    client.configure(acme__pre=[script(client, "exit 1\n")])
    refused(client.issue(HOST), PROGRAM, "pre program")
    assert client.ca.count("POST", "/order-plz") == 0
    assert client.generation(HOST) == 0


def test_a_program_has_a_time_limit(client):
    client.configure(acme__deploy=[script(client, "sleep 600\n")], acme__program_timeout="1s")
    begin = time.monotonic()
    done = client.issue(HOST)
    assert done.returncode == PROGRAM and time.monotonic() - begin < 30, done


def test_old_generations_are_pruned(client):
    client.configure(acme__keep=2)
    for _ in range(4):
        client.issue(HOST, more=["--force"]).ok()
    assert sorted(os.listdir(os.path.join(client.state, "archive", HOST))) == ["00000003", "00000004"]
    assert client.generation(HOST) == 4


def test_a_failure_is_in_the_status_until_it_is_over(client):
    needs(client.ca, "profiles")
    client.configure(acme__profile="none-such")
    assert client.issue(HOST).returncode == 12
    assert "failed" in client.run("status").stdout
    client.configure(acme__profile="long")
    client.issue(HOST).ok()
    shown = client.run("status").ok().stdout
    assert "failed" not in shown and client.path_of(HOST, "cert.pem") in shown


def test_a_link_that_is_being_switched_is_no_certificate_of_the_status(client):
    client.issue(HOST).ok()
    os.symlink("../archive/none/00000001", os.path.join(client.state, "certs", ".acme-dme-0123456789abcdef.tmp"))
    shown = client.run("status").ok().stdout
    assert client.path_of(HOST, "cert.pem") in shown and ".tmp" not in shown


def test_revoked_ones_are_due_and_deleted_ones_are_gone(client):
    client.issue(HOST).ok()
    assert client.run("revoke", HOST, "--reason", "superseded").ok().stdout == f"{HOST}: revoked\n"
    serial = x509.text(client.path_of(HOST), "-serial").rpartition("=")[2]
    assert client.ca.cert_status(serial)["Status"] == "Revoked"
    client.run("renew").ok()
    assert client.generation(HOST) == 2
    assert client.run("delete", HOST).ok().stdout.startswith(f"{HOST}: deleted here")
    assert client.run("list").ok().stdout == ""
    assert client.generation(HOST) == 0 and len(os.listdir(os.path.join(client.state, "archive", ".deleted"))) == 1
    refused(client.run("show", HOST), USAGE, "no certificate")


def test_a_stranger_with_the_certificates_key_can_revoke(client):
    client.issue(HOST).ok()
    cert, key = (os.path.join(client.dir, n) for n in ("c.pem", "k.pem"))
    for path, file in ((cert, "cert.pem"), (key, "privkey.pem")):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as f:
            f.write(read(client.path_of(HOST, file)))
    client.configure(state_dir=client.lab.new_dir("other-state"))
    client.run("revoke", "--cert", cert, "--key", key, "--reason", "keyCompromise").ok()
    assert "already" in client.run("revoke", "--cert", cert, "--key", key).ok().stdout
    refused(client.run("revoke", "--cert", cert), 5, "no account")


def test_nobody_but_its_owner_can_revoke(client):
    client.issue(HOST).ok()
    cert = os.path.join(client.dir, "c.pem")
    with open(cert, "w", encoding="ascii") as f:
        f.write(read(client.path_of(HOST, "cert.pem")))
    client.configure(state_dir=client.lab.new_dir("other-state"))
    client.run("account", "register").ok()
    assert client.run("revoke", "--cert", cert).returncode in (12, CHALLENGE)
