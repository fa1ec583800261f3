"""The table of faults (faults.py), a test a row."""

import re
import time

import pytest

from faults import ROWS
from program import NAME, OK, VALUE, warnings
from stage import FOREIGN, Stage

WITHDRAW = {"auth": "cleanup", "add-domain": "del-domain", "add-record": "del-record"}


@pytest.fixture
def stage(lab, program):
    lab.set_lag(0)
    lab.add_txt("example.com", "_acme-challenge.host", FOREIGN)
    made = Stage(lab, program)
    with made.undo:
        yield made


def unmatched(patterns, text):
    return [p for p in ((patterns,) if isinstance(patterns, str) else patterns) if not re.search(p, text)]


def messages(done, prefix):
    """The texts behind "acme-dme: " or "hint: ", without warnings."""
    return [line.removeprefix(prefix) for line in done.stderr.splitlines()
            if line.startswith(prefix) and not line.startswith("acme-dme: warning: ")]


def check_words(row, done):
    said, hints, warned = messages(done, "acme-dme: "), messages(done, "hint: "), warnings(done)
    assert len(done.stderr.splitlines()) == len(said) + len(hints) + len(warned), f"something else was said\n{done}"
    printed = done.stdout.splitlines()
    assert len(printed) == len(row.prints) and not [p for p, text in zip(row.prints, printed) if not re.search(p, text)], done
    assert len(warned) == len(row.warns), f"warnings: {len(row.warns)} expected\n{done}"
    for pattern, text in zip(row.warns, warned):
        assert re.search(pattern, text), f"{pattern!r} is not in a warning\n{done}"
    if row.status == OK:
        assert not said and not hints, done
        return
    assert len(said) == 1 + len(row.more), f"{1 + len(row.more)} messages expected\n{done}"
    assert not unmatched(row.says, said[0]), f"not in the message: {unmatched(row.says, said[0])}\n{done}"
    for pattern, text in zip(row.more, said[1:]):
        assert re.search(pattern, text), f"{pattern!r} is not in a message\n{done}"
    assert not row.hint or hints and not unmatched(row.hint, " ".join(hints)), f"not in the hint: {unmatched(row.hint, ' '.join(hints))}\n{done}"
    both = " ".join(said + hints)
    assert not unmatched(row.tells, both), f"neither in message nor hint: {unmatched(row.tells, both)}\n{done}"


def check_requests(row, stage, done):
    least, most = row.requests if isinstance(row.requests, tuple) else (row.requests, row.requests)
    made = stage.lab.requests()
    assert least <= len(made) <= most, f"{len(made)} requests, {row.requests} expected: {[(r['method'], r['path'], r['status']) for r in made]}\n{done}"


def check_left(row, stage, done):
    stage.lab.sim("POST", "/reset", {"only": ["faults"]})
    entries = stage.program.journal()
    ours = [pair for pair in stage.lab.txt() if pair != (NAME, FOREIGN)]
    assert (NAME, FOREIGN) in stage.lab.txt() and stage.lab.state()["wipes"] == 0
    assert len(entries) == row.journal, f"journal: {entries}\n{done}"
    unknown = {value for _, value in ours} - {e["value"] for e in entries}
    assert len(unknown) == row.lost, f"left behind: {ours}\n{done}"


def withdraw(row, stage):
    assert [value for _, value in stage.lab.txt()].count(VALUE) == 1
    done = stage.run((WITHDRAW[row.call[0]], *row.call[1:]))
    assert done.returncode == OK, done
    stage.program.clean([(NAME, FOREIGN)])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_fault(stage, row):
    since = time.time()
    for step in row.by:
        step(stage)
    done = stage.run(row.call)
    assert not done.timed_out and done.returncode == row.status, done
    check_words(row, done)
    check_requests(row, stage, done)
    for shown in stage.program.secrets(since):
        assert shown not in done.stderr, f"a secret is shown\n{done}"
    assert done.seconds < row.seconds, done
    if row.then:
        row.then(stage, done)
    if row.status == OK and row.call[0] in WITHDRAW:
        withdraw(row, stage)
    else:
        check_left(row, stage, done)
