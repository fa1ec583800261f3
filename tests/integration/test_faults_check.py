"""What the table of faults (faults.py) makes go wrong, "acme-dme check" finds before it does: the same cause, the same remedy.

Left out is what a look can't see: a fault that comes with a creation, or only once, or while a call waits.
"""

import json
import time

import pytest

import faults
from faults import OK
from program import API, AUTH, CONFIG, PROPAGATION, RATE_LIMIT, STATE, ZONE
from stage import DOMAIN, FOREIGN, Stage
from test_faults import unmatched

# Section of the table: exit status -> the step of check that is to find it; whose text must say what the row says, too.
SAME_WORDS = [
    (faults.CLOCK, {API: "api", AUTH: "credentials"}),
    (faults.CREDENTIALS, {AUTH: "credentials", CONFIG: "config"}),
    (faults.ACCOUNTS, {AUTH: "credentials"}),
    (faults.REFUSALS, {AUTH: "credentials", API: "api"}),
    (faults.TLS, {API: "api", CONFIG: "config"}),
    (faults.NETWORK, {API: "api"}),
    (faults.STATE_DIR, {STATE: "state"}),
    (faults.CONFIGURATION, {CONFIG: "config"}),
]
OWN_WORDS = [
    (faults.CLOCK, {OK: "clock"}),
    (faults.CREDENTIALS, {OK: "config"}),
    (faults.ACCOUNTS, {OK: "credentials"}),
    (faults.REFUSALS, {RATE_LIMIT: "budget", ZONE: "name"}),
    (faults.DNS, {OK: "servers", PROPAGATION: "servers", ZONE: "name"}),
]
# A call that can go on does; a look says that it may not go on for ever.
OTHERWISE = {
    "two-accounts-and-the-zone-is-the-bad-one-s": (AUTH, "credentials"),
    "two-accounts-without-zones-the-default-is-bad": (AUTH, "credentials"),
    "zone-undelegated": (ZONE, "delegation"),
    "name-servers-all-lame": (PROPAGATION, "servers"),
    "200-with-json-of-another-shape": (API, "name"),
    "404-html-at-the-look-up": (API, "api"),
}
LEFT_OUT = [
    # They come with a creation, which a look makes none of.
    "503-at-the-creation", "no-answer-to-the-creation", "404-at-the-creation", "name-server-that-never-shows-it",
    # Silence takes long to be sure of, and test_check.py has it.
    "name-servers-one-silent", "name-servers-all-silent", "port-53-closed-and-dns-over-https", "port-53-closed-without-dns-over-https",
]


def cases(sections, same):
    found = []
    for section, steps in sections:
        for row in section:
            if row.status in steps and (row.status != OK or row.warns) and row.name not in LEFT_OUT:
                status, step = OTHERWISE.get(row.name, (row.status, steps[row.status]))
                found.append(pytest.param(row, status, step, same and row.name not in OTHERWISE, id=row.name))
    return found


@pytest.fixture
def stage(lab, program):
    lab.set_lag(0)
    lab.add_txt("example.com", "_acme-challenge.host", FOREIGN)
    made = Stage(lab, program)
    with made.undo:
        yield made


@pytest.mark.parametrize("row, status, step, same", cases(SAME_WORDS, True) + cases(OWN_WORDS, False))
def test_check_finds_it(stage, row, status, step, same):
    since = time.time()
    for bring_about in row.by:
        bring_about(stage)
    domain = row.call[1] if len(row.call) > 1 else DOMAIN
    stage.meanwhile = None
    done = stage.run(("check", "--json", domain))
    findings = [f for f in json.loads(done.stdout)["findings"] if f["level"] in ("warn", "fail")]
    found = [f for f in findings if f["step"] == step]
    assert done.returncode == status and found, (findings, done)
    if same:
        assert any(not unmatched(row.says, f["text"]) for f in found), (row.says, findings)
    if row.hint or row.warns:
        assert all(f["hint"] or step == "config" for f in found), findings
    assert all(f["hint"] for f in findings if f["level"] == "fail" and f["step"] != "config"), findings
    assert ("fail" in [f["level"] for f in findings]) == (status != OK), findings
    for shown in stage.program.secrets(since):
        assert shown not in done.stdout + done.stderr, done
    assert stage.program.changes() == [] and stage.lab.txt() == [("_acme-challenge.host.example.com", FOREIGN)]
