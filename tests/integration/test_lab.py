"""The lab itself keeps its promises: the tests that build on it can trust silence, lag, firewalls and a clean end."""

import importlib.machinery
import importlib.util
import os
import signal
import subprocess
import sys
import time

import dns.message
import pytest

from lab import Lab, plan

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NAME = "_acme-challenge.host.example.com"


def test_each_name_server_shows_a_record_after_its_own_lag(lab):
    lab.set_lag([0.0, 0.5, 1.0, 1.5])
    begin = time.monotonic()
    lab.sim("POST", "/record", {"zone": "example.com", "name": "_acme-challenge.host", "type": "TXT", "value": '"v"'})
    seen = {}
    while len(seen) < len(lab.nameservers) and time.monotonic() - begin < 10:
        for server in lab.nameservers:
            if server not in seen and lab.dig(server, NAME)["answer"] == ["v"]:
                seen[server] = time.monotonic() - begin
        time.sleep(0.02)
    assert len(seen) == len(lab.nameservers)
    for server, lag in zip(lab.nameservers, [0.0, 0.5, 1.0, 1.5]):
        # Knot holds a second update of a zone within two seconds back for up to a second.
        assert lag <= seen[server] < lag + 1.5, seen


def test_a_held_name_server_learns_nothing(lab):
    lab.set(hold="ns12")
    lab.add_txt("example.com", "_acme-challenge.host", "v")
    assert lab.dig("ns11", NAME)["answer"] == ["v"]
    assert lab.dig("ns12", NAME)["answer"] == []


def test_a_paused_name_server_is_silent_until_it_is_resumed(lab):
    lab.pause("ns11")
    assert lab.dig("ns11", "example.com", "SOA", timeout=0.3)["rcode"] is None
    lab.resume("ns11")
    assert lab.dig("ns11", "example.com", "SOA")["rcode"] == "NOERROR"


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_the_firewall_stops_the_client_but_not_its_resolver(lab, tcp):
    lab.block53()
    assert lab.dig("ns10", "example.com", "SOA", tcp=tcp, timeout=0.3)["rcode"] is None
    assert lab.dig("resolver", "www.example.com", "A", tcp=tcp)["answer"] == [plan.HOST_ADDR]
    lab.unblock53()
    assert lab.dig("ns10", "example.com", "SOA", tcp=tcp)["rcode"] == "NOERROR"


def test_the_firewall_covers_ipv6(lab):
    if not lab.ipv6:
        pytest.skip("no IPv6 here")
    assert lab.dig("fd00::11", "example.com", "SOA")["rcode"] == "NOERROR"
    lab.block53()
    assert lab.dig("fd00::11", "example.com", "SOA", timeout=0.3)["rcode"] is None


def test_dns_over_https_answers_with_a_certificate_of_the_labs_ca(lab):
    lab.add_txt("example.com", "_acme-challenge.host", "over https")
    query = os.path.join(lab.new_dir(), "query")
    with open(query, "wb") as f:
        f.write(dns.message.make_query(NAME, "TXT", id=0).to_wire())
    answer = query + ".answer"
    lab.run(["curl", "-sSf", "--cacert", lab.ca_file, "-H", "Content-Type: application/dns-message", "--data-binary", "@" + query, "-o", answer,
             lab.doh_url]).ok()
    with open(answer, "rb") as f:
        assert dns.message.from_wire(f.read()).answer[0][0].strings == (b"over https",)


def test_zones_are_delegated_where_they_should_be(lab):
    def servers(zone):
        return sorted(lab.dig("resolver", zone, "NS")["answer"])

    ours = [plan.nameserver_fqdn(ns) + "." for ns in plan.NAMESERVERS]
    assert all(servers(zone) == ours for zone in plan.our_zones())
    assert all(servers(zone) == ["ns1.foreign.org."] for zone in plan.FOREIGN_ZONES)
    assert lab.dig("resolver", "nobody.foreign.org", "A")["rcode"] == "NXDOMAIN"
    assert lab.dig("ns10", "www.away.example.com", "A")["aa"] is False


def test_more_zones_are_delegated_and_served_like_the_others():
    with Lab(zones=20) as lab:
        ours = [plan.nameserver_fqdn(ns) + "." for ns in plan.NAMESERVERS]
        assert len(lab.zones) == len(set(lab.zones)) == 20
        assert all(sorted(lab.dig("resolver", zone, "NS")["answer"]) == ours for zone in lab.zones)
        assert set(lab.zones) < {zone["name"] for zone in lab.state()["zones"]}
        lab.set_lag([0.0, 0.1, 0.2, 1.0])
        for zone in lab.zones:
            lab.sim("POST", "/record", {"zone": zone, "name": "_acme-challenge.host", "type": "TXT", "value": f'"of {zone}"'})
        assert lab.dig("ns13", f"_acme-challenge.host.{lab.zones[-1]}")["answer"] == []
        lab.wait_published()
        for zone in lab.zones:
            assert lab.dig("ns13", f"_acme-challenge.host.{zone}")["answer"] == [f"of {zone}"]
            assert lab.dig("ca-resolver", f"_acme-challenge.host.{zone}")["answer"] == [f"of {zone}"]
        told = lab.sim("GET", "/feed")["ns13.dnsmadeeasy.com"]
        assert len(told) == 20 and all(1.0 <= entry["t"] - entry["made"] < 3.0 for entry in told), told


def test_programs_inside_see_nothing_of_the_callers_environment(lab, monkeypatch):
    monkeypatch.setenv("DNSMADEEASY_API_KEY", "from outside")
    names = {line.partition("=")[0] for line in lab.run(["env"], env={"MINE": "1"}).ok().stdout.splitlines()}
    assert names - {"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "LLVM_PROFILE_FILE", "PWD"} == {"PATH", "HOME", "TMPDIR", "LANG", "MINE"}


def test_a_program_over_its_time_is_killed_with_its_children(lab):
    done = lab.run(["sh", "-c", "sleep 77 & sleep 78"], timeout=0.5)
    assert done.timed_out and done.seconds < 5
    assert "sleep 7" not in lab.run(["ps", "ax"]).stdout


def test_reset_forgets_everything(lab):
    lab.add_txt("example.com", "_acme-challenge.host", "v")
    assert lab.dig("resolver", NAME)["answer"] == ["v"]
    lab.fault(kind="status", count=5)
    lab.set(limit=1, hold="ns10")
    lab.pause("ns13")
    lab.block53()
    lab.reset()
    state = lab.state()
    assert (lab.txt(), lab.requests(), state["faults"], state["settings"]["limit"]) == ([], [], [], 150)
    for server in [*lab.nameservers, "resolver"]:
        assert lab.dig(server, NAME)["rcode"] == "NXDOMAIN", server


def alive(needle):
    return subprocess.run(["pgrep", "-f", needle], capture_output=True, text=True, check=False).stdout.split()


def test_two_labs_run_side_by_side_and_leave_nothing(lab):
    with Lab() as other:
        work = other.work
        other.add_txt("example.com", "_acme-challenge.host", "v")
        assert other.dig("ns10", NAME)["answer"] == ["v"]
        assert lab.dig("ns10", NAME)["rcode"] == "NXDOMAIN"
        assert alive(work)
    assert not os.path.exists(work)
    assert not alive(work)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["term", "kill"])
def test_a_lab_ends_with_its_process_however_that_dies(number):
    code = f"import sys; sys.path.insert(0, {TESTS!r}); from lab import Lab; lab = Lab(); print(lab.work, flush=True); input()"
    process = subprocess.Popen([sys.executable, "-B", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    work = process.stdout.readline().strip()
    assert work and alive(work)
    process.send_signal(number)
    process.communicate()
    end = time.monotonic() + 10
    while (os.path.exists(work) or alive(work)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not os.path.exists(work)
    assert not alive(work)


@pytest.fixture(scope="module")
def fetch_newer():
    loader = importlib.machinery.SourceFileLoader("fetch_newer", os.path.join(TESTS, "lab", "fetch-newer"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("fetch_newer", loader))
    loader.exec_module(module)
    return module


DEB822 = """# first
Types: deb deb-src
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main

# the archive itself
Types: deb deb-src
URIs: http://mirror.example/debian/
Suites: bookworm bookworm-updates
Components: main contrib
Architectures: amd64
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
 -----END PGP PUBLIC KEY BLOCK-----
"""


def test_a_deb822_source_is_rewritten_for_a_newer_suite_with_its_embedded_key(fetch_newer, tmp_path):
    path = tmp_path / "debian.sources"
    path.write_text(DEB822)
    name, text = fetch_newer.source_for("sid", "http://mirror.example/debian", str(path))
    assert name == "view.sources"
    assert text.splitlines()[:5] == ["Types: deb", "URIs: http://mirror.example/debian", "Suites: sid", "Components: main", "Architectures: amd64"]
    assert text.endswith("Signed-By: \n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n abc\n -----END PGP PUBLIC KEY BLOCK-----\n")


@pytest.mark.parametrize("line, wanted", [
    ("deb http://m.example/debian bookworm main contrib", "deb http://m.example/debian sid main\n"),
    ("deb [ arch=amd64 signed-by=/k.gpg ] http://m.example/debian/ bookworm main", "deb [ arch=amd64 signed-by=/k.gpg ] http://m.example/debian/ sid main\n"),
])
def test_a_one_line_source_is_rewritten_with_its_options(fetch_newer, tmp_path, line, wanted):
    path = tmp_path / "sources.list"
    path.write_text("# deb http://m.example/debian old main\ndeb-src http://m.example/debian bookworm main\ndeb http://other.example/x y z\n" + line + "\n")
    assert fetch_newer.source_for("sid", "http://m.example/debian/", str(path)) == ("view.list", wanted)


def test_no_suite_is_newer_than_sid_and_only_sid_is_newer_than_trixie(fetch_newer):
    assert fetch_newer.suites_above("sid") == []
    assert fetch_newer.suites_above("trixie") == ["sid"]
    assert fetch_newer.suites_above("bookworm") == ["sid", "trixie"]
