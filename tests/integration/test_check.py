"""acme-dme check: a healthy set-up, then one broken thing each; it reads only, costs little, and says what to do."""

import contextlib
import json
import os
import pty
import re
import signal
import time

import pytest

import windows
from lab import plan
from program import (AUTH, API, CANCELLED, CONFIG, INTERNAL, NAME, OK, PROPAGATION, RATE_LIMIT, STATE, USAGE, VALUE, ZONE, until)
from test_propagation import firewall

HOST = "host.example.com"
NEW_ZONE = 9000001
STEPS = ["config", "sources", "sources", "state", "journal", "api", "clock", "credentials", "budget", "name", "zone", "delegation", "servers",
         "serials", "dnssec", "records", "caa"]
LINE = re.compile(r"(ok  |skip|warn|FAIL)  ([a-z]+) +(\S.*)\Z")
SUM = re.compile(r"(\d+) ok, (\d+) warnings?, (\d+) failures?(, (\d+) skipped)?\Z")
MEMBERS = {"level", "step", "subject", "text", "hint", "measures"}


class Found:
    """The document of --json, checked for its shape."""

    def __init__(self, done):
        self.done = done
        assert done.stdout.count("\n") == 1, done
        root = json.loads(done.stdout)
        assert set(root) == {"version", "result", "findings"} and root["version"] == 1, done
        self.findings = root["findings"]
        order = ["ok", "skipped", "warn", "fail"]
        for finding in self.findings:
            failed = finding["level"] == "fail"
            assert set(finding) == MEMBERS | ({"code"} if failed else set()), finding
            assert finding["level"] in order and finding["text"] and not finding["text"].endswith("."), finding
            assert not finding["hint"] or finding["hint"][-1] in ".?)" or "acme-dme" in finding["hint"], finding
            assert all(isinstance(n, int) for n in finding["measures"].values()), finding
            assert (finding["subject"] + finding["text"] + finding["hint"]).isprintable(), finding
        assert root["result"] == max((f["level"] for f in self.findings), key=order.index, default="ok"), done
        texts = [(f["step"], f["subject"], f["text"]) for f in self.findings]
        assert len(texts) == len(set(texts)), f"something is reported twice\n{done}"

    def of(self, step, subject=None):
        return [f for f in self.findings if f["step"] == step and subject in (None, f["subject"])]

    def one(self, step, level, *needles, hint=None, subject=None):
        """The only finding of the step, and what it says."""
        found = self.of(step, subject)
        assert len(found) == 1, f"{len(found)} findings of {step!r}\n{self.shown()}"
        assert found[0]["level"] == level, f"{found[0]}\n{self.shown()}"
        for needle in needles:
            assert needle in found[0]["text"], f"{needle!r} is not in {found[0]['text']!r}"
        if hint is not None:
            assert hint in found[0]["hint"], f"{hint!r} is not in the hint {found[0]['hint']!r}"
        return found[0]

    def shown(self):
        """What is not in order, a line each."""
        return "\n".join(f"{f['level']} {f['step']} {f['subject']}: {f['text']} -- {f['hint']}" for f in self.findings if f["level"] != "ok")

    def bad(self):
        """The steps that warn or fail."""
        return [f["step"] for f in self.findings if f["level"] in ("warn", "fail")]


def look(program, *args, status=OK, timeout=60, **kwargs):
    """check --json, its exit status, and that it changed nothing and showed no secret."""
    since = time.time()
    before = program.lab.txt()
    done = program.run("check", "--json", *args, timeout=timeout, **kwargs)
    assert not done.timed_out, done
    found = Found(done)
    assert done.returncode == status, f"exit {done.returncode}: {found.shown()}"
    if status == OK:
        assert done.stderr == "", done
    else:
        assert re.fullmatch(r"acme-dme: \d+ of \d+ steps failed\n", done.stderr), done
    for shown in program.secrets(since):
        assert shown not in done.stdout + done.stderr, f"a secret is shown\n{done}"
    assert program.lab.txt() == before
    if "--write" not in args:
        assert program.changes() == []
    return found


@contextlib.contextmanager
def knot(lab, server, zone, *commands):
    """Another's edit of a zone on one of the name servers; undone by starting it anew."""
    for command in (["zone-begin"], *commands, ["zone-commit"]):
        done = lab.run(["knotc", "-b", "-s", f"/run/lab/{server}/knot.sock", command[0], zone, *command[1:]])
        assert done.returncode == 0, done
    try:
        lab.flush()
        yield
    finally:
        lab.restart(server)


@contextlib.contextmanager
def zone(lab, name, **fields):
    """One zone more in the account."""
    lab.sim("POST", "/zone", {"name": name, "id": NEW_ZONE, "account": lab.api_key, **fields})  # ids start anew with each reset
    try:
        yield
    finally:
        lab.sim("POST", "/zone", {"name": name, "remove": True})


@contextlib.contextmanager
def mounted(program, options):
    """The state directory is a file system of its own."""
    os.makedirs(program.state, mode=0o700, exist_ok=True)
    program.lab.run(["mount", "-t", "tmpfs", "-o", options, "test", program.state]).ok()
    try:
        yield
    finally:
        program.lab.run(["umount", program.state]).ok()


# -- healthy -----------------------------------------------------------------------------------------------------------------------


def test_a_healthy_set_up_is_ok_in_every_step(lab, program):
    found = look(program, HOST)
    assert [f["step"] for f in found.findings] == STEPS
    assert {f["level"] for f in found.findings} == {"ok"}
    assert [r["method"] for r in lab.requests()] == ["GET"] * 3  # the account, the zone when it is met first, the zone itself
    assert found.done.seconds < 3
    assert program.journal() == []
    assert found.one("budget", "ok")["measures"]["requests_limit"] == 150
    assert abs(found.one("clock", "ok")["measures"]["offset_ms"]) < 1500
    families = "IPv4 and IPv6" if lab.ipv6 else "IPv4"
    found.one("servers", "ok", families)
    found.one("delegation", "ok", '"com"', "4 name servers")
    look(program, HOST)
    assert len(lab.requests()) == 5  # it is remembered: the account and the zone


def test_lines_for_people(program):
    done = program.run("check", HOST).ok()
    lines = done.stdout.splitlines()
    assert done.stderr == "" and "\033" not in done.stdout
    assert [LINE.match(line).group(2) for line in lines[:-1]] == STEPS, done
    assert {LINE.match(line).group(1) for line in lines[:-1]} == {"ok  "}
    assert lines[-1] == f"{len(STEPS)} ok, 0 warnings, 0 failures"


def test_hints_follow_their_line_and_the_last_line_sums_up(lab, program):
    lab.set(skew=-7)
    lab.add_record("example.com", "", "CAA", "ca.example", caaType="issue", issuerCritical=0)
    lines = program.run("check", HOST).stdout.splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("warn  clock "))
    assert lines[at + 1].startswith("      hint: Set this machine's clock")
    at = next(i for i, line in enumerate(lines) if line.startswith("FAIL  caa "))
    assert lines[at + 1].startswith("      hint: ")
    assert SUM.match(lines[-1]).group(1, 2, 3) == (str(len(STEPS) - 2), "1", "1")


def test_quiet_shows_only_what_is_not_in_order(lab, program):
    done = program.run("-q", "check", HOST).ok()
    assert done.stdout == done.stderr == ""
    lab.set(skew=-7)
    done = program.run("check", "-q", HOST).ok()
    assert re.fullmatch(r"warn  clock .*\n      hint: .*\n", done.stdout) and done.stderr == "", done


def test_strict_takes_no_warning(lab, program):
    program.run("check", "--strict", HOST).ok()
    lab.set(skew=-7)
    done = program.run("check", "--strict", HOST)
    assert done.returncode == INTERNAL and done.stderr == "acme-dme: 1 warning, and --strict takes none\n", done


def on_a_terminal(program, *args, env=None):
    """What the program shows on a terminal."""
    leader, follower = pty.openpty()
    process = program.lab.popen([program.path, *args], env=program.env(env), stdout=follower, stderr=follower)
    os.close(follower)
    text = b""
    with contextlib.suppress(OSError):  # the kernel's way to say that the other side is closed
        while part := os.read(leader, 65536):
            text += part
    os.close(leader)
    assert process.wait(30) == 0, text
    return text.decode()


def test_colours_are_for_terminals_only(program):
    assert on_a_terminal(program, "check", HOST).startswith("\033[32mok  \033[0m  config ")
    assert "\033" not in on_a_terminal(program, "check", HOST, env={"NO_COLOR": "1"})


def test_the_live_line_of_a_round_trip_does_not_get_between_the_lines(lab, program):
    lab.set_lag(2)
    text = on_a_terminal(program, "check", "--write", HOST, env={"NO_COLOR": "1"})
    assert "waiting for" in text
    *lines, total, rest = text.replace("\r\n", "\n").split("\n")
    assert SUM.match(total) and rest == ""
    for line in lines:
        assert LINE.match(line.split("\r")[-1]), repr(line)


def test_many_names_of_a_zone_cost_no_more_than_one(lab, program):
    names = [f"h{n}.example.com" for n in range(40)]
    found = look(program, *names, "www.sub.example.com")
    assert found.bad() == []
    assert len(found.of("name")) == len(found.of("records")) == len(found.of("caa")) == 41
    assert [len(found.of(step)) for step in ("zone", "delegation", "servers", "serials", "dnssec")] == [2] * 5
    assert len(lab.requests()) == 5  # the account, and two a zone
    assert found.done.seconds < 10


def test_names_that_share_something_are_not_reported_twice(program):
    found = look(program, "example.com", "*.example.com", "EXAMPLE.com.", "*.Example.Com")
    assert [f["subject"] for f in found.of("name")] == ["example.com", "*.example.com"]
    assert [f["subject"] for f in found.of("caa")] == ["example.com", "*.example.com"]
    assert [f["subject"] for f in found.of("records")] == ["_acme-challenge.example.com"]


# -- which domains -----------------------------------------------------------------------------------------------------------------


def test_without_arguments_it_looks_at_what_hooks_were_called_for(lab, program):
    look(program).one("name", "skipped", "no domain", hint="acme-dme check")
    program.run("add-domain", "www.example.net", VALUE).ok()
    program.run("del-domain", "www.example.net", VALUE).ok()
    lab.sim("POST", "/reset", {"only": ["log"]})
    found = look(program)
    found.one("name", "ok", '"example.net"', subject="www.example.net")
    found.one("results", "ok", "1 name")


def test_without_arguments_it_looks_at_the_zones_of_the_configuration(program):
    program.configure(credentials=None, accounts=[{"name": "main", "zones": ["example.com", "example.net"], "credentials": {
        "api_key": program.lab.api_key, "api_secret": program.lab.api_secret}}])
    found = look(program)
    assert [f["subject"] for f in found.of("name")] == ["example.com", "example.net"]
    assert all('"main"' in f["text"] for f in found.of("name"))


def test_what_is_no_domain_is_said_and_the_rest_goes_on(program):
    found = look(program, "no domain", HOST, "a..b", status=USAGE)
    assert [f["level"] for f in found.of("name")] == ["fail", "ok", "fail"]
    assert '"no domain"' in found.of("name")[0]["text"]
    found.one("caa", "ok")


# -- configuration -----------------------------------------------------------------------------------------------------------------


def test_mistakes_in_the_configuration_end_it(lab, program):
    program.write_config(f"credentials: {{api_key: {lab.api_key}, api_secret: {lab.api_secret}}}\nno_such_key: 1\npropagation: {{timeout: soon}}\n")
    found = look(program, HOST, status=CONFIG)
    assert {f["step"] for f in found.findings} == {"config"} and len(found.bad()) == 2
    assert any("no_such_key" in f["text"] for f in found.findings) and any("soon" in f["text"] for f in found.findings)
    assert lab.requests() == []


def test_no_configuration_at_all(program):
    look(program, HOST, status=CONFIG, env={"ACME_DME_CONFIG": None}).one("config", "fail")


def test_secrets_that_others_can_read_end_it(lab, program):
    os.chmod(program.config, 0o644)
    look(program, HOST, status=CONFIG).one("config", "fail", "can read the secrets", hint=windows.word("chmod 600", "icacls"))
    program.configure(allow_readable_secrets=True)
    os.chmod(program.config, 0o644)
    found = look(program, HOST)
    assert [f["level"] for f in found.of("config")] == ["warn", "ok"]


def test_where_credentials_come_from(program):
    found = look(program, HOST)
    key, secret = found.of("sources")
    assert f"{program.config}:" in key["text"] and "fingerprint" in key["text"] and key["text"].startswith("credentials.api_key: ")
    assert secret["text"].startswith("credentials.api_secret: ")
    found = look(program, HOST, env={"DNSMADEEASY_API_KEY": program.lab.api_key, "DNSMADEEASY_API_SECRET": program.lab.api_secret})
    assert all("environment variable DNSMADEEASY_API_" in f["text"] for f in found.of("sources"))


def test_a_ca_that_nobody_knows(program):
    found = look(program, "--ca", "letsencript", HOST, status=CONFIG)
    assert found.bad() == ["config"]
    assert any("letsencript" in f["text"] and '"letsencrypt"' in f["hint"] for f in found.of("config"))
    found.one("caa", "skipped")


# -- state -------------------------------------------------------------------------------------------------------------------------


def test_a_state_directory_that_can_t_be_written(program):
    with mounted(program, "ro"):
        found = look(program, HOST, status=STATE)
    found.one("state", "fail", program.state)
    assert found.bad() == ["state"]  # all the rest is looked at
    found.one("records", "ok")


def test_little_room_is_a_warning_and_none_a_failure(program):
    with mounted(program, "size=8m,mode=700"):
        look(program, HOST).one("state", "warn", "free", hint="Make room")
    with mounted(program, "size=512k,mode=700"):
        look(program, HOST, status=STATE).one("state", "fail", "free", hint="Make room")


def test_without_a_journal(program):
    program.configure(journal="none")
    look(program, HOST).one("state", "warn", "journal: none", hint="Take")
    assert not os.path.exists(program.state)


def test_what_a_killed_run_left(lab, program):
    program.run("add-record", NAME, VALUE).ok()
    lab.sim("POST", "/reset", {"only": ["log"]})
    found = look(program, HOST)
    found.one("journal", "ok", "1 TXT record", "at work")
    found.one("records", "ok", "1 TXT record", "at work")
    found = look(program, "--sweep-after", "0s", HOST)
    assert found.one("journal", "warn", "1 TXT record was left behind", NAME, hint="acme-dme sweep")["measures"] == {"records": 1, "leftovers": 1}
    found.one("records", "warn", "1 TXT record left behind by runs", hint="acme-dme sweep")


def test_a_damaged_file_is_set_aside_and_told(program):
    program.run("add-record", NAME, VALUE).ok()
    directory = os.path.join(program.state, "journal")
    (entry,) = os.listdir(directory)
    with open(os.path.join(directory, entry), "w", encoding="utf-8") as f:
        f.write('{"version":')
    program.lab.sim("POST", "/reset", {"only": ["log"]})
    found = look(program, HOST)
    assert found.one("damaged", "warn", "1 file", hint="damaged")["measures"]["damaged"] == 1
    found.one("records", "warn", "1 TXT record of unknown origin")  # its journal entry is gone


def test_the_last_failure_of_a_hook_is_told(lab, program):
    lab.fault(method="POST", kind="status", status=400, body='{"error":["Invalid something."]}', content_type="application/json")
    assert program.run("add-domain", HOST, VALUE).returncode != OK
    lab.sim("POST", "/reset", {"only": ["log", "faults"]})
    found = look(program)
    found.one("results", "warn", "publish", "Invalid something.", subject=HOST)
    found.one("name", "ok", subject=HOST)


# -- the account -------------------------------------------------------------------------------------------------------------------


def test_nothing_answers(program):
    program.configure(dnsmadeeasy__endpoint="https://api.dnsmadeeasy.com:4499/V2.0/", dnsmadeeasy__give_up_after="2s")
    found = look(program, HOST, status=API)
    found.one("api", "fail")
    found.one("credentials", "skipped")
    found.one("name", "skipped")
    assert found.bad() == ["api"] and found.of("clock") == []
    found.one("caa", "ok")  # needs no API


@pytest.mark.parametrize("certificate", ["expired", "wrong-host", "unknown-ca", "self-signed"])
def test_a_certificate_that_is_not_good(lab, program, certificate):
    lab.set(certificate=certificate)
    found = look(program, HOST, status=API)
    assert found.one("api", "fail", "certificate")["hint"]
    assert found.bad() == ["api"]


def test_a_connection_that_fails_is_told_once_for_all_accounts(program):
    accounts = [{"name": f"a{n}", "zones": [f"{n}.example"], "credentials": {"api_key": f"{n}" * 8, "api_secret": "x" * 36}} for n in range(3)]
    program.configure(credentials=None, accounts=accounts, dnsmadeeasy__endpoint="https://api.dnsmadeeasy.com:4499/V2.0/",
                      dnsmadeeasy__give_up_after="1s")
    found = look(program, HOST, status=API)
    found.one("api", "fail")
    assert [f["level"] for f in found.of("credentials")] == ["skipped"] * 3
    assert found.done.seconds < 4


@pytest.mark.parametrize("skew", [3, -3, 7, -7, 28, -412, 412, -86400 * 365 * 20])
def test_the_clock(lab, program, skew):
    """The simulator's clock ahead is ours behind."""
    lab.set(skew=skew)
    found = look(program, HOST)
    clock = found.one("clock", "ok" if abs(skew) < 5 else "warn", "behind" if skew > 0 else "ahead of")
    assert abs(clock["measures"]["offset_ms"] + skew * 1000) <= 1500
    if abs(skew) >= 25:
        assert "other programs" in clock["text"]
    if abs(skew) >= 5:
        assert clock["hint"].startswith("Set this machine's clock")
    found.one("credentials", "ok")
    assert found.bad() == (["clock"] if abs(skew) >= 5 else [])


def test_a_wrong_secret(lab, program):
    program.configure(credentials__api_secret="0" * 36)
    found = look(program, HOST, status=AUTH)
    found.one("credentials", "fail", "secret", "does not belong")
    found.one("api", "ok")
    found.one("clock", "ok")
    found.one("name", "skipped")
    assert found.of("budget") == [] and len(lab.requests()) == 1  # the key is known here: no other endpoint is asked


def test_a_key_that_nobody_knows(lab, program):
    program.configure(credentials__api_key="00000000-0000-0000-0000-000000000000")
    found = look(program, HOST, status=AUTH)
    found.one("credentials", "fail", "does not know the API key", hint="Compare")
    assert len(lab.requests()) == 2


def test_the_sandbox_key_at_production(lab, program):
    program.configure(credentials__api_key=lab.sandbox_key, credentials__api_secret=lab.sandbox_secret)
    found = look(program, HOST, status=AUTH)
    found.one("credentials", "fail", hint="good at the sandbox")
    assert [r["method"] for r in lab.requests()] == ["GET"] * 2
    program.configure(credentials__api_secret="0" * 36)
    look(program, HOST, status=AUTH).one("credentials", "fail", hint="known at the sandbox")


def test_the_production_key_at_the_sandbox(lab, program):
    program.configure(dnsmadeeasy__sandbox=True)
    look(program, HOST, status=AUTH).one("credentials", "fail", hint="good at production")


def test_one_bad_account_of_two(lab, program):
    program.configure(credentials=None, accounts=[
        {"name": "good", "default_account": True, "credentials": {"api_key": lab.api_key, "api_secret": lab.api_secret}},
        {"name": "bad", "credentials": {"api_key": lab.other_key, "api_secret": "0" * 36}}])
    found = look(program, HOST, status=AUTH)
    found.one("credentials", "ok", subject="good")
    found.one("credentials", "fail", subject="bad")
    found.one("name", "ok", '"good"')


def test_the_budget_is_left_to_the_hooks(lab, program):
    lab.set(limit=20)
    found = look(program, HOST, "example.net")
    assert [f["level"] for f in found.of("name")] == ["skipped"] * 2 and "19 requests" in found.of("name")[0]["text"]
    assert len(lab.requests()) == 1
    assert [f["level"] for f in found.of("caa")] == ["ok"] * 2


def test_a_budget_that_is_used_up(lab, program):
    lab.set(limit=1)
    look(program, HOST)
    program.configure(dnsmadeeasy__give_up_after="1s")
    found = look(program, HOST, status=RATE_LIMIT)
    found.one("budget", "fail", "limit")
    found.one("api", "ok")
    found.one("credentials", "skipped")


def test_a_server_that_plays_with_the_terminal(lab, program):
    lab.fault(kind="status", status=400, body=json.dumps({"error": ["\033[2J\u202eevil\r\n"]}), content_type="application/json")
    found = look(program, HOST, status=API)
    found.one("api", "fail", "evil")


# -- the zone ----------------------------------------------------------------------------------------------------------------------


def test_a_zone_of_nobody_s_account(program):
    found = look(program, "www.example.org", HOST, status=ZONE)
    assert found.one("name", "fail", "www.example.org", subject="www.example.org")["hint"]
    found.one("name", "ok", subject=HOST)
    assert found.bad() == ["name"]


def test_a_zone_that_is_still_being_created(lab, program):
    with zone(lab, "new.com", pendingActionId=1):
        found = look(program, "www.new.com", status=ZONE)  # it is not delegated either
    found.one("zone", "warn", "creating", hint="Wait")


def test_a_zone_that_is_being_deleted(lab, program):
    with zone(lab, "old.com", pendingActionId=3):
        found = look(program, "www.old.com", status=ZONE)
    assert found.one("name", "fail", '"old.com"', "delet")["hint"]


def test_a_zone_that_nobody_refers_to(lab, program):
    with zone(lab, "undelegated.com"):
        found = look(program, "www.undelegated.com", status=ZONE)
    found.one("delegation", "fail", '"com" does not refer to it', hint="ns10.dnsmadeeasy.com")


def test_a_zone_that_has_moved_away(lab, program):
    with zone(lab, "foreign.org"):
        found = look(program, "www.foreign.org", status=ZONE)
    found.one("delegation", "fail", "not DNS Made Easy's", "ns1.foreign.org", hint="ns10.dnsmadeeasy.com")


def test_a_zone_whose_public_servers_fetch_it_from_dns_made_easy(lab, program):
    serial = int(lab.dig("ns10", "example.net", "SOA")["answer"][0].split()[2])
    file = lab.new_dir("zone") + "/example.net"
    with open(file, "w", encoding="ascii") as f:
        f.write(f"example.net. 60 SOA ns1.foreign.org. h.foreign.org. {serial} 3600 600 86400 60\nexample.net. 60 NS ns1.foreign.org.\n")
    secondary = lab.run(["true"])
    assert secondary.returncode == 0
    with knot(lab, "root", "net", ["zone-unset", "example.net.", "NS"], ["zone-set", "example.net.", "60", "NS", "ns1.foreign.org."]), \
            conf_zone(lab, "foreign", "example.net", file):
        found = look(program, "www.example.net")
    found.one("delegation", "ok", "fetch it from DNS Made Easy", "ns1.foreign.org")


@contextlib.contextmanager
def conf_zone(lab, server, name, file):
    """The name server serves one more zone."""
    def knotc(*words):
        done = lab.run(["knotc", "-b", "-s", f"/run/lab/{server}/knot.sock", *words])
        assert done.returncode == 0, done

    knotc("conf-begin")
    knotc("conf-set", "zone.domain", name)
    knotc("conf-set", f"zone[{name}].file", file)
    knotc("conf-commit")
    until(lambda: lab.dig(server if server in lab.nameservers else plan.FOREIGN_SERVER, name, "SOA")["answer"], what="the zone")
    try:
        yield
    finally:
        lab.restart(server)


def test_a_parent_that_names_other_servers_too(lab, program):
    with knot(lab, "root", "com", ["zone-set", "example.com.", "60", "NS", "ns1.foreign.org."]):
        found = look(program, HOST)
    found.one("delegation", "warn", '"ns1.foreign.org"', hint="registrar")
    found.one("servers", "warn", plan.FOREIGN_SERVER, "REFUSED", hint="take it out", subject="ns1.foreign.org")


def test_a_parent_that_lacks_a_server(lab, program):
    with knot(lab, "root", "com", ["zone-unset", "example.com.", "NS", "ns13.dnsmadeeasy.com."]):
        found = look(program, HOST)
    found.one("delegation", "warn", "only in the zone", '"ns13.dnsmadeeasy.com"', hint="Make both the same")
    assert found.bad() == ["delegation"]


def test_vanity_name_servers_are_dns_made_easy_s(lab, program):
    with knot(lab, "root", "com", ["zone-set", "example.com.", "60", "NS", "ns1.foreign.org."]):
        lab.sim("POST", "/zone", {"name": "example.com", "delegateNameServers": ["ns1.foreign.org."]})
        found = look(program, HOST)
        lab.sim("POST", "/zone", {"name": "example.com", "delegateNameServers": []})
    found.one("delegation", "warn", "only above")


# -- name servers ------------------------------------------------------------------------------------------------------------------


def test_a_server_that_is_silent(lab, program):
    lab.pause("ns12")
    found = look(program, HOST)
    found.one("servers", "warn", plan.NAMESERVERS["ns12"][0], "UDP and TCP", hint="delegation", subject="ns12.dnsmadeeasy.com")
    assert found.bad() == ["servers"]
    found.one("serials", "ok")
    found.one("records", "ok")


def test_a_server_that_is_lame(lab, program):
    program.configure(propagation__nameservers=["127.0.0.11:53", f"{plan.FOREIGN_SERVER}:53"])
    found = look(program, HOST)
    assert found.one("servers", "warn", plan.FOREIGN_SERVER, "REFUSED", hint="fails")["subject"] == f"{plan.FOREIGN_SERVER}:53"


def test_all_servers_are_lame(lab, program):
    program.configure(propagation__nameservers=[f"{plan.FOREIGN_SERVER}:53"])
    found = look(program, HOST, status=PROPAGATION)
    found.one("servers", "fail", "REFUSED")


def test_a_server_that_does_not_speak_tcp(lab, program):
    with firewall(lab, "tcp dport 53 ip daddr 127.0.0.12 drop"):
        found = look(program, HOST)
    found.one("servers", "warn", "127.0.0.12", "over TCP", hint="firewall", subject="ns11.dnsmadeeasy.com")
    assert "UDP" not in found.of("servers")[0]["text"]


def test_port_53_is_closed(lab, program):
    lab.block53()
    found = look(program, HOST)
    found.one("servers", "warn", "port 53", hint="DNS over HTTPS")
    found.one("records", "skipped")
    found.one("delegation", "skipped", "4 name servers")
    assert found.bad() == ["servers"]
    program.configure(propagation__doh="never")
    found = look(program, HOST, status=PROPAGATION)
    found.one("servers", "fail", "port 53", hint="doh: auto")


def test_a_server_that_stays_behind(lab, program):
    lab.set(hold=["ns12"])
    lab.add_txt("example.com", "unrelated", "x")
    found = look(program, HOST)
    behind = found.one("serials", "warn", "ns12.dnsmadeeasy.com", hint="Shortly after a change")
    assert behind["measures"]["behind"] >= 1
    assert found.bad() == ["serials"]


def test_servers_that_catch_up_are_fine(lab, program):
    lab.set_lag([0, 0, 0, 2.0])
    lab.sim("POST", "/record", {"zone": "example.com", "name": "unrelated", "type": "TXT", "value": '"x"', "ttl": 60})
    until(lambda: lab.dig("ns10", "unrelated.example.com")["answer"], what="the record")
    found = look(program, HOST)
    found.one("serials", "ok")
    assert found.done.seconds > 2.5


# -- the name ----------------------------------------------------------------------------------------------------------------------


def test_records_of_others_are_counted(lab, program):
    lab.add_txt("example.com", "_acme-challenge.host", "somebody else's")
    found = look(program, HOST)
    assert found.one("records", "warn", "1 TXT record of unknown origin", hint="no harm")["measures"] == {
        "records": 1, "at_work": 0, "leftovers": 0, "unknown": 1}
    assert "somebody" not in found.done.stdout


def test_too_many_records_are_a_danger(lab, program):
    lab.set_lag(0)
    lab.sim("POST", "/record", {"zone": "example.com", "records": [
        {"name": "_acme-challenge.host", "type": "TXT", "value": f'"{n:02}{VALUE}"', "ttl": 60} for n in range(25)]})
    lab.wait_published()
    look(program, HOST).one("records", "warn", "25 TXT records of unknown origin, more than fit", hint="CAs fail")


def test_a_cname_into_a_zone_of_ours(lab, program):
    lab.add_record("example.com", "_acme-challenge.host", "CNAME", "step.sub.example.com.")
    lab.add_record("sub.example.com", "step", "CNAME", "end.example.net.")
    found = look(program, HOST)
    found.one("name", "ok", "CNAME", '"end.example.net"', 'zone "example.net"')
    found.one("zone", "ok", subject="example.net")
    found.one("records", "ok", subject="end.example.net")
    assert found.of("zone", "example.com") == []


@pytest.mark.parametrize("target", ["challenge.foreign.org.", "no.such.example.invalid."])
def test_a_cname_that_leads_away(lab, program, target):
    lab.add_record("example.com", "_acme-challenge.host", "CNAME", target)
    found = look(program, HOST, status=ZONE)
    assert found.one("name", "fail", target.rstrip("."))["hint"]
    found.one("caa", "ok")


def test_a_loop_of_cnames(lab, program):
    lab.add_record("example.com", "_acme-challenge.host", "CNAME", "a.example.net.")
    lab.add_record("example.net", "a", "CNAME", "_acme-challenge.host.example.com.")
    look(program, HOST, status=ZONE).one("name", "fail", "loop")


def test_a_cname_that_is_not_to_be_followed(lab, program):
    lab.add_record("example.com", "_acme-challenge.host", "CNAME", "a.example.net.")
    look(program, "--follow-cname=false", HOST, status=ZONE).one("records", "fail", '"a.example.net"', hint="follow_cname")


# -- CAA ---------------------------------------------------------------------------------------------------------------------------


def caa(lab, value, tag="issue", name="", critical=0):
    lab.add_record("example.com", name, "CAA", value, caaType=tag, issuerCritical=critical)
    lab.flush()


def test_caa_that_forbids(lab, program):
    caa(lab, "ca.example")
    found = look(program, HOST, "*.example.com", status=PROPAGATION)
    assert [f["level"] for f in found.of("caa")] == ["fail"] * 2
    found.one("caa", "fail", '"letsencrypt"', '"example.com"', hint='0 issue "letsencrypt.org"', subject=HOST)
    assert found.bad() == ["caa"] * 2


def test_caa_that_permits(lab, program):
    caa(lab, "letsencrypt.org")
    look(program, HOST).one("caa", "ok", '"example.com"', '"letsencrypt"')
    look(program, "--ca", "ca.example", HOST, status=PROPAGATION).one("caa", "fail")
    caa(lab, "ca.example")
    look(program, "--ca", "ca.example", HOST).one("caa", "ok")


def test_caa_of_wildcards(lab, program):
    caa(lab, "letsencrypt.org")
    caa(lab, ";", tag="issuewild")
    found = look(program, "example.com", "*.example.com", status=PROPAGATION)
    found.one("caa", "ok", subject="example.com")
    found.one("caa", "fail", hint='0 issuewild "letsencrypt.org"', subject="*.example.com")


def test_caa_for_one_account(lab, program):
    uri = "https://acme.example/acct/1"
    caa(lab, f"letsencrypt.org; accounturi={uri}")
    look(program, HOST).one("caa", "warn", "account", hint="--account-uri")
    look(program, "--account-uri", uri, HOST).one("caa", "ok")
    look(program, "--account-uri", uri + "2", HOST, status=PROPAGATION).one("caa", "fail")
    program.configure(check__account_uri=uri)
    look(program, HOST).one("caa", "ok")


def test_caa_for_another_method(lab, program):
    caa(lab, "letsencrypt.org; validationmethods=http-01")
    look(program, HOST, status=PROPAGATION).one("caa", "fail", "http-01")


# -- DNSSEC ------------------------------------------------------------------------------------------------------------------------


def test_a_ds_record_of_a_zone_that_is_not_signed(lab, program):
    ds = ["60", "DS", "4711", "13", "2", "ab" * 32]
    with knot(lab, "root", "com", ["zone-set", "example.com.", *ds]):
        look(program, HOST).one("dnssec", "ok", "nobody checks")  # an island: nothing leads to it from the root
        with knot(lab, "root", ".", ["zone-set", "com.", *ds]):
            found = look(program, HOST, status=PROPAGATION)
    assert found.one("dnssec", "fail", "refuse", hint="DS record", subject="example.com")["code"] == "dns"
    assert found.bad() == ["dnssec"]


# -- a round trip ------------------------------------------------------------------------------------------------------------------


def test_a_round_trip_measures_each_server(lab, program):
    lab.set_lag([0.2, 0.5, 1.0, 1.5])
    found = look(program, "--write", HOST, "*.example.com")
    assert lab.txt() == [] and program.journal() == []
    post, delete = program.changes()
    assert (post["method"], delete["method"]) == ("POST", "DELETE") and lab.state()["wipes"] == 0
    name = json.loads(post["body"])["name"]
    assert re.fullmatch(r"_acme-dme-check-[0-9a-f]{12}\.host", name)
    lags = {}
    for f in found.of("write")[:-1]:
        lags.setdefault(f["subject"].split(".")[0], []).append(f["measures"]["lag_ms"])
    assert set(lags) == set(lab.nameservers)
    for server, lag in zip(lab.nameservers, [200, 500, 1000, 1500]):
        assert all(lag - 50 <= ms <= lag + 1200 for ms in lags[server]), lags
    total = found.of("write")[-1]
    assert total["subject"] == "example.com" and total["level"] == "ok" and '"ns13.dnsmadeeasy.com"' in total["text"]
    everything = [ms for some in lags.values() for ms in some]
    assert total["measures"]["slowest_ms"] == max(everything) and min(everything) < total["measures"]["median_ms"] < max(everything)
    assert total["measures"]["timeout_ms"] == 20000


def test_a_round_trip_that_takes_more_than_half_of_the_time(lab, program):
    lab.set_lag([0, 0, 0, 2.0])
    program.configure(propagation__timeout="3s")
    found = look(program, "--write", HOST)
    total = found.of("write")[-1]
    assert total["level"] == "warn" and re.search(r'"propagation\.timeout" to at least [4-7]s', total["hint"]), total


def test_a_round_trip_that_fails_leaves_nothing(lab, program):
    lab.set(hold=["ns12"])
    program.configure(propagation__timeout="2s")
    done = program.run("check", "--json", "--write", HOST)
    found = Found(done)
    assert done.returncode == PROPAGATION, done
    assert {f["subject"].split(".")[0] for f in found.of("write") if f["level"] == "ok"} == {"ns10", "ns11", "ns13"}
    assert "ns12" in found.of("write")[-1]["text"] and found.of("write")[-1]["level"] == "fail"
    program.clean()


def test_a_round_trip_whose_deletion_fails_stays_in_the_journal(lab, program):
    program.configure(dnsmadeeasy__give_up_after="1s")
    lab.fault(method="DELETE", kind="status", status=500, count=100)
    done = program.run("check", "--json", "--write", HOST)
    assert done.returncode == API, done
    assert Found(done).of("write")[-1]["level"] == "fail"
    (entry,) = program.journal()
    assert entry["name"].startswith("_acme-dme-check-")
    lab.sim("POST", "/reset", {"only": ["faults"]})
    program.run("--sweep-after", "0s", "sweep").ok()
    program.clean()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_round_trip_is_withdrawn(lab, program, number):
    lab.set_lag(5)
    running = program.start("check", "--write", HOST)
    until(lambda: lab.txt(), what="the record")
    running.signal(number)
    done = running.wait()
    assert done.returncode == CANCELLED and len(done.stderr.splitlines()) == 1, done
    assert done.seconds < 4
    program.clean()


def test_an_interrupted_deletion_is_finished(lab, program):
    lab.set_lag(0)
    lab.fault(method="DELETE", kind="slow", delay_ms=1500)
    running = program.start("check", "--write", HOST)
    until(lambda: lab.txt(), what="the record")
    until(lambda: lab.dig("ns13", "x.example.com")["rcode"], what="an answer")
    time.sleep(1.0)
    running.signal(signal.SIGTERM)
    done = running.wait()
    assert done.returncode in (OK, CANCELLED), done
    program.clean()


def test_no_round_trip_without_a_zone(lab, program):
    found = look(program, "--write", "www.example.org", status=ZONE)
    found.one("write", "skipped")
    assert program.changes() == []


# -- around it ---------------------------------------------------------------------------------------------------------------------


def test_an_interrupted_look_ends_at_once(lab, program):
    lab.fault(kind="timeout", seconds=60)
    running = program.start("check", HOST)
    time.sleep(1.0)
    running.signal(signal.SIGINT)
    done = running.wait()
    assert done.returncode == CANCELLED and done.seconds < 5, done


def test_options_of_other_commands_are_refused(program):
    for args in (["check", "--dry-run"], ["check", "--no-wait"], ["sweep", "--write"], ["sweep", "--strict"]):
        done = program.run(*args)
        assert done.returncode == USAGE and args[1] in done.stderr and done.stdout == "", done


def test_verbose_tells_what_it_does_on_standard_error(program):
    done = program.run("-v", "check", HOST).ok()
    assert done.stderr and LINE.match(done.stdout.splitlines()[0])
    assert SUM.match(done.stdout.splitlines()[-1])


def test_output_that_can_t_be_written_is_an_error(program):
    done = program.sh('exec "$0" check "$@" >/dev/full', HOST)
    assert done.returncode == STATE, done


# -- what the README shows ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def at_home(program):
    """Configuration and state where they are usually, in the lab's own /etc and /var/lib."""
    lab, config = program.lab, "/etc/acme-dme/acme-dme.yaml"
    program.configure(state_dir="/var/lib/acme-dme", propagation__timeout="100s", propagation__settle="10s")
    lab.run(["mount", "-t", "tmpfs", "-o", "mode=755", "test", "/var/lib"]).ok()
    try:
        lab.run(["install", "-D", "-m", "600", program.config, config]).ok()
        program.config = config
        yield
    finally:
        lab.run(["rm", "-r", "/etc/acme-dme"])
        lab.run(["umount", "/var/lib"]).ok()


def readme(command):
    """The output that README.md shows behind that command."""
    with open(os.path.join(os.path.dirname(__file__), "..", "..", "README.md"), encoding="utf-8") as f:
        text = f.read()
    assert text.count(f"    $ {command}\n") == 1, command
    lines = text.split(f"    $ {command}\n")[1].split("\n")
    end = next(i for i, line in enumerate(lines) if not line.startswith("    ") or line.startswith("    $ "))
    return [line[4:] for line in lines[:end]]


def without_numbers(lines):
    """Without those that differ from run to run: fingerprints stay, serials, room and what is left of the budget do not."""
    return [re.sub(r"(serial|only|,) \d+|\d+ of 150|4\d\d s", "N", line) for line in lines]


def test_the_readme_shows_a_healthy_set_up(lab, program):
    with at_home(program):
        done = program.run("check", "example.com", "*.example.com").ok()
    if not lab.ipv6:
        pytest.skip("optional: no IPv6 here")
    assert without_numbers(done.stdout.splitlines()) == without_numbers(readme("acme-dme check example.com '*.example.com'")), done.stdout


def test_the_readme_shows_a_broken_set_up(lab, program):
    lab.set(skew=412)
    lab.set_lag(0)
    caa(lab, "digicert.com")
    lab.add_txt("example.com", "_acme-challenge", "left-by-somebody")
    lab.pause("ns12")
    with at_home(program):
        done = program.run("-q", "check", "example.com", "www.example.org")
    assert done.returncode == PROPAGATION, done
    assert without_numbers(done.stdout.splitlines() + done.stderr.splitlines()) == \
        without_numbers(readme("acme-dme -q check example.com www.example.org")), done.stdout
