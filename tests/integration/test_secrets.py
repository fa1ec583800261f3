"""Key, secret and signatures show up nowhere, and what the other side says can't play with a terminal."""

import hashlib
import os
import time

import pytest

from lab import binaries
from program import NAME, VALUE, until

HOSTILE = "\\u001b[31mred\\u001b]0;title\\u0007\\u009b31m\\r\\nacme-dme: forged line\\u202e"

UPDATE = """
import sys, dns.query, dns.update
update = dns.update.UpdateMessage("example.com.")
update.replace("_acme-challenge.host", 60, "TXT", '"\\027[31mred\\007"')
assert dns.query.tcp(update, sys.argv[1], timeout=5).rcode() == 0
"""


def everything(lab, program, *dones):
    """All that was said, and all that was written: state directory and the program's own directory without its configuration."""
    texts = [(repr(done.argv), done.stdout + done.stderr) for done in dones]
    for base in (program.dir, lab.home, lab.tmp):
        for directory, _, files in os.walk(base):
            for name in files:
                path = os.path.join(directory, name)
                if path == program.config or os.path.islink(path):
                    continue
                with open(path, encoding="utf-8", errors="replace") as f:
                    texts.append((path, f.read()))
    return texts


def nothing_shows(program, since, texts):
    for secret in program.secrets(since):
        for where, text in texts:
            assert secret not in text, f"a secret is in {where}"


@pytest.fixture
def since():
    return time.time()


@pytest.mark.parametrize("verbosity", [[], ["-v"], ["-vv"], ["-vvv"]], ids=lambda v: v[0] if v else "plain")
def test_no_secret_in_what_is_said_or_written(lab, program, since, verbosity):
    dones = [program.run(*verbosity, *argv) for argv in (
        ["add-record", NAME, VALUE], ["sweep", "--dry-run"], ["del-record", NAME, VALUE], ["add-record", "host.foreign.org", VALUE])]
    assert [d.returncode for d in dones] == [0, 0, 0, 5]
    nothing_shows(program, since, everything(lab, program, *dones))


@pytest.mark.parametrize("fault", [
    {"kind": "status", "status": 403, "body": '{"error":["API key not found"]}', "count": 5},
    {"kind": "status", "status": 400, "body": '{"error":["Bad"]}', "count": 5},
    {"kind": "garbage", "count": 5},
    {"kind": "redirect", "location": "https://elsewhere.example/", "count": 5},
    {"kind": "invalid_json", "count": 5},
], ids=lambda f: f"{f['kind']}-{f.get('status', '')}".rstrip("-"))
def test_no_secret_in_errors(lab, program, since, fault):
    lab.fault(**fault)
    done = program.run("-vv", "add-record", NAME, VALUE)
    assert done.returncode != 0
    nothing_shows(program, since, everything(lab, program, done))


def test_a_secret_that_the_server_echoes_is_not_shown(lab, program, since):
    lab.fault(kind="status", status=403, body=f'{{"error":["API key {lab.api_key} not found, secret {lab.api_secret}"]}}', count=5)
    done = program.run("add-record", NAME, VALUE)
    assert done.returncode == 4
    assert lab.api_key not in done.stderr
    del since


def test_no_secret_in_errors_of_the_configuration(lab, program, since):
    """The secret at the wrong place, with white space, quotes, as a key, as a number."""
    texts = []
    for text in (f"credentials: {{api_key: {lab.api_key}, api_secert: {lab.api_secret}}}", f"credentials:\n  {lab.api_secret}: x\n",
                 f"api_key: {lab.api_key}\napi_secret: {lab.api_secret}\n", f"credentials: {lab.api_secret}",
                 f'credentials: {{api_key: "{lab.api_key} x", api_secret: "{lab.api_secret}\\ny"}}',
                 f"credentials: {{api_key: {lab.api_key}, api_secret: {lab.api_secret}}}\ndnsmadeeasy: {{ttl: {lab.api_secret}}}\n",
                 f"credentials: {{api_key: [{lab.api_key}], api_secret: {{{lab.api_secret}: 1}}}}",
                 f"credentials: {{api_key: {lab.api_key}, api_secret: {lab.api_secret}\n"):
        program.write_config(text)
        done = program.run("-vv", "add-record", NAME, VALUE)
        assert done.returncode == 3, done
        texts.append((text, done.stdout + done.stderr))
    nothing_shows(program, since, texts)


def test_no_secret_in_the_process_list_while_it_waits(lab, program, since):
    lab.set(hold="ns12")
    env = {"DNSMADEEASY_API_KEY": lab.api_key, "DNSMADEEASY_API_SECRET": lab.api_secret}
    running = program.start("add-record", NAME, VALUE, env=env)
    until(lambda: lab.txt(), what="the record")
    nothing_shows(program, since, [("cmdline", running.proc("cmdline").decode()), ("comm", running.proc("comm").decode())])
    lab.set(release="ns12")
    running.wait().ok()


@pytest.mark.parametrize("verbosity", ["-q", "-v", "-vv"])
def test_text_of_the_server_is_escaped(lab, program, verbosity):
    lab.fault(method="POST", kind="status", status=400, body=f'{{"error":["{HOSTILE}"]}}', content_type="application/json", count=3)
    lab.fault(method="GET", kind="status", status=404, body="<html>\x1b[2J</html>", content_type="text/\x1b[5mhtml", headers={"Server": "\x1b]0;x\x07"})
    done = program.run(verbosity, "add-record", NAME, VALUE)
    assert done.returncode in (5, 6), done
    for bad in ("\x1b", "\x07", "\x9b", "\r", "\u202e"):
        assert bad not in done.stderr, repr(done.stderr)
    assert "\nacme-dme: forged line" not in done.stderr


def test_values_on_name_servers_are_escaped(lab, program):
    lab.set(hold="ns12")
    lab.run([binaries.PYTHON, "-c", UPDATE, lab.nameservers["ns12"]]).ok()
    done = program.run("--timeout", "1s", "-vv", "add-record", NAME, VALUE)
    assert done.returncode == 8 and "red" in done.stderr and "\x1b" not in done.stderr and "\x07" not in done.stderr, repr(done.stderr)


def fingerprint(secret):
    return hashlib.sha256(secret.encode()).hexdigest()[:8]


def test_verbose_names_the_source_of_every_value_and_of_secrets_a_fingerprint(lab, program):
    secret_file = os.path.join(program.dir, "secret")
    env = {"DNSMADEEASY_API_KEY": lab.api_key, "DNSMADEEASY_API_SECRET_FILE": secret_file}
    with open(secret_file, "w", encoding="ascii") as f:
        f.write(lab.api_secret)
    os.chmod(secret_file, 0o600)
    done = program.run("-v", "--timeout", "17s", "add-record", NAME, VALUE, env=env).ok()
    for line in (f'configuration file: "{program.config}"', "propagation.timeout: 17s (option --timeout)", f'state_dir: "{program.state}" ({program.config}:',
                 f"DNSMADEEASY_API_KEY: {len(lab.api_key)} characters, fingerprint {fingerprint(lab.api_key)} "
                 "(environment variable DNSMADEEASY_API_KEY)",
                 f"DNSMADEEASY_API_SECRET: {len(lab.api_secret)} characters, fingerprint {fingerprint(lab.api_secret)} ({secret_file})"):
        assert line in done.stderr, (line, done.stderr)
    assert "(default)" not in done.stderr
    done = program.run("-vv", "del-record", NAME, VALUE, env=env).ok()
    assert "dnsmadeeasy.ttl: 10 (default)" in done.stderr, done.stderr
    program.clean()
