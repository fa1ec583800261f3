"""The lab's own certificate authority, made with the openssl command."""

import os
import subprocess

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
subjectAltName = %s
"""


def _openssl(*args):
    done = subprocess.run(["openssl", *args], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {args[0]}: {done.stderr.strip()}")


class Authority:
    """Files in DIRECTORY: ca.pem, ca.key and, for each leaf, NAME.pem and NAME.key (both with mode 0600)."""

    def __init__(self, directory):
        self.directory = directory
        os.makedirs(directory, mode=0o700, exist_ok=True)
        self.cert = self._path("ca.pem")
        _openssl("req", "-x509", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                 "-subj", "/CN=acme-dme lab CA", "-config", self._config("DNS:unused"), "-extensions", "ca",
                 "-keyout", self._path("ca.key"), "-out", self.cert)

    def _path(self, name):
        return os.path.join(self.directory, name)

    def _config(self, san):
        path = self._path("openssl.cnf")
        with open(path, "w", encoding="ascii") as f:
            f.write(_CONF % san)
        return path

    def leaf(self, name, sans):
        """A server certificate for the SANS ("DNS:x", "IP:y"); returns (certificate file, key file)."""
        cert, key, csr = self._path(name + ".pem"), self._path(name + ".key"), self._path(name + ".csr")
        conf = self._config(", ".join(sans))
        _openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                 "-config", conf, "-keyout", key, "-out", csr)
        _openssl("x509", "-req", "-in", csr, "-CA", self.cert, "-CAkey", self._path("ca.key"), "-set_serial",
                 str(int.from_bytes(os.urandom(8), "big") | 1), "-days", "30", "-extfile", conf, "-extensions", "leaf", "-out", cert)
        os.unlink(csr)
        return cert, key
