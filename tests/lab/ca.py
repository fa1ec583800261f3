"""Certificate authorities of the lab's own, made with the openssl command."""

import os
import subprocess
import time

_CONF = """[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = {san}
[office]
database = {directory}/index.txt
new_certs_dir = {directory}
rand_serial = yes
default_md = sha256
unique_subject = no
policy = any
[any]
commonName = supplied
"""
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def _openssl(*args):
    done = subprocess.run(["openssl", *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {args[0]}: {done.stderr.strip()}")


def _days_from_now(days):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + days * 86400))


class Authority:
    """Files in DIRECTORY: ca.pem, ca.key and, for each leaf, NAME.pem and NAME.key (both with mode 0600).  A CA is ten years old and
    a leaf a season, as in real life: a clock that is a day behind finds them valid, one that is decades behind does not."""

    def __init__(self, directory, name="acme-dme lab CA"):
        self.directory = directory
        os.makedirs(directory, mode=0o700, exist_ok=True)
        self._write("index.txt", "")
        self.cert = self._path("ca.pem")
        conf, csr = self._config("DNS:unused"), self._path("ca.csr")
        _openssl("req", "-new", *_KEY, "-subj", f"/CN={name}", "-config", conf, "-keyout", self._path("ca.key"), "-out", csr)
        self._sign(conf, csr, self.cert, "ca", (-3650, 3650), "-selfsign")

    def _path(self, name):
        return os.path.join(self.directory, name)

    def _write(self, name, text):
        with open(self._path(name), "w", encoding="ascii") as f:
            f.write(text)
        return self._path(name)

    def _config(self, san):
        return self._write("openssl.cnf", _CONF.format(san=san, directory=self.directory))

    def _sign(self, conf, csr, cert, extensions, days, *how):
        _openssl("ca", "-batch", "-notext", "-config", conf, "-name", "office", "-extensions", extensions, *how, "-keyfile", self._path("ca.key"),
                 "-startdate", _days_from_now(days[0]), "-enddate", _days_from_now(days[1]), "-in", csr, "-out", cert)
        os.unlink(csr)

    def leaf(self, name, sans, days=(-45, 45)):
        """A server certificate for the SANS ("DNS:x", "IP:y"), valid from .. to so many days from now; returns (certificate file,
        key file)."""
        cert, key, csr = self._path(name + ".pem"), self._path(name + ".key"), self._path(name + ".csr")
        conf = self._config(", ".join(sans))
        _openssl("req", "-new", *_KEY, "-subj", f"/CN={name}", "-config", conf, "-keyout", key, "-out", csr)
        self._sign(conf, csr, cert, "leaf", days, "-cert", self.cert)
        return cert, key


def self_signed(directory, name, sans):
    """A certificate that nobody else has signed; returns (certificate file, key file)."""
    cert, key = os.path.join(directory, name + ".pem"), os.path.join(directory, name + ".key")
    _openssl("req", "-x509", "-new", *_KEY, "-days", "45", "-subj", f"/CN={name}", "-addext", f"subjectAltName={', '.join(sans)}",
             "-keyout", key, "-out", cert)
    return cert, key
