"""acme-dme.exe as clients for Windows start it, through tests/win64/driver.c, and what else is there on Windows alone.

Collected only where ACME_DME names acme-dme.exe (conftest.py).
"""

import os
import re
import shutil
import signal
import subprocess
import time

import pytest

import windows
from program import API, AUTH, CONFIG, NAME, PROPAGATION, USAGE, VALUE, ZONE, Program, refused, silent, until
from standalone import PROGRAM, Standalone, openssl, read
from test_check import look
from test_hook import DASHED, FOREIGN, shown
from test_secrets import everything, nothing_shows

HOST = "host.example.com"
BASE, BASE_RECORD = "example.com", "_acme-challenge.example.com"
DRIVER = os.path.join(os.path.dirname(windows.LEFT_OUT), "driver.c")
FOLDER = "Program Files 日本"
STRICT = ["-std=gnu11", "-O2", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wstrict-prototypes", "-Wmissing-prototypes", "-Werror"]
CALLED = re.compile(r"(\d+) (stdout|stderr|exit|killed|open)(?: (.*))?\Z")


class Call:
    """What the driver tells of one process; for silent() and refused() a Result."""

    def __init__(self):
        self.lines = {"stdout": [], "stderr": []}
        self.returncode = self.seconds = None
        self.timed_out = self.open = False

    def take(self, what, text):
        if what in self.lines:
            self.lines[what].append(text.removesuffix("\r"))
        elif what == "exit":
            status, ms = text.split(" ")
            self.returncode, self.seconds = int(status), int(ms) / 1000
        elif what == "killed":
            self.timed_out = True
        else:
            self.open = True

    @property
    def stdout(self):
        return "".join(line + "\n" for line in self.lines["stdout"])

    @property
    def stderr(self):
        return "".join(line + "\n" for line in self.lines["stderr"])

    def __repr__(self):
        return f"exit {self.returncode} after {self.seconds} s, killed {self.timed_out}, open {self.open}, {self.lines}"


def calls_of(done, count):
    """A Call for each of COUNT processes."""
    calls = [Call() for _ in range(count)]
    for line in done.stdout.split("\n")[:-1]:
        number, what, text = CALLED.match(line).groups()
        calls[int(number)].take(what, text or "")
    assert done.stderr == "" and all(c.timed_out or c.returncode is not None for c in calls), done
    assert not any(c.open for c in calls), f"somebody holds its pipes\n{done}"
    assert "\ufffd" not in done.stdout, f"not UTF-8\n{done}"
    return calls


class Client:
    """win-acme and simple-acme: they start one command line, or several at the same time."""

    def __init__(self, program, driver, exe):
        self.program, self.driver, self.exe = program, driver, exe
        self.dir = program.lab.new_dir("wacs")

    def argv(self, *lines, options=()):
        return [self.driver, *options, "--directory", windows.path_there(self.dir), windows.path_there(self.exe), *lines]

    def calls(self, *lines, options=(), env=None):
        done = self.program.lab.run(self.argv(*lines, options=options), env=self.program.env(env), timeout=60)
        return calls_of(done, len(lines))

    def call(self, line, **kwargs):
        (call,) = self.calls(line, **kwargs)
        return call


@pytest.fixture(scope="module")
def driver(session_lab, acme_dme):
    exe = os.path.join(session_lab.new_dir("driver"), "driver.exe")
    subprocess.run(["x86_64-w64-mingw32-gcc", "-municode", *STRICT, "-o", exe, DRIVER, "-static"], stdin=subprocess.DEVNULL, check=True)
    return windows.start_another(session_lab, acme_dme, exe)


@pytest.fixture(scope="module")
def installed(session_lab):
    """The program and what lies beside it, where somebody has put it."""
    exe = os.path.abspath(os.environ["ACME_DME"])
    folder = os.path.join(session_lab.new_dir("installed"), FOLDER)
    os.mkdir(folder)
    shutil.copy(exe, folder)
    bundle = os.path.join(os.path.dirname(exe), "ca-bundle.crt")
    shutil.copy(bundle if os.path.exists(bundle) else "/etc/ssl/certs/ca-certificates.crt", os.path.join(folder, "ca-bundle.crt"))
    return os.path.join(folder, os.path.basename(exe))


@pytest.fixture
def client(program, driver, installed):
    return Client(program, driver, installed)


@pytest.fixture
def quick(lab, client):
    lab.set_lag(0)
    return client


def create(identifier=HOST, record=NAME, value=VALUE):
    return f"create {identifier} {record} {value}"


def delete(identifier=HOST, record=NAME, value=VALUE):
    return f"delete {identifier} {record} {value}"


# ------------------------------------------------------------------ the contract

@pytest.mark.parametrize("value", [VALUE, DASHED, "--help", "/?"], ids=["value", "dashed", "like-an-option", "like-an-option-of-windows"])
@pytest.mark.parametrize("options", [[], ["--stdin-open"]], ids=["closed", "open"])
def test_it_publishes_waits_and_withdraws_without_a_word(lab, client, value, options):
    silent(client.call(create(value=value), options=options))
    assert lab.txt() == [(NAME, value)]
    assert shown(lab) == [[value]] * len(lab.nameservers)
    silent(client.call(delete(value=value), options=options))
    client.program.clean()


@pytest.mark.parametrize("identifier, record", [
    (HOST, NAME + "."),
    ("HOST.Example.com", "_ACME-challenge.HOST.Example.com"),
    (f'"{HOST}"', f'"{NAME}"'),
    (f'"{HOST}"  ', f'  "{NAME}."'),
    ('""', NAME),
    ('"two words"', NAME),
    ('"a \\"quoted\\" one\\\\"', NAME),
    ("münchen.example", NAME),
], ids=["dot", "case", "quotes", "blanks", "nothing", "words", "backslashes", "letters"])
def test_what_the_template_makes_of_it_is_taken_apart_as_windows_does(lab, quick, identifier, record):
    silent(quick.call(create(identifier, record, f'"{DASHED}"')))
    assert lab.txt() == [(NAME, DASHED)]
    silent(quick.call(delete(identifier, record, f'"{DASHED}"')))
    quick.program.clean()


def test_a_wildcard_does_not_become_the_names_of_files(lab, quick):
    for name in ("a.example.com", "b.example.com"):
        for folder in (quick.dir, os.path.dirname(quick.exe)):
            with open(os.path.join(folder, name), "w", encoding="ascii"):
                pass
    silent(quick.call(create("*.example.com", BASE_RECORD)))
    assert lab.txt() == [(BASE_RECORD, VALUE)]
    silent(quick.call(f"add-domain *.example.com {DASHED}"))
    assert lab.txt() == sorted([(BASE_RECORD, VALUE), (BASE_RECORD, DASHED)])
    silent(quick.call(f"del-domain *.example.com {DASHED}"))
    silent(quick.call(delete("*.example.com", BASE_RECORD)))
    quick.program.clean()


def test_base_and_wildcard_are_two_values_at_one_name(lab, quick):
    lab.add_txt("example.com", "_acme-challenge", FOREIGN)
    for value in (VALUE, DASHED):
        silent(quick.call(create(BASE, BASE_RECORD, value)))
    assert lab.txt() == sorted([(BASE_RECORD, v) for v in (VALUE, DASHED, FOREIGN)])
    assert [sorted(answer) for answer in shown(lab, BASE_RECORD)] == [sorted([VALUE, DASHED, FOREIGN])] * len(lab.nameservers)
    silent(quick.call(delete(BASE, BASE_RECORD, DASHED)))
    assert lab.txt() == sorted([(BASE_RECORD, v) for v in (VALUE, FOREIGN)])
    silent(quick.call(delete(BASE, BASE_RECORD, VALUE)))
    quick.program.clean([(BASE_RECORD, FOREIGN)])


def test_the_configuration_is_named_as_windows_names_it(lab, quick):
    folder = quick.program.lab.new_dir(FOLDER)
    shutil.copy(quick.program.config, folder)
    path = windows.path_there(os.path.join(folder, "acme-dme.yaml"))
    for name in (path, path.replace("\\", "/")):
        silent(quick.call(create(), env={"ACME_DME_CONFIG": name}))
        assert lab.txt() == [(NAME, VALUE)]
        silent(quick.call(delete(), env={"ACME_DME_CONFIG": name}))
    quick.program.clean()


def test_certify_calls_two_copies_of_the_program(lab, quick, installed):
    """Its command line has no verb; the last argument, the id of the zone, may be empty."""
    copies = {}
    for verb in ("create", "delete"):
        copies[verb] = os.path.join(os.path.dirname(installed), f"acme-dme-{verb}.exe")
        os.link(installed, copies[verb])
    calls = {verb: Client(quick.program, quick.driver, exe) for verb, exe in copies.items()}
    silent(calls["create"].call(f"{HOST} {NAME} {DASHED} 6871000"))
    assert lab.txt() == [(NAME, DASHED)]
    silent(calls["delete"].call(f"{HOST} {NAME} {DASHED} "))
    quick.program.clean()


# ------------------------------------------------------------------ several at the same time

def test_five_values_of_one_name_at_the_same_time(lab, client):
    values = [f"{letter}{VALUE[1:]}" for letter in "-abcd"]
    for call in client.calls(*(create(value=value) for value in values)):
        silent(call)
    assert lab.txt() == sorted((NAME, value) for value in values)
    assert [sorted(answer) for answer in shown(lab)] == [sorted(values)] * len(lab.nameservers)
    for call in client.calls(*(delete(value=value) for value in values)):
        silent(call)
    client.program.clean()


def test_five_names_at_the_same_time(lab, client):
    names = [f"h{i}.example.com" for i in range(3)] + ["www.sub.example.com", "www.example.net"]
    for call in client.calls(*(create(name, f"_acme-challenge.{name}") for name in names)):
        silent(call)
    assert lab.txt() == sorted((f"_acme-challenge.{name}", VALUE) for name in names)
    for call in client.calls(*(delete(name, f"_acme-challenge.{name}") for name in names)):
        silent(call)
    client.program.clean()


def test_the_same_call_five_times_at_once_makes_one_record(lab, quick):
    for call in quick.calls(*[create()] * 5):
        silent(call)
    assert lab.txt() == [(NAME, VALUE)]
    for call in quick.calls(*[delete()] * 5):
        silent(call)
    quick.program.clean()


def test_two_runs_side_by_side(lab, quick):
    """Each one base and wildcard, one after the other, as two clients on one machine do."""
    first, second = (VALUE, DASHED), ("one-of-the-second", "two-of-the-second")
    for verb in (create, delete):
        for round_ in zip(first, second):
            running = [quick.program.popen(quick.argv(verb(BASE, BASE_RECORD, value))) for value in round_]
            for one in running:
                silent(calls_of(one.wait(), 1)[0])
        assert lab.txt() == (sorted((BASE_RECORD, v) for v in first + second) if verb is create else [])
    quick.program.clean()


# ------------------------------------------------------------------ failures

def test_wrong_credentials(lab, quick):
    quick.program.configure(credentials__api_secret="00000000-0000-4000-8000-000000000000")
    refused(quick.call(create()), AUTH, "DNS Made Easy", hint="")
    assert lab.txt() == []


def test_a_zone_that_there_is_not(lab, quick):
    refused(quick.call(create("host.foreign.org", "_acme-challenge.host.foreign.org")), ZONE, "host.foreign.org", hint="")
    assert lab.txt() == []
    quick.program.clean()


def test_no_configuration_where_it_is_looked_for(lab, quick):
    refused(quick.call(create(), env={"ACME_DME_CONFIG": None}), CONFIG, "no credentials", "C:/ProgramData/acme-dme/acme-dme.yaml",
            hint="Create C:/ProgramData/acme-dme/acme-dme.yaml")
    none = windows.path_there(os.path.join(quick.dir, "日本", "none.yaml"))
    refused(quick.call(create(), env={"ACME_DME_CONFIG": none}), CONFIG, none.replace("\\", "/"))
    assert lab.requests() == []


def test_too_few_arguments(lab, quick):
    refused(quick.call(f"create {HOST} {NAME}"), USAGE, '"create"', hint="create")
    assert lab.requests() == []


def test_what_a_name_server_does_not_show_is_withdrawn_and_may_be_deleted(lab, quick):
    """No client calls for what failed; that somebody does so nevertheless is success."""
    lab.set(hold="ns12")
    quick.program.configure(propagation__timeout="2s")
    refused(quick.call(create()), PROPAGATION, NAME, hint="")
    assert lab.txt() == [] and quick.program.journal() == []
    silent(quick.call(delete()))
    lab.set(release="ns12")
    quick.program.clean()


def test_a_name_of_the_chain_that_fails_and_the_next_that_does_not(lab, quick):
    """Where there is a CNAME the client tries its target first, then the name itself."""
    refused(quick.call(create(record="_acme-challenge.host.foreign.org")), ZONE)
    silent(quick.call(create()))
    assert lab.txt() == [(NAME, VALUE)]
    silent(quick.call(delete()))
    quick.program.clean()


# ------------------------------------------------------------------ killed

@pytest.fixture
def stuck(lab, program):
    """One name server gets nothing, so that a call waits; somebody else has a record at the name."""
    lab.set_lag(0)
    lab.add_txt("example.com", "_acme-challenge.host", FOREIGN)
    lab.set(hold="ns12")
    program.configure(propagation__timeout="60s", sweep_after="0s")
    return program


def left_behind(lab, program):
    """What was killed in its wait is known; and the name server has it now."""
    assert lab.txt() == sorted([(NAME, VALUE), (NAME, FOREIGN)])
    assert [(e["name"], e["value"], e["state"]) for e in program.journal()] == [(NAME, VALUE, "published")]
    lab.set(release="ns12")


def test_what_the_client_kills_after_its_timeout_goes_with_its_next_run(lab, stuck, client):
    call = client.call(create(), options=["--timeout", "8"])
    assert call.timed_out and (call.stdout, call.stderr) == ("", ""), call
    left_behind(lab, stuck)
    silent(client.call(create(value=DASHED)))
    silent(client.call(delete(value=DASHED)))
    stuck.clean([(NAME, FOREIGN)])


def test_what_kill_9_leaves_goes_with_a_sweep(lab, stuck):
    running = stuck.start("create", HOST, NAME, VALUE)
    until(lambda: [e for e in stuck.journal() if e["state"] == "published"], what="the record in the journal")
    running.signal(signal.SIGKILL)
    assert running.wait().returncode == -signal.SIGKILL
    left_behind(lab, stuck)
    done = stuck.run("sweep").ok()
    assert f"{NAME} TXT {VALUE}" in done.stdout and done.stdout.count("removed") == 1 and done.stderr == "", done
    stuck.clean([(NAME, FOREIGN)])


# ------------------------------------------------------------------ secrets

def test_no_secret_in_what_the_client_is_told(lab, quick):
    since = time.time()
    foreign = create("host.foreign.org", "_acme-challenge.host.foreign.org")
    told = quick.calls(f"-vvv {create()}", f"-vvv {foreign}", f"-vvv {delete(value='x')}")
    assert [call.returncode for call in told] == [0, ZONE, 0] and all(call.stderr for call in told), told
    nothing_shows(quick.program, since, everything(lab, quick.program) + [(repr(call), call.stdout + call.stderr) for call in told])
    silent(quick.call(delete()))


def test_a_configuration_that_others_can_read_names_the_command_of_windows(lab, quick):
    os.chmod(quick.program.config, 0o644)
    path = windows.path_there(quick.program.config)
    since = time.time()
    call = refused(quick.call(create(), env={"ACME_DME_CONFIG": path}), CONFIG, path.replace("\\", "/"),
                   hint=f'icacls "{path}" /reset, and then: icacls "{path}" /inheritance:r /grant:r')
    assert "chmod" not in call.stderr
    nothing_shows(quick.program, since, [("stderr", call.stderr)])
    os.chmod(quick.program.config, 0o600)
    assert lab.requests() == []
    silent(quick.call(create()))
    silent(quick.call(delete()))
    quick.program.clean()


def test_a_secret_file_that_others_can_read(lab, quick):
    path = os.path.join(quick.program.dir, "secret")
    with open(path, "w", encoding="ascii", newline="") as f:
        f.write(lab.api_secret + "\r\n")
    os.chmod(path, 0o644)
    quick.program.configure(credentials__api_secret=None, credentials__api_secret_file=windows.path_there(path))
    refused(quick.call(create()), CONFIG, path, hint=f'icacls "{windows.path_there(path)}"')
    os.chmod(path, 0o600)
    silent(quick.call(create()))
    silent(quick.call(delete()))
    quick.program.clean()


# ------------------------------------------------------------------ by itself

PASSWORD = "correct horse"
BATCH = """@echo off\r
set ACME_DME_>"%~dp0seen.txt"\r
set RENEWED_>>"%~dp0seen.txt"\r
echo [%~1]>>"%~dp0seen.txt"\r
if not exist "%ACME_DME_PFX%" exit /b 7\r
"""
EVENTS = """@echo off\r
echo %ACME_DME_EVENT% [%~1]>>"%~dp0events.txt"\r
set >>"%~dp0all.txt"\r
if "%~1"=="stop" exit /b 3\r
"""


@pytest.fixture
def standalone(lab, acme_dme):
    lab.set_lag(0)
    made = Standalone(lab, acme_dme, lab.pebble())
    # As people write it; without a drive it would be whatever the current one is.
    made.configure(state_dir=windows.path_there(made.state))
    yield made
    made.stop_all()


def batch(client, text):
    """A batch file in a directory with a space in its name."""
    path = os.path.join(client.lab.new_dir("deploy programs"), "tell all.bat")
    with open(path, "w", encoding="ascii", newline="") as f:
        f.write(text)
    os.chmod(path, 0o700)
    return path


def issue_pfx(client):
    password = os.path.join(client.dir, "password")
    with open(os.open(password, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as f:
        f.write(PASSWORD + "\n")
    return client.issue(HOST, more=["--force", "--pfx", "--pfx-password-file", windows.path_there(password)]).ok()


def current(client, generation):
    """certs/NAME is a directory of its own with the files of that generation, and nothing else is left beside it."""
    link = os.path.join(client.state, "certs", HOST)
    assert os.listdir(os.path.dirname(link)) == [HOST]
    assert os.path.isdir(link) and not os.path.islink(link)
    assert client.generation(HOST) == generation
    archive = os.path.join(os.path.dirname(link), read(os.path.join(link, ".acme-dme-link")).splitlines()[0])
    assert sorted(os.listdir(link)) == sorted([".acme-dme-link", *os.listdir(archive)])
    for name in os.listdir(archive):
        with open(os.path.join(link, name), "rb") as one, open(os.path.join(archive, name), "rb") as other:
            assert one.read() == other.read(), name
    client.installed(HOST, [HOST])


def test_a_pfx_file_and_a_link_that_is_a_directory(standalone):
    keys = []
    for generation in (1, 2):
        done = issue_pfx(standalone)
        assert done.stdout.endswith(f": Z:{standalone.state}/certs/{HOST}\n"), done
        current(standalone, generation)
        keys.append(openssl("pkcs12", "-in", standalone.path_of(HOST, "certificate.pfx"), "-passin", "pass:" + PASSWORD, "-nodes"))
        assert keys[-1].count(b"BEGIN CERTIFICATE") == 2 and b"PRIVATE KEY" in keys[-1]
        wrong = subprocess.run(["openssl", "pkcs12", "-in", standalone.path_of(HOST, "certificate.pfx"), "-passin", "pass:wrong", "-nodes"],
                               stdin=subprocess.DEVNULL, capture_output=True, check=False)
        assert wrong.returncode != 0
    assert keys[0] != keys[1]


def test_a_link_whose_switch_was_cut_short_is_seen_and_its_key_used_again(standalone):
    standalone.configure(acme__reuse_key=True)
    standalone.issue(HOST).ok()
    link = os.path.join(standalone.state, "certs", HOST)
    key = read(standalone.path_of(HOST, "privkey.pem"))
    aside = os.path.join(os.path.dirname(link), ".acme-dme-0123456789abcdef.tmp")
    os.rename(link, aside)
    assert HOST + "/cert.pem" in standalone.run("status").ok().stdout.replace("\\", "/")
    os.rename(link, aside)
    standalone.issue(HOST, more=["--force"]).ok()
    assert read(standalone.path_of(HOST, "privkey.pem")) == key
    current(standalone, 2)


def test_a_batch_file_is_told_of_the_certificate_in_paths_of_windows(standalone):
    path = batch(standalone, BATCH)
    standalone.configure(acme__deploy=[[windows.path_there(path), "two words"]])
    issue_pfx(standalone)
    with open(os.path.join(os.path.dirname(path), "seen.txt"), encoding="ascii") as f:
        lines = f.read().splitlines()
    assert lines[-1] == "[two words]", lines
    told = dict(line.split("=", 1) for line in lines[:-1])
    folder = windows.path_there(os.path.join(standalone.state, "certs", HOST))
    assert told["RENEWED_LINEAGE"] == folder and told["RENEWED_DOMAINS"] == HOST
    assert {name: told["ACME_DME_" + name] for name in ("CERT", "CHAIN", "FULLCHAIN", "KEY", "PFX")} == {
        "CERT": folder + "\\cert.pem", "CHAIN": folder + "\\chain.pem", "FULLCHAIN": folder + "\\fullchain.pem",
        "KEY": folder + "\\privkey.pem", "PFX": folder + "\\certificate.pfx"}
    assert (told["ACME_DME_NAME"], told["ACME_DME_EVENT"], told["ACME_DME_DOMAINS"]) == (HOST, "deploy", HOST)


def test_programs_of_all_events_and_no_secret_in_their_environment(standalone):
    path = batch(standalone, EVENTS)
    there, folder = windows.path_there(path), os.path.dirname(path)
    standalone.configure(credentials=None, acme__pre=[there, "a"], acme__deploy=[[there, "b"], [there, "c d"]], acme__post=[there, ""],
                         acme__failed=[there, "e"])
    env = {"DNSMADEEASY_API_KEY": standalone.lab.api_key, "DNSMADEEASY_API_SECRET": standalone.lab.api_secret}
    standalone.issue(HOST, env=env).ok()
    assert read(os.path.join(folder, "events.txt")).splitlines() == ["pre [a]", "deploy [b]", "deploy [c d]", "post []"]
    with open(os.path.join(folder, "all.txt"), "rb") as f:
        shown_to_it = f.read()
    assert b"ACME_DME_NAME=" + HOST.encode() in shown_to_it
    assert standalone.lab.api_key.encode() not in shown_to_it and standalone.lab.api_secret.encode() not in shown_to_it
    standalone.configure(acme__pre=[there, "stop"])
    done = standalone.issue("www.example.com", env=env)
    assert done.returncode == PROGRAM and "the pre program" in done.stderr and "exit status 3" in done.stderr, done
    standalone.nothing_installed("www.example.com")


def test_a_batch_file_has_a_time_limit_and_so_has_what_it_started(standalone):
    path = windows.path_there(batch(standalone, "@echo off\r\nping -n 600 127.0.0.1\r\n"))
    standalone.configure(acme__deploy=[path], acme__program_timeout="1s")
    done = standalone.issue(HOST)
    assert done.returncode == PROGRAM and "1 s" in done.stderr and path in done.stderr and done.seconds < 25, done
    current(standalone, 1)


def test_a_batch_file_that_fails_is_told_with_its_last_words(standalone):
    path = windows.path_there(batch(standalone, "@echo off\r\necho no such site\r\nexit /b 7\r\n"))
    standalone.configure(acme__deploy=[path])
    done = standalone.issue(HOST)
    assert done.returncode == PROGRAM and f'"{path}" ended with exit status 7: no such site' in done.stderr, done
    current(standalone, 1)


# ------------------------------------------------------------------ trust

BAD_CERTIFICATES = {"expired": "expired", "wrong-host": "", "unknown-ca": "some other CA"}


@pytest.mark.parametrize("ca_file", [True, False], ids=["file", "stores"])
@pytest.mark.parametrize("name", BAD_CERTIFICATES)
def test_an_api_with_a_bad_certificate_gets_no_request(lab, quick, name, ca_file):
    if not ca_file:
        quick.program.configure(dnsmadeeasy__ca_file=None)
    lab.set(certificate=name)
    refused(quick.call(create()), API, "certificate", "api.dnsmadeeasy.com", BAD_CERTIFICATES[name], hint="")
    assert lab.requests() == []
    lab.set(certificate="")
    silent(quick.call(create()))
    silent(quick.call(delete()))
    quick.program.clean()


@pytest.mark.parametrize("name", BAD_CERTIFICATES)
def test_a_ca_with_a_bad_certificate_gets_no_request(lab, acme_dme, name):
    made = Standalone(lab, acme_dme, lab.acmesim(), acme__timeout="2s", acme__give_up_after="2s")
    made.ca.set(certificate=name)
    refused(made.issue(HOST), API, "certificate", BAD_CERTIFICATES[name], hint="")
    assert made.ca.requests() == [] and lab.requests() == []
    made.nothing_installed(HOST)


def test_check_says_who_is_trusted(lab, acme_dme, installed):
    program = Program(lab, windows.start_another(lab, acme_dme, installed))
    found = look(program, HOST)
    steps = [f["step"] for f in found.findings]
    assert steps.index("sources") < steps.index("trust") < steps.index("state")
    api, others = found.of("trust")
    assert api["level"] == others["level"] == "ok" and lab.ca_file in api["text"], api
    counted = re.search(r"one of the (\d+) CAs of \"([^\"]*)\" and (\d+) more of the system's", others["text"])
    assert counted and int(counted.group(1)) >= 50, others
    assert counted.group(2).endswith(f"/{FOLDER}/ca-bundle.crt"), others
    # Wine's stores have what this system trusts, in a lab its CA.
    assert int(counted.group(3)) >= 1, others
    program.configure(dnsmadeeasy__ca_file=None)
    found = look(program, HOST)
    assert counted.group() in found.one("trust", "ok")["text"]


def test_without_the_bundle_the_stores_are_left(lab, acme_dme):
    exe = os.path.join(lab.new_dir("alone"), "acme-dme.exe")
    shutil.copy(os.environ["ACME_DME"], exe)
    program = Program(lab, windows.start_another(lab, acme_dme, exe))
    program.configure(dnsmadeeasy__ca_file=None)
    assert re.search(r"one of the \d+ CAs of the system's certificate stores", look(program, HOST).one("trust", "ok")["text"])
