"""Pebbles as tests want them: versions, switches, what they count, and their management interface."""

import json
import os

import pytest

from lab import binaries, x509

VERSIONS = ["newest", "system"] if len(binaries.versions("pebble")) > 1 else ["newest"]


def lego(lab, ca, *names, more=(), timeout=60):
    """A certificate by lego, whose records our simulator's account gets; the client that is the least particular."""
    base = lab.new_dir("lego")
    done = lab.run([binaries.find("lego"), "--server", ca.directory, "--accept-tos", "--email", "admin@example.com", "--path", base, "--dns",
                    "dnsmadeeasy", "--dns.resolvers", lab.resolver + ":53", *more, *(w for n in names for w in ("-d", n)), "run"],
                   env={"LEGO_CA_CERTIFICATES": ca.ca_file, "DNSMADEEASY_API_KEY": lab.api_key, "DNSMADEEASY_API_SECRET": lab.api_secret},
                   timeout=timeout)
    return done, os.path.join(base, "certificates", names[0] + ".crt")


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_issues_and_counts_what_it_is_asked(lab, version):
    ca = lab.pebble(version=version, strict=True)
    done, cert = lego(lab, ca, "host.example.com")
    done.ok()
    assert x509.names(cert) == ["host.example.com"]
    assert x509.verifies(cert, ca.root_file())
    assert ca.count(path="/dir") == 1 and ca.count("POST", "/order-plz") == 1, ca.requests()
    assert ca.count("POST", "/sign-me-up") == 1 and ca.count("POST", "/finalize-order/") == 1 and ca.count("POST", "/certZ/") == 1


def test_requests_are_counted_one_by_one(lab):
    ca = lab.pebble()
    ca.forget()
    for _ in range(7):
        lab.http("GET", ca.directory)
    lab.http("HEAD", ca.directory.replace("/dir", "/nonce-plz"))
    lab.http("POST", ca.directory.replace("/dir", "/order-plz"), "{}", {"Content-Type": "application/jose+json"})
    assert ca.requests() == [("GET", "/dir")] * 7 + [("HEAD", "/nonce-plz"), ("POST", "/order-plz")]


def test_refused_nonces_are_counted(lab):
    ca = lab.pebble(nonce_reject=100)
    lego(lab, ca, "host.example.com", timeout=3)
    assert ca.count("POST", "/sign-me-up") > 1, ca.requests()


def test_pebbles_run_side_by_side_until_the_reset(lab):
    first, second = lab.pebble(), lab.pebble(alternate_roots=2, chain_length=3)
    assert first.directory != second.directory and first.roots() != second.roots()[:1]
    assert len(set(second.roots())) == 3 and len(second.intermediates()) == 3
    done, cert = lego(lab, second, "host.example.com")
    done.ok()
    with open(cert, encoding="ascii") as f:
        assert f.read().count("BEGIN CERTIFICATE") == 4
    assert x509.verifies(cert, second.root_file(0))
    lab.reset()
    with pytest.raises(RuntimeError, match="refused"):
        lab.http("GET", first.directory)


def test_a_restarted_pebble_has_forgotten_everything(lab):
    ca = lab.pebble()
    before = ca.roots()
    ca.restart()
    assert ca.roots() != before


def test_an_account_needs_the_key_that_pebble_was_given(lab):
    key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
    ca = lab.pebble(eab={"kid-1": key})
    assert json.loads(lab.http("GET", ca.directory)["body"])["meta"]["externalAccountRequired"] is True
    done, _ = lego(lab, ca, "host.example.com")
    assert done.returncode != 0
    done, _ = lego(lab, ca, "host.example.com", more=["--eab", "--kid", "kid-1", "--hmac", key])
    done.ok()


def test_domains_are_blocked(lab):
    ca = lab.pebble(blocklist=["host.example.com"])
    done, _ = lego(lab, ca, "host.example.com")
    assert done.returncode != 0 and "rejectedIdentifier" in done.stderr + done.stdout, done


def test_profiles_and_renewal_info_are_as_the_test_says(lab):
    ca = lab.pebble(profiles={"short": 518400, "long": 7776000}, retry_after={"authz": 1, "order": 1})
    if not (ca.has("profiles") and ca.has("set-renewal-info")):
        pytest.skip("optional: no pebble here that is new enough (tests/lab/fetch-newer)")
    assert set(json.loads(lab.http("GET", ca.directory)["body"])["meta"]["profiles"]) == {"short", "long"}
    done, cert = lego(lab, ca, "host.example.com")
    done.ok()
    with open(cert, encoding="ascii") as f:
        leaf = f.read().partition("-----END CERTIFICATE-----")
    ca.set_renewal_info(leaf[0] + leaf[1] + "\n", "no JSON")
    serial = x509.text(cert, "-serial").partition("=")[2]
    assert ca.cert_status(serial)["Status"] == "Valid"
