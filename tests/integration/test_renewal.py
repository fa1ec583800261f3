"""Nothing is cached: what file, environment and command line say counts at a renewal exactly as at the first call.

Other clients store key and secret with the renewal, so that a corrected key changes nothing and an argument is ignored until somebody
deletes their state.  Here each case is run twice, with an empty state directory and in one that an earlier run, with other settings from
other places, has left: the outcome must be the same.
"""

import os

import pytest

import clients
from stage import NOBODY
from lab import binaries, plan
from program import AUTH, NAME, OK, VALUE

CERTBOT = {"CERTBOT_DOMAIN": "host.example.com", "CERTBOT_VALIDATION": VALUE, "CERTBOT_ALL_DOMAINS": "host.example.com",
           "CERTBOT_REMAINING_CHALLENGES": "0"}
BAD = {"DNSMADEEASY_API_KEY": NOBODY, "DNSMADEEASY_API_SECRET": plan.OTHER_SECRET}
GOOD = {"DNSMADEEASY_API_KEY": plan.API_KEY, "DNSMADEEASY_API_SECRET": plan.API_SECRET}


def bad_file(program):
    program.configure(credentials__api_key=NOBODY, credentials__api_secret=plan.OTHER_SECRET)


def good_file(program):
    program.configure(credentials__api_key=plan.API_KEY, credentials__api_secret=plan.API_SECRET)


@pytest.fixture(params=["creation", "renewal"])
def later(request, lab, program):
    """At "renewal" a certificate's life lies behind: a record was made and deleted, with settings from everywhere."""
    lab.set_lag(0)
    program.configure(dnsmadeeasy__ttl=33)
    if request.param == "renewal":
        for verb in ("auth", "cleanup"):
            program.run("--ttl", "44", verb, env={**CERTBOT, **GOOD, "DNSMADEEASY_SANDBOX": "false"}).ok()
        assert lab.txt() == []
        lab.sim("POST", "/reset", {"only": ["log"]})
    return program


def auth(program, *options, env=None):
    return program.run(*options, "auth", env={**CERTBOT, **(env or {})})


def ttl_of(lab):
    (record,) = lab.records(rtype="TXT")
    return record["ttl"]


@pytest.mark.parametrize("options, ttl", [((), 77), (("--ttl", "55"), 55), (("--ttl=55", "--ttl=66"), 66)], ids=["file", "option", "last-option"])
def test_a_setting_of_the_file_and_an_option_over_it(lab, later, options, ttl):
    later.configure(dnsmadeeasy__ttl=77)
    auth(later, *options).ok()
    assert ttl_of(lab) == ttl


@pytest.mark.parametrize("options, env, status", [
    ((), {}, OK),
    ((), {"DNSMADEEASY_SANDBOX": "true"}, AUTH),
    (("--sandbox=false",), {"DNSMADEEASY_SANDBOX": "true"}, OK),
    (("--sandbox",), {"DNSMADEEASY_SANDBOX": "false"}, AUTH),
    (("--endpoint", f"https://{plan.API_HOST}/V2.0/"), {"DNSMADEEASY_SANDBOX": "true"}, OK),
], ids=["file", "environment", "option-off", "option-on", "option-endpoint"])
def test_the_sandbox_of_environment_and_options(lab, later, options, env, status):
    """The production's key is unknown at the sandbox."""
    done = auth(later, *options, env=env)
    assert done.returncode == status, done
    hosts = {r["host"] for r in lab.requests()}
    assert hosts == {plan.SANDBOX_HOST if status == AUTH else plan.API_HOST}


def test_a_bad_key_in_the_file_is_used_at_once(lab, later):
    bad_file(later)
    done = auth(later)
    assert done.returncode == AUTH and "does not know the API key" in done.stderr, done
    assert lab.txt() == []


def test_and_a_corrected_one_too(lab, later):
    bad_file(later)
    assert auth(later).returncode == AUTH
    good_file(later)
    auth(later).ok()
    assert lab.txt() == [(NAME, VALUE)]


def test_the_environment_wins_over_the_file(lab, later):
    bad_file(later)
    auth(later, env=GOOD).ok()
    assert lab.txt() == [(NAME, VALUE)]


def test_and_when_it_is_the_environment_that_is_wrong(lab, later):
    assert auth(later, env=BAD).returncode == AUTH
    auth(later).ok()


def test_a_secret_s_file_is_read_anew(lab, later):
    path = os.path.join(later.dir, "secret")

    def write(text):
        with open(path, "w", encoding="ascii") as f:
            os.fchmod(f.fileno(), 0o600)
            f.write(text + "\n")

    later.configure(credentials__api_secret=None, credentials__api_secret_file=path)
    write(plan.OTHER_SECRET)
    assert auth(later).returncode == AUTH
    write(plan.API_SECRET)
    auth(later).ok()


def test_a_state_directory_by_option_over_environment_over_file(lab, later):
    dirs = {name: lab.new_dir(name) for name in ("file", "environment", "option")}
    later.configure(state_dir=dirs["file"])
    env = {"ACME_DME_STATE_DIR": dirs["environment"]}
    auth(later, "--state-dir", dirs["option"], env=env).ok()
    assert [name for name, path in dirs.items() if os.listdir(path)] == ["option"]
    later.run("--state-dir", dirs["option"], "cleanup", env={**CERTBOT, **env}).ok()
    auth(later, env=env).ok()
    assert [name for name, path in dirs.items() if os.listdir(path)] == ["environment", "option"]


def test_the_account_of_an_option(lab, later):
    """Two accounts hold keys, and --account alone says whose."""
    later.settings.pop("credentials")
    later.configure(accounts=[
        {"name": "bad", "default_account": True, "credentials": {"api_key": NOBODY, "api_secret": plan.OTHER_SECRET}},
        {"name": "good", "credentials": {"api_key": plan.API_KEY, "api_secret": plan.API_SECRET}}])
    auth(later, "--account", "good").ok()
    assert {r["status"] for r in lab.requests()} <= {200, 201}
    done = later.run("--account", "bad", "auth", env={**CERTBOT, "CERTBOT_VALIDATION": "another"})
    assert done.returncode == AUTH, done


# -- certbot renew -----------------------------------------------------------------------------------------------------------------


class Renewed(clients.Certbot):
    """certbot that hands the program a configuration by option, as it is stored in its renewal file."""

    def __init__(self, lab, program):
        super().__init__(lab, program)
        self.hook.path = f"{program.path} --config {program.config}"

    def renew(self, **env):
        self.lab.flush()  # the CA's resolver may still hold what the last run left
        return self.run_from_cron([binaries.find("certbot"), "renew", "--force-renewal", "--no-random-sleep-on-renew", *self.options()], env)


def test_certbot_renew_follows_file_and_environment(lab, program):
    if not binaries.find("certbot"):
        pytest.skip("certbot is not installed")
    lab.set_lag(0)
    client = Renewed(lab, program)
    assert client.issue(["host.example.com"]).returncode == 0
    lab.sim("POST", "/reset", {"only": ["log"]})

    bad_file(program)
    done = client.renew()
    assert done.returncode == 1, done
    assert "does not know the API key" in done.stdout + done.stderr, "certbot shows what the hook says"
    assert {r["status"] for r in lab.requests()} == {403}

    client.renew(**GOOD).ok()
    good_file(program)
    client.renew().ok()
    program.clean()
