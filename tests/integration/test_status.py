"""acme-dme status: results of real calls, certificates of a real CA in files and on servers, and what monitoring systems get."""

import glob
import json
import os
import re
import shutil
import signal
import stat
import subprocess
import threading
import time

import pytest

from clients import Certbot
from lab import binaries, x509
from lab.ca import Authority, self_signed
from monitoring import TlsServer, nagios, prometheus, sample
from program import API, CANCELLED, CONFIG, INTERNAL, NAME, OK, STATE, USAGE, VALUE, refused, silent, until

ATTENTION = 11
HOOKS = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "hooks", "monitoring")
PROMTOOL = shutil.which("promtool") or shutil.which("promtool", path=binaries.SYSTEM_PATH)


def status(program, *args, **kwargs):
    """Its JSON document, whatever the exit status; nothing on standard error."""
    done = program.run("status", "--json", *args, **kwargs)
    assert done.stderr == "" and done.stdout.count("\n") == 1, done
    document = json.loads(done.stdout)
    assert document["version"] == 1
    assert done.returncode == (ATTENTION if document["level"] in ("unknown", "critical") else OK), done
    return document


def of(document, kind, key, value):
    found = [item for item in document[kind] if item[key] == value]
    assert len(found) == 1, (value, document[kind])
    return found[0]


def tree(path):
    """{path below: (mode, mtime, content)} of all there is."""
    found = {}
    for directory, dirs, files in os.walk(path):
        for name in dirs + files:
            whole = os.path.join(directory, name)
            about = os.lstat(whole)
            with open(whole, "rb") if name in files else open(os.devnull, "rb") as f:
                found[os.path.relpath(whole, path)] = (about.st_mode, about.st_mtime_ns, f.read())
    return found


@pytest.fixture
def ca(lab):
    return Authority(lab.new_dir("ca"), "monitored CA")


# -- results ------------------------------------------------------------------------------------------------------------------------


def test_calls_that_succeed_and_fail_are_shown_and_judged(lab, program):
    silent(program.run("add-record", NAME, VALUE))
    silent(program.run("del-record", NAME, VALUE))
    for _ in range(3):
        assert program.run("add-domain", "no-zone.invalid", VALUE).returncode != 0
    document = status(program)
    assert document["level"] == "warning"
    good = [r for r in document["results"] if r["name"] == "host.example.com"]
    assert sorted(r["action"] for r in good) == ["publish", "withdraw"]
    assert all(r["success"] and r["level"] == "ok" and r["error"] is None and r["last_success"] == r["time"] for r in good)
    bad = of(document, "results", "name", "no-zone.invalid")
    assert (bad["success"], bad["level"], bad["failures"], bad["last_success"]) == (False, "warning", 3, None)
    assert bad["error_code"] and "no-zone.invalid" in bad["error"] and bad["failing_since"] <= bad["time"]
    assert document["state"]["journal"]["records"] == 0 and document["state"]["damaged_files"] == 0

    # A warning is no reason for cron to complain by status; with --strict it is.
    table = program.run("status")
    assert table.returncode == OK and re.search(r"^warning +hook +no-zone\.invalid +publish.* failed .*3 times in 1 min .*: ", table.stdout, re.M)
    assert table.stdout.splitlines()[-1] == "1 warning, 3 ok"
    assert program.run("status", "--strict").returncode == INTERNAL
    quiet = program.run("status", "-q")
    assert quiet.stdout.startswith("warning ") and "host.example.com" not in quiet.stdout
    # Failing for as long as that is critical.
    assert status(program, "--failing-for", "0s")["level"] == "critical"
    assert program.run("status", "--failing-for", "0s").returncode == ATTENTION

    silent(program.run("reset", "--state", "-q"))
    assert status(program)["results"] == []


def test_all_is_well_and_cron_hears_nothing(program):
    silent(program.run("add-record", NAME, VALUE))
    silent(program.run("del-record", NAME, VALUE))
    silent(program.run("status", "--quiet"))


def test_certbot_fails_and_succeeds_and_its_certificate_is_watched(lab, program, ca):
    if not binaries.find("certbot"):
        pytest.skip("certbot is not installed")
    certbot = Certbot(lab, program)
    with open(certbot.hook.path, "w", encoding="utf-8") as f:
        f.write(f'#!/bin/sh\nACME_DME_CONFIG={program.config} exec {program.path} "$@"\n')
    lab.fault(method="POST", status=500, count=100)
    program.configure(dnsmadeeasy__give_up_after="1s")
    assert certbot.issue(["www.example.com"]).returncode != 0
    document = status(program)
    failed = [r for r in document["results"] if r["name"] == "www.example.com" and not r["success"]]
    # certbot cleans up after the failure, and that is no success of the name.
    assert [(r["action"], r["client"], r["level"]) for r in failed] == [("publish", "certbot", "warning")]

    lab.reset()
    issued = certbot.issue(["www.example.com", "host.example.com"])
    assert issued.returncode == 0, issued
    live = os.path.dirname(certbot.cert("www.example.com"))
    root = lab.acme_root()
    with TlsServer(lab, os.path.join(live, "fullchain.pem"), os.path.join(live, "privkey.pem")) as server:
        lab.run(["sh", "-c", "grep -q www.example.com /etc/hosts || echo '127.0.0.1 www.example.com other.example.com' >>/etc/hosts"]).ok()
        program.configure(monitor__certificates=[os.path.join(os.path.dirname(live), "*", "cert.pem"), "www.example.com:4433",
                                                 "other.example.com:4433"], monitor__ca_file=root)
        document = status(program)
        assert server.process.poll() is None
    assert all(r["success"] for r in document["results"])
    file = of(document, "certificates", "source", os.path.join(live, "cert.pem"))
    served = of(document, "certificates", "source", "www.example.com:4433")
    wrong = of(document, "certificates", "source", "other.example.com:4433")
    assert sorted(file["names"]) == x509.names(os.path.join(live, "cert.pem")) == ["host.example.com", "www.example.com"]
    assert file["serial"] == x509.text(os.path.join(live, "cert.pem"), "-serial").partition("=")[2].lower()
    assert (file["type"], file["verified"], file["level"]) == ("file", None, "ok")
    assert (served["type"], served["verified"], served["level"], served["serial"]) == ("server", True, "ok", file["serial"])
    assert (wrong["verified"], wrong["level"]) == (False, "critical") and "not for \"other.example.com\"" in wrong["problem"]
    assert document["level"] == "critical"


def test_looking_changes_nothing_asks_nobody_and_needs_no_credentials(lab, program):
    silent(program.run("add-record", NAME, VALUE))
    broken = os.path.join(program.state, "results", "broken-0123456789abcdef.json")
    with open(broken, "w", encoding="ascii") as f:
        f.write("{")
    before, asked = tree(program.state), len(lab.requests())
    program.configure(credentials=None, sweep_after="0s")
    document = status(program)
    for option in ("--nagios", "--json", "-vv"):
        program.run("status", option)
    assert tree(program.state) == before and len(lab.requests()) == asked
    assert document["state"]["damaged_files"] == 1
    assert document["state"]["journal"]["records"] == 1 and document["state"]["journal"]["level"] == "warning"
    assert document["level"] == "warning"


def test_a_clock_that_was_wrong_makes_no_alarm_of_good_results(program):
    silent(program.run("add-record", NAME, VALUE, env=program.clock("+20")))
    silent(program.run("del-record", NAME, VALUE, env=program.clock("+20")))
    assert status(program)["level"] == "ok"
    assert "future" in program.run("status", env=program.clock("-86400")).stdout
    assert "no longer judged" in program.run("status", env=program.clock("+34650000")).stdout


# -- certificates -------------------------------------------------------------------------------------------------------------------


def test_dates_thresholds_and_faults_of_files(program, ca, lab):
    made = {name: ca.leaf(name, [f"DNS:{name}.example.com"], days)[0]
            for name, days in (("fresh", (-10, 80)), ("due", (-70, 20)), ("late", (-85, 5)), ("expired", (-90, -1)), ("future", (1, 90)))}
    for name, text in (("garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), ("empty", "")):
        made[name] = os.path.join(ca.directory, name + ".pem")
        with open(made[name], "w", encoding="ascii") as f:
            f.write(text)
    made["missing"] = os.path.join(ca.directory, "missing.pem")
    program.configure(journal="none", monitor__certificates=list(made.values()))
    document = status(program)
    levels = {name: of(document, "certificates", "source", path)["level"] for name, path in made.items()}
    assert levels == {"fresh": "ok", "due": "warning", "late": "critical", "expired": "critical", "future": "critical",
                      "garbage": "critical", "empty": "critical", "missing": "unknown"}
    due = of(document, "certificates", "source", made["due"])
    assert abs(due["seconds_left"] - 20 * 86400) < 60 and due["warning_from"] < document["time"] < due["critical_from"]
    # Days instead of parts; the command line over the file, and one file instead of all.
    assert status(program, "--warn", "21d", "--critical", "19d", "--certificate", made["due"])["level"] == "warning"
    assert status(program, "--warn", "21d", "--critical", "21d", "--certificate", made["due"])["level"] == "critical"
    assert status(program, "--warn", "19d", "--critical", "1/100", "--certificate", made["due"])["level"] == "ok"
    # This machine's clock goes back: what was fresh is of the future now.
    done = program.run("status", "--certificate", made["fresh"], env=program.clock("-1728000"))
    assert done.returncode == ATTENTION and "not valid before" in done.stdout and "clock" in done.stdout


def test_patterns_find_new_files_and_say_when_there_are_none(program, ca):
    pattern = os.path.join(ca.directory, "leaf-?.pem")
    program.configure(journal="none", monitor__certificates=[pattern])
    document = status(program)
    assert document["level"] == "unknown" and document["certificates"][0]["source"] == pattern
    ca.leaf("leaf-b", ["DNS:b.example"])
    ca.leaf("leaf-a", ["DNS:a.example"])
    assert [c["subject"] for c in status(program)["certificates"]] == ["leaf-a", "leaf-b"]


def test_servers_with_faults_and_without_answer(lab, program, ca):
    good, key = ca.leaf("good", ["IP:127.0.0.1"])
    old, old_key = ca.leaf("old", ["IP:127.0.0.1"], (-90, -3))
    lone, lone_key = self_signed(lab.new_dir("self"), "lone", ["IP:127.0.0.1"])
    servers = [TlsServer(lab, good, key, port=4441), TlsServer(lab, old, old_key, port=4442), TlsServer(lab, lone, lone_key, port=4443)]
    try:
        begin = time.monotonic()
        document = status(program, "--journal", "none", "--certificate-ca-file", ca.cert, "--certificate-timeout", "2s",
                          *(f"--certificate=127.0.0.1:{port}" for port in (4441, 4442, 4443, 4444, 8053)),
                          "--certificate", "localhost:4441", "--certificate", "nowhere.invalid:443")
        assert time.monotonic() - begin < 15
    finally:
        for server in servers:
            server.__exit__()
    got = {c["source"]: (c["level"], c["verified"], c["error_code"]) for c in document["certificates"]}
    assert got == {"127.0.0.1:4441": ("ok", True, None), "127.0.0.1:4442": ("critical", True, None),
                   "127.0.0.1:4443": ("critical", False, None), "127.0.0.1:4444": ("unknown", None, "network"),
                   "127.0.0.1:8053": ("unknown", None, "network"), "localhost:4441": ("critical", False, None),
                   "nowhere.invalid:443": ("unknown", None, "network")}


@pytest.mark.parametrize("number, plugin", [(signal.SIGINT, False), (signal.SIGTERM, True)])
def test_a_signal_ends_the_wait_for_a_silent_server(lab, program, number, plugin):
    silent_server = lab.popen(["/usr/bin/python3", "-c", "import socket, time; s = socket.create_server(('127.0.0.1', 4450)); time.sleep(60)"])
    try:
        until(lambda: ":4450 " in lab.run(["sh", "-c", "ss -Hltn"]).stdout)
        running = program.start("status", "--journal", "none", "--certificate", "127.0.0.1:4450", "--certificate-timeout", "60s",
                                *(["--nagios"] if plugin else []))
        until(lambda: ":4450" in lab.run(["sh", "-c", "ss -Htn state established"]).stdout)
        running.signal(number)
        done = running.wait()
    finally:
        lab.kill(silent_server, 9)
        silent_server.wait()
    assert done.seconds < 20
    if plugin:
        assert nagios(done)[0] == "UNKNOWN"
    else:
        refused(done, CANCELLED, "stopped")


# -- Prometheus ---------------------------------------------------------------------------------------------------------------------


def test_metrics_say_what_json_says(lab, program, ca):
    silent(program.run("add-record", NAME, VALUE))
    assert program.run("add-domain", "no-zone.invalid", VALUE).returncode != 0
    cert = ca.leaf("leaf", ["DNS:www.example.com"])[0]
    missing = os.path.join(ca.directory, "missing.pem")
    directory = lab.new_dir("textfile")
    file = os.path.join(directory, "acme-dme.prom")
    silent(program.run("status", "--prometheus", file, "--certificate", cert, "--certificate", missing))  # whatever is in it
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o644 and os.listdir(directory) == ["acme-dme.prom"]
    with open(file, encoding="utf-8") as f:
        text = f.read()
    metrics, document = prometheus(text), status(program, "--certificate", cert)
    assert sample(metrics, "hook_last_run_success", name="host.example.com", action="publish") == 1
    assert sample(metrics, "hook_last_run_success", name="no-zone.invalid", action="publish") == 0
    assert sample(metrics, "hook_failures", name="no-zone.invalid") == 1
    assert sample(metrics, "hook_last_success_timestamp_seconds", name="no-zone.invalid") == 0
    assert abs(sample(metrics, "hook_last_success_timestamp_seconds", name="host.example.com") - time.time()) < 60
    assert sample(metrics, "hook_failing_since_timestamp_seconds", name="host.example.com") == 0
    assert sample(metrics, "certificate_readable", source=missing) == 0
    left = sample(metrics, "certificate_not_after_timestamp_seconds", source=cert, subject="leaf") - time.time()
    assert abs(left - document["certificates"][0]["seconds_left"]) < 60
    assert "certificate_verified" not in metrics  # no server
    assert sample(metrics, "journal_records") == 1 and sample(metrics, "state_readable") == 1
    assert abs(sample(metrics, "journal_oldest_timestamp_seconds") - time.time()) < 60
    assert sample(metrics, "state_damaged_files") == 0
    assert abs(sample(metrics, "status_timestamp_seconds") - time.time()) < 60
    both = program.run("status", "--prometheus", file, "--json")
    assert both.returncode == OK and json.loads(both.stdout)["level"] == "warning"
    assert prometheus(program.run("status", "--prometheus", "-").stdout)
    if PROMTOOL:
        checked = subprocess.run([PROMTOOL, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, ""), checked


def test_the_file_is_whole_at_every_moment(program, lab, ca):
    for n in range(30):
        shutil.copy(ca.cert, os.path.join(ca.directory, f"copy-{n}.pem"))
    file = os.path.join(lab.new_dir("textfile"), "acme-dme.prom")
    argv = ["status", "--prometheus", file, "--certificate", os.path.join(ca.directory, "copy-*.pem")]
    silent(program.run(*argv))
    stop, faults, reads = threading.Event(), [], []

    def read():
        while not stop.is_set():
            try:
                with open(file, encoding="utf-8") as f:
                    reads.append(len(prometheus(f.read())["certificate_not_after_timestamp_seconds"]) == 30)
            except (AssertionError, OSError, KeyError) as e:
                faults.append(e)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(15):
        silent(program.run(*argv))
    stop.set()
    reader.join()
    assert faults == [] and reads and all(reads)
    assert os.listdir(os.path.dirname(file)) == ["acme-dme.prom"]


def test_a_file_that_can_not_be_written_is_an_error_and_the_old_one_stays(program, lab):
    directory = lab.new_dir("textfile")
    file = os.path.join(directory, "sub", "acme-dme.prom")
    refused(program.run("status", "--prometheus", file), STATE, file.rpartition("/")[0])
    done = program.run("status", "--prometheus", file, "--nagios")
    assert nagios(done)[0] == "UNKNOWN"
    odd = program.run("status", "--prometheus", os.path.join(directory, "x.txt"))
    assert odd.returncode == OK and "node_exporter reads files that end in \".prom\"" in odd.stderr
    # What a killed run left is swept, what is not ours is not.
    for name, age in ((".acme-dme-0123456789abcdef.tmp", 7200), (".acme-dme-aaaaaaaaaaaaaaaa.tmp", 0), ("other.prom", 7200)):
        path = os.path.join(directory, name)
        with open(path, "w", encoding="ascii"):
            pass
        os.utime(path, (time.time() - age, time.time() - age))
    silent(program.run("status", "--prometheus", os.path.join(directory, "a.prom")))
    assert sorted(os.listdir(directory)) == [".acme-dme-aaaaaaaaaaaaaaaa.tmp", "a.prom", "other.prom", "x.txt"]


def test_hostile_names_stay_in_their_place(program, lab):
    directory = lab.new_dir("hostile")
    subject = 'evil"} 1\nup{a="\\|\x1b[2J\u202e'
    made = os.path.join(directory, "made.pem")
    subprocess.run(["openssl", "req", "-x509", "-utf8", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                    "/CN=" + subject.replace("\\", "\\\\").replace("/", "\\/"), "-days", "30", "-keyout", os.devnull, "-out", made],
                   check=True, capture_output=True)
    path = os.path.join(directory, 'a "quoted\\" \'=|{}\n# TYPE x.pem')
    os.rename(made, path)
    args = ["--journal", "none", "--certificate", os.path.join(directory, "*")]
    metrics = prometheus(program.run("status", "--prometheus", "-", *args).stdout)
    labels = metrics["certificate_not_after_timestamp_seconds"][0][0]
    assert labels["subject"].startswith('evil"} 1\\x0aup{a="\\|\\x1b[2J') and "\u202e" not in labels["subject"]
    assert labels["source"].endswith('a "quoted\\" \'=|{}\\x0a# TYPE x.pem')
    assert nagios(program.run("status", "--nagios", *args))[0] == "OK"
    assert status(program, *args)["certificates"][0]["subject"] == labels["subject"]
    table = program.run("status", *args).stdout
    assert "\x1b" not in table and "\u202e" not in table and len(table.splitlines()) == 4


# -- Nagios -------------------------------------------------------------------------------------------------------------------------


def test_the_plugin_has_the_four_states(lab, program, ca):
    cert = ca.leaf("leaf", ["DNS:www.example.com"], (-10, 80))[0]
    silent(program.run("add-record", NAME, VALUE))
    state, text, data, more = nagios(program.run("status", "--nagios", "--certificate", cert))
    assert (state, more) == ("OK", []) and "1 certificate" in text
    value, warn, critical = data[f"{cert} days"]
    assert abs(value - 80) < 0.1 and abs(float(warn[:-1]) - 22.5) < 0.1 and abs(float(critical[:-1]) - 9) < 0.1
    assert warn[-1] == critical[-1] == ":"  # an alarm below, not above
    assert data["failing"] == (0, "0", "") and data["journalled"][0] == 1 and data["damaged"] == (0, "0", "")

    assert program.run("add-domain", "no-zone.invalid", VALUE).returncode != 0
    state, text, data, more = nagios(program.run("status", "--nagios", "--certificate", cert))
    assert state == "WARNING" and "no-zone.invalid" in text and data["failing"][0] == 1
    assert len(more) == 1 and more[0].startswith("WARNING hook no-zone.invalid: ")

    state, text, data, more = nagios(program.run("status", "--nagios", "--certificate", cert, "--warn", "85d", "--critical", "81d"))
    assert state == "CRITICAL" and text.startswith(f"certificate {cert}: ") and len(more) == 2

    assert nagios(program.run("status", "--nagios", "--state-dir", program.state + "-none"))[0] == "UNKNOWN"


@pytest.mark.parametrize("args", [["--bogus"], ["extra"], ["--json"], ["--dry-run"], ["--warn", "2/1"], ["-c", "/nonexistent/c.yaml"],
                                  ["--prometheus"], ["--warn=7d", "--critical=14d"]], ids=" ".join)
@pytest.mark.parametrize("first", [True, False])
def test_whatever_keeps_the_plugin_from_looking_is_unknown(program, args, first):
    done = program.run("status", *(["--nagios", *args] if first else [*args, "--nagios"]))
    if args == ["--prometheus"] and not first:
        return  # "--nagios" is the file's name then
    assert nagios(done)[0] == "UNKNOWN"


def test_mistakes_without_the_plugin_have_their_own_statuses(program):
    refused(program.run("status", "--warn", "7d", "--critical", "14d"), CONFIG, "monitor.critical", hint="larger")
    refused(program.run("status", "--warn", "1/10", "--critical", "1/4"), CONFIG, "monitor.critical")
    refused(program.run("status", "--json", "--nagios-x"), USAGE, "--nagios-x", hint="--nagios")
    refused(program.run("status", "example.com"), USAGE, "example.com")
    refused(program.run("sweep", "--prometheus", "x"), USAGE, "--prometheus")
    refused(program.run("-c", "/nonexistent/c.yaml", "status"), CONFIG, "/nonexistent/c.yaml")
    missing = program.run("status", "--state-dir", program.state + "-none")
    assert missing.returncode == ATTENTION and missing.stderr == "" and "there is no state directory" in missing.stdout
    assert not os.path.exists(program.state + "-none")


@pytest.mark.parametrize("kind", ["link", "dangling", "pipe", "device", "directory"])
def test_metrics_replace_nothing_but_a_file(program, lab, kind):
    """As root, `--prometheus /dev/stdout` would else put a file in the place of /dev/stdout, for the whole machine."""
    directory = lab.new_dir("textfile")
    file, target = os.path.join(directory, "x.prom"), os.path.join(directory, "target")
    if kind == "link":
        with open(target, "w", encoding="ascii") as f:
            f.write("theirs")
    if kind in ("link", "dangling"):
        os.symlink(target, file)
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind == "device":
        try:
            os.mknod(file, stat.S_IFCHR | 0o600, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("needs root to make a device")
    else:
        os.mkdir(file)
    before = os.lstat(file)
    refused(program.run("status", "--prometheus", file), STATE, file, "not a regular file", hint="--prometheus -")
    after = os.lstat(file)
    assert (after.st_mode, after.st_ino) == (before.st_mode, before.st_ino)
    assert sorted(os.listdir(directory)) == (["target", "x.prom"] if kind == "link" else ["x.prom"])


def test_two_documents_do_not_share_standard_output(program):
    refused(program.run("status", "--prometheus", "-", "--json"), USAGE, "--prometheus -", "--json")
    assert nagios(program.run("status", "--prometheus=-", "--nagios"))[0] == "UNKNOWN"
    refused(program.run("status", "--prometheus="), USAGE, "--prometheus")


# -- hooks/monitoring ---------------------------------------------------------------------------------------------------------------


def example(program, name):
    """A file of hooks/monitoring, with the program under test in it."""
    with open(os.path.join(HOOKS, name), encoding="utf-8") as f:
        return re.sub(r"/usr/bin/acme-dme\b", program.path, f.read())


def test_the_units_are_good_and_do_their_work(lab, program):
    directory, textfile = lab.new_dir("units"), lab.new_dir("textfile")
    units = [os.path.basename(path) for path in glob.glob(os.path.join(HOOKS, "*.service")) + glob.glob(os.path.join(HOOKS, "*.timer"))]
    assert len(units) == 4
    for unit in units:
        with open(os.path.join(directory, unit), "w", encoding="utf-8") as f:
            f.write(example(program, unit))
    analyze = shutil.which("systemd-analyze")
    if analyze:
        done = lab.run([analyze, "verify", "--man=no", *(os.path.join(directory, unit) for unit in units)])
        assert (done.returncode, done.stderr.strip()) == (0, ""), done
    start = re.search(r"^ExecStart=(.*)$", example(program, "acme-dme-status.service"), re.M).group(1)
    place = re.search(r"^ReadWritePaths=(.*)$", example(program, "acme-dme-status.service"), re.M).group(1)
    silent(program.run("add-record", NAME, VALUE))
    silent(lab.run(start.replace(place, textfile).split(), env=program.env()))
    assert os.listdir(textfile) == ["acme-dme.prom"]


def test_cron_and_nagios_run_what_the_examples_say(lab, program, ca):
    silent(program.run("add-record", NAME, VALUE))
    line = [line for line in example(program, "acme-dme-status.cron").splitlines() if "  root  " in line][0]
    silent(lab.run(line.split("  root  ")[1].split(), env=program.env()))
    commands = re.findall(r"command_line\s+(.*)", example(program, "nagios.cfg"))
    assert len(commands) == 2
    whole = commands[0].removeprefix("/usr/bin/sudo -n ")
    assert nagios(lab.run(whole.split(), env=program.env()))[0] == "OK"
    assert whole in example(program, "sudoers")
    cert, key = ca.leaf("leaf", ["IP:127.0.0.1"])
    with TlsServer(lab, cert, key, port=4460) as server:
        program.configure(monitor__ca_file=ca.cert)
        assert nagios(lab.run(commands[1].replace("$ARG1$", server.name).split(), env=program.env()))[0] == "OK"


RULES = """
rule_files: [{rules}]
evaluation_interval: 10m
tests:
  - interval: 10m
    input_series:
      - {{series: 'acme_dme_certificate_not_before_timestamp_seconds{{source="a",subject="s"}}', values: '-2592000x600'}}
      - {{series: 'acme_dme_certificate_not_after_timestamp_seconds{{source="a",subject="s"}}', values: '345600x600'}}
      - {{series: 'acme_dme_hook_failing_since_timestamp_seconds{{name="n",client="c",action="publish"}}', values: '600x600'}}
      - {{series: 'acme_dme_hook_last_run_success{{name="n",client="c",action="publish"}}', values: '0x600'}}
      - {{series: 'acme_dme_status_timestamp_seconds', values: '0x600'}}
    promql_expr_test:
      - {{expr: 'count(ALERTS{{alertstate="firing"}}) or vector(0)', eval_time: 30m, exp_samples: [{{labels: '{{}}', value: 0}}]}}
      - {{expr: 'count(ALERTS{{alertstate="firing"}})', eval_time: 73h, exp_samples: [{{labels: '{{}}', value: 5}}]}}
      - {{expr: 'count(ALERTS{{alertname="AcmeChallengeKeepsFailing",alertstate="firing"}})', eval_time: 72h, exp_samples: []}}
      - {{expr: 'count(ALERTS{{alertname="AcmeChallengeKeepsFailing",alertstate="firing"}})', eval_time: 73h,
          exp_samples: [{{labels: '{{}}', value: 1}}]}}
"""


def test_the_alerts_fire_on_the_metrics_that_there_are(lab, program, ca):
    """Every metric in the rules is one that the program writes; where promtool is, it checks them and lets them fire."""
    with open(os.path.join(HOOKS, "alerts.yml"), encoding="utf-8") as f:
        rules = f.read()
    cert, key = ca.leaf("leaf", ["IP:127.0.0.1"])
    silent(program.run("add-record", NAME, VALUE))
    with TlsServer(lab, cert, key, port=4461) as server:
        metrics = prometheus(program.run("status", "--prometheus", "-", "--certificate", server.name).stdout)
    used = set(re.findall(r"acme_dme_(\w+)", rules))
    assert used and used <= set(metrics), used - set(metrics)
    if not PROMTOOL:
        pytest.skip("optional: promtool is not installed; the names of the metrics were compared")
    checked = subprocess.run([PROMTOOL, "check", "rules", os.path.join(HOOKS, "alerts.yml")], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked
    test = os.path.join(lab.new_dir("promtool"), "test.yml")
    with open(test, "w", encoding="utf-8") as f:
        f.write(RULES.format(rules=os.path.join(HOOKS, "alerts.yml")))
    fired = subprocess.run([PROMTOOL, "test", "rules", test], capture_output=True, text=True, check=False)
    assert fired.returncode == 0, fired
