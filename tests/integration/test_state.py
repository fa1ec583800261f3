"""The state directory: what is noted of each call, damaged files met by a hook and by a sweep, and `reset --state`."""

import glob
import json
import os
import re
import shutil
import signal
import time

import pytest

import windows
from program import CANCELLED, CONFIG, NAME, OK, STATE, USAGE, VALUE, ZONE, refused, seal, silent, until, warnings

DOMAIN = NAME.removeprefix("_acme-challenge.")
OTHER = "_acme-challenge.other.example.com"
ENTRY = "0" * 31 + "1.json"


@pytest.fixture
def quick(lab, program):
    lab.set_lag(0)
    return program


def path(program, *parts):
    return os.path.join(program.state, *parts)


def files(program, directory):
    return sorted(os.listdir(path(program, directory))) if os.path.isdir(path(program, directory)) else []


def write(program, directory, name, text):
    os.makedirs(path(program, directory), mode=0o700, exist_ok=True)
    with open(path(program, directory, name), "w", encoding="utf-8") as f:
        f.write(text)


def only(program, directory):
    (name,) = files(program, directory)
    with open(path(program, directory, name), encoding="utf-8") as f:
        return name, json.load(f)


def results(program):
    """{(name, action): what was noted}"""
    found = {}
    for name in files(program, "results"):
        with open(path(program, "results", name), encoding="utf-8") as f:
            text = f.read()
        noted = json.loads(text)
        assert noted["version"] == 2 and json.loads(seal(noted)) == noted, text
        found[noted["name"], noted["action"]] = noted
    return found


# -- results -----------------------------------------------------------------------------------------------------------------------


def test_each_call_is_noted_for_each_of_its_names(quick):
    begin = time.time() * 1000
    silent(quick.run("add-record", NAME, VALUE, NAME, "second-value", OTHER, VALUE))
    silent(quick.run("del-record", NAME, VALUE))
    noted = results(quick)
    assert set(noted) == {(DOMAIN, "publish"), ("other.example.com", "publish"), (DOMAIN, "withdraw")}
    for one in noted.values():
        assert one["kind"] == "hook" and one["client"] == "add-record" and one["code"] == "ok", one
        assert (one["error"], one["hint"], one["failures"], one["failure_ms"]) == ("", "", 0, 0), one
        assert begin <= one["at_ms"] == one["success_ms"] <= time.time() * 1000 and 0 <= one["took_ms"] < 30000, one


def test_failures_are_counted_with_their_text_until_one_succeeds(lab, quick):
    name = "_acme-challenge.notexample.com"
    for count in (1, 2):
        done = quick.run("add-record", name, VALUE)
        assert done.returncode == ZONE, done
        (one,) = results(quick).values()
        assert (one["name"], one["code"], one["failures"], one["success_ms"]) == ("notexample.com", "zone", count, 0)
        assert f"acme-dme: {one['error']}\n" in done.stderr and f"hint: {one['hint']}\n" in done.stderr, (one, done)
    assert one["failing_ms"] < one["failure_ms"] == one["at_ms"]


def test_a_clean_up_after_a_failure_does_not_hide_it(quick):
    name = "_acme-challenge.notexample.com"
    assert quick.run("add-record", name, VALUE).returncode == ZONE
    quick.run("del-record", name, VALUE)
    assert results(quick)["notexample.com", "publish"]["failures"] == 1


def test_an_interrupted_call_is_a_failure(lab, program):
    lab.set(hold="ns12")
    running = program.start("add-record", NAME, VALUE)
    until(lambda: [e for e in program.journal() if e["state"] == "published"], what="the record in the journal")
    running.signal(signal.SIGTERM)
    assert running.wait().returncode == CANCELLED
    one = results(program)[DOMAIN, "publish"]
    assert one["code"] == "cancelled" and "interrupted" in one["error"] and one["failures"] == 1, one


def test_credentials_that_can_not_be_used_are_noted_too(quick):
    os.chmod(quick.config, 0o644)
    done = refused(quick.run("add-record", NAME, VALUE), CONFIG, hint=windows.word("chmod", "icacls"))
    one = results(quick)[DOMAIN, "publish"]
    assert one["code"] == "unsafe" and one["error"] in done.stderr, one
    quick.configure(credentials=None)
    refused(quick.run("add-record", NAME, VALUE), CONFIG)
    assert results(quick)[DOMAIN, "publish"]["failures"] == 2
    shutil.rmtree(quick.state)
    with open(quick.config, "a", encoding="utf-8") as f:
        f.write("nonsense: [")
    refused(quick.run("add-record", NAME, VALUE), CONFIG)
    assert not os.path.exists(quick.state)


def test_without_a_journal_nothing_is_noted(quick):
    quick.configure(journal="none")
    silent(quick.run("add-record", NAME, VALUE))
    silent(quick.run("del-record", NAME, VALUE))
    assert not os.path.exists(quick.state)


def test_a_result_that_can_not_be_noted_is_no_failure(quick):
    silent(quick.run("add-record", NAME, VALUE))
    shutil.rmtree(path(quick, "results"))
    with open(path(quick, "results"), "w", encoding="ascii"):
        pass
    silent(quick.run("del-record", NAME, VALUE))
    done = quick.run("-v", "add-record", NAME, VALUE).ok()
    assert "the result of this call was not noted" in done.stderr, done


def test_no_result_holds_a_secret(quick):
    begin = time.time()
    quick.configure(credentials__api_secret="0" * 36)
    assert quick.run("add-record", NAME, VALUE).returncode != OK
    (name,) = files(quick, "results")
    with open(path(quick, "results", name), encoding="utf-8") as f:
        text = f.read()
    assert not [s for s in quick.secrets(begin) + ["0" * 36] if s in text], text


# -- damage ------------------------------------------------------------------------------------------------------------------------


def set_aside(program, directory):
    """The names under which files of a directory have been set aside."""
    return [name for name in files(program, "damaged") if re.match(rf"\d{{8}}T\d{{6}}Z-{directory}-", name)]


@pytest.mark.parametrize("text", ["", "{", "\0" * 300, '{"version": 2, "name": "_acme-challenge.lost.example.com", "zone": '],
                         ids=["empty", "cut", "zeros", "half"])
def test_a_hook_sets_a_damaged_entry_aside_and_goes_on(lab, quick, text):
    silent(quick.run("add-record", NAME, VALUE))
    write(quick, "journal", ENTRY, text)
    done = quick.run("del-record", NAME, VALUE).ok()
    (said,) = warnings(done)
    assert ENTRY in said and "set aside" in said and said.endswith(", continuing"), said
    assert ("lost.example.com" if "lost" in text else "DOMAIN") in said
    assert len(set_aside(quick, "journal")) == 1
    quick.clean()
    silent(quick.run("add-record", NAME, VALUE))
    silent(quick.run("del-record", NAME, VALUE))


def test_the_names_that_can_still_be_read_are_told(quick):
    silent(quick.run("add-record", NAME, VALUE))
    ((name, entry),) = [only(quick, "journal")]
    write(quick, "journal", name, json.dumps({**entry, "record_id": 1}, separators=(",", ":")))
    (said,) = warnings(quick.run("sweep").ok())
    assert f'at "{NAME}"' in said and f'run "acme-dme check {DOMAIN}"' in said, said


def test_a_changed_record_id_deletes_nobodys_record(lab, quick):
    """The one damage that looks like truth: the id of a record of somebody else."""
    lab.add_txt("example.com", "_acme-challenge.host", "somebody's")
    foreign = next(r["id"] for r in lab.records(rtype="TXT") if r["value"] == '"somebody\'s"')
    silent(quick.run("add-record", NAME, VALUE))
    name, entry = only(quick, "journal")
    write(quick, "journal", name, json.dumps({**entry, "record_id": foreign}))
    done = quick.run("del-record", NAME, VALUE).ok()
    assert "checksum" in warnings(done)[0], done
    quick.clean([(NAME, "somebody's")])


def test_a_sweep_sets_damaged_entries_aside_and_sweeps_the_others(lab, quick):
    silent(quick.run("--no-wait", "add-record", NAME, VALUE))
    for i in range(5):
        write(quick, "journal", f"{i:032}.json", "{")
    os.mkdir(path(quick, "journal", "f" * 32 + ".json"))
    os.symlink("/etc/passwd", path(quick, "journal", "e" * 32 + ".json"))
    done = quick.run("--sweep-after", "0s", "sweep").ok()
    assert NAME in done.stdout and len(warnings(done)) == 7, done
    assert len(set_aside(quick, "journal")) == 7 and files(quick, "journal") == []
    quick.clean()
    silent(quick.run("--sweep-after", "0s", "sweep"))


def test_a_damaged_memo_costs_a_look_at_the_zone(lab, quick):
    silent(quick.run("add-record", NAME, VALUE))
    name, memo = only(quick, "zones")
    write(quick, "zones", name, seal({**memo, "name": "other.example"}))
    done = quick.run("del-record", NAME, VALUE).ok()
    assert warnings(done) == [] or "zones" in warnings(done)[0], done
    done = quick.run("add-record", OTHER, VALUE).ok()
    quick.run("del-record", OTHER, VALUE).ok()
    assert len(set_aside(quick, "zones")) == 1
    assert only(quick, "zones")[1]["name"] == "example.com"
    quick.clean()


def test_a_file_of_version_1_is_taken_over(lab, quick):
    silent(quick.run("add-record", NAME, VALUE))
    name, entry = only(quick, "journal")
    entry.pop("checksum")
    write(quick, "journal", name, json.dumps({**entry, "version": 1}))
    silent(quick.run("del-record", NAME, VALUE))
    quick.clean()


def test_an_entry_of_a_newer_program_is_left_to_it(lab, quick):
    silent(quick.run("add-record", NAME, VALUE))
    name, entry = only(quick, "journal")
    write(quick, "journal", name, seal({**entry, "version": 9, "zone": {"is": "something else"}}))
    done = quick.run("--sweep-after", "0s", "sweep").ok()
    assert ["newer acme-dme" in said for said in warnings(done)] == [True], done
    assert files(quick, "journal") == [name] and files(quick, "damaged") == []


# -- reset -------------------------------------------------------------------------------------------------------------------------


def test_reset_says_what_to_reset(quick):
    refused(quick.run("reset"), USAGE, "say what", hint="acme-dme reset --state")
    refused(quick.run("sweep", "--state"), USAGE, "--state")
    refused(quick.run("reset", "--state", "everything"), USAGE, "everything")


def test_reset_keeps_what_counts_and_drops_what_comes_again(lab, quick):
    silent(quick.run("add-record", NAME, VALUE))
    write(quick, "journal", ENTRY, "{")
    write(quick, ".", "account.key", "PRIVATE")
    (name,) = [n for n in files(quick, "journal") if n != ENTRY]
    before = sorted(glob.glob(path(quick, "**"), recursive=True))
    dry = quick.run("reset", "--state", "--dry-run").ok()
    assert before == sorted(glob.glob(path(quick, "**"), recursive=True))
    done = quick.run("reset", "--state").ok()
    for line in ("kept account.key: not a file of acme-dme", f'kept journal/{name}: record "{NAME}" in zone "example.com"',
                 'kept 1 journal entry (records that may still exist; run "acme-dme sweep")',
                 f'set aside 1 damaged file, in "{path(quick, "damaged")}"', "dropped 1 remembered zone, 1 result, 1 request count"):
        assert line in done.stdout.splitlines(), done
    assert f"set aside journal/{ENTRY}: it is not valid JSON" in done.stdout and "acme-dme check DOMAIN" in done.stdout, done
    assert f"would set aside journal/{ENTRY}: " in dry.stdout and "would drop 1 remembered zone, 1 result, 1 request count" in dry.stdout, dry
    assert files(quick, "zones") == files(quick, "results") == files(quick, "budget") == [] and files(quick, "journal") == [name]
    assert done.stderr == ""
    silent(quick.run("del-record", NAME, VALUE))
    quick.clean()
    assert quick.run("--quiet", "reset", "--state").ok().stdout == ""
    assert os.path.exists(path(quick, "account.key"))


def test_reset_needs_no_credentials_and_no_api(lab, quick):
    silent(quick.run("add-record", NAME, VALUE))
    requests = len(lab.requests())
    quick.configure(credentials=None)
    refused(quick.run("sweep"), CONFIG)
    assert "kept 1 journal entry" in quick.run("reset", "--state").ok().stdout
    assert len(lab.requests()) == requests


def test_reset_clears_the_way_for_directories(lab, quick):
    silent(quick.run("add-record", NAME, VALUE))
    shutil.rmtree(path(quick, "zones"))
    with open(path(quick, "zones"), "w", encoding="ascii"):
        pass
    refused(quick.run("del-record", NAME, VALUE), STATE, "not a directory", hint="acme-dme reset --state")
    assert "set aside zones: it is no directory" in quick.run("reset", "--state").ok().stdout
    silent(quick.run("del-record", NAME, VALUE))
    quick.clean()


def test_reset_where_there_is_nothing(quick):
    assert "there is no state directory" in quick.run("reset", "--state").ok().stdout
    assert not os.path.exists(quick.state)
    silent(quick.run("sweep"))
    assert "is in order: nothing to do" in quick.run("reset", "--state").ok().stdout
    # Nothing done because nothing could be is not order.
    os.rename(quick.state, quick.state + "-away")
    with open(quick.state, "w", encoding="ascii") as f:
        f.write("x")
    os.chmod(quick.state, 0o600)
    done = quick.run("reset", "--state")
    assert done.returncode == STATE and "in order" not in done.stdout, done
    os.unlink(quick.state)
    os.rename(quick.state + "-away", quick.state)


def test_reset_waits_for_a_sweep(lab, quick):
    silent(quick.run("--no-wait", "add-record", NAME, VALUE))
    lab.fault(method="DELETE", kind="slow", delay_ms=1500)
    sweep = quick.start("--sweep-after", "0s", "sweep")
    until(lambda: not lab.state()["faults"], what="the sweep's request")
    done = quick.run("reset", "--state").ok()
    assert NAME in sweep.wait().ok().stdout
    assert done.seconds > 0.5 and "journal entr" not in done.stdout, done
    quick.clean()
