"""Several calls that belong together, or just meet: certbot's order, runs side by side, parallel hooks, time limits."""

import os
import signal
import time

import pytest

from lab import binaries
from program import NAME, PROPAGATION, VALUE, refused, silent, until

ALL = ["a.example.com", "b.example.com", "www.sub.example.com"]
# Calls of one certbot: the hook's parent is a script of that name.  DOMAIN VALUE REMAINING ..., then a word: what to do with the status.
CERTBOT = """#!/bin/sh
program=$1 all=$2
shift 2
while [ $# -ge 3 ]; do
    begin=$(date +%s%N)
    CERTBOT_DOMAIN=$1 CERTBOT_VALIDATION=$2 CERTBOT_REMAINING_CHALLENGES=$3 CERTBOT_ALL_DOMAINS=$all sh -c "$program auth"
    echo "$1 $? $((($(date +%s%N) - begin) / 1000000))"
    shift 3
done
"""


def certbot(program, *argv):
    return [program.script("certbot", CERTBOT), program.path, ",".join(ALL), *argv]


def cleanup(program, domain, value):
    silent(program.run("cleanup", env={"CERTBOT_DOMAIN": domain, "CERTBOT_VALIDATION": value}))


def told(done):
    """{domain: (status, milliseconds)}"""
    lines = [line.split() for line in done.stdout.splitlines()]
    return {domain: (int(status), int(ms)) for domain, status, ms in lines}


def record(domain):
    return "_acme-challenge." + domain


def last_seen(lab, name, value):
    """When the last name server was told of the value (wall clock)."""
    feed = lab.sim("GET", "/feed")
    times = [[e["t"] for e in events if f"{e['name']}.{e['zone']}" == name and value in e["values"]] for events in feed.values()]
    assert all(times), feed
    return max(t[0] for t in times)


# -- certbot -----------------------------------------------------------------------------------------------------------------------


def test_only_the_last_call_of_certbot_waits_and_it_waits_for_all(lab, program):
    """Two records of zone example.com wait for a slow server; the last call's own zone is there at once everywhere else."""
    lab.set_lag([0, 0, 0, 3])
    done = lab.run(certbot(program, ALL[0], "one", "2", ALL[1], "two", "1", ALL[2], "three", "0"), env=program.env()).ok()
    end = time.time()
    calls = told(done)
    assert [calls[d][0] for d in ALL] == [0, 0, 0] and done.stderr == ""
    assert calls[ALL[0]][1] < 1500 and calls[ALL[1]][1] < 1500, "the first calls return without waiting"
    assert end >= max(last_seen(lab, record(d), v) for d, v in zip(ALL, ("one", "two", "three")))
    for domain, value in zip(ALL, ("one", "two", "three")):
        assert all(lab.dig(ns, record(domain))["answer"] == [value] for ns in lab.nameservers)
        cleanup(program, domain, value)
    program.clean()


def test_identifiers_that_certbot_proves_by_other_means_are_not_waited_for(lab, program):
    """An address is proved by http-01, with no record of ours."""
    env = {"CERTBOT_DOMAIN": ALL[0], "CERTBOT_VALIDATION": "one", "CERTBOT_REMAINING_CHALLENGES": "0",
           "CERTBOT_ALL_DOMAINS": f"{ALL[0]},192.0.2.1,2001:db8::1"}
    done = program.run("auth", env=env).ok()
    assert (done.stdout, done.stderr) == ("", "")
    cleanup(program, ALL[0], "one")
    program.clean()


def test_without_a_journal_every_call_of_certbot_waits_for_its_own_record(lab, program):
    """The last one can't know what the others published."""
    program.configure(journal="none")
    lab.set_lag(1.5)
    for domain, value, remaining in ((ALL[0], "one", "1"), (ALL[1], "two", "0")):
        env = {"CERTBOT_DOMAIN": domain, "CERTBOT_VALIDATION": value, "CERTBOT_REMAINING_CHALLENGES": remaining,
               "CERTBOT_ALL_DOMAINS": f"{ALL[0]},{ALL[1]}"}
        silent(program.run("auth", env=env))
        assert all(lab.dig(ns, record(domain))["answer"] == [value] for ns in lab.nameservers)
    for domain, value in ((ALL[0], "one"), (ALL[1], "two")):
        cleanup(program, domain, value)


UPDATE = """
import sys, dns.query, dns.update
update = dns.update.UpdateMessage("example.com.")
update.replace(sys.argv[2], 60, "TXT", sys.argv[3])
assert dns.query.tcp(update, sys.argv[1], timeout=5).rcode() == 0
"""


def test_the_last_call_waits_for_the_records_of_the_calls_before_it(lab, program):
    """Its own record is everywhere; a name server lacks the first call's."""
    lab.set_lag(0)
    lab.set(hold="ns11")
    running = program.popen(certbot(program, ALL[0], "one", "1", ALL[1], "two", "0"))
    until(lambda: len(lab.txt()) == 2, what="the records")
    lab.run([binaries.PYTHON, "-c", UPDATE, lab.nameservers["ns11"], "_acme-challenge.b", "two"]).ok()
    time.sleep(1.0)
    assert running.alive(), "the last call did not wait for the first one's record"
    lab.run([binaries.PYTHON, "-c", UPDATE, lab.nameservers["ns11"], "_acme-challenge.a", "one"]).ok()
    assert [status for status, _ in told(running.wait()).values()] == [0, 0]
    cleanup(program, ALL[0], "one")
    cleanup(program, ALL[1], "two")
    program.clean()


def test_a_time_out_of_the_last_call_names_the_earlier_record(lab, program):
    """Only the first record's name server lacks it: the last call's error is about that one."""
    lab.set_lag(0)
    lab.set(hold="ns13")
    program.configure(propagation__timeout="1s")
    done = lab.run(certbot(program, ALL[0], "one", "1", ALL[1], "two", "0"), env=program.env())
    assert [status for status, _ in told(done).values()] == [0, PROPAGATION]
    assert f'"{record(ALL[0])}"' in done.stderr or "2 of 2" in done.stderr, done
    assert "ns13" in done.stderr
    for domain, value in zip(ALL, ("one", "two")):
        cleanup(program, domain, value)
    program.clean()


def test_two_certbots_at_once_do_not_wait_for_each_other(lab, program):
    """One is stuck on a record that a name server does not get; the other one has the same names and another server is quick."""
    lab.set_lag(0)
    program.configure(propagation__timeout="12s")
    lab.set(hold="ns13")
    stuck = program.popen(certbot(program, ALL[0], "of-the-first", "1", ALL[1], "of-the-first", "0"))
    until(lambda: len(lab.txt()) == 2, what="the first run's records")
    # What the second one needs is on all name servers that are asked for it.
    program.configure(propagation__nameservers=["127.0.0.11:53", "127.0.0.12:53"])
    other = lab.run(certbot(program, ALL[0], "of-the-second", "1", ALL[1], "of-the-second", "0"), env=program.env()).ok()
    assert other.seconds < 8 and stuck.alive()
    assert [status for status, _ in told(other).values()] == [0, 0]
    lab.set(release="ns13")
    assert [status for status, _ in told(stuck.wait()).values()] == [0, 0]
    for value in ("of-the-first", "of-the-second"):
        cleanup(program, ALL[0], value)
        cleanup(program, ALL[1], value)
    program.clean()


def test_a_later_run_does_not_wait_for_what_a_dead_one_left(lab, program):
    lab.set_lag(0)
    lab.run(certbot(program, ALL[0], "left-behind", "0"), env=program.env()).ok()
    (entry,) = [r for r in lab.records() if r["type"] == "TXT"]
    lab.sim("POST", "/record", {"zone": "example.com", "delete": [entry["id"]]})  # by hand, in the console
    lab.wait_published()
    done = lab.run(certbot(program, ALL[0], "new", "0"), env=program.env()).ok()
    assert done.seconds < 5
    cleanup(program, ALL[0], "new")
    cleanup(program, ALL[0], "left-behind")
    program.clean()


def test_dehydrateds_exit_hook_withdraws_what_its_run_left_and_nothing_else(lab, program):
    """A failed deploy_challenge ends the run without any clean_challenge, also for the names before."""
    lab.set_lag(0)
    script = program.script("dehydrated", '#!/bin/sh\n"$1" deploy_challenge a.example.com T one || exit 1\n'
                            '"$1" deploy_challenge host.foreign.org T two && exit 1\n"$1" exit_hook "some error"\n')
    silent(program.run("add-record", NAME, VALUE))
    done = lab.run([script, program.path], env=program.env()).ok()
    assert "foreign.org" in done.stderr and done.stdout == ""
    assert lab.txt() == [(NAME, VALUE)]
    silent(program.run("del-record", NAME, VALUE))
    program.clean()


def test_mod_mds_teardown_without_a_value_leaves_another_runs_record(lab, program):
    lab.set_lag(0)
    run = program.script("apache2", '#!/bin/sh\n"$1" setup host.example.com "$2" && "$1" teardown host.example.com\n')
    lab.add_txt("example.com", "_acme-challenge.host", "a-strangers")
    other = program.script("httpd", '#!/bin/sh\n"$1" setup host.example.com of-another-server; sleep 60\n')
    alive = program.popen([other, program.path])
    until(lambda: [e for e in program.journal() if e["state"] == "published"], what="the other run's record")
    lab.run([run, program.path, "of-this-server"], env=program.env()).ok()
    assert lab.txt() == sorted([(NAME, "of-another-server"), (NAME, "a-strangers")])
    lab.kill(alive.process, signal.SIGKILL)
    silent(program.run("del-record", NAME, "of-another-server"))
    program.clean([(NAME, "a-strangers")])


# -- parallel ----------------------------------------------------------------------------------------------------------------------


def test_ten_hooks_at_once_on_one_zone(lab, program):
    names = [f"_acme-challenge.host{n}.example.com" for n in range(10)]
    running = [program.start("add-record", name, f"-v{n}") for n, name in enumerate(names)]
    for each in running:
        silent(each.wait(60))
    assert lab.txt() == sorted((name, f"-v{n}") for n, name in enumerate(names))
    assert len(program.journal()) == 10
    running = [program.start("del-record", name, f"-v{n}") for n, name in enumerate(names)]
    for each in running:
        silent(each.wait(60))
    program.clean()


def test_ten_hooks_at_once_on_one_name(lab, program):
    lab.add_txt("example.com", "_acme-challenge.host", "a-strangers")
    running = [program.start("add-record", NAME, f"v{n}") for n in range(10)]
    for each in running:
        silent(each.wait(60))
    assert len(lab.txt()) == 11
    running = [program.start("del-record", NAME, f"v{n}") for n in range(10)]
    for each in running:
        silent(each.wait(60))
    program.clean([(NAME, "a-strangers")])


def test_the_same_call_five_times_at_once_makes_one_record(lab, program):
    for each in [program.start("add-record", NAME, VALUE) for _ in range(5)]:
        silent(each.wait(60))
    assert lab.txt() == [(NAME, VALUE)]
    for each in [program.start("del-record", NAME, VALUE) for _ in range(5)]:
        silent(each.wait(60))
    program.clean()


def test_one_hook_withdraws_while_another_publishes_on_the_same_name(lab, program):
    """acmetool: stop of the base and start of the wildcard meet."""
    lab.set_lag(0)
    silent(program.run("add-record", NAME, "first"))
    for n in range(5):
        stop, start = program.start("del-record", NAME, "first"), program.start("add-record", NAME, "second")
        silent(stop.wait())
        silent(start.wait())
        assert lab.txt() == [(NAME, "second")], n
        silent(program.run("add-record", NAME, "first"))
        silent(program.run("del-record", NAME, "second"))
    silent(program.run("del-record", NAME, "first"))
    program.clean()


# -- time limits -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("argv", [["add-record", NAME, VALUE], ["create", "host.example.com", NAME, VALUE]], ids=["any", "win-acme"])
def test_the_time_out_is_kept_within_a_second_or_two(lab, program, argv):
    lab.set(hold="ns13")
    program.configure(propagation__timeout="2s", propagation__settle="1h")
    done = refused(program.run(*argv), PROPAGATION)
    assert 2 <= done.seconds < 5
    program.clean()


def test_settle_begins_when_all_have_it(lab, program):
    program.configure(propagation__settle="1s")
    lab.set_lag([0, 0, 0, 0.5])
    silent(program.run("add-record", NAME, VALUE))
    assert time.time() - last_seen(lab, NAME, VALUE) >= 1


def test_no_wait_does_not_wait(lab, program):
    lab.set(hold="all")
    done = silent(program.run("--no-wait", "add-record", NAME, VALUE))
    assert done.seconds < 3
    assert lab.txt() == [(NAME, VALUE)]
    silent(program.run("del-record", NAME, VALUE))
    program.clean()


@pytest.mark.skipif(not os.environ.get("ACME_DME_SLOW"), reason="optional: takes two minutes, set ACME_DME_SLOW=1")
def test_certify_stops_listening_after_two_minutes_and_hears_before(lab, program):
    """It takes its own time-out for success, so the message must come earlier; no setting of ours can put that off."""
    lab.set(hold="ns13")
    program.configure(propagation__timeout="1h", propagation__settle="1h")
    done = refused(lab.run([program.named("acme-dme-create"), "host.example.com", NAME, VALUE], env=program.env(), timeout=140), PROPAGATION)
    assert 60 < done.seconds < 115
    program.clean()
