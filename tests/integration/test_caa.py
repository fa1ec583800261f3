"""CAA as real name servers and a real resolver hand it out: aliases, climbing, failures on the way, odd records."""

import contextlib

import pytest

from program import PROPAGATION
from test_check import HOST, look


@pytest.fixture
def records(lab):
    """Puts CAA and CNAME records at all name servers at once, or at the root's; the resolvers forget what they knew."""
    changed = []

    def put(*entries, zone="example.com.", servers=tuple(lab.nameservers)):
        for server in servers:
            lab.update(server, zone, add=[[owner, 60, rtype, data] for owner, rtype, data in entries])
            changed.append((server, zone, [[owner, rtype] for owner, rtype, _ in entries]))
        lab.flush()

    yield put
    for server, zone, entries in changed:
        lab.update(server, zone, delete=entries)
    lab.flush()


@contextlib.contextmanager
def refusing(lab, zone, *but):
    """The client's resolver refuses to answer for what is in the zone, BUT for these zones in it."""
    kinds = {zone: "always_refuse", **dict.fromkeys(but, "always_transparent")}
    for name, kind in kinds.items():
        assert lab.unbound(f"local_zone {name} {kind}") == "ok\n"
    try:
        yield
    finally:
        for name in kinds:
            lab.unbound(f"local_zone_remove {name}")


def test_the_nearest_above_decides(program, records):
    records(("example.com.", "CAA", '0 issue "ca.example"'), ("b.example.com.", "CAA", '0 issue "letsencrypt.org"'))
    found = look(program, "a.b.example.com", "c.example.com", status=PROPAGATION)
    found.one("caa", "ok", '"b.example.com"', subject="a.b.example.com")
    found.one("caa", "fail", 'CAA at "example.com" names only "ca.example" for issue', subject="c.example.com")


def test_up_to_the_top_level_domain(program, records):
    records(("com.", "CAA", '0 issue "ca.example"'), zone="com.", servers=["root"])
    look(program, HOST, status=PROPAGATION).one("caa", "fail", 'CAA at "com" names only "ca.example" for issue')


def test_an_alias_leads_to_the_records_of_its_target(program, records):
    records(("host.example.com.", "CNAME", "target.example.net."), ("example.com.", "CAA", '0 issue "letsencrypt.org"'))
    records(("target.example.net.", "CAA", '0 issue ";"'), zone="example.net.")
    look(program, HOST, status=PROPAGATION).one("caa", "fail", 'CAA at "target.example.net" allows no CA at all (issue ";")')


def test_an_alias_without_records_at_its_target(program, records):
    records(("host.example.com.", "CNAME", "target.example.net."), ("example.com.", "CAA", '0 issue "letsencrypt.org"'))
    records(("example.net.", "CAA", '0 issue ";"'), zone="example.net.")
    look(program, HOST).one("caa", "ok", '"example.com"')


def test_what_can_t_be_looked_up_may_not_be_issued(lab, program):
    with refusing(lab, HOST):
        look(program, HOST, status=PROPAGATION).one("caa", "fail", f'asked for CAA at "{HOST}", the resolver says REFUSED')


def test_what_fails_above_the_records_does_not_matter(lab, program, records):
    with refusing(lab, "com", "example.com", "dnsmadeeasy.com"):
        look(program, HOST, status=PROPAGATION).one("caa", "fail", 'asked for CAA at "com", the resolver says REFUSED')
        records(("example.com.", "CAA", '0 issue "letsencrypt.org"'))
        look(program, HOST).one("caa", "ok", '"example.com"')


@pytest.mark.parametrize("rdata, needle", [
    (r"\# 23 00 05 6973737565 6c657473656e63727970742e6f726700", r'has a malformed value for issue: "letsencrypt.org\x01"'),
    ('0 issue "letsencrypt.org; validationmethods=dns-01; validationmethods=dns-01"', "several parameters"),
    ('0 issue "\\"letsencrypt.org\\""', 'has a malformed value for issue: ""letsencrypt.org""'),
    ('128 tbs "Unknown"', 'has the critical property "tbs"'),
    ('0 issue "letsencrypt.org; validationmethods=http-01,tls-alpn-01"', "only with validationmethods=http-01,tls-alpn-01"),
])
def test_records_that_permit_nobody(program, records, rdata, needle):
    records(("example.com.", "CAA", rdata))
    look(program, HOST, status=PROPAGATION).one("caa", "fail", needle)


@pytest.mark.parametrize("rdata", [
    '0 ISSUE "LetsEncrypt.org"', '128 issue "letsencrypt.org"', '0 iodef "mailto:a@example.com"', '0 tbs "Unknown"',
    '0 issue " letsencrypt.org ; "', '0 issue "letsencrypt.org; policy=ev; validationmethods=http-01,dns-01"',
    '0 issuewild ";"', '0 issuemail ";"',
])
def test_records_that_permit_us(program, records, rdata):
    records(("example.com.", "CAA", rdata))
    look(program, HOST).one("caa", "ok", '"example.com"')


def test_more_than_fits_into_a_udp_packet(program, records):
    records(*[("example.com.", "CAA", f'0 issue "ca{n}.{"x" * 40}.example"') for n in range(60)])
    look(program, HOST, status=PROPAGATION).one("caa", "fail", 'CAA at "example.com" names only "ca', " and 56 more for issue")
    records(("example.com.", "CAA", '0 issue "letsencrypt.org"'))
    look(program, HOST).one("caa", "ok")
