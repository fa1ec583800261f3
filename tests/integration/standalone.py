"""The standalone client in a lab: a CA of the test's choice, calls, and what every test asks of the result."""

import json
import os
import re
import stat
import subprocess

import pytest

import windows
from lab import x509
from program import Program

CA_REFUSED, CA_LIMIT, CHALLENGE, PROGRAM = 12, 13, 14, 15  # src/cmd/exit.c


class Standalone(Program):
    """acme-dme as an ACME client of `ca`: a pebble.Pebble or a scripted.Scripted."""

    def __init__(self, lab, path, ca, **settings):
        super().__init__(lab, path)
        self.ca = ca
        self.configure(acme__directory=ca.directory, acme__ca_file=ca.ca_file, acme__agree_tos=True, **settings)

    def run(self, *args, env=None, timeout=60, **kwargs):
        """A call; the CA's resolver has forgotten the records of an earlier one (settle is 0 here, and their time to live 10 s)."""
        self.lab.flush()
        return super().run(*args, env=env, timeout=timeout, **kwargs)

    def issue(self, *names, more=(), **kwargs):
        return self.run("issue", *(word for name in names for word in ("-d", name)), *more, **kwargs)

    def path_of(self, name, file="fullchain.pem"):
        return os.path.join(self.state, "certs", name, file)

    def generation(self, name):
        """The number that the link leads to; 0: there is none."""
        link = os.path.join(self.state, "certs", name)
        note = os.path.join(link, ".acme-dme-link")  # Windows
        target = os.readlink(link) if os.path.islink(link) else read(note).splitlines()[0] if os.path.exists(note) else ""
        return int(os.path.basename(target)) if target else 0

    def record(self, name):
        with open(os.path.join(self.state, "renewal", name + ".json"), encoding="utf-8") as f:
            return json.load(f)

    def order_record(self, name):
        """The order that is under way."""
        with open(os.path.join(self.state, "orders", name + ".json"), encoding="utf-8") as f:
            return json.load(f)

    def installed(self, name, names, root=None, orders=()):
        """The certificate is there, whole, for these names, with its key, and leads to the root; nothing of ours is left but ORDERS:
        patterns of names."""
        fullchain = self.path_of(name)
        assert x509.names(fullchain) == sorted(names)
        assert x509.verifies(fullchain, root or self.ca.root_file())
        texts = {file: read(self.path_of(name, file)) for file in ("cert.pem", "chain.pem", "fullchain.pem")}
        assert texts["fullchain.pem"] == texts["cert.pem"] + texts["chain.pem"]
        assert public_key_of_cert(fullchain) == public_key_of_key(self.path_of(name, "privkey.pem"))
        assert mode(self.path_of(name, "privkey.pem")) == 0o600
        left = sorted(os.listdir(os.path.join(self.state, "orders")))
        assert len(left) == len(orders) and all(re.fullmatch(pattern, file) for pattern, file in zip(orders, left)), left
        self.clean()

    def nothing_installed(self, name):
        assert self.generation(name) == 0
        self.clean()


def needs(ca, what):
    """Skips the test where this Pebble lacks it."""
    if not ca.has(what):
        pytest.skip(f"optional: Pebble {ca.version} has no {what}")


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def mode(path):
    """Its permission bits.  Wine shows Administrators, who may do everything, as the group."""
    bits = stat.S_IMODE(os.stat(path).st_mode)
    if windows.is_windows():
        return 0o644 if bits & 0o004 else 0o600
    return bits


def openssl(*args, data=None):
    return subprocess.run(["openssl", *args], input=data, capture_output=True, check=True).stdout


def public_key_of_cert(path):
    return openssl("x509", "-in", path, "-noout", "-pubkey")


def public_key_of_key(path):
    return openssl("pkey", "-in", path, "-pubout")


def document(done):
    """The JSON that a call printed."""
    return json.loads(done.stdout)
