"""Real clients get real certificates through our hook: first issue, renewal from cron, a name that fails; nothing is left behind."""

import json
import os
import signal

import pytest

import clients
from lab import binaries, x509
from program import refused, until

FOREIGN = "some other program's"
APEX, WILDCARD, SUB, ALIAS = "example.com", "*.example.com", "www.sub.example.com", "alias.example.com"
NAMES = [APEX, WILDCARD, SUB, ALIAS]
TARGET = "alias-of-a-challenge.example.net"
NOT_OURS = "host.foreign.org"


@pytest.fixture(scope="session")
def default_config(session_lab, acme_dme):
    """Path of the configuration that the program reads when nobody names one; in the lab it is on a file system of our own."""
    done = session_lab.run([acme_dme, "present", "a.example.com.", "x"], env={"HOME": None})
    refused(done, 3)
    place = next(word for word in done.stderr.split('"') if word.endswith("/acme-dme/acme-dme.yaml"))
    above = os.path.dirname(os.path.dirname(place))
    session_lab.run(["mkdir", "-p", above]).ok()
    session_lab.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "config", above]).ok()
    session_lab.run(["mkdir", os.path.dirname(place)]).ok()
    yield place
    session_lab.run(["umount", above])


@pytest.fixture(params=clients.EVERY, ids=lambda entry: entry[0])
def client(request, lab, program, default_config):
    """A client that knows our program only as its hook, and a program that knows only its default configuration."""
    _, kind, path, does_all = request.param
    if not path:
        pytest.skip(f"{kind.binary} is not installed")
    program.configure(**kind.settings)
    with open(program.config, encoding="utf-8") as f:
        lab.run(["sh", "-c", 'umask 077; cat >"$0"', default_config], stdin=f.read()).ok()
    made = kind(lab, program, path)
    made.does_all = does_all
    yield made
    made.close()
    lab.run(["rm", "-f", default_config])


@pytest.fixture
def foreign(lab):
    """TXT records of somebody else's at the very names, and the alias; what must be there at the end."""
    lab.add_record("example.com", "_acme-challenge.alias", "CNAME", TARGET + ".")
    lab.add_txt("example.com", "_acme-challenge", FOREIGN)
    lab.add_txt("sub.example.com", "_acme-challenge.www", FOREIGN)
    lab.add_txt("example.net", TARGET.removesuffix(".example.net"), FOREIGN)
    return [("_acme-challenge.example.com", FOREIGN), ("_acme-challenge.www.sub.example.com", FOREIGN), (TARGET, FOREIGN)]


def check_calls(client):
    """The hook was called, said nothing, and answered nothing but success (or a refusal of what is not dns-01)."""
    calls = client.hook.calls()
    assert calls
    for call in calls:
        assert call["status"] in client.declines, call
        assert (call["stdout"], call["stderr"]) == ("", ""), call


def check_certificate(lab, client, names):
    cert = client.cert(names[0].replace("*", "_"))
    assert x509.names(cert) == sorted(names)
    management = "https://127.0.0.1:15001" if isinstance(client, clients.Uacme) and lab.system_acme_dir != lab.acme_dir else "https://127.0.0.1:15000"
    assert x509.verifies(cert, lab.acme_root(management))
    return x509.text(cert, "-serial")


def check_requests(lab, cold, client, count):
    """No refused request, and no more than zones and records explain: look-ups (when cold), creations, deletions."""
    requests = lab.requests()
    story = "\n".join(f"{r['method']} {r['path']} {r['query']} {r['status']} {r.get('body', '')}" for r in requests)
    assert [r for r in requests if r["status"] >= 400 and r["method"] != "GET"] == []
    creations, deletions = ([r for r in requests if r["method"] == m] for m in ("POST", "DELETE"))
    looks = [r for r in requests if r["method"] == "GET"]
    batches = count
    if isinstance(client, (clients.Certbot, clients.DehydratedChain)):
        # One for each zone, and that is three; if the CA took a name's validation over, a zone may have nothing to do.
        batches = min(max(len(creations), count - 1), 3) if count < 4 else 3
    # Parallel hooks may each look for the same zone while none has told the others.
    parallel = 2 if isinstance(client, clients.Acmetool) else 0
    assert len(creations) == len(deletions) <= batches, story
    # Pebble takes an old authorization for a new order in one of a hundred cases, whatever it is told.
    assert len(creations) == batches or (not cold and len(creations) >= batches - 2), story
    assert len(looks) <= (3 + parallel if cold else 0), story


def test_a_client_gets_a_certificate_and_renews_it_from_cron(lab, program, client, foreign):
    names = NAMES if client.does_all else [WILDCARD, ALIAS]
    done = client.issue(names)
    assert done.returncode == 0, (done, client.hook.calls())
    first = check_certificate(lab, client, names)
    check_calls(client)
    assert client.complaints(done) == []
    check_requests(lab, True, client, len(names))
    program.clean(foreign)
    if not client.does_all:
        return

    client.hook.plain()
    lab.sim("POST", "/reset", {"only": ["log", "window"]})
    lab.flush()
    before = lab.validated()
    done = client.renew().ok()
    assert check_certificate(lab, client, names) != first
    assert client.complaints(done) == []
    check_requests(lab, False, client, lab.validated() - before)
    program.clean(foreign)


def test_a_name_that_fails_leaves_nothing_behind(lab, program, client, foreign):
    done = client.issue([APEX, NOT_OURS])
    assert done.returncode == client.failure, done
    failed = [c for c in client.hook.calls() if c["status"] not in client.declines]
    assert failed and all(c["status"] == 5 for c in failed), client.hook.calls()
    assert all("foreign.org" in c["stderr"] and c["stdout"] == "" for c in failed)
    program.clean(foreign)


# -- many names --------------------------------------------------------------------------------------------------------------------

MANY = [f"host{n}.example.com" for n in range(20)]


@pytest.fixture
def as_default(lab, program, default_config):
    """The program's configuration is the default one; the CA's resolver has forgotten a name's first value when a second is there."""
    program.configure(**clients.ONE_BY_ONE)
    with open(program.config, encoding="utf-8") as f:
        lab.run(["sh", "-c", 'umask 077; cat >"$0"', default_config], stdin=f.read()).ok()
    yield
    lab.run(["rm", "-f", default_config])


def installed(kind):
    if not binaries.find(kind.binary):
        pytest.skip(f"{kind.binary} is not installed")
    return kind


@pytest.fixture(params=[clients.Certbot, clients.DehydratedChain], ids=lambda kind: kind.__name__.lower())
def batching(request, lab, program, as_default):
    """A client that tells us when all names are there, with our program as its hook."""
    return installed(request.param)(lab, program)


def test_twenty_names_cost_three_requests_and_two_when_the_zone_is_known(lab, program, batching):
    batching.issue(MANY).ok()
    check_certificate(lab, batching, MANY)
    check_calls(batching)
    assert [r["method"] for r in lab.requests()] == ["GET", "POST", "DELETE"]
    program.clean()
    lab.sim("POST", "/reset", {"only": ["log", "window"]})
    batching.hook.plain()
    batching.renew().ok()
    assert [r["method"] for r in lab.requests()] == ["POST", "DELETE"]
    program.clean()


def test_names_over_two_zones_cost_two_requests_a_zone(lab, program, batching):
    names = MANY[:4] + ["a.example.net", "*.example.net", "example.net"]
    batching.issue(names).ok()
    check_certificate(lab, batching, names)
    assert sorted(r["method"] for r in lab.requests()) == ["DELETE"] * 2 + ["GET"] * 2 + ["POST"] * 2
    program.clean()


@pytest.fixture
def certbot(lab, program, as_default):
    return lambda: installed(clients.Certbot)(lab, program)


def test_certbot_renews_two_certificates_in_one_process_in_two_batches(lab, program, certbot):
    """One of them with the same names, and another kind of key."""
    one = certbot()
    one.issue(MANY[:3]).ok()
    one.issue(MANY[:3], "--cert-name", "the-other", "--key-type", "rsa").ok()
    lab.sim("POST", "/reset", {"only": ["log", "window"]})
    one.hook.plain()
    one.renew().ok()
    assert [r["method"] for r in lab.requests()] == ["POST", "DELETE"] * 2
    values = [{e["value"] for e in json.loads(r["body"])} for r in lab.requests() if r["method"] == "POST"]
    assert [len(v) for v in values] == [3, 3] and not values[0] & values[1]
    program.clean()


def test_two_certbots_at_once_get_both_their_certificates(lab, program, certbot):
    both = [certbot(), certbot()]
    running = [program.popen(each.argv(MANY[:5])) for each in both]
    for each, process in zip(both, running):
        assert process.wait(90).returncode == 0, each.hook.calls()
        check_certificate(lab, each, MANY[:5])
        check_calls(each)
    assert [r["method"] for r in lab.requests()].count("POST") == 2
    program.clean()


def test_a_certbot_that_is_killed_in_its_last_call_leaves_what_a_sweep_takes(lab, program, certbot):
    lab.set(hold="ns12")
    one = certbot()
    one.hook.plain()
    running = program.popen(one.argv(MANY[:5]))
    until(lambda: len(lab.txt()) == 5, what="the records")
    for pid in running.below():
        os.kill(pid, signal.SIGKILL)
    running.wait()
    program.run("sweep", env=program.clock("+7200")).ok()
    program.clean()
    assert os.listdir(os.path.join(program.state, "deferred")) == []
