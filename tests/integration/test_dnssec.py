"""acme-dme check in a lab whose root, top-level domains and some zones are signed, by Knot, and whose resolvers validate: what the
program says of a zone is what a validating resolver makes of it."""

import contextlib
import time

import pytest

import clients
from lab import Lab, LabUnavailable, binaries
from program import PROPAGATION
from test_check import look

HOST = "host.example.com"


@pytest.fixture(scope="module")
def signed_lab():
    try:
        made = Lab(dnssec={"example.com": "signed", "example.net": "ds-only", "sub.example.com": "expired", "example.org": "forged"})
    except LabUnavailable as e:
        pytest.skip(str(e))
    yield made
    made.stop()


@pytest.fixture
def lab(signed_lab):
    signed_lab.reset()
    return signed_lab


@contextlib.contextmanager
def parent_changed(lab, zone, delete=(), add=()):
    """Another content of the root or a top-level domain, signed as the rest."""
    lab.update("root", zone, add=add, delete=delete)
    lab.flush()
    try:
        yield
    finally:
        lab.restart("root")
        lab.flush()


def validates(lab, zone):
    """What the CA's resolver, which validates, says when it is asked anew."""
    lab.flush()
    return lab.dig("ca-resolver", zone, "SOA")["rcode"] == "NOERROR"


def test_a_zone_that_is_signed_rightly(lab, program):
    assert validates(lab, "example.com")
    finding = look(program, HOST).one("dnssec", "ok", "signed, and the chain of trust holds", subject="example.com")
    assert finding["measures"]["was_validated"] == 1
    date = finding["text"].split("expires ")[1]
    left = time.mktime(time.strptime(date, "%Y-%m-%dT%H:%M:%SZ")) - time.mktime(time.gmtime())
    assert 12 * 86400 < left <= 14 * 86400  # rrsig-lifetime in tests/lab/signing.py


def test_a_zone_that_is_not_signed_below_one_that_is(lab, program):
    with parent_changed(lab, "net.", delete=[["example.net.", "DS"]]):
        assert validates(lab, "example.net")
        look(program, "www.example.net").one("dnssec", "ok", "not signed", subject="example.net")


def test_ds_and_no_signatures(lab, program):
    assert not validates(lab, "example.net")
    look(program, "www.example.net", status=PROPAGATION).one(
        "dnssec", "fail", "the parent has a DS record, and the zone is not signed: CAs validate", hint="DS record", subject="example.net")


def test_signatures_that_expired(lab, program):
    assert not validates(lab, "sub.example.com")
    found = look(program, "www.sub.example.com", status=PROPAGATION)
    found.one("dnssec", "fail", "the signature over the zone's keys expired on 20", subject="sub.example.com")
    # a CA that can't look CAA up must not issue
    found.one("caa", "fail", "SERVFAIL", "www.sub.example.com")


def test_an_soa_that_is_not_the_signed_one(lab, program):
    assert not validates(lab, "example.org")
    program.configure(credentials__api_key=lab.other_key, credentials__api_secret=lab.other_secret)
    look(program, "www.example.org", status=PROPAGATION).one(
        "dnssec", "fail", "the signature over the zone's SOA record does not verify", subject="example.org")


def test_a_ds_that_names_no_key(lab, program):
    stranger = ["example.com.", 60, "DS", "4711 13 2 " + "11" * 32]
    with parent_changed(lab, "com.", delete=[["example.com.", "DS"]], add=[stranger]):
        assert not validates(lab, "example.com")
        look(program, HOST, status=PROPAGATION).one(
            "dnssec", "fail", "no DNSKEY of the zone matches the parent's DS (key tag 4711)", subject="example.com")
    with parent_changed(lab, "com.", add=[stranger]):  # beside the right one it is harmless
        assert validates(lab, "example.com")
        look(program, HOST).one("dnssec", "ok", subject="example.com")


def test_a_ds_of_an_algorithm_that_nobody_knows(lab, program):
    with parent_changed(lab, "net.", delete=[["example.net.", "DS"]], add=[["example.net.", 60, "DS", "4711 200 2 " + "11" * 32]]):
        assert validates(lab, "example.net")
        look(program, "www.example.net").one("dnssec", "ok", "nothing to validate", "algorithms", subject="example.net")


def test_below_a_zone_that_is_not_signed(lab, program):
    with parent_changed(lab, ".", delete=[["net.", "DS"]]):
        assert validates(lab, "example.net")
        look(program, "www.example.net").one("dnssec", "ok", "nothing to validate", 'zone "net"', subject="example.net")


def test_a_resolver_that_does_not_validate_and_no_dns_over_https(lab, program):
    """The chain itself is looked at."""
    program.configure(propagation__resolvers=["127.0.0.16:53"], propagation__doh="never")
    conf = "\n".join(["server:", "  directory: \"\"", '  chroot: ""', '  username: ""', '  pidfile: ""', "  use-syslog: no", "  interface: 127.0.0.16@53",
                      "  outgoing-interface: 127.0.0.16", "  do-not-query-localhost: no", '  module-config: "iterator"',
                      "  root-hints: /run/lab/resolver/root.hints", "  access-control: 127.0.0.0/8 allow", ""])
    lab.run(["sh", "-c", "cat > /run/lab/plain-resolver.conf"], stdin=conf).ok()
    process = lab.popen(["/run/lab/resolver/unbound", "-d", "-c", "/run/lab/plain-resolver.conf"])
    try:
        end = time.monotonic() + 10
        while lab.dig("127.0.0.16", ".", "SOA", timeout=0.5)["rcode"] is None and time.monotonic() < end:
            time.sleep(0.05)
        finding = look(program, HOST).one("dnssec", "ok", "signed, and the chain of trust holds", subject="example.com")
        assert finding["measures"]["was_validated"] == 0
        look(program, "www.example.net", status=PROPAGATION).one("dnssec", "fail", "the zone is not signed", subject="example.net")
        look(program, "www.sub.example.com", status=PROPAGATION).one("dnssec", "fail", "expired on", subject="sub.example.com")
    finally:
        lab.kill(process)
        process.wait(10)


@pytest.mark.skipif(not binaries.find("uacme"), reason="optional: uacme is not installed")
def test_what_check_says_is_what_a_ca_does(lab, program):
    """The CA's resolver validates: a certificate for the zone that is signed, none for the one whose signatures expired."""
    base = lab.new_dir("uacme")
    uacme = [binaries.find("uacme"), "-c", base, "-a", lab.system_acme_dir, "-t", "EC"]
    program.configure(**clients.Uacme.settings)
    lab.run([*uacme, "-y", "new", "admin@example.com"]).ok()
    lab.run([*uacme, "-h", program.path, "issue", "example.com"], env=program.env(), timeout=120).ok()
    assert lab.dig("ns10", "example.com", "RRSIG")["answer"]
    done = lab.run([*uacme, "-h", program.path, "issue", "www.sub.example.com"], env=program.env(), timeout=120)
    assert done.returncode == clients.Uacme.failure, done
    assert lab.txt() == []
