"""Many calls, one batch: certbot's calls but the last leave their records to it, and `--defer` does the same for anybody."""

import json
import os
import signal
import time

import pytest

from program import CANCELLED, NAME, PROPAGATION, STATE, USAGE, VALUE, ZONE, refused, until, warnings

# One process that calls us in the order of its arguments, under whatever name the test gives it:
#   all=LIST                           the identifiers of the batch that begins
#   {auth|cleanup}=NAME,VALUE,LEFT     a call of certbot's that LEFT others follow ("": an old one, that does not tell)
#   {http|unhttp}=NAME,VALUE,LEFT      the same for http-01
#   call=WORDS                         any other call
#   until=FILE                         waits until there is such a file
# and tells of each call what it was, its exit status, and how many milliseconds it took.
CLIENT = """#!/bin/sh
program=$1
shift
for step; do
    verb=${step%%=*} rest=${step#*=}
    case $verb in
    all) export CERTBOT_ALL_DOMAINS="$rest"; continue ;;
    until) until test -e "$rest"; do sleep 0.05; done; continue ;;
    esac
    begin=$(date +%s%N)
    if [ "$verb" = call ]; then
        "$program" $rest
    else
        name=${rest%%,*} value=${rest#*,}
        remaining=${value#*,} value=${value%%,*}
        export CERTBOT_DOMAIN="$name" CERTBOT_VALIDATION="$value" CERTBOT_REMAINING_CHALLENGES="$remaining"
        [ -n "$remaining" ] || unset CERTBOT_REMAINING_CHALLENGES
        case $verb in
        http) CERTBOT_TOKEN=token sh -c "$program auth" ;;
        unhttp) CERTBOT_TOKEN=token sh -c "$program cleanup" ;;
        *) sh -c "$program $verb" ;;
        esac
    fi
    echo "$step $? $((($(date +%s%N) - begin) / 1000000))"
done
"""
TWENTY = [f"host{n}.example.com" for n in range(20)]


def calls(verb, pairs):
    """The steps of one batch: (domain, value), in order."""
    return [f"{verb}={domain},{value},{len(pairs) - 1 - n}" for n, (domain, value) in enumerate(pairs)]


def everything(pairs, verbs=("auth", "cleanup")):
    return ["all=" + ",".join(domain for domain, _ in pairs), *(step for verb in verbs for step in calls(verb, pairs))]


def pairs_of(names, value="v"):
    return [(name, f"{value}{n}") for n, name in enumerate(names)]


def records(pairs):
    return sorted(("_acme-challenge." + domain, value) for domain, value in pairs)


def touch(path):
    """What a client waits for with until=FILE."""
    open(path, "w", encoding="ascii").close()


class Batches:
    """The program, and clients that call it."""

    def __init__(self, lab, program):
        self.lab, self.program = lab, program

    def argv(self, steps, name="certbot"):
        return [self.program.script(name, CLIENT), self.program.path, *steps]

    def run(self, *steps, name="certbot", env=None, prefix=()):
        return self.lab.run([*prefix, *self.argv(steps, name)], env=self.program.env(env), timeout=120).ok()

    def start(self, *steps, name="certbot"):
        return self.program.popen(self.argv(steps, name))

    def methods(self):
        return [r["method"] for r in self.lab.requests()]

    def created(self):
        """The values that each request for a creation was about."""
        bodies = [json.loads(r["body"]) for r in self.lab.requests() if r["method"] == "POST"]
        return [sorted(e["value"].strip('"') for e in (body if isinstance(body, list) else [body])) for body in bodies]

    def deferred(self):
        """{(name, value): action} of what calls left."""
        directory = os.path.join(self.program.state, "deferred")
        found = {}
        for file in os.listdir(directory) if os.path.isdir(directory) else []:
            try:
                with open(os.path.join(directory, file), encoding="utf-8") as f:
                    entry = json.load(f)
            except (FileNotFoundError, ValueError):  # it is being written
                continue
            found[entry["name"], entry["value"]] = entry["action"]
        return found

    def noted(self):
        """{(name, action): code} of the results."""
        directory = os.path.join(self.program.state, "results")
        found = {}
        for file in os.listdir(directory) if os.path.isdir(directory) else []:
            with open(os.path.join(directory, file), encoding="utf-8") as f:
                one = json.load(f)
            found[one["name"], one["action"]] = one["code"]
        return found

    def clean(self, left=()):
        self.program.clean(left)
        assert self.deferred() == {}


@pytest.fixture
def batches(lab, program):
    lab.set_lag(0)
    return Batches(lab, program)


def told(done):
    """[(exit status, milliseconds)] of the calls."""
    return [tuple(int(word) for word in line.split()[-2:]) for line in done.stdout.splitlines()]


def statuses(done):
    return [status for status, _ in told(done)]


# -- what it costs -----------------------------------------------------------------------------------------------------------------


def test_twenty_names_of_certbot_cost_three_requests_and_two_when_the_zone_is_known(lab, batches):
    pairs = pairs_of(TWENTY)
    for known in (False, True):
        lab.sim("POST", "/reset", {"only": ["log", "window"]})
        done = batches.run(*everything(pairs))
        assert statuses(done) == [0] * 40 and done.stderr == "", done
        assert batches.methods() == ([] if known else ["GET"]) + ["POST", "DELETE"]
        batches.clean()


def test_the_calls_before_the_last_do_nothing_but_take_a_note(lab, batches):
    """No request, no question to a name server, no wait: a few milliseconds."""
    pairs = pairs_of(TWENTY)
    lab.set(hold="all")
    lab.block53()
    try:
        done = batches.run("all=" + ",".join(TWENTY), *calls("auth", pairs)[:-1])
    finally:
        lab.unblock53()
    assert set(statuses(done)) == {0} and done.stderr == "", done
    assert batches.methods() == [] and batches.program.journal() == []
    assert batches.deferred() == {record: "publish" for record in records(pairs[:-1])}
    assert sorted(ms for _, ms in told(done))[len(pairs) // 2] < 300, done


def test_the_last_call_waits_until_all_servers_show_all_records(lab, batches):
    lab.set_lag([0, 0, 0, 2])
    pairs = pairs_of(TWENTY[:3])
    batches.run("all=" + ",".join(TWENTY[:3]), *calls("auth", pairs))
    for domain, value in pairs:
        assert all(lab.dig(ns, "_acme-challenge." + domain)["answer"] == [value] for ns in lab.nameservers)
    assert batches.deferred() == {}
    assert len(batches.program.journal()) == 3


def test_base_and_wildcard_are_two_records_of_one_name(lab, batches):
    pairs = [("example.com", "of-the-base"), ("example.com", "of-the-wildcard"), ("www.example.com", "another")]
    done = batches.run(*everything(pairs, ["auth"]))
    assert lab.txt() == records(pairs) and done.stderr == ""
    assert all(sorted(lab.dig(ns, "_acme-challenge.example.com")["answer"]) == ["of-the-base", "of-the-wildcard"] for ns in lab.nameservers)
    batches.run(*everything(pairs, ["cleanup"]))
    assert batches.methods() == ["GET", "POST", "DELETE"]
    batches.clean()


def test_names_over_two_zones_cost_one_request_a_zone(lab, batches):
    pairs = pairs_of(["a.example.com", "a.example.net", "b.example.com", "b.example.net"])
    done = batches.run(*everything(pairs))
    assert statuses(done) == [0] * 8 and done.stderr == ""
    assert sorted(batches.methods()) == ["DELETE"] * 2 + ["GET"] * 2 + ["POST"] * 2
    batches.clean()


def test_a_certbot_that_does_not_tell_is_served_one_by_one(lab, batches):
    """Before 1.4: each call waits for its own record."""
    pairs = pairs_of(TWENTY[:3])
    lab.set_lag(1)
    done = batches.run(*(f"auth={domain},{value}," for domain, value in pairs), *(f"cleanup={domain},{value}," for domain, value in pairs))
    assert statuses(done) == [0] * 6 and all(ms >= 900 for _, ms in told(done)[:3]), done
    assert batches.methods() == ["GET"] + ["POST"] * 3 + ["DELETE"] * 3
    batches.clean()


def test_where_the_client_is_not_known_nothing_is_left_to_a_call_that_may_not_find_it(lab, batches):
    """A script of the operator's between certbot and us would make a run of each call, were certbot out of sight."""
    pairs = pairs_of(TWENTY[:2])
    done = batches.run(*everything(pairs), name="some-client")
    assert statuses(done) == [0] * 4 and done.stderr == ""
    assert batches.methods() == ["GET", "POST", "POST", "DELETE", "DELETE"]
    batches.clean()


# -- which records belong together ------------------------------------------------------------------------------------------------


def test_two_certbots_at_once_with_the_same_names_never_mix(lab, batches):
    """Their calls alternate; each publishes its own values and nothing else."""
    base = batches.lab.new_dir()
    go = [os.path.join(base, str(n)) for n in range(2)]
    sets = [pairs_of(TWENTY[:4], f"run{n}-") for n in range(2)]
    running = []
    for pairs, file in zip(sets, go):
        first, *rest = calls("auth", pairs)
        running.append(batches.start("all=" + ",".join(TWENTY[:4]), first, "until=" + file, *rest, *calls("cleanup", pairs)))
    until(lambda: len(batches.deferred()) == 2, what="the first call of each")
    touch(go[0])
    done = running[0].wait()
    assert statuses(done) == [0] * 8 and done.stderr == "", done
    assert {value for _, value in batches.deferred()} == {"run1-0"}
    touch(go[1])
    done = running[1].wait()
    assert statuses(done) == [0] * 8 and done.stderr == "", done
    assert batches.created() == [sorted(value for _, value in pairs) for pairs in sets]
    batches.clean()


@pytest.mark.parametrize("second", [TWENTY[:3], TWENTY[3:6]], ids=["same-names", "other-names"])
def test_two_certificates_in_one_process_are_two_batches(lab, batches, second):
    """`certbot renew`: an RSA and an ECDSA certificate, or any two."""
    sets = [pairs_of(TWENTY[:3], "rsa"), pairs_of(second, "ecdsa")]
    done = batches.run(*everything(sets[0]), *everything(sets[1]))
    assert statuses(done) == [0] * 12 and done.stderr == "", done
    assert batches.methods() == ["GET", "POST", "DELETE", "POST", "DELETE"]
    assert batches.created() == [sorted(value for _, value in pairs) for pairs in sets]
    batches.clean()


@pytest.mark.parametrize("second", [TWENTY[:3], TWENTY[3:6]], ids=["same-names", "other-names"])
def test_what_an_aborted_batch_left_is_not_published_by_the_next(lab, batches, second):
    aborted, pairs = pairs_of(TWENTY[:3], "aborted"), pairs_of(second, "good")
    done = batches.run("all=" + ",".join(TWENTY[:3]), *calls("auth", aborted)[:2], *everything(pairs, ["auth"]))
    assert statuses(done) == [0] * 5 and done.stderr == ""
    assert lab.txt() == records(pairs) and batches.deferred() == {}
    batches.run(*everything(pairs, ["cleanup"]))
    batches.clean()


def test_what_an_aborted_run_left_is_forgotten_by_a_sweep_and_published_by_nobody(lab, batches):
    pairs = pairs_of(TWENTY[:3])
    batches.run("all=" + ",".join(TWENTY[:3]), *calls("auth", pairs)[:2])
    assert len(batches.deferred()) == 2
    done = batches.run(*everything(pairs_of(TWENTY[:3], "new"), ["auth"]))
    assert lab.txt() == records(pairs_of(TWENTY[:3], "new")), done
    assert len(batches.deferred()) == 2
    batches.program.run("sweep", "--dry-run").ok()
    assert len(batches.deferred()) == 2
    batches.run(*everything(pairs_of(TWENTY[:3], "new"), ["cleanup"]))  # sweeps as well
    batches.clean()


def test_a_sweep_keeps_what_a_run_that_goes_on_has_left(lab, batches):
    go = os.path.join(lab.new_dir(), "go")
    pairs = pairs_of(TWENTY[:3])
    steps = everything(pairs)
    running = batches.start(*steps[:3], "until=" + go, *steps[3:])
    until(lambda: len(batches.deferred()) == 2, what="two calls")
    batches.program.run("sweep").ok()
    assert len(batches.deferred()) == 2
    touch(go)
    assert statuses(running.wait()) == [0] * 6
    batches.clean()


# -- other challenges between them -------------------------------------------------------------------------------------------------


def test_addresses_behind_the_last_name_are_not_waited_for(lab, batches):
    """Their calls never reach us: a script of the operator's serves them by http-01."""
    steps = ["all=host0.example.com,host1.example.com,192.0.2.1,2001:db8::1", "auth=host0.example.com,one,3", "auth=host1.example.com,two,2"]
    done = batches.run(*steps)
    assert statuses(done) == [0, 0] and done.stderr == ""
    assert lab.txt() == records([("host0.example.com", "one"), ("host1.example.com", "two")])
    batches.run(*[step.replace("auth=", "cleanup=") for step in steps])
    assert batches.methods() == ["GET", "POST", "DELETE"]
    batches.clean()


@pytest.mark.parametrize("place", [0, 1, 2], ids=["first", "between", "last"])
def test_a_name_that_certbot_proves_by_http_is_refused_and_the_others_are_served(lab, batches, place):
    pairs = pairs_of(TWENTY[:3])
    steps = everything(pairs)
    for n, other in ((1 + place, "http"), (4 + place, "unhttp")):
        steps[n] = other + "=" + steps[n].split("=", 1)[1]
    others = [pair for n, pair in enumerate(pairs) if n != place]
    done = batches.run(*steps[:4])
    assert statuses(done) == [USAGE if n == place else 0 for n in range(3)], done
    assert "http-01" in done.stderr and "--preferred-challenges dns" in done.stderr
    assert lab.txt() == records(others)
    done = batches.run(*steps[:1], *steps[4:])
    assert statuses(done) == [0, 0, 0] and done.stderr == ""
    assert batches.methods() == ["GET", "POST", "DELETE"]
    batches.clean()


# -- what goes wrong ---------------------------------------------------------------------------------------------------------------


def test_a_last_call_that_fails_says_so_once_and_leaves_nothing(lab, batches):
    """The clean-ups, which certbot runs in any case, have nothing to do, and ask nobody."""
    pairs = pairs_of(TWENTY[:5])
    batches.program.configure(dnsmadeeasy__give_up_after="1s")
    lab.fault(method="POST", count=99, status=503)
    done = batches.run("all=" + ",".join(TWENTY[:5]), *calls("auth", pairs), *calls("cleanup", pairs)[:-1])
    assert statuses(done)[:4] == [0] * 4 and statuses(done)[4] != 0 and statuses(done)[5:] == [0] * 4, done
    assert len([line for line in done.stderr.splitlines() if line.startswith("acme-dme: ") and "warning" not in line]) == 1, done
    assert "DELETE" not in batches.methods()
    batches.clean()


@pytest.mark.parametrize("place", [0, 3], ids=["first", "last"])
def test_names_in_no_zone_of_ours_are_named_and_the_others_are_published(lab, batches, place):
    """certbot's --allow-subset-of-names: what certbot asks the CA for after all may succeed."""
    names = TWENTY[:3]
    names.insert(place, "host.foreign.org")
    pairs = pairs_of(names)
    good = [pair for pair in pairs if pair[0] != "host.foreign.org"]
    done = batches.run(*everything(pairs, ["auth"]), env={"ACME_DME_LOG_FILE": batches.program.log_file()})
    assert statuses(done) == [0, 0, 0, ZONE], done
    assert '1 of 4 records failed ("_acme-challenge.host.foreign.org"): ' in done.stderr and done.stderr.count("hint: ") == 1, done
    assert lab.txt() == records(good)
    assert all(lab.dig(ns, "_acme-challenge." + domain)["answer"] == [value] for ns in lab.nameservers for domain, value in good)
    assert batches.noted() == {(name, "publish"): "zone" if "foreign" in name else "ok" for name in names}
    with open(os.path.join(batches.program.dir, "acme-dme.log"), encoding="utf-8") as f:
        assert f.read().count('failed: TXT record "_acme-challenge.host.foreign.org": ') == 1
    done = batches.run(*everything(pairs, ["cleanup"]))
    assert statuses(done) == [0, 0, 0, 0] and done.stderr == "", done
    assert [m for m in batches.methods() if m != "GET"] == ["POST", "DELETE"]
    batches.clean()


def test_the_message_names_the_first_and_counts_the_others(lab, batches):
    names = [f"host{n}.foreign.org" for n in range(5)] + TWENTY[:1]
    done = batches.run(*everything(pairs_of(names), ["auth"]))
    assert statuses(done) == [0] * 5 + [ZONE], done
    first = ", ".join(f'"_acme-challenge.host{n}.foreign.org"' for n in range(3))
    assert f"5 of 6 records failed ({first} and 2 more): " in done.stderr, done
    assert lab.txt() == records([(TWENTY[0], "v5")])
    batches.run(*everything(pairs_of(names), ["cleanup"]))
    batches.clean()


def test_a_last_call_that_is_interrupted_withdraws_all_of_the_batch(lab, batches):
    """certbot then calls the clean-up for the names before it only."""
    lab.set(hold="ns12")
    pairs = pairs_of(TWENTY[:4])
    running = batches.start(*everything(pairs, ["auth"]), *calls("cleanup", pairs)[:-1])
    until(lambda: len([e for e in batches.program.journal() if e["state"] == "published"]) == 4, what="the records")
    (last,) = until(lambda: running.running(batches.program.path), what="the last call")
    os.kill(last, signal.SIGTERM)
    done = running.wait()
    assert statuses(done) == [0, 0, 0, CANCELLED, 0, 0, 0], done
    assert batches.methods() == ["GET", "POST", "DELETE"]
    batches.clean()


def test_a_last_call_that_is_killed_leaves_records_to_the_clean_ups(lab, batches):
    lab.set(hold="ns12")
    pairs = pairs_of(TWENTY[:4])
    running = batches.start(*everything(pairs))
    until(lambda: len([e for e in batches.program.journal() if e["state"] == "published"]) == 4, what="the records")
    (last,) = until(lambda: running.running(batches.program.path), what="the last call")
    os.kill(last, signal.SIGKILL)
    done = running.wait()
    assert statuses(done) == [0, 0, 0, 137, 0, 0, 0, 0], done
    assert batches.methods() == ["GET", "POST", "DELETE"]
    batches.clean()


def test_a_last_clean_up_that_is_killed_leaves_all_to_the_next_of_the_run(lab, batches):
    first, second = pairs_of(TWENTY[:3], "first"), pairs_of(TWENTY[:3], "second")
    ready, go = (os.path.join(lab.new_dir(), name) for name in ("ready", "go"))
    running = batches.start(*everything(first, ["auth"]), "until=" + ready, *calls("cleanup", first), "until=" + go, *everything(second))
    until(lambda: len(lab.txt()) == 3, what="the first batch")
    lab.fault(method="DELETE", kind="slow", delay_ms=3000, count=1)
    touch(ready)
    until(lambda: len(batches.deferred()) == 2, what="the first clean-ups")

    def lasting():
        before = running.running(batches.program.path)
        time.sleep(0.5)
        return before and before == running.running(batches.program.path) and before

    (last,) = until(lasting, what="the last clean-up")
    os.kill(last, signal.SIGKILL)
    lab.sim("POST", "/reset", {"only": ["faults"]})
    touch(go)
    done = running.wait()
    assert statuses(done) == [0] * 5 + [137] + [0] * 6, done
    assert set(lab.txt()) <= set(records(first[2:])) and batches.deferred() == {}, "the killed call's own record is a leftover"
    batches.program.run("sweep", "--sweep-after", "0s").ok()
    batches.clean()


@pytest.mark.parametrize("cleaned", [0, 2], ids=["before-its-clean-ups", "between-them"])
def test_a_certbot_that_is_killed_leaves_what_a_sweep_takes(lab, batches, cleaned):
    pairs = pairs_of(TWENTY[:4])
    never = os.path.join(lab.new_dir(), "never")
    running = batches.start(*everything(pairs, ["auth"]), *calls("cleanup", pairs)[:cleaned], "until=" + never)
    until(lambda: len(lab.txt()) == 4 and list(batches.deferred().values()) == ["withdraw"] * cleaned, what="the calls")
    batches.program.run("sweep").ok()
    assert len(lab.txt()) == 4 and len(batches.deferred()) == cleaned, "certbot may still need them"
    lab.kill(running.process, signal.SIGKILL)
    running.wait()
    batches.program.run("sweep").ok()
    assert len(lab.txt()) == 4, "the CA may be at it"
    done = batches.program.run("sweep", env=batches.program.clock("+7200")).ok()
    assert done.stdout.count(": removed\n") == 4
    batches.clean()


def test_a_certbot_that_is_killed_before_its_last_call_leaves_notes_that_a_sweep_forgets(lab, batches):
    never = os.path.join(lab.new_dir(), "never")
    running = batches.start("all=" + ",".join(TWENTY[:3]), *calls("auth", pairs_of(TWENTY[:3]))[:2], "until=" + never)
    until(lambda: len(batches.deferred()) == 2, what="two calls")
    lab.kill(running.process, signal.SIGKILL)
    running.wait()
    batches.program.run("sweep").ok()
    assert batches.methods() == []
    batches.clean()


def test_a_call_that_is_killed_while_it_takes_its_note_harms_no_other(lab, batches):
    """At whatever moment; what certbot does is go on."""
    pairs = pairs_of(TWENTY[:10])
    killer = batches.program.script("killer", '#!/bin/sh\nn=$(cat "$0.n" 2>/dev/null || echo 0)\necho $((n + 1)) >"$0.n"\n'
                                    f'"{batches.program.path}" "$@" & pid=$!\n[ $n -gt 8 ] || {{ sleep 0.00$n; kill -KILL $pid; }}\nwait $pid\n')
    done = lab.run([batches.program.script("certbot", CLIENT), killer, *everything(pairs, ["auth"])], env=batches.program.env(), timeout=60).ok()
    assert set(statuses(done)[:-1]) <= {0, 137} and statuses(done)[-1] == 0, done
    noted = [pair for pair, status in zip(pairs, statuses(done)) if status == 0]
    assert set(records(noted)) <= set(lab.txt()) <= set(records(pairs))
    done = batches.run(*everything(pairs, ["cleanup"]))
    assert set(statuses(done)) == {0}
    batches.clean()


def test_clean_ups_that_fail_are_made_up_for_by_the_next_of_the_same_run(lab, batches):
    """The API is away for one certificate's clean-up; the next one's takes them along."""
    away, go = (os.path.join(lab.new_dir(), name) for name in ("away", "go"))
    batches.program.configure(dnsmadeeasy__give_up_after="1s", dnsmadeeasy__timeout="1s")
    first, second = pairs_of(TWENTY[:3], "first"), pairs_of(TWENTY[3:6], "second")
    running = batches.start(*everything(first, ["auth"]), "until=" + away, *calls("cleanup", first), "until=" + go, *everything(second))
    until(lambda: len(lab.txt()) == 3, what="the first batch")
    lab.fault(method="DELETE", count=99, status=503)
    touch(away)
    until(lambda: batches.methods().count("DELETE") > 0 and not running.running(batches.program.path), what="the failure")
    lab.sim("POST", "/reset", {"only": ["faults", "log"]})
    touch(go)
    done = running.wait(60)
    assert statuses(done)[5] != 0 and set(statuses(done)[6:]) == {0}, done
    assert lab.txt() == records(first[2:]), "the failed call's own record is in the journal, and a leftover"
    assert len(batches.program.journal()) == 1 and batches.deferred() == {}
    batches.program.run("sweep", "--sweep-after", "0s").ok()
    batches.clean()


def test_a_time_out_of_the_last_call_keeps_the_records_for_the_ca(lab, batches):
    lab.set(hold="ns13")
    batches.program.configure(propagation__timeout="1s")
    pairs = pairs_of(TWENTY[:3])
    done = batches.run(*everything(pairs, ["auth"]))
    assert statuses(done) == [0, 0, PROPAGATION] and "ns13" in done.stderr, done
    assert lab.txt() == records(pairs) and batches.deferred() == {}
    batches.run(*everything(pairs, ["cleanup"]))
    batches.clean()


def test_a_state_directory_that_can_not_be_written_is_one_clear_error_a_call(lab, batches):
    program = batches.program
    lab.run(["mkdir", "-p", "-m", "0700", program.state]).ok()
    lab.run(["mount", "-t", "tmpfs", "-o", "ro,mode=0700", "ro", program.state]).ok()
    try:
        done = batches.run(*everything(pairs_of(TWENTY[:2]), ["auth"]))
    finally:
        lab.run(["umount", program.state]).ok()
    assert statuses(done) == [STATE, STATE], done
    assert done.stderr.count("read-only") == 2 and done.stderr.count("hint: ") == 2, done
    assert batches.methods() == []
    batches.clean()


def test_on_a_full_disk_the_call_says_so_and_what_others_left_is_not_lost(lab, batches):
    program = batches.program
    base = os.path.join(program.dir, "small")
    lab.run(["mkdir", "-p", "-m", "0700", base]).ok()
    lab.run(["mount", "-t", "tmpfs", "-o", "size=256k,mode=0700", "small", base]).ok()
    go = [os.path.join(lab.new_dir(), str(n)) for n in range(2)]
    pairs = pairs_of(TWENTY[:3])
    try:
        program.configure(state_dir=os.path.join(base, "state"))
        program.state = os.path.join(base, "state")
        auth = calls("auth", pairs)
        running = batches.start("all=" + ",".join(TWENTY[:3]), auth[0], "until=" + go[0], auth[1], "until=" + go[1], auth[2], *calls("cleanup", pairs))
        look = f"cat {program.state}/deferred/*.json"
        until(lambda: lab.run(["sh", "-c", look]).returncode == 0, what="the first note")
        lab.run(["sh", "-c", f"dd if=/dev/zero of={base}/filler bs=1k || true"]).ok()
        touch(go[0])
        time.sleep(1)
        lab.run(["rm", f"{base}/filler"]).ok()
        touch(go[1])
        done = running.wait()
        assert statuses(done)[:3] == [0, STATE, 0] and set(statuses(done)[3:]) == {0}, done
        assert "No space left" in done.stderr and "hint: " in done.stderr, done
        assert batches.created() == [["v0", "v2"]]
        assert lab.txt() == []
    finally:
        lab.run(["umount", base])


def test_damaged_notes_are_set_aside_and_the_others_are_published(lab, batches):
    go = os.path.join(lab.new_dir(), "go")
    pairs = pairs_of(TWENTY[:3])
    steps = everything(pairs, ["auth"])
    running = batches.start(*steps[:3], "until=" + go, steps[3])
    until(lambda: len(batches.deferred()) == 2, what="two calls")
    directory = os.path.join(batches.program.state, "deferred")
    name = next(name for name in sorted(os.listdir(directory)) if "host0" in name)
    with open(os.path.join(directory, name), "w", encoding="ascii") as f:
        f.write("{")
    touch(go)
    done = running.wait()
    assert statuses(done) == [0, 0, 0], done
    assert "deferred: damaged: " in done.stderr and "may have to be started again" in done.stderr, done
    assert lab.txt() == records(pairs[1:])
    batches.run(*everything(pairs, ["cleanup"]))
    batches.clean()


def test_a_last_call_that_none_has_left_anything_to_says_so(lab, batches):
    """A script of the operator's that bears certbot's name would make a run of each call."""
    done = batches.run("all=" + ",".join(TWENTY[:3]), "auth=host2.example.com,v2,0")
    assert statuses(done) == [0] and len(warnings(done)) == 1 and "none of the 2 calls" in done.stderr, done
    batches.run("all=" + ",".join(TWENTY[:3]), "cleanup=host2.example.com,v2,0")
    batches.clean()


# -- what is noted of them ---------------------------------------------------------------------------------------------------------


def test_the_last_call_notes_the_result_for_all_names(lab, batches):
    pairs = pairs_of(TWENTY[:3])
    steps = everything(pairs)
    batches.run(*steps[:3])
    assert batches.noted() == {}, "nothing has come to its end yet"
    batches.run(*steps)
    assert batches.noted() == {(name, action): "ok" for name in TWENTY[:3] for action in ("publish", "withdraw")}


def test_a_call_that_can_not_take_its_note_is_noted_as_failed(lab, batches):
    os.chmod(batches.program.config, 0o644)
    done = batches.run(*everything(pairs_of(TWENTY[:2]), ["auth"])[:2])
    assert statuses(done) == [3], done
    assert batches.noted() == {("host0.example.com", "publish"): "unsafe"}
    assert batches.deferred() == {}


# -- --defer and save-records ------------------------------------------------------------------------------------------------------

# What hooks/posh-acme/AcmeDme.ps1 does, in its order: Add-DnsTxt for each name, Save-DnsTxt, Remove-DnsTxt for each, Save-DnsTxt.
A, B, C = ("_acme-challenge.a.example.com", "_acme-challenge.b.example.com", "_acme-challenge.c.example.net")


def posh(verb, pairs):
    return [f"call=--defer {verb} {name} {value}" for name, value in pairs] + ["call=save-records"]


def test_records_are_left_to_save_records_by_anybody_who_says_so(lab, batches):
    pairs = [(A, "one"), (A, "-two"), (B, "three"), (C, "four")]
    done = batches.run(*posh("add-record", pairs), name="pwsh")
    assert statuses(done) == [0] * 5 and done.stderr == "", done
    assert lab.txt() == sorted(pairs)
    assert all(sorted(lab.dig(ns, A)["answer"]) == ["-two", "one"] for ns in lab.nameservers)
    assert sorted(batches.methods()) == ["GET", "GET", "POST", "POST"] and batches.deferred() == {}


def test_removals_are_left_to_save_records_too(lab, batches):
    pairs = [(A, "one"), (A, "-two"), (B, "three")]
    done = batches.run(*posh("add-record", pairs), *posh("del-record", pairs), "call=save-records", name="pwsh")
    assert statuses(done) == [0] * 9 and done.stderr == "", done
    assert batches.methods() == ["GET", "POST", "DELETE"]
    assert batches.noted() == {(name, action): "ok" for name in ("a.example.com", "b.example.com") for action in ("publish", "withdraw")}
    batches.clean()


def test_one_save_publishes_and_withdraws(lab, batches):
    done = batches.run(*posh("add-record", [(A, "old")]), f"call=--defer del-record {A} old", f"call=--defer add-domain b.example.com new",
                       "call=save-records", name="pwsh")
    assert statuses(done) == [0] * 5 and lab.txt() == [(B, "new")], done
    batches.program.run("del-record", B, "new").ok()
    batches.clean()


def test_what_was_never_saved_is_taken_back_without_a_request(lab, batches):
    done = batches.run(f"call=--defer add-record {A} one {B} two", f"call=--defer del-record {A} one {B} two", "call=save-records", name="pwsh")
    assert statuses(done) == [0, 0, 0] and batches.methods() == [], done
    batches.clean()


def test_a_save_that_fails_leaves_nothing_and_is_not_repeated_by_the_next(lab, batches):
    done = batches.run(*posh("add-record", [(A, "one"), ("_acme-challenge.host.foreign.org", "two")]), "call=save-records", name="pwsh")
    assert statuses(done) == [0, 0, ZONE, 0] and "foreign.org" in done.stderr, done
    assert [m for m in batches.methods() if m != "GET"] == []
    batches.clean()


def test_each_process_saves_its_own(lab, batches):
    never = os.path.join(lab.new_dir(), "never")
    running = batches.start(f"call=--defer add-record {A} of-the-first", "until=" + never, name="pwsh")
    until(lambda: batches.deferred(), what="the first one's note")
    batches.run("call=save-records", name="pwsh")
    assert batches.methods() == [] and batches.deferred() == {(A, "of-the-first"): "publish"}
    lab.kill(running.process, signal.SIGKILL)


def test_without_a_journal_nothing_can_be_deferred_and_is_done_at_once(lab, batches):
    batches.program.configure(journal="none")
    done = batches.run(*posh("add-record", [(A, "one")]), name="pwsh")
    assert statuses(done) == [0, 0] and lab.txt() == [(A, "one")], done
    batches.run(*posh("del-record", [(A, "one")]), name="pwsh")
    assert lab.txt() == [] and not os.path.exists(batches.program.state)


def test_names_and_values_are_looked_at_when_they_are_left(lab, batches):
    done = batches.run("call=--defer add-record _acme-challenge..example.com one", "call=save-records", name="pwsh")
    assert statuses(done)[0] not in (0, 127) and statuses(done)[1] == 0 and "hint" not in done.stdout, done
    assert batches.methods() == [] and batches.deferred() == {}


def test_defer_is_for_verbs_that_leave_the_last_call_to_the_caller(lab, batches):
    refused(batches.program.run("--defer", "present", NAME + ".", VALUE), USAGE, "--defer", "present", hint="add-record")
    refused(batches.program.run("--defer", "sweep"), USAGE, "--defer")
    refused(batches.program.run("save-records", NAME, VALUE), USAGE, "save-records")
    assert lab.requests() == []


def test_dehydrateds_exit_hook_takes_back_what_was_left_to_nobody(lab, batches):
    done = batches.run(f"call=--defer add-record {A} one", "call=exit_hook", name="dehydrated")
    assert statuses(done) == [0, 0] and batches.methods() == [], done
    batches.clean()
