"""The hook as a process: what it inherits, what it leaves open, how it ends when it is told to, and what kill -9 leaves behind."""

import json
import os
import signal
import stat
import time

import pytest

from program import CANCELLED, NAME, PROPAGATION, VALUE, refused, seal, silent, until, warnings

OTHER = "other-host.example.com"
FOREIGN = "some other program's"


def start_waiting(lab, program, *argv, env=None, popen=None):
    """A hook in its wait: ns12 learns nothing, everybody else has the record."""
    lab.set(hold="ns12")
    running = program.popen(popen, env=env) if popen else program.start(*argv, env=env)
    until(lambda: [e for e in program.journal() if e["state"] == "published"], what="the record in the journal")
    return running


def tree(path):
    """{path: mode} of everything below a directory."""
    found = {path: stat.S_IMODE(os.lstat(path).st_mode)}
    for directory, dirs, files in os.walk(path):
        for name in dirs + files:
            found[os.path.join(directory, name)] = stat.S_IMODE(os.lstat(os.path.join(directory, name)).st_mode)
    return found


# -- what it inherits --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_it_works_with_closed_standard_descriptors(lab, program, closed):
    lab.set_lag(0)
    silent(program.sh(f'exec "$0" "$@" {closed}', "add-record", NAME, VALUE))
    silent(program.sh(f'exec "$0" "$@" {closed}', "del-record", NAME, VALUE))
    program.clean()


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&- 2>&-"])
def test_with_closed_descriptors_no_file_of_ours_gets_a_message(lab, program, closed):
    """A hole at 0–2 would be filled by the next file that is opened, and -vv written into it."""
    lab.set_lag(0)
    program.sh(f'exec "$0" "$@" {closed}', "-vv", "add-record", NAME, VALUE).ok()
    (entry,) = program.journal()
    assert entry["value"] == VALUE
    program.sh(f'exec "$0" "$@" {closed}', "-vv", "del-record", NAME, VALUE).ok()
    program.clean()


def test_an_error_with_closed_stderr_still_shows_in_the_exit_status(lab, program):
    assert program.sh('exec "$0" "$@" 2>&-', "add-record", "host.foreign.org", VALUE).returncode == 5


def test_a_full_stdout_is_no_success_for_a_command_that_prints(lab, program):
    done = program.sh('exec "$0" "$@" >/dev/full', "--help")
    assert done.returncode == 9 and "standard output" in done.stderr, done


def open_files(pid):
    """What the descriptors of a process are; it may close some of its own while we look."""
    found = []
    for descriptor in os.listdir(f"/proc/{pid}/fd"):
        try:
            found.append(os.readlink(f"/proc/{pid}/fd/{descriptor}"))
        except FileNotFoundError:
            pass
    return found


def test_descriptors_from_3_on_are_closed_and_what_they_are_open_on_is_untouched(lab, program):
    """dehydrated: fd 3 is the new certificate file."""
    base = lab.new_dir()
    cert, log = os.path.join(base, "cert.pem"), os.path.join(base, "log")
    script = f'exec 3>"{cert}" 7>>"{log}" 9<"{program.config}"; echo begin >&3; echo begin >&7; exec "$0" "$@"'
    running = start_waiting(lab, program, popen=["sh", "-c", script, program.path, "-vv", "add-record", NAME, VALUE])
    targets = open_files(running.pid())
    assert "/dev/null" in targets and not [t for t in targets if t in (cert, log, program.config)], targets
    lab.set(release="ns12")
    running.wait().ok()
    for path in (cert, log):
        with open(path, encoding="utf-8") as f:
            assert f.read() == "begin\n"


def test_it_leaves_no_child_that_holds_the_pipes(lab, program):
    """certbot, lego and mod_md read to the end of file; the shell's own end comes with it."""
    lab.set_lag(0)
    begin = time.monotonic()
    done = program.sh('"$0" "$@"; echo "end"', "add-record", NAME, VALUE)
    assert done.stdout == "end\n" and time.monotonic() - begin < 10
    assert "acme-dme" not in lab.run(["ps", "-eo", "comm"]).stdout.split()


@pytest.mark.parametrize("value", [None, "", "relative/home", "/does/not/exist"], ids=["unset", "empty", "relative", "missing"])
def test_it_needs_no_home(lab, program, value):
    lab.set_lag(0)
    silent(program.run("add-record", NAME, VALUE, env={"HOME": value, "PATH": None, "TMPDIR": None, "LANG": None}))
    silent(program.run("del-record", NAME, VALUE, env={"HOME": value, "PATH": None, "TMPDIR": None, "LANG": None}))
    program.clean()


def test_it_works_in_a_directory_that_was_removed(lab, program):
    lab.set_lag(0)
    for verb in ("add-record", "del-record"):
        silent(program.sh('mkdir gone && cd gone && rmdir ../gone && exec "$0" "$@"', verb, NAME, VALUE, cwd=lab.new_dir()))
    program.clean()


def test_it_works_in_the_root_directory_and_writes_nothing_there(lab, program):
    before = sorted(os.listdir("/"))
    silent(program.run("add-record", NAME, VALUE, cwd="/"))
    silent(program.run("del-record", NAME, VALUE, cwd="/"))
    assert sorted(os.listdir("/")) == before
    program.clean()


@pytest.mark.parametrize("umask", ["000", "022", "077", "777"])
def test_what_it_writes_is_for_its_user_alone_whatever_the_umask(lab, program, umask):
    lab.set_lag(0)
    silent(program.sh(f'umask {umask}; exec "$0" "$@"', "add-record", NAME, VALUE))
    modes = tree(program.state)
    # Six directories, an entry of the journal, a remembered zone, a result; requests that were made, and their lock.
    assert len(modes) == 11
    assert {path: oct(mode) for path, mode in modes.items() if mode & 0o077} == {}
    silent(program.sh(f'umask {umask}; exec "$0" "$@"', "del-record", NAME, VALUE))
    program.clean()


def test_it_does_not_read_its_standard_input(lab, program):
    lab.set_lag(0)
    done = program.sh('{ "$0" "$@"; cat; }', "add-record", NAME, VALUE, stdin="all of it\n")
    assert done.stdout == "all of it\n", done


def test_it_runs_as_a_user_with_nothing_at_all(lab, program):
    """Proxmox: setpriv --reuid nobody --reset-env."""
    if not lab.privileged:
        pytest.skip("optional: another user's id can't be taken on in a user namespace")
    lab.set_lag(0)
    where = "/run/nobody"
    lab.run(["sh", "-c", f'mkdir -m 700 {where} && cp "$0" {where}/acme-dme.yaml && cp "$1" {where}/ca.pem && chmod 400 {where}/* && cp "$2" /run/acme-dme '
             f'&& chmod 755 /run/acme-dme && chown -R nobody {where} && sed -i "s,ca_file:.*,ca_file: {where}/ca.pem,; s,^state_dir:.*,state_dir: {where}/state," '
             f'{where}/acme-dme.yaml', program.config, lab.ca_file, program.path]).ok()
    try:
        as_nobody = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--reset-env"]
        for verb in ("add-record", "del-record"):
            silent(lab.run([*as_nobody, "/run/acme-dme", "--config", where + "/acme-dme.yaml", verb, NAME, VALUE], cwd="/"))
    finally:
        lab.run(["rm", "-rf", where, "/run/acme-dme"])
    program.clean()


# -- how it ends -------------------------------------------------------------------------------------------------------------------


def test_a_propagation_time_out_rolls_its_own_record_back(lab, program):
    lab.set(hold="ns12")
    lab.add_txt("example.com", "_acme-challenge.host", FOREIGN)
    done = refused(program.run("--timeout", "1s", "add-record", NAME, VALUE), PROPAGATION, "ns12.dnsmadeeasy.com", f'"{NAME}"', hint="--timeout")
    assert "ns11" not in done.stderr
    assert 1 <= done.seconds < 5
    program.clean([(NAME, FOREIGN)])


def test_certbot_is_told_of_a_time_out_but_keeps_its_records(lab, program):
    """certbot asks the CA whatever we say, so the records stay until its clean-up."""
    lab.set(hold="ns12")
    env = {"CERTBOT_DOMAIN": "host.example.com", "CERTBOT_VALIDATION": VALUE}
    refused(program.run("--timeout", "1s", "auth", env=env), PROPAGATION, "ns12")
    assert lab.txt() == [(NAME, VALUE)]
    silent(program.run("cleanup", env=env))
    program.clean()


def test_a_time_out_keeps_a_record_that_an_earlier_call_published(lab, program):
    silent(program.run("add-record", NAME, VALUE))
    lab.set(hold="ns12")
    refused(program.run("--timeout", "1s", "add-record", NAME, VALUE, NAME, "second"), PROPAGATION, "ns12")
    assert lab.txt() == [(NAME, VALUE)]
    silent(program.run("del-record", NAME, VALUE))
    program.clean()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda n: n.name)
@pytest.mark.parametrize("argv, env", [
    (["add-record", NAME, VALUE], {}),
    (["auth"], {"CERTBOT_DOMAIN": "host.example.com", "CERTBOT_VALIDATION": VALUE}),
], ids=["add-record", "certbot"])
def test_a_signal_in_the_wait_withdraws_the_record_and_ends_with_a_status(lab, program, number, argv, env):
    """Killed by a signal, uacme ends its whole run; and an interrupted auth hook gets no clean-up."""
    running = start_waiting(lab, program, *argv, env=env)
    running.signal(number)
    done = refused(running.wait(), CANCELLED)
    assert done.seconds < 10
    program.clean()


def test_a_second_signal_does_not_keep_it_from_withdrawing(lab, program):
    lab.fault(method="DELETE", kind="slow", delay_ms=700)
    running = start_waiting(lab, program, "add-record", NAME, VALUE)
    running.signal(signal.SIGTERM)
    time.sleep(0.3)
    running.signal(signal.SIGTERM)
    refused(running.wait(), CANCELLED)
    program.clean()


def test_a_signal_while_the_api_does_not_answer_ends_it_soon(lab, program):
    lab.fault(method="GET", kind="timeout")
    running = program.start("add-record", NAME, VALUE)
    until(lambda: not lab.state()["faults"], what="the request")
    begin = time.monotonic()
    running.signal(signal.SIGTERM)
    refused(running.wait(), CANCELLED)
    assert time.monotonic() - begin < 3
    program.clean()


def test_a_signal_while_the_record_is_created_leaves_nothing(lab, program):
    lab.fault(method="POST", kind="slow", delay_ms=1500)
    running = program.start("add-record", NAME, VALUE)
    until(lambda: not lab.state()["faults"], what="the request")
    running.signal(signal.SIGTERM)
    refused(running.wait(), CANCELLED)
    until(lambda: lab.requests()[-1]["method"] == "DELETE" or program.journal(), what="the end of the story")
    time.sleep(1.6)  # the request may be carried out after all: then the journal has to know
    assert lab.txt() == [] or [e["value"] for e in program.journal()] == [VALUE]


def test_a_signal_during_the_clean_up_does_not_stop_it(lab, program):
    lab.set_lag(0)
    silent(program.run("add-record", NAME, VALUE))
    lab.fault(method="DELETE", kind="slow", delay_ms=700)
    running = program.start("del-record", NAME, VALUE)
    until(lambda: not lab.state()["faults"], what="the request")
    running.signal(signal.SIGTERM)
    done = running.wait()
    assert done.returncode in (0, CANCELLED), done
    assert lab.txt() == [] and (program.journal() == []) == (done.returncode == 0) or program.journal()
    silent(program.run("del-record", NAME, VALUE))
    program.clean()


# -- kill -9 and sweep -------------------------------------------------------------------------------------------------------------


def test_after_kill_9_the_journal_knows_the_record_and_sweep_removes_it_and_only_it(lab, program):
    lab.add_txt("example.com", "_acme-challenge.host", FOREIGN)
    running = start_waiting(lab, program, "add-record", NAME, VALUE)
    running.signal(signal.SIGKILL)
    assert running.wait().returncode == -signal.SIGKILL
    lab.set(release="ns12")
    silent(program.run("add-domain", OTHER, "live"))
    entries = program.journal()
    assert [(e["name"], e["value"], e["state"]) for e in entries] == [(NAME, VALUE, "published"), ("_acme-challenge." + OTHER, "live", "published")]

    young = program.run("sweep").ok()
    assert young.stdout.count("kept") == 2 and len(lab.txt()) == 3, young
    dry = program.run("--sweep-after", "0s", "sweep", "--dry-run").ok()
    assert dry.stdout.count("would be removed") == 2 and len(lab.txt()) == 3, dry
    silent(program.run("del-domain", OTHER, "live"))
    swept = program.run("--sweep-after", "0s", "sweep").ok()
    assert f"{NAME} TXT {VALUE}" in swept.stdout and swept.stdout.count("removed") == 1 and swept.stderr == "", swept
    program.clean([(NAME, FOREIGN)])


@pytest.mark.parametrize("kind", ["slow", "timeout_after"])
def test_kill_9_between_the_intent_and_the_answer_is_swept_too(lab, program, kind):
    """The entry has no id yet: the record is looked for by name and value, whether it was made or not."""
    lab.add_txt("example.com", "_acme-challenge.host", FOREIGN)
    fault = {"delay_ms": 60000} if kind == "slow" else {}
    lab.fault(method="POST", kind=kind, **fault)
    running = program.start("add-record", NAME, VALUE)
    until(lambda: not lab.state()["faults"], what="the request")
    running.signal(signal.SIGKILL)
    running.wait()
    assert [(e["value"], e["state"], e["record_id"]) for e in program.journal()] == [(VALUE, "intended", 0)]
    program.run("--sweep-after", "0s", "sweep").ok()
    program.clean([(NAME, FOREIGN)])


def test_sweep_lets_a_run_that_is_alive_alone_and_finds_those_that_are_gone(lab, program):
    """A run is the client above us; its entries are old enough after an hour."""
    script = program.script("certbot", '#!/bin/sh\n"$1" add-record "$2" "$3" || exit 1\ntest -z "$4" || sleep "$4"\n')
    program.lab.run([script, program.path, NAME, "of a run that is gone".replace(" ", "-")], env=program.env()).ok()
    alive = program.popen([script, program.path, "_acme-challenge." + OTHER, "of-a-live-one", "60"])
    until(lambda: len(program.journal()) == 2 and all(e["state"] == "published" for e in program.journal()), what="both records")
    for entry in os.listdir(os.path.join(program.state, "journal")):  # as if an hour had passed
        path = os.path.join(program.state, "journal", entry)
        with open(path, encoding="utf-8") as f:
            entry = json.load(f)
        with open(path, "w", encoding="utf-8") as f:
            f.write(seal({**entry, "created_ms": entry["created_ms"] - 3660000}))
    done = program.run("sweep").ok()
    assert "removed" in done.stdout and "kept" in done.stdout, done
    assert [value for _, value in lab.txt()] == ["of-a-live-one"]
    lab.kill(alive.process, signal.SIGKILL)
    until(lambda: program.run("sweep").ok() and not program.journal(), what="the end of the second run")
    program.clean()


def test_a_sweep_waits_for_another_and_finds_its_work_done(lab, program):
    silent(program.run("--no-wait", "add-record", NAME, VALUE))
    lab.fault(method="DELETE", kind="slow", delay_ms=1500)
    first = program.start("--sweep-after", "0s", "sweep")
    until(lambda: not lab.state()["faults"], what="the first one's request")
    second = program.run("--sweep-after", "0s", "sweep").ok()
    assert NAME in first.wait().ok().stdout
    assert second.seconds > 0.5 and NAME not in second.stdout, second
    assert [r["method"] for r in lab.requests()].count("DELETE") == 1
    program.clean()


def test_a_damaged_journal_entry_is_reported_and_hides_no_other(lab, program):
    lab.set_lag(0)
    silent(program.run("add-record", NAME, VALUE))
    with open(os.path.join(program.state, "journal", "0" * 32 + ".json"), "w", encoding="utf-8") as f:
        f.write('{"version": 1, "zone": ')
    done = program.run("del-record", NAME, VALUE).ok()
    assert len(warnings(done)) == 1 and "0" * 32 in warnings(done)[0], done
    assert lab.txt() == []


def test_it_never_dumps_core(lab, program):
    base = lab.new_dir("core")
    running = start_waiting(lab, program, popen=["sh", "-c", f'ulimit -c unlimited; cd "{base}" && exec "$0" "$@"', program.path, "add-record", NAME, VALUE])
    limit = next(line for line in running.proc("limits").decode().splitlines() if line.startswith("Max core file size"))
    assert limit.split()[4] in ("0", "1"), limit
    running.signal(signal.SIGABRT)
    running.wait()
    assert os.listdir(base) == []
