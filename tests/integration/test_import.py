"""Moving in from certbot, lego, acme.sh, dehydrated and uacme: the commands of docs/migrating.md, on what the real clients left."""

import glob
import json
import os
import re
import shutil

import pytest

import clients
from lab import binaries, x509
from program import USAGE, refused, warnings

NAMES = ["example.com", "www.example.com"]
DOCUMENT = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "migrating.md")
# They keep their account; what changes is how they call.
NOTHING_TAKEN_OVER = ["win-acme and simple-acme"]


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def documented(title):
    """The commands of ours that the document shows under "From <title>"."""
    section = re.search(rf"^## From {re.escape(title)}\n(.*?)(?=^## |\Z)", read(DOCUMENT), re.M | re.S).group(1)
    assert section.count("\n") < 25
    return re.findall(r"^    (acme-dme .*)$", section, re.M)


class Certbot(clients.Certbot):
    title, home = "certbot", "/etc/letsencrypt"

    def root(self):
        return self.path("config")

    def account(self):
        return json.loads(read(glob.glob(self.path("config/accounts/*/*/*/regr.json"))[0]))["uri"]


class Lego(clients.Lego):
    title, home = "lego", "/root/.lego"

    def root(self):
        return self.base

    def account(self):
        return json.loads(read(glob.glob(self.path("accounts/*/*/account.json"))[0]))["registration"]["uri"]


class Dehydrated(clients.Dehydrated):
    title, home = "dehydrated", "/var/lib/dehydrated"

    def root(self):
        return self.base

    def account(self):
        return json.loads(read(glob.glob(self.path("accounts/*/account_id.json"))[0]))["url"]


class AcmeSh(Dehydrated):
    """It is no package: what dehydrated got, as acme.sh would have it."""

    title, home = "acme.sh", "/root/.acme.sh"

    def root(self):
        return self.path("acme.sh")

    def issue(self, names):
        done = super().issue(names)
        if done.returncode == 0:
            self.convert(names)
        return done

    def convert(self, names):
        host, _, path = self.lab.acme_dir.removeprefix("https://").partition("/")
        ca = os.path.join(self.root(), "ca", host.split(":")[0], path)  # acme.sh drops the port
        home = os.path.join(self.root(), names[0] + "_ecc")
        os.makedirs(ca)
        os.makedirs(home)
        shutil.copy(glob.glob(self.path("accounts/*/account_key.pem"))[0], os.path.join(ca, "account.key"))
        shutil.copy(self.path("certs", names[0], "privkey.pem"), os.path.join(home, names[0] + ".key"))
        shutil.copy(self.path("certs", names[0], "cert.pem"), os.path.join(home, names[0] + ".cer"))
        with open(os.path.join(ca, "ca.conf"), "w", encoding="utf-8") as f:
            f.write(f"ACCOUNT_URL='{self.account()}'\nCA_EMAIL='admin@example.com'\nCA_KEY_HASH='AA='\n")
        with open(os.path.join(home, names[0] + ".conf"), "w", encoding="utf-8") as f:
            f.write(f"Le_Domain='{names[0]}'\nLe_Alt='{','.join(names[1:])}'\nLe_Webroot='dns_me'\nLe_PreHook=''\nLe_PostHook=''\n"
                    f"Le_RenewHook=''\nLe_API='{self.lab.acme_dir}'\nLe_Keylength='ec-256'\nLe_NextRenewTime='1700000000'\n"
                    "Le_ReloadCmd='__ACME_BASE64__START_c3lzdGVtY3RsIHJlbG9hZCBuZ2lueA==__ACME_BASE64__END_'\n")


class Uacme(clients.Uacme):
    title, home = "uacme", "/etc/ssl/uacme"

    def root(self):
        return self.base

    def account(self):
        return None


KINDS = [Certbot, Lego, AcmeSh, Dehydrated, Uacme]


@pytest.fixture(params=KINDS, ids=[kind.title for kind in KINDS])
def moved(request, lab, program):
    """A client with an account and a certificate, and a program that is set up for the same CA."""
    kind = request.param
    if not binaries.find(kind.binary):
        pytest.skip(f"{kind.binary} is not installed")
    directory = lab.system_acme_dir if kind is Uacme else lab.acme_dir
    program.configure(acme__directory=directory, acme__ca_file=lab.ca_file, acme__agree_tos=True, **kind.settings)
    made = kind(lab, program)
    made.run = lambda argv, env=None, timeout=120, **kwargs: lab.run(argv, env=program.env(env), timeout=timeout, **kwargs)
    done = made.issue(NAMES)
    assert done.returncode == 0, done
    lab.flush()
    yield made
    made.close()


def tree(root):
    """Every file below, its content and what it is."""
    found = {}
    for directory, _, files in os.walk(root):
        for name in files:
            path = os.path.join(directory, name)
            with open(path, "rb") as f:
                found[path] = f.read(), os.lstat(path).st_mode, os.lstat(path).st_mtime_ns
    return found


def accounts(program):
    return [json.loads(read(path)) for path in glob.glob(os.path.join(program.state, "accounts", "*.json"))]


def test_the_documented_commands_move_an_account_and_a_certificate_in(moved, program):
    before = tree(moved.root())
    commands = documented(moved.title)
    assert [command.split()[1] for command in commands] == ["account", "issue", "show"]
    for command in commands:
        done = program.run(*command.replace(moved.home, moved.root()).split()[1:], timeout=120).ok()
        program.lab.flush()
        if command.split()[1] == "issue":
            said = warnings(done)
        if command.split()[1] == "show":
            assert all(name in done.stdout for name in NAMES), done
    account, = accounts(program)
    if moved.account():
        assert account["url"] == moved.account()
    new = os.path.join(program.state, "certs", NAMES[0])
    assert x509.names(os.path.join(new, "fullchain.pem")) == sorted(NAMES)
    assert read(os.path.join(new, "fullchain.pem")) != read(moved.cert(NAMES[0]))
    assert tree(moved.root()) == before  # read, and left alone
    expected = {"certbot": [], "lego": [], "acme.sh": ["Le_ReloadCmd"], "dehydrated": ["settings for all"], "uacme": ["no settings"]}
    assert len(said) == len(expected[moved.title]), said
    assert all(part in line for part, line in zip(expected[moved.title], said)), said
    program.clean()


def test_the_same_without_the_clients_name(moved, program):
    account, issue, _ = (command.replace(moved.home, moved.root()).replace(moved.title + ":", "") for command in documented(moved.title))
    if moved.title == "acme.sh":  # dehydrated's own files, of which it was made, are above it
        account = account.replace(moved.root(), os.path.join(moved.root(), "ca"))
    program.run(*account.split()[1:], timeout=60).ok()
    program.lab.flush()
    program.run(*issue.split()[1:], timeout=120).ok()
    assert len(accounts(program)) == 1


def test_what_is_no_client_is_said(program):
    refused(program.run("account", "import", "cerbot:/etc/letsencrypt"), USAGE, '"cerbot"', hint="certbot:")


def test_every_client_has_its_section():
    assert re.findall(r"^## From (.*)$", read(DOCUMENT), re.M) == [kind.title for kind in KINDS] + NOTHING_TAKEN_OVER
