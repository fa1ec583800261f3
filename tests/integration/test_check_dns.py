"""What `acme-dme check` finds out about a zone in DNS, in its corners: test_check.py has what is common."""

import contextlib
import json
import re

import pytest

from lab import plan
from program import NAME, OK
from test_propagation import firewall, local_data

HOST = "host.example.com"
STRANGER = "ns1.foreign.org"
IPV6 = [v6 for _, v6 in plan.NAMESERVERS.values() if v6]


class Findings:
    """The JSON of a check."""

    def __init__(self, done, status):
        assert done.returncode == status, done
        self.done = done
        self.document = json.loads(done.stdout)
        self.all = self.document["findings"]

    def of(self, step, subject=None):
        return [f for f in self.all if f["step"] == step and subject in (None, f["subject"])]

    def one(self, step, subject=None):
        (finding,) = self.of(step, subject)
        return finding

    def bad(self):
        """Steps and subjects of what is not in order."""
        return sorted({(f["step"], f["subject"]) for f in self.all if f["level"] in ("warn", "fail")})


def check(program, *words, status=OK, timeout=60):
    return Findings(program.run("check", "--json", *(words or (HOST,)), timeout=timeout), status)


def expect(finding, level, *needles, hint=None):
    assert finding["level"] == level, finding
    for needle in needles:
        assert needle in finding["text"], finding
    if hint is not None:
        assert hint in finding["hint"], finding


@contextlib.contextmanager
def changed(lab, *servers):
    """The zones of these servers may be changed; afterwards they are as before."""
    lab.flush()
    try:
        yield
    finally:
        for server in servers:
            lab.restart(server)
        lab.flush()


# -- in order ----------------------------------------------------------------------------------------------------------------------


def test_no_resolver_is_asked_for_the_name_of_the_record(lab, program):
    """It would remember that nothing is there, and tell the CA so."""
    check(program)
    assert NAME not in lab.unbound("dump_cache")


def test_a_zone_that_is_served_beside_its_parent_is_in_order(lab, program):
    found = check(program, "www.sub.example.com")
    expect(found.one("delegation", "sub.example.com"), "ok", '"example.com"', "does not show")


def test_a_zone_is_looked_at_once_for_all_of_its_names(lab, program):
    found = check(program, HOST, "www.example.com", "*.example.com")
    assert len(found.of("delegation")) == len(found.of("serials")) == 1
    assert len(found.of("records")) == 3


# -- the delegation ----------------------------------------------------------------------------------------------------------------


def test_a_lame_server_that_only_the_parent_names_is_found(lab, program):
    with changed(lab, "root"):
        lab.update("root", "com", add=[["example.com.", 60, "NS", STRANGER + "."]])
        found = check(program)
    expect(found.one("delegation", "example.com"), "warn", f'"{STRANGER}"', hint="registrar")
    expect(found.one("servers", STRANGER), "warn", plan.FOREIGN_SERVER, "answers REFUSED over UDP and TCP", hint="out of the delegation")
    assert found.bad() == [("delegation", "example.com"), ("servers", STRANGER)]


def test_a_server_that_only_the_zone_names_is_found(lab, program):
    with changed(lab, *plan.NAMESERVERS):
        for ns in plan.NAMESERVERS:
            lab.update(ns, "example.com", add=[["example.com.", 60, "NS", STRANGER + "."]])
        found = check(program)
    expect(found.one("delegation", "example.com"), "warn", f'only in the zone "{STRANGER}"')
    expect(found.one("servers", STRANGER), "warn", "answers REFUSED")


def test_a_server_without_an_address_is_found(lab, program):
    with changed(lab, "root"):
        lab.update("root", "com", add=[["example.com.", 60, "NS", "ns9.nowhere.org."]])
        found = check(program)
    expect(found.one("servers", "ns9.nowhere.org"), "warn", "has no address")


def test_glue_that_is_out_of_date_is_found(lab, program):
    """The parent leads to an address that the name has no longer."""
    own = "ns.example.com"
    with changed(lab, "root", *plan.NAMESERVERS):
        lab.update("root", "com", add=[["example.com.", 60, "NS", own + "."], [own + ".", 60, "A", plan.FOREIGN_SERVER]])
        for ns in plan.NAMESERVERS:
            lab.update(ns, "example.com", add=[["example.com.", 60, "NS", own + "."], [own + ".", 60, "A", "127.0.0.11"]])
        found = check(program)
    expect(found.one("servers", own), "warn", plan.FOREIGN_SERVER, "answers REFUSED over UDP and TCP")
    assert "127.0.0.11" not in found.one("servers", own)["text"]


def test_zone_servers_that_disagree_among_themselves_are_found(lab, program):
    with changed(lab, "ns11"):
        lab.update("ns11", "example.com", add=[["example.com.", 60, "NS", STRANGER + "."]])
        found = check(program)
    expect(found.one("delegation", "example.com"), "warn")


def test_names_from_dns_do_no_harm_on_a_terminal(lab, program):
    with changed(lab, "root"):
        lab.update("root", "com", add=[["example.com.", 60, "NS", r"a\027[2J\010b.foreign.org."]])
        done = program.run("check", HOST, timeout=60)
    assert done.returncode == OK, done
    assert "[2j" in done.stdout and not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", done.stdout), done
    assert not [line for line in done.stdout.splitlines() if line.startswith("b.foreign.org")]


def test_a_parent_that_nobody_can_ask_is_no_fault_of_the_zone(lab, program):
    with firewall(lab, f"ip saddr 127.0.0.1 ip daddr {plan.ROOT_SERVER} th dport 53 drop"):
        found = check(program)
    expect(found.one("delegation", "example.com"), "skipped", '"com"', plan.ROOT_SERVER, "does not answer")
    expect(found.one("servers", "example.com"), "ok")


# -- each server -------------------------------------------------------------------------------------------------------------------


def test_a_port_that_is_closed_is_told_from_silence(lab, program):
    v4 = plan.NAMESERVERS["ns12"][0]
    with firewall(lab, f"ip daddr {v4} udp dport 53 reject", f"ip daddr {v4} tcp dport 53 reject with tcp reset"):
        found = check(program)
    expect(found.one("servers", "ns12.dnsmadeeasy.com"), "warn", v4, "can't be reached over UDP and TCP")


@pytest.mark.parametrize("protocol", ["udp", "tcp"])
def test_a_server_that_is_deaf_to_one_protocol_is_found(lab, program, protocol):
    v4 = plan.NAMESERVERS["ns12"][0]
    with firewall(lab, f"ip daddr {v4} {protocol} dport 53 drop"):
        found = check(program)
    assert found.one("servers", "ns12.dnsmadeeasy.com")["text"] == f"{v4} does not answer over {protocol.upper()}"


def test_everything_but_the_servers_themselves_is_seen_over_tcp_alone(lab, program):
    lab.add_txt("example.com", "_acme-challenge.host", "somebody else's")
    with firewall(lab, "ip saddr 127.0.0.1 ip daddr { 127.0.0.8, 127.0.0.11-127.0.0.14 } udp dport 53 drop", "udp dport 53 ip6 daddr fd00::/64 drop"):
        found = check(program)
    expect(found.one("delegation", "example.com"), "ok", "the same 4 name servers")
    assert found.one("records", NAME)["measures"]["records"] == 1
    assert [f["subject"] for f in found.of("servers")] == [plan.nameserver_fqdn(ns) for ns in plan.NAMESERVERS]
    assert all(f["text"].endswith("over UDP") and "TCP" not in f["text"] for f in found.of("servers"))


def test_one_silent_address_of_a_server_is_found(lab, program):
    if not lab.ipv6:
        pytest.skip("optional: no IPv6 here")
    with firewall(lab, f"ip6 daddr {IPV6[0]} drop"):
        found = check(program)
    assert found.one("servers", "ns10.dnsmadeeasy.com")["text"] == f"{IPV6[0]} does not answer over UDP and TCP"


def test_a_machine_without_ipv6_blames_no_server(lab, program):
    if not lab.ipv6:
        pytest.skip("optional: no IPv6 here")
    for address in IPV6:
        lab.run(["ip", "-6", "addr", "del", address + "/128", "dev", "lo"]).ok()
    try:
        found = check(program)
    finally:
        for address in IPV6:
            lab.run(["ip", "-6", "addr", "add", address + "/128", "dev", "lo", "nodad"]).ok()
    expect(found.one("servers", "example.com"), "ok", "(IPv4)", "this machine has no way to their other addresses")


# -- what stands at the name -------------------------------------------------------------------------------------------------------


def test_a_wildcards_text_is_nobodys_leftover(lab, program):
    lab.add_txt("example.com", "*", "v=spf1 -all")
    expect(check(program).one("records", NAME), "ok", "wildcard")


# -- a real round trip -------------------------------------------------------------------------------------------------------------


def lags_of(found):
    """Address -> milliseconds, and the finding that sums up."""
    servers = [f for f in found.of("write") if "lag_ms" in f["measures"]]
    (total,) = [f for f in found.of("write") if "median_ms" in f["measures"]]
    return {f["text"].split()[0]: f["measures"]["lag_ms"] for f in servers}, total


def test_a_silent_server_has_no_lag_and_does_not_keep_the_others_from_theirs(lab, program):
    lab.pause("ns12")
    measured, _ = lags_of(check(program, "--write", HOST))
    assert plan.NAMESERVERS["ns12"][0] not in measured and plan.NAMESERVERS["ns11"][0] in measured
    lab.resume("ns12")
    program.clean()


def test_what_stays_in_no_cache_is_what_was_never_asked_for(lab, program):
    """The round trip is at a random name, and the resolver shows it at once to whoever asks."""
    check(program, "--write", HOST)
    (name,) = {json.loads(r["body"])["name"] for r in lab.requests() if r["method"] == "POST"}
    assert name not in lab.unbound("dump_cache") and "host" in name


def test_an_inside_view_of_the_zone_is_not_taken_for_the_worlds(lab, program):
    """The resolver has a zone of its own, as in a company's network; DNS Made Easy's servers are the ones that count."""
    with local_data(lab, "example.com", "example.com 60 IN SOA inside.example.com. x. 1 1 1 1 1", "example.com 60 IN NS inside.example.com",
                    "inside.example.com 60 IN A 127.0.0.15"):
        found = check(program)
    expect(found.one("name", HOST), "ok", '"example.com"')
    expect(found.of("delegation", "example.com")[0], "ok", '"com"', "the same 4")


def test_lags_are_what_the_servers_really_took(lab, program):
    """The simulator knows when it told each of them."""
    lab.set_lag([2.0, 0.2, 1.0, 0.6])
    measured, total = lags_of(check(program, "--write", HOST))
    told = {}
    for server, events in lab.sim("GET", "/feed").items():
        told[plan.NAMESERVERS[server.split(".")[0]][0]] = min(e["t"] for e in events if e["name"].startswith("_acme-dme-check-"))
    first = min(told, key=told.get)
    for address, t in told.items():
        assert abs((measured[address] - measured[first]) - (t - told[first]) * 1000) < 400, (measured, told)
    assert total["measures"]["slowest_ms"] == max(measured.values()) and "ns10" in total["text"]
    program.clean()
