"""What is wrong gets a clear error, the exit status of src/cmd/exit.c, and nothing changed."""

import os

import pytest

import windows
from program import CONFIG, NAME, STATE, USAGE, VALUE, ZONE, refused, silent, until, warnings

LONG_LABEL = "a" * 64
LONG_NAME = ".".join(["a" * 60] * 4 + ["example.com"])  # 255 octets as text, more with the prefix


@pytest.fixture(autouse=True)
def nothing_changed(lab):
    """Whatever the test does: no request that changes anything reaches the API unless the test says so."""
    yield
    if getattr(lab, "changes_expected", False):
        lab.changes_expected = False
        return
    assert [r for r in lab.requests() if r["method"] != "GET"] == []
    assert lab.txt() == []


# -- what the client hands over ----------------------------------------------------------------------------------------------------


def test_http_01_under_certbot_names_the_missing_flag(lab, program):
    env = {"CERTBOT_DOMAIN": "host.example.com", "CERTBOT_VALIDATION": "token.thumbprint", "CERTBOT_TOKEN": "token", "CERTBOT_REMAINING_CHALLENGES": "0"}
    refused(program.run("auth", env=env), USAGE, "http-01", hint="--preferred-challenges dns")
    silent(program.run("cleanup", env=env))
    assert lab.requests() == []


@pytest.mark.parametrize("env, missing", [
    ({}, "CERTBOT_DOMAIN"),
    ({"CERTBOT_DOMAIN": "host.example.com"}, "CERTBOT_VALIDATION"),
    ({"CERTBOT_VALIDATION": VALUE}, "CERTBOT_DOMAIN"),
    ({"CERTBOT_DOMAIN": "", "CERTBOT_VALIDATION": VALUE}, ""),
    ({"CERTBOT_DOMAIN": "host.example.com", "CERTBOT_VALIDATION": ""}, "CERTBOT_VALIDATION"),
    ({"CERTBOT_DOMAIN": "host.example.com", "CERTBOT_VALIDATION": VALUE, "CERTBOT_REMAINING_CHALLENGES": "two"}, "CERTBOT_REMAINING_CHALLENGES"),
    ({"CERTBOT_DOMAIN": "host.example.com", "CERTBOT_VALIDATION": VALUE, "CERTBOT_REMAINING_CHALLENGES": "-1"}, "CERTBOT_REMAINING_CHALLENGES"),
], ids=["nothing", "no-value", "no-domain", "empty-domain", "empty-value", "word", "negative"])
def test_an_incomplete_environment_under_certbot(lab, program, env, missing):
    refused(program.run("auth", env=env), USAGE, missing)
    assert lab.requests() == []


@pytest.mark.parametrize("argv", [
    ["add-record", NAME, ""], ["add-domain", "host.example.com", ""], ["present", NAME + ".", ""], ["create", "host.example.com", NAME, ""],
    ["deploy_challenge", "host.example.com", "T", ""], ["begin", "dns-01", "host.example.com", "T", ""],
    ["challenge-dns-start", "host.example.com", "t", "", ""], ["setup", "host.example.com", ""], ["present", "--", "host.example.com", "T", ""],
], ids=lambda v: v[0])
def test_an_empty_value(lab, program, argv):
    refused(program.run(*argv), USAGE, "empty")
    assert lab.requests() == []


@pytest.mark.parametrize("value, what", [
    ("a b", "position 2"), ("tab\there", "position 4"), ("line\n", "position 5"), ("\x1b[31m", "position 1"), ('qu"ote', "position 3"),
    ("back\\slash", "position 5"), ("caf\u00e9", "position 4"), ("x" * 256, "256"),
], ids=["space", "tab", "newline", "escape", "quote", "backslash", "latin", "long"])
def test_a_value_that_is_no_challenge(lab, program, value, what):
    done = refused(program.run("add-record", NAME, value), USAGE, what)
    assert "\x1b" not in done.stderr
    assert lab.requests() == []


@pytest.mark.parametrize("name, needles", [
    ("", ["empty"]),
    (".", []),
    ("host..example.com", ["host..example.com"]),
    (".host.example.com", []),
    (f"{LONG_LABEL}.example.com", ["63"]),
    (LONG_NAME, ["253"]),
    ("a." * 2000 + "example.com", ["253"]),
    ("host.exam\tple.com", []),
    ("host.\x1b[31mexample.com", []),
    ("host.example.com\n", []),
    ("host example.com", []),
    ("host.exam\x7fple.com", []),
    ("host.example.com/../x", []),
    ("host*.example.com", []),
    ("com", ["com"]),
    ("192.0.2.1", []),
], ids=["empty", "dot", "empty-label", "leading-dot", "label-64", "name-256", "name-4000", "tab", "escape", "newline", "space", "del", "slashes",
        "star", "top", "address"])
@pytest.mark.parametrize("verb", ["add-domain", "add-record"])
def test_a_name_that_is_none(lab, program, verb, name, needles):
    done = program.run(verb, name, VALUE)
    assert done.returncode in ((USAGE, ZONE) if name in ("com", "192.0.2.1", "host*.example.com") else (USAGE,)), done
    refused(done, done.returncode, *needles)
    assert "\x1b" not in done.stderr and "\t" not in done.stderr and len(done.stderr) < 4000


@pytest.mark.parametrize("address", ["192.0.2.1", "192.0.2.1.", "2001:db8::1"])
def test_an_address_is_proved_by_other_means(lab, program, address):
    refused(program.run("add-domain", address, VALUE), USAGE, f'"{address}" is an IP address')
    assert lab.requests() == []


def test_a_name_that_gets_too_long_by_the_prefix(lab, program):
    name = ".".join(["a" * 59] * 3 + ["b" * 54, "example.com"])
    assert len(name) == 246
    refused(program.run("add-domain", name, VALUE), USAGE, "253")
    assert lab.requests() == []


def test_a_bad_name_in_a_batch_keeps_the_good_ones_out(lab, program):
    refused(program.run("deploy_challenge", "host.example.com", "T", VALUE, "a..b", "T", VALUE), USAGE)
    assert lab.requests() == []


# -- names and zones ---------------------------------------------------------------------------------------------------------------


def test_a_name_in_no_zone_tells_what_was_tried(lab, program):
    done = refused(program.run("add-domain", "www.host.foreign.org", VALUE), ZONE, '"foreign.org"', '"host.foreign.org"', '"www.host.foreign.org"',
                   hint="accounts")
    assert '"org"' not in done.stderr
    assert len(lab.requests()) <= 4


def test_a_name_in_no_zone_keeps_the_rest_of_its_batch_out(lab, program):
    refused(program.run("add-domain", "host.example.com", VALUE, "host.foreign.org", VALUE), ZONE, "foreign.org")


def test_a_name_that_only_looks_like_ours(lab, program):
    refused(program.run("add-domain", "notexample.com", VALUE), ZONE, '"notexample.com"')


def test_a_cleanup_of_a_name_in_no_zone_is_success(lab, program):
    silent(program.run("del-domain", "host.foreign.org", VALUE))


@pytest.mark.parametrize("remembered", [False, True], ids=["new", "remembered"])
def test_a_zone_that_is_about_to_be_deleted(lab, program, remembered):
    try:
        if remembered:
            silent(program.run("add-domain", "host.example.net", VALUE))
            silent(program.run("del-domain", "host.example.net", VALUE))
            lab.sim("POST", "/reset", {"only": ["log"]})
        lab.sim("POST", "/zone", {"name": "example.net", "pendingActionId": 3})
        done = program.run("add-domain", "host.example.net", VALUE)
        if remembered:  # nobody asks again about a zone that is known; the API decides
            lab.changes_expected = True
            assert done.returncode in (0, 5, 6), done
            return
        refused(done, ZONE, '"example.net"', "delet")
    finally:
        lab.sim("POST", "/zone", {"name": "example.net", "pendingActionId": 0})


def test_a_zone_of_another_account(lab, program):
    refused(program.run("add-domain", "host.example.org", VALUE), ZONE, '"example.org"', hint="another DNS Made Easy account")


def test_a_zone_of_the_sandbox(lab, program):
    refused(program.run("add-domain", "host.example.info", VALUE), ZONE, '"example.info"', hint="sandbox")


# -- credentials -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key, secret, needle", [
    ("00000000-0000-4000-8000-000000000000", None, "key"),
    (None, "00000000-0000-4000-8000-000000000000", "secret"),
], ids=["key", "secret"])
def test_wrong_credentials(lab, program, key, secret, needle):
    program.configure(credentials__api_key=key or lab.api_key, credentials__api_secret=secret or lab.api_secret)
    refused(program.run("add-record", NAME, VALUE), 4, needle, hint=f"api_{needle}")
    assert len(lab.requests()) <= 2


def test_a_production_key_at_the_sandbox(lab, program):
    refused(program.run("--sandbox", "add-record", NAME, VALUE), 4, hint="sandbox")


def test_no_credentials_at_all(lab, program):
    program.configure(credentials__api_key=None, credentials__api_secret=None)
    done = program.run("add-record", NAME, VALUE)
    assert done.returncode == CONFIG and "api_key" in done.stderr and done.stdout == "", done
    assert lab.requests() == []


def test_secrets_on_the_command_line_are_no_option(lab, program):
    done = program.run("--api-key", lab.api_key, "add-record", NAME, VALUE)
    assert done.returncode == USAGE and lab.api_key not in done.stderr, done


# -- configuration -----------------------------------------------------------------------------------------------------------------


def test_a_missing_configuration_file(lab, program):
    refused(program.run("--config", "/does/not/exist.yaml", "add-record", NAME, VALUE), CONFIG, "/does/not/exist.yaml")


def test_an_unreadable_configuration_file(lab, program):
    directory = lab.new_dir("acme-dme.yaml")
    done = program.run("--config", directory, "add-record", NAME, VALUE)
    assert done.returncode == CONFIG and directory in done.stderr, done
    assert done.stdout == ""


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o666])
def test_a_configuration_that_others_can_read_names_the_chmod_to_run(lab, program, mode):
    os.chmod(program.config, mode)
    done = refused(program.run("add-record", NAME, VALUE), CONFIG, program.config, hint=windows.privately(program.config))
    lab.run(["sh", "-c", done.stderr.split("Run: ")[1].strip()]).ok()
    lab.changes_expected = True
    silent(program.run("add-record", NAME, VALUE))
    silent(program.run("del-record", NAME, VALUE))


def test_one_explicit_setting_makes_it_a_warning(lab, program):
    """Containers mount secrets with mode 0444."""
    program.configure(allow_readable_secrets=True)
    os.chmod(program.config, 0o444)
    lab.changes_expected = True
    done = program.run("add-record", NAME, VALUE).ok()
    assert len(warnings(done)) == 1 and program.config in warnings(done)[0]
    program.run("del-record", NAME, VALUE).ok()


def test_an_exposed_secret_file_is_refused_as_well(lab, program):
    path = os.path.join(program.dir, "secret")
    with open(path, "w", encoding="ascii") as f:
        f.write(lab.api_secret + "\n")
    os.chmod(path, 0o644)
    program.configure(credentials__api_secret=None, credentials__api_secret_file=path)
    refused(program.run("add-record", NAME, VALUE), CONFIG, path, hint=windows.privately(path))
    os.chmod(path, 0o600)
    lab.changes_expected = True
    silent(program.run("add-record", NAME, VALUE))
    silent(program.run("del-record", NAME, VALUE))


def test_every_mistake_of_the_file_is_told_at_once_with_its_place(lab, program):
    program.write_config(f"""credentials:
  api_key: {lab.api_key}
  api_secret: {lab.api_secret}
propagation:
  timeot: 100s
  settle: ten
  resolvers: ["127.0.0.10:99999"]
ttl: 60
state_dir: {program.state}
state_dir: {program.state}
""")
    done = program.run("add-record", NAME, VALUE)
    assert done.returncode == CONFIG and done.stdout == "", done
    for line, column, needle in ((5, 3, "timeot"), (6, 11, "settle"), (7, 15, "99999"), (8, 1, "ttl"), (10, 1, "state_dir")):
        found = [text for text in done.stderr.splitlines() if f"{program.config}:{line}:" in text]
        assert len(found) == 1 and needle in found[0] and f":{line}:{column}:" in found[0], (line, done)
    assert "timeout" in done.stderr, "the nearest known key is proposed"
    assert lab.api_key not in done.stderr and lab.api_secret not in done.stderr
    assert lab.requests() == []


@pytest.mark.parametrize("text", ["", "{", "\t- x", "credentials: [", "a: &a [*a]", "\x00", "credentials: just a text", "- a\n- b\n"],
                         ids=["empty", "brace", "tab", "bracket", "alias", "nul", "scalar", "list"])
def test_a_file_that_is_no_configuration(lab, program, text):
    program.write_config(text)
    done = program.run("add-record", NAME, VALUE, env={"HOME": "/nowhere"})
    assert done.returncode == CONFIG and done.stdout == "" and done.stderr.startswith("acme-dme: "), done
    assert lab.requests() == []


def test_an_encrypted_value_of_the_gem_is_named(lab, program):
    program.configure(credentials__api_key="BAhTOh1TeW06OkRhdGE6OldyYXBwZXJTdHJ1Y3QLOhNlbmNyeXB0ZWRfZGF0YSJV")
    refused(program.run("add-record", NAME, VALUE), CONFIG, "encrypted")


# -- state directory ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(lab, program):
    """A file system with room for a few files."""
    place = lab.new_dir("disk")
    lab.run(["mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=64", "small", place]).ok()
    program.configure(state_dir=os.path.join(place, "state"))
    yield place
    lab.run(["umount", place])


def fill(lab, place):
    lab.run(["sh", "-c", f'dd if=/dev/zero of="{place}/fill" bs=512 count=1000 2>/dev/null; dd if=/dev/zero of="{place}/fill2" bs=1 count=9000 2>/dev/null; true'])


def test_a_full_disk_stops_it_before_anything_is_published(lab, program, small_disk):
    lab.changes_expected = True
    silent(program.run("add-record", NAME, VALUE))
    silent(program.run("del-record", NAME, VALUE))
    lab.sim("POST", "/reset", {"only": ["log"]})
    lab.changes_expected = False
    fill(lab, small_disk)
    refused(program.run("add-record", NAME, VALUE), STATE, small_disk, "space")
    left = lab.run(["sh", "-c", f'find "{small_disk}/state/journal" -type f']).stdout
    assert left == "", "no half-written entry"


def test_a_disk_that_fills_up_does_not_keep_it_from_withdrawing(lab, program, small_disk):
    lab.changes_expected = True
    silent(program.run("add-record", NAME, VALUE))
    fill(lab, small_disk)
    silent(program.run("del-record", NAME, VALUE))
    assert lab.txt() == []


def test_a_read_only_state_directory_is_refused_and_journal_none_goes_without(lab, program):
    lab.run(["mkdir", "-p", program.state]).ok()
    lab.run(["mount", "-t", "tmpfs", "-o", "ro,mode=0700", "ro", program.state]).ok()
    try:
        refused(program.run("add-record", NAME, VALUE), STATE, program.state, "read-only", hint="journal: none")
        assert lab.requests() == []
        lab.changes_expected = True
        program.configure(journal="none")
        silent(program.run("add-record", NAME, VALUE))
        assert lab.txt() == [(NAME, VALUE)]
        silent(program.run("del-record", NAME, VALUE))
        assert lab.txt() == []
    finally:
        lab.run(["umount", program.state])


def test_journal_none_touches_no_state_directory(lab, program):
    lab.changes_expected = True
    program.configure(journal="none")
    silent(program.run("add-record", NAME, VALUE))
    silent(program.run("del-record", NAME, VALUE))
    assert not os.path.exists(program.state)
    refused(program.run("sweep"), CONFIG, hint="journal: none")


def test_without_a_journal_an_interrupted_wait_still_rolls_back(lab, program):
    lab.changes_expected = True
    program.configure(journal="none", propagation__timeout="1s")
    lab.set(hold="ns11")
    assert program.run("add-record", NAME, VALUE).returncode == 8
    assert lab.txt() == []


@pytest.mark.parametrize("what", ["file", "world-writable", "dangling"])
def test_a_state_directory_that_is_none(lab, program, what):
    if what == "file":
        with open(program.state, "w", encoding="ascii"):
            pass
    elif what == "dangling":
        os.symlink("/does/not/exist", program.state)
    else:
        os.mkdir(program.state)
        os.chmod(program.state, 0o777)
    refused(program.run("add-record", NAME, VALUE), STATE, program.state, hint=windows.word("chmod go-w", "icacls") if what == "world-writable" else "state_dir")


def test_a_state_directory_of_somebody_else(lab, program):
    if not lab.privileged:
        pytest.skip("optional: files can't be given away in a user namespace")
    os.mkdir(program.state, 0o700)
    os.chown(program.state, 65534, 65534)
    refused(program.run("add-record", NAME, VALUE), STATE, program.state, "another user")


def test_a_state_directory_that_is_not_there_is_made(lab, program):
    lab.changes_expected = True
    program.configure(state_dir=os.path.join(program.dir, "a", "b", "state"))
    silent(program.run("add-record", NAME, VALUE))
    silent(program.run("del-record", NAME, VALUE))


def test_a_lock_that_is_held_is_reported_by_sweep_only(lab, program):
    lab.changes_expected = True
    silent(program.run("--no-wait", "add-record", NAME, VALUE))
    lab.fault(method="DELETE", kind="slow", delay_ms=1200)
    first = program.start("--sweep-after", "0s", "sweep")
    until(lambda: not lab.state()["faults"], what="the sweep's request")
    silent(program.run("add-record", "_acme-challenge.other.example.com", VALUE))
    silent(program.run("del-record", "_acme-challenge.other.example.com", VALUE))
    first.wait().ok()
    assert lab.txt() == []
