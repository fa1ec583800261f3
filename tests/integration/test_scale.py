"""Renewals of many certificates: they go together, one that fails stops no other, and whatever ends a run, the next takes up what is left."""

import json
import os
import signal
import subprocess
import time

import pytest

from lab import many
from program import CANCELLED, OK, USAGE, refused, until, warnings
from standalone import CA_LIMIT, PROGRAM, Standalone, document, read

ZONES = ["example.com", "sub.example.com", "example.net"]
NOBODYS = "www.not-ours.test"
MANY = 1100  # more than are looked at at once


@pytest.fixture
def client(lab, acme_dme):
    made = Standalone(lab, acme_dme, lab.pebble())
    lab.set_lag(0)
    yield made
    made.stop_all()


@pytest.fixture
def scripted(lab, acme_dme):
    made = Standalone(lab, acme_dme, lab.acmesim())
    lab.set_lag(0)
    yield made
    made.stop_all()


def names(count, zones=ZONES):
    return [f"c{i}.{zones[i % len(zones)]}" for i in range(count)]


def ask_for(client, wanted, **more):
    client.configure(certificates=[{"domains": [name], **more} for name in wanted])


def issued(client, wanted):
    return [name for name in wanted if client.generation(name)]


def orders(client):
    directory = os.path.join(client.state, "orders")
    return sorted(file for file in os.listdir(directory) if file.endswith(".json")) if os.path.isdir(directory) else []


# ---------------------------------------------------------------------------------------------------------------- none is due

def test_of_many_none_is_due_and_nobody_is_asked(client):
    client.run("list").ok()
    many.make(client.state, MANY, directory=client.ca.directory, with_files=False)
    client.ca.forget()
    begin = time.monotonic()
    assert client.run("renew").ok().stdout == ""
    assert time.monotonic() - begin < 5
    assert client.ca.count() == 0 and client.lab.requests() == []
    shown = document(client.run("renew", "--json").ok())["certificates"]
    assert [c["outcome"] for c in shown] == ["not-due"] * MANY
    assert [c["name"] for c in shown] == sorted(c["name"] for c in shown)
    told = client.run("renew", "-v").ok().stderr
    assert told.count(": not due before ") == MANY
    assert len(client.run("list").ok().stdout.splitlines()) == MANY


def test_among_those_that_are_not_due_a_damaged_record_is_set_aside_and_the_one_that_is_due_is_found(client):
    client.run("list").ok()
    made = many.make(client.state, 20, directory=client.ca.directory, with_files=False)
    many.make(client.state, 1, directory=client.ca.directory, left=-60, prefix="due", with_files=False)
    with open(os.path.join(client.state, "renewal", made[7] + ".json"), "a", encoding="ascii") as f:
        f.write("}")
    done = client.run("renew", "--json").ok()
    assert [w for w in warnings(done) if made[7] in w and "set aside" in w]
    outcomes = {c["name"]: c["outcome"] for c in document(done)["certificates"]}
    assert outcomes.pop("due00000.example.com") == "renewed"
    assert sorted(outcomes) == sorted(made[:7] + made[8:]) and set(outcomes.values()) == {"not-due"}


# ---------------------------------------------------------------------------------------------------------------- when

def test_a_jitter_is_waited_for_once_and_ends_with_a_signal(client):
    client.issue("a.example.com").ok()
    client.ca.forget()
    begin = time.monotonic()
    client.run("renew", "--jitter", "1ms").ok()
    assert time.monotonic() - begin < 10
    running = client.start("renew", "--force", "--jitter", "366d")
    time.sleep(0.5)
    assert running.alive() and client.ca.count("POST", "/order-plz") == 0
    running.signal(signal.SIGTERM)
    assert running.wait(10).returncode == CANCELLED
    assert client.ca.count("POST", "/order-plz") == 0 and client.generation("a.example.com") == 1
    refused(client.run("renew", "--jitter", "soon"), USAGE, '"soon" is no duration')


def test_on_a_terminal_there_is_no_jitter(client):
    client.issue("a.example.com").ok()
    own, its = os.openpty()
    begin = time.monotonic()
    process = client.lab.popen([client.path, "renew", "--jitter", "366d"], env=client.env(), stdout=subprocess.DEVNULL, stderr=its)
    assert process.wait(15) == OK and time.monotonic() - begin < 15
    os.close(its)
    os.close(own)


# ---------------------------------------------------------------------------------------------------------------- many are due

def test_sixty_go_together_beside_one_that_fails_and_the_next_run_takes_up_just_that(client):
    wanted = names(60)
    ask_for(client, wanted[:30] + [NOBODYS] + wanted[30:])
    done = client.run("renew", timeout=60)
    assert done.returncode not in (OK, None) and NOBODYS in done.stderr
    assert issued(client, wanted) == wanted and not client.generation(NOBODYS)
    creations = [r for r in client.lab.requests() if r["method"] == "POST"]
    assert len(creations) <= 2 * len(ZONES), creations
    client.clean()
    client.ca.forget()
    again = client.run("renew", "--json", timeout=60)
    outcomes = {c["name"]: c["outcome"] for c in document(again)["certificates"]}
    assert outcomes.pop(NOBODYS) == "failed" and set(outcomes.values()) == {"not-due"}
    assert client.ca.count("POST", "/order-plz") == 0  # it goes on with the order that it has


def test_several_that_fail_are_each_named_and_counted(client):
    wanted = names(3)
    bad = ["a.not-ours.test", "b.not-ours.test"]
    ask_for(client, wanted + bad)
    done = client.run("renew", timeout=60)
    assert all(f'certificate "{name}": ' in done.stderr for name in bad)
    assert "2 of 5 certificates failed" in done.stderr
    assert issued(client, wanted) == wanted


def test_a_ca_that_nobody_reaches_is_tried_once_and_said_once_with_all_names(client):
    dead = "https://localhost:1/directory"
    client.configure(acme__directory=dead, acme__give_up_after="2s")
    client.run("list").ok()
    made = many.make(client.state, MANY, directory=dead, left=-60, with_files=False)  # more than one wave
    begin = time.monotonic()
    done = client.run("renew", timeout=60)
    assert time.monotonic() - begin < 12 and done.returncode not in (OK, None)
    first, *others = [line for line in done.stderr.splitlines() if "hint:" not in line]
    assert f'certificate "{made[0]}" and {MANY - 1} more: could not read the directory of the CA' in first
    assert others.pop().endswith(f"{MANY} of {MANY} certificates failed")
    assert all(line.startswith("acme-dme: the same happened to ") and len(line) < 400 for line in others)
    assert all(f'"{name}"' in done.stderr for name in made)


def test_a_ca_that_fails_keeps_nothing_of_another_from_being_done(client):
    """It has an account there, so that the first thing that fails is the wave itself."""
    other = client.lab.acmesim()
    trusted = os.path.join(client.dir, "cas.pem")
    with open(trusted, "w", encoding="ascii") as f:
        f.write(read(client.ca.ca_file) + read(other.ca_file))
    failing, good = ["a.example.com", "c.example.com"], ["b.example.com", "d.example.net"]
    client.configure(acme__ca_file=trusted, acme__give_up_after="2s",
                     certificates=[{"domains": [name], "directory": other.directory} for name in failing] + [{"domains": [name]} for name in good])
    client.run("renew").ok()
    other.fault("directory", "status", status=503, count=0)
    done = client.run("renew", "--force")
    assert [client.generation(name) for name in failing + good] == [1, 1, 2, 2]
    assert f'certificate "{failing[0]}" and 1 more: could not read the directory of the CA at "{other.directory}"' in done.stderr
    assert "2 of 4 certificates failed" in done.stderr and not any(name in done.stderr for name in good)


@pytest.mark.parametrize("limit", [1024, 256, 64])
def test_with_few_descriptors_fewer_go_together(client, limit):
    wanted = names(80)
    ask_for(client, wanted)
    client.sh(f'ulimit -n {limit}; exec "$0" "$@"', "renew", timeout=90).ok()
    assert issued(client, wanted) == wanted
    client.clean()


HOLD = """import fcntl, os, sys, time
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
fcntl.lockf(fd, fcntl.LOCK_EX)
os.write(fd, b"1\\n")
time.sleep(4)
"""


def test_a_certificate_that_somebody_works_on_comes_last(client):
    wanted = names(4)
    ask_for(client, wanted)
    client.run("list").ok()
    lock = os.path.join(client.state, "lock", f"certificate-{wanted[1]}.lock")
    holder = client.popen(["/usr/bin/python3", "-c", HOLD, lock])
    until(lambda: os.path.exists(lock) and os.path.getsize(lock), what="the lock")
    running = client.start("renew", "-v")
    until(lambda: len(issued(client, wanted)) == 3, 20, "three certificates")
    assert holder.alive() and not client.generation(wanted[1])
    running.wait(30).ok()
    assert issued(client, wanted) == wanted
    holder.wait()


# ---------------------------------------------------------------------------------------------------------------- stopped in the middle

def stop_in_the_middle(client, wanted, number):
    """Signal NUMBER to a renewal that waits for the name servers, with the first certificate of WANTED done by an earlier run."""
    client.lab.set_lag(30)
    running = client.start("renew")
    until(lambda: len(client.lab.txt()) >= len(wanted), 20, "the records")
    running.signal(number)
    done = running.wait(30)
    client.lab.set_lag(0)
    return done


def test_told_to_stop_it_withdraws_and_the_next_run_goes_on_with_its_orders(client):
    wanted = names(12)
    ask_for(client, wanted)
    done = stop_in_the_middle(client, wanted, signal.SIGTERM)
    assert done.returncode == CANCELLED, done
    client.clean()
    assert len(orders(client)) == len(wanted)
    client.ca.forget()
    client.run("renew").ok()
    assert issued(client, wanted) == wanted and client.ca.count("POST", "/order-plz") == 0
    assert orders(client) == []
    client.clean()


def test_killed_in_the_middle_the_next_run_goes_on_with_its_orders_and_clears_up(client):
    wanted = names(12)
    ask_for(client, wanted)
    stop_in_the_middle(client, wanted, signal.SIGKILL)
    assert len(client.lab.txt()) == len(wanted) and len(orders(client)) == len(wanted)
    client.ca.forget()
    client.run("renew").ok()
    assert issued(client, wanted) == wanted and client.ca.count("POST", "/order-plz") == 0
    client.clean()


# ---------------------------------------------------------------------------------------------------------------- refusals

def test_one_that_is_refused_for_a_time_waits_and_the_others_do_not(scripted):
    wanted = names(3)
    ask_for(scripted, wanted)
    scripted.ca.fault("new-order", "problem", skip=1, type="rateLimited", status=429, detail="too many", headers={"Retry-After": "3600"})
    done = scripted.run("renew")
    assert done.returncode == CA_LIMIT, done
    left = [name for name in wanted if name not in issued(scripted, wanted)]
    assert len(left) == 1 and left[0] in done.stderr
    assert scripted.record(left[0])["generation"] == 0
    assert abs(scripted.record(left[0])["retry_after_ms"] / 1000 - time.time() - 3600) < 60
    scripted.ca.reset("log", "faults")
    assert scripted.run("renew").ok().stdout == ""
    assert not scripted.ca.requests("new-order")
    scripted.run("renew", env=scripted.clock("+3700")).ok()
    assert issued(scripted, wanted) == wanted


# ---------------------------------------------------------------------------------------------------------------- orders that a CA takes

def test_beyond_the_orders_that_the_ca_takes_the_least_urgent_wait(client):
    client.configure(acme__new_orders_per_3h=3, acme__ari=False)
    client.run("list").ok()
    late = many.make(client.state, 4, directory=client.ca.directory, left=20 * many.DAY, prefix="late", with_files=False)
    soon = many.make(client.state, 2, directory=client.ca.directory, left=3600, prefix="soon", with_files=False)
    done = client.run("renew", "--json").ok()
    assert [w for w in warnings(done) if "3 certificates wait until" in w and "takes 3 new orders in 3 hours" in w], done.stderr
    outcomes = {c["name"]: c["outcome"] for c in document(done)["certificates"]}
    assert [outcomes[name] for name in soon] == ["renewed"] * 2
    assert sorted(outcomes[name] for name in late) == ["deferred"] * 3 + ["renewed"]
    client.ca.forget()
    again = client.run("renew").ok()
    assert client.ca.count("POST", "/order-plz") == 0 and "3 certificates wait" in again.stderr
    client.configure(acme__new_orders_per_3h=6)
    client.run("renew").ok()
    assert all(client.generation(name) == 1 for name in soon + late)


# ---------------------------------------------------------------------------------------------------------------- deploy_once

ONCE = """echo "$ACME_DME_EVENT [$(echo $ACME_DME_NAMES)] ${ACME_DME_NAME:-none} $(test -s "$ACME_DME_CERTS/${ACME_DME_NAMES%%
*}/fullchain.pem" && echo there)" >>"$1"
test ! -e "$2"
"""


class Once:
    """A deploy program that writes down what it was told, and fails while `broken` is there."""

    def __init__(self, client):
        self.log, self.broken = (os.path.join(client.dir, name) for name in ("events", "broken"))
        self.command = [client.script("once", "#!/bin/sh\n" + ONCE), self.log, self.broken]

    def events(self):
        return read(self.log).splitlines() if os.path.exists(self.log) else []


def test_a_deploy_command_is_run_once_for_all_certificates_of_a_run(client):
    once = Once(client)
    client.configure(acme__deploy=once.command, acme__deploy_once=True)
    wanted = sorted(names(5))
    ask_for(client, wanted)
    client.run("renew").ok()
    assert [(e.split(" [")[0], e.rpartition("] ")[2], sorted(e.partition("[")[2].partition("]")[0].split())) for e in once.events()] == [
        ("deploy", "none there", wanted)]
    assert not any(client.record(name)["deploy_pending"] for name in wanted)


def test_after_an_interrupt_it_is_run_for_those_that_are_installed(client):
    once = Once(client)
    finished, held = ["a.example.com", "b.example.com"], "c.example.net"
    client.configure(acme__deploy=once.command, acme__deploy_once=True, propagation__timeout="60s")
    ask_for(client, finished + [held])
    client.lab.set(hold_zones=["example.net"])
    running = client.start("renew")
    until(lambda: all(client.generation(name) for name in finished), what="the others' certificates")
    running.signal(signal.SIGTERM)
    assert running.wait().returncode == CANCELLED
    assert [sorted(e.partition("[")[2].partition("]")[0].split()) for e in once.events()] == [finished]
    assert not any(client.record(name)["deploy_pending"] for name in finished)
    client.clean()


def test_distinct_commands_are_run_once_each_and_those_without_deploy_once_for_each(client):
    once, other, each = Once(client), Once(client), Once(client)
    other.command = [client.script("other", "#!/bin/sh\n" + ONCE), once.log + ".other", once.broken]
    each_log = os.path.join(client.dir, "each")
    each.command = [client.script("each", '#!/bin/sh\necho "$ACME_DME_NAME" >>"$1"\n'), each_log]
    a, b, c, d = names(4)
    client.configure(certificates=[{"domains": [a], "deploy": once.command, "deploy_once": True},
                                   {"domains": [b], "deploy": [once.command, other.command], "deploy_once": True},
                                   {"domains": [c], "deploy": each.command}, {"domains": [d], "deploy": each.command}])
    client.run("renew").ok()
    assert len(once.events()) == 1 and len(read(once.log + ".other").splitlines()) == 1
    assert sorted(read(each_log).split()) == sorted([c, d])


def test_a_failing_command_is_one_of_each_certificate_and_is_repeated_once_by_the_next_run(client):
    once = Once(client)
    open(once.broken, "w", encoding="ascii").close()
    client.configure(acme__deploy=once.command, acme__deploy_once=True)
    wanted = names(3)
    ask_for(client, wanted)
    done = client.run("renew")
    assert done.returncode == PROGRAM and "3 of 3 certificates failed" in done.stderr
    assert len(once.events()) == 1 and issued(client, wanted) == wanted
    assert [client.record(name)["deploy_pending"] for name in wanted] == [1, 1, 1]
    os.unlink(once.broken)
    client.ca.forget()
    again = client.run("renew").ok()
    assert sorted(again.stdout.splitlines()) == sorted(f"{name}: deployed" for name in wanted)
    assert len(once.events()) == 2 and client.ca.count("POST") == 0
    assert client.run("renew").ok().stdout == "" and len(once.events()) == 2


def test_issue_runs_it_once_as_well(client):
    once = Once(client)
    client.issue("a.example.com", more=["--deploy", once.command[0], "--deploy-once"]).ok()
    shown = json.loads(client.run("show", "a.example.com", "--json").ok().stdout)
    assert shown["settings"]["deploy_once"]["value"] == "true"
    assert client.record("a.example.com")["deploy_pending"] == 0
