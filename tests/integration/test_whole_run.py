"""Whole runs of the program without a client around it; tests/stages/50-valgrind repeats them under valgrind."""

import os

import pytest

pytestmark = pytest.mark.valgrind

LIMIT_S = 90


@pytest.fixture
def config(lab):
    base = lab.new_dir("whole")
    path = os.path.join(base, "acme-dme.yaml")
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as f:
        f.write(f"credentials: {{api_key: {lab.api_key}, api_secret: {lab.api_secret}}}\ndnsmadeeasy: {{ca_file: {lab.ca_file}}}\n"
                f"propagation: {{timeout: 30s, settle: 0s, resolvers: [\"{lab.resolver}:53\"]}}\nstate_dir: {base}/state\n")
    return path


def certbot(lab, acme_dme, config, verb, domain, value, remaining=0):
    env = {"CERTBOT_DOMAIN": domain, "CERTBOT_VALIDATION": value, "CERTBOT_REMAINING_CHALLENGES": str(remaining), "CERTBOT_ALL_DOMAINS": domain}
    return lab.run([acme_dme, "--config", config, verb], env=env, timeout=LIMIT_S)


def test_every_name_server_shows_both_values_when_the_last_hook_returns_and_none_after_the_cleanup(lab, acme_dme, config):
    values = ["first-" + "a" * 37, "-" + "b" * 42]
    for value, remaining in zip(values, (1, 0)):
        done = certbot(lab, acme_dme, config, "auth", "example.com", value, remaining).ok()
        assert done.stderr == ""
    for server in lab.nameservers:
        assert sorted(lab.dig(server, "_acme-challenge.example.com")["answer"]) == sorted(values), server
    for value in values:
        assert certbot(lab, acme_dme, config, "cleanup", "example.com", value).ok().stderr == ""
    assert lab.txt() == []
    assert certbot(lab, acme_dme, config, "cleanup", "example.com", values[0]).ok().stderr == ""


def test_a_name_in_no_zone_of_the_account_is_refused_and_nothing_is_created(lab, acme_dme, config):
    done = certbot(lab, acme_dme, config, "auth", "www.foreign.org", "v" * 43)
    assert 0 < done.returncode < 128, done
    assert "foreign.org" in done.stderr
    assert lab.txt() == []


def shorten(config):
    with open(config, encoding="ascii") as f:
        text = f.read().replace("timeout: 30s", "timeout: 5s")
    with open(config, "w", encoding="ascii") as f:
        f.write(text)


def test_a_name_server_that_lags_too_long_is_named_and_the_record_rolled_back(lab, acme_dme, config):
    shorten(config)
    lab.set(hold="ns12")
    name = "_acme-challenge.host.example.com"
    done = lab.run([acme_dme, "--config", config, "add-record", name, "v" * 43], timeout=LIMIT_S)
    assert 0 < done.returncode < 128, done
    assert "ns12" in done.stderr, done
    assert lab.txt() == []


def test_certbot_goes_on_after_a_time_out_so_the_record_stays_until_its_cleanup(lab, acme_dme, config):
    shorten(config)
    lab.set(hold="ns12")
    done = certbot(lab, acme_dme, config, "auth", "host.example.com", "v" * 43)
    assert 0 < done.returncode < 128, done
    assert lab.txt() == [("_acme-challenge.host.example.com", "v" * 43)]
    certbot(lab, acme_dme, config, "cleanup", "host.example.com", "v" * 43).ok()
    assert lab.txt() == []


def test_leftovers_of_a_run_without_its_cleanup_are_swept(lab, acme_dme, config):
    certbot(lab, acme_dme, config, "auth", "host.sub.example.com", "v" * 43).ok()
    listed = lab.run([acme_dme, "--config", config, "sweep", "--dry-run"], timeout=LIMIT_S).ok()
    assert "_acme-challenge.host.sub.example.com" in listed.stdout + listed.stderr
    assert len(lab.txt()) == 1
