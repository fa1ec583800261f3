"""Log files and JSON lines: what is in them, what may happen to the file meanwhile, and that nothing of it ever harms an issuance."""

import json
import os
import re
import stat
import time

import pytest

from lab import binaries
from program import API, AUTH, CONFIG, NAME, PROPAGATION, USAGE, VALUE, refused, silent, until, warnings
from test_secrets import HOSTILE, UPDATE

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (error|warning|info|debug) \[\d+\] \d+\.\d{3} .+")
LEVELS = ["error", "warning", "info", "debug"]
STEPS = ["configuration file: ", "called by ", "belongs to zone", "journalled", "has id ", "published in ", "waiting for 1 name",
         "ns13.dnsmadeeasy.com (127.0.0.14) shows everything after ", "everything is shown after ", "settled: ", "done"]


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def lines_of(path):
    """The lines of a text log, each checked for its form."""
    text = read(path)
    assert text.endswith("\n")
    for line in text.splitlines():
        assert LINE.fullmatch(line), line
    return text.splitlines()


def objects(text):
    """The objects of JSON lines, each checked for what all of them have."""
    made = []
    for line in text.splitlines():
        entry = json.loads(line, object_pairs_hook=unique)
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["time"]), line
        assert entry["level"] in LEVELS and isinstance(entry["pid"], int) and isinstance(entry["elapsed_ms"], int), line
        assert entry["message"] and not re.search(r"[\x00-\x1f\x7f-\x9f\u202e]", line), line
        made.append(entry)
    return made


def unique(pairs):
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names)), names
    return dict(pairs)


def in_order(text, parts):
    at = 0
    for part in parts:
        found = text.find(part, at)
        assert found >= 0, f"{part!r} does not come where it should\n{text}"
        at = found
    return text


# -- what is in it ------------------------------------------------------------------------------------------------------------


def test_steps_go_to_the_file_and_nothing_to_standard_error(program):
    log = program.log_file()
    silent(program.run("--log-file", log, "add-record", NAME, VALUE))
    lines = lines_of(log)
    in_order("\n".join(lines), STEPS)
    assert stat.S_IMODE(os.stat(log).st_mode) == 0o600
    assert not [line for line in lines if " debug " in line]
    silent(program.run("--log-file", log, "del-record", NAME, VALUE))
    assert lines_of(log)[:len(lines)] == lines
    in_order("\n".join(lines_of(log)[len(lines):]), ["is remembered", "deleted", "withdrawn in ", "done"])
    program.clean()


def test_times_in_the_file_are_those_of_the_wall(program):
    log = program.log_file()
    before = time.time()
    silent(program.run("--log-file", log, "add-record", NAME, VALUE))
    for line in lines_of(log):
        head, _, rest = line.partition("Z ")
        seconds = time.mktime(time.strptime(head.partition(".")[0] + " UTC", "%Y-%m-%dT%H:%M:%S %Z")) - time.timezone
        assert before - 1 <= seconds <= time.time() + 1, line
        assert rest


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("verbosity", ["-q", None, "-v", "-vv"])
def test_levels_and_verbosity(lab, program, level, verbosity):
    log = program.log_file()
    lab.pause("ns11")
    done = program.run(*([verbosity] if verbosity else []), "--log-file", log, "--log-level", level, "add-record", NAME, VALUE).ok()
    wanted = max(LEVELS.index(level), {"-v": 2, "-vv": 3}.get(verbosity, 0))
    lines = lines_of(log) if os.path.exists(log) and os.path.getsize(log) else []
    assert sorted({line.split()[1] for line in lines}, key=LEVELS.index) == LEVELS[1:wanted + 1], lines
    assert len(warnings(done)) == (0 if verbosity == "-q" else 1) == len(done.stderr.splitlines()), done
    assert os.path.exists(log)


def test_the_configuration_and_the_environment_name_it_too(program):
    program.configure(log__file="from-file.log", log__format="json", log__level="debug")
    log = program.log_file("from-file.log")  # relative to the configuration file
    silent(program.run("add-record", NAME, VALUE))
    assert {entry["level"] for entry in objects(read(log))} == {"info", "debug"}
    other = program.log_file("from-environment.log")
    silent(program.run("del-record", NAME, VALUE, env={"ACME_DME_LOG_FILE": other, "ACME_DME_LOG_FORMAT": "text", "ACME_DME_LOG_LEVEL": "info"}))
    in_order("\n".join(lines_of(other)), ["log.file: ", "withdrawn in", "done"])


def on_a_terminal(program, *argv):
    """What a call writes to a terminal."""
    master, slave = os.openpty()
    process = program.lab.popen([program.path, *argv], env=program.env(), stdout=slave, stderr=slave)
    os.close(slave)
    said = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        said += piece
    os.close(master)
    assert process.wait(30) == 0, said
    return said.decode()


def test_a_warning_takes_the_live_line_off_the_terminal(lab, program):
    lab.pause("ns11")
    shown = re.split(r"[\r\n]+", on_a_terminal(program, "add-record", NAME, VALUE))
    assert [part for part in shown if "of 1 name" in part], shown
    assert len([part for part in shown if part.startswith("acme-dme: warning: ")]) == 1, shown
    assert not [part for part in shown if "warning" in part and not part.startswith("acme-dme: warning: ")], shown


@pytest.mark.parametrize("option", [["-v"], ["--log-format=json"], ["-q"]])
def test_no_live_line_beside_other_lines(lab, program, option):
    lab.set_lag(1.0)
    assert "\r " not in on_a_terminal(program, *option, "add-record", NAME, VALUE).replace("\r\n", "\n")


def test_with_a_log_file_the_terminal_has_its_live_line_even_with_details(lab, program):
    lab.set_lag(1.0)
    assert "of 1 name" in on_a_terminal(program, "-vv", "--log-file", program.log_file(), "add-record", NAME, VALUE)


# -- errors -------------------------------------------------------------------------------------------------------------------


def test_the_last_error_is_in_it_with_its_status_and_hint(lab, program):
    log = program.log_file()
    lab.fault(kind="status", status=403, body='{"error": "API key not found"}', count=5)
    done = refused(program.run("--log-file", log, "add-record", NAME, VALUE), AUTH)
    *_, error, hint = lines_of(log)
    message, told = done.stderr.splitlines()
    assert error.endswith(" " + message.removeprefix("acme-dme: ") + " (exit status 4, auth)")
    assert " error [" in hint and hint.endswith(" " + told)


def test_the_last_error_in_json(lab, program):
    log = program.log_file()
    lab.fault(kind="status", status=403, body='{"error": "API key not found"}', count=5)
    done = program.run("--log-file", log, "--log-format", "json", "add-record", NAME, VALUE)
    assert done.returncode == AUTH
    said, written = objects(done.stderr), objects(read(log))
    assert len(said) == 1 and said[0] == {**written[-1], "time": said[0]["time"], "elapsed_ms": said[0]["elapsed_ms"]}
    assert (said[0]["level"], said[0]["code"], said[0]["exit_status"]) == ("error", "auth", AUTH)
    assert "API key" in said[0]["message"] and said[0]["hint"].endswith(".")


EARLY = {
    "wrong option": (["--wrong", "add-record", NAME, VALUE], USAGE),
    "wrong option in front": (["--wrong", "LOG", "add-record", NAME, VALUE], USAGE),
    "no verb": ([], USAGE),
    "wrong arguments": (["add-record", NAME], USAGE),
    "wrong value": (["--ttl", "soon", "add-record", NAME, VALUE], CONFIG),
    "no such file": (["--config", "/does/not/exist", "add-record", NAME, VALUE], CONFIG),
}


@pytest.mark.parametrize("case", EARLY)
@pytest.mark.parametrize("by", ["option", "environment"])
def test_errors_before_there_is_a_configuration_get_there_too(program, case, by):
    argv, status = EARLY[case]
    log = program.log_file()
    options = ["--log-file", log, "--log-format=json"] if by == "option" else []
    env = {} if by == "option" else {"ACME_DME_LOG_FILE": log, "ACME_DME_LOG_FORMAT": "json"}
    words = [*options, *argv] if "LOG" not in argv else [word for a in argv for word in (options if a == "LOG" else [a])]
    done = program.run(*words, env=env)
    assert done.returncode == status
    assert objects(done.stderr)[-1]["exit_status"] == objects(read(log))[-1]["exit_status"] == status


def test_every_mistake_of_a_configuration_gets_there(program):
    program.write_config("credentials: 1\ndnsmadeeasy: {ttl: soon}\nlog: {level: loud}\n")
    log = program.log_file()
    done = program.run("--log-file", log, "add-record", NAME, VALUE)
    assert done.returncode == CONFIG
    lines = lines_of(log)
    for line in done.stderr.splitlines():
        assert [x for x in lines if line.removeprefix("acme-dme: ") in x], line
    assert len([x for x in lines if f"{program.config}:" in x]) >= 3


# -- hostile servers ----------------------------------------------------------------------------------------------------------


FAULTS = {
    "error text": {"kind": "status", "status": 400, "body": f'{{"error":["{HOSTILE}"]}}', "content_type": "application/json"},
    "no UTF-8": {"kind": "status", "status": 400, "body": '{"error":["\xff\xfe\x80\xed\xa0\x80"]}', "encoding": "latin-1"},
    "quotes": {"kind": "status", "status": 400, "body": '{"error":["\\"},{\\"level\\":\\"error\\",\\\\"]}'},
    "headers": {"kind": "status", "status": 404, "body": "<html>\x1b[2J</html>", "content_type": 'text/"\\\x1b[5mhtml',
                "headers": {"Server": '\x1b]0;x\x07"}', "x-dnsme-requestId": '"\\\xe9\x9b', "x-dnsme-requestsRemaining": '1"}{'}},
    "location": {"kind": "redirect", "location": 'https://x.example/"\\\x1b[31m\u009b'},
    "garbage": {"kind": "garbage"},
    "long": {"kind": "status", "status": 400, "body": json.dumps({"error": ['"\\\u202e\U0001f600' * 3000]})},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_line_is_json_whatever_the_server_says(lab, program, fault):
    log = program.log_file()
    lab.fault(method="POST", count=9, **FAULTS[fault])
    done = program.run("-vv", "--give-up-after", "2s", "--log-file", log, "--log-format", "json", "add-record", NAME, VALUE)
    assert done.returncode in (API, 5), done
    written = objects(read(log))
    assert written[-1]["exit_status"] == done.returncode and objects(done.stderr)[-1]["message"] == written[-1]["message"]
    answers = [e for e in written if e.get("method") == "POST" and "status" in e or "error" in e]
    assert answers or fault == "garbage"
    done = program.run("-vv", "--log-format", "json", "add-record", NAME, VALUE)
    objects(done.stderr)


def test_every_line_is_json_whatever_name_servers_say(lab, program):
    log = program.log_file()
    lab.set(hold="ns12")
    lab.run([binaries.PYTHON, "-c", UPDATE, lab.nameservers["ns12"]]).ok()
    done = program.run("--timeout", "1s", "-vv", "--log-file", log, "--log-format", "json", "add-record", NAME, VALUE)
    assert done.returncode == PROPAGATION
    seen = [e for e in objects(read(log)) if e.get("server", "").startswith(lab.nameservers["ns12"]) and "rcode" in e]
    assert seen and "red" in seen[-1]["message"], seen


def test_json_tells_programs_of_requests_and_questions(lab, program):
    log = program.log_file()
    silent(program.run("-vv", "--log-file", log, "--log-format", "json", "add-record", NAME, VALUE))
    written = objects(read(log))
    answers = [e for e in written if "status" in e]
    asked = lab.requests()
    assert [(e["method"], e["status"], e["remaining"]) for e in answers] == [(r["method"], r["status"], r["remaining"]) for r in asked]
    for answer in answers:
        assert answer["url"].startswith("https://api.dnsmadeeasy.com/V2.0/dns/managed/") and answer["request_id"]
        assert 0 <= answer["ms"] < 5000 and answer["bytes"] > 0
    replies = [e for e in written if e.get("type") == "TXT" and "rcode" in e]
    assert {e["server"] for e in replies} >= {address + ":53" for address in lab.nameservers.values()} or \
        {e["server"] for e in replies} >= set(lab.nameservers.values()), replies
    assert all(e["name"] == NAME and e["rcode"] in ("NOERROR", "NXDOMAIN") and e["ms"] >= 0 for e in replies)
    questions = [e for e in written if e.get("type") and "rcode" not in e and "error" not in e]
    assert len(questions) >= len(replies)
    assert [e["record_id"] for e in written if "record_id" in e] == [r["id"] for r in lab.records(rtype="TXT")]


# -- meanwhile ----------------------------------------------------------------------------------------------------------------


def wait_in(lab, program, log, *options):
    """A call that waits for ns12, and has said so."""
    lab.set(hold="ns12")
    running = program.start("--log-file", log, *options, "add-record", NAME, VALUE)
    until(lambda: os.path.exists(log) and "ns13.dnsmadeeasy.com (127.0.0.14) shows everything" in read(log), what="the wait")
    return running


def test_a_rotation_in_the_middle_of_a_wait(lab, program):
    log, old = program.log_file(), program.log_file("acme-dme.log.1")
    running = wait_in(lab, program, log)
    os.rename(log, old)
    lab.set(release="ns12")
    silent(running.wait())
    in_order("\n".join(lines_of(old)), STEPS[:7])
    in_order("\n".join(lines_of(log)), ["ns12.dnsmadeeasy.com (127.0.0.13) shows everything", *STEPS[8:]])
    assert not [line for line in lines_of(old) if "ns12.dnsmadeeasy.com (127.0.0.13) shows" in line or "done" in line]
    assert stat.S_IMODE(os.stat(log).st_mode) == 0o600


def test_a_rotation_that_makes_the_new_file_itself(lab, program):
    log, old = program.log_file(), program.log_file("acme-dme.log.1")
    running = wait_in(lab, program, log)
    os.rename(log, old)
    with open(log, "w", encoding="ascii"):
        os.chmod(log, 0o640)
    lab.set(release="ns12")
    silent(running.wait())
    in_order("\n".join(lines_of(log)), STEPS[8:])
    assert stat.S_IMODE(os.stat(log).st_mode) == 0o640


def test_a_rotation_by_copying_and_truncating(lab, program):
    log = program.log_file()
    running = wait_in(lab, program, log)
    os.truncate(log, 0)
    lab.set(release="ns12")
    silent(running.wait())
    assert "\0" not in read(log)
    in_order("\n".join(lines_of(log)), STEPS[8:])


def test_the_file_turns_into_something_else(lab, program):
    """A pipe that nobody reads in its place: one warning, and the wait goes on."""
    log, old = program.log_file(), program.log_file("acme-dme.log.1")
    running = wait_in(lab, program, log)
    os.rename(log, old)
    os.mkfifo(log)
    lab.set(release="ns12")
    done = running.wait().ok()
    assert len(warnings(done)) == 1 and "it is a pipe" in warnings(done)[0] == done.stderr.splitlines()[0].partition("warning: ")[2], done
    in_order("\n".join(lines_of(old)), STEPS)


def test_calls_side_by_side_share_a_file(program):
    log = program.log_file()
    calls = [program.start("-vv", "--log-file", log, "--log-format", "json", "add-record", f"_acme-challenge.h{n}.example.com", VALUE)
             for n in range(8)]
    for call in calls:
        silent(call.wait(60))
    written = objects(read(log))
    by_call = {}
    for entry in written:
        by_call.setdefault(entry["pid"], []).append(entry["message"])
    assert len(by_call) == 8
    for messages in by_call.values():
        in_order("\n".join(messages), STEPS)


# -- what can't be written to -------------------------------------------------------------------------------------------------


def works_with_one_warning(program, log, *needles):
    """Published, with one warning that holds NEEDLES; and withdrawn, with what -v wants on standard error in its place."""
    done = program.run("--log-file", log, "add-record", NAME, VALUE).ok()
    assert len(done.stderr.splitlines()) == 1 == len(warnings(done)), done
    for needle in (log, *needles, ", continuing without it"):
        assert needle in warnings(done)[0], done
    done = program.run("-q", "--log-file", log, "del-record", NAME, VALUE)
    silent(done)
    program.clean()


def test_a_pipe_does_not_block(program):
    log = os.path.join(program.dir, "pipe")
    os.mkfifo(log)
    begin = time.monotonic()
    works_with_one_warning(program, log, "it is a pipe")
    assert time.monotonic() - begin < 15


def test_a_directory(program):
    works_with_one_warning(program, program.dir, "it is a directory")


def test_no_directory_for_it(program):
    works_with_one_warning(program, os.path.join(program.dir, "none", "x.log"), "No such file or directory")


def test_a_device_that_is_full(program):
    works_with_one_warning(program, "/dev/full", "No space left on device")


def test_details_go_to_standard_error_when_the_file_can_not_be_opened(program):
    done = program.run("-v", "--log-file", program.dir, "add-record", NAME, VALUE).ok()
    in_order(done.stderr, ["it is a directory", *STEPS])


def test_a_link_that_somebody_put_into_a_directory_for_all(program):
    place = program.lab.new_dir("public")
    os.chmod(place, 0o1777)
    victim = os.path.join(program.dir, "victim")
    os.symlink(victim, os.path.join(place, "x.log"))
    works_with_one_warning(program, os.path.join(place, "x.log"), "symbolic link")
    assert not os.path.exists(victim)


@pytest.mark.skipif(os.geteuid() != 0, reason="optional: only root can give files away")
def test_a_file_of_somebody_else(program):
    log = os.path.join(program.dir, "x.log")
    with open(log, "w", encoding="ascii"):
        os.chown(log, 65534, 65534)
    works_with_one_warning(program, log, "it belongs to another user")
    assert os.path.getsize(log) == 0


@pytest.fixture
def disk(lab, program):
    """Mounts a file system for the log."""
    place = lab.new_dir("disk")

    def mount(options):
        lab.run(["mount", "-t", "tmpfs", "-o", options, "log", place]).ok()
        return os.path.join(place, "x.log")

    yield mount
    lab.run(["umount", place])


def test_a_disk_that_is_full(lab, program, disk):
    log = disk("size=16k,mode=0700")
    lab.run(["sh", "-c", 'dd if=/dev/zero of="$0.fill" bs=1k count=100 2>/dev/null; true', log]).ok()
    works_with_one_warning(program, log, "No space left on device")


def test_a_disk_that_fills_up_and_gets_room_again(lab, program, disk):
    """The line that was cut off stays alone; the one behind it is whole."""
    log = disk("size=256k,mode=0700")
    lab.run(["sh", "-c", 'dd if=/dev/zero of="$0.fill" bs=4k count=63 2>/dev/null', log]).ok()
    lab.set(hold="ns12")
    running = program.start("-vv", "--log-file", log, "--log-format", "json", "add-record", NAME, VALUE)
    until(lambda: lab.run(["stat", "-c", "%s", log]).stdout.strip() == "4096", what="the full disk")
    lab.run(["rm", log + ".fill"]).ok()
    lab.set(release="ns12")
    done = running.wait().ok()
    assert [entry["level"] for entry in objects(done.stderr)] == ["warning"] and "No space left" in done.stderr
    text = lab.run(["cat", log]).ok().stdout
    torn = [line for line in text.splitlines() if not line.endswith("}")]
    assert len(torn) == 1, torn
    in_order("\n".join(e["message"] for e in objects(text.replace(torn[0] + "\n", ""))), ["settled: ", "done"])


def test_a_disk_that_is_read_only(program, disk):
    works_with_one_warning(program, disk("ro"), "Read-only file system")
