"""What tests want to know of a certificate, by the openssl command."""

import re
import subprocess


def text(path, *options):
    """`openssl x509 -noout OPTIONS` of the first certificate in the file."""
    return subprocess.run(["openssl", "x509", "-noout", "-in", path, *options], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=True).stdout.strip()


def names(path):
    """The DNS names of a certificate, sorted."""
    return sorted(re.findall(r"DNS:([^,\s]+)", text(path, "-ext", "subjectAltName")))


def verifies(path, root):
    """True: the chain in PATH (leaf first) leads to ROOT."""
    done = subprocess.run(["openssl", "verify", "-CAfile", root, "-untrusted", path, path], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    return done.returncode == 0
