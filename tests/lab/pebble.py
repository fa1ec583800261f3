"""Pebbles beside the lab's own: other versions, other switches, other ports.  lab.pebble(...) makes one."""

import json
import os
import re

REQUEST = re.compile(r"^\S+ \S+ \S+ (GET|HEAD|POST|PUT|DELETE|PATCH) (/\S*) -> calling handler\(\)", re.M)
#: First version that has it.
SINCE = {"retry-after": (2, 5), "ari": (2, 6), "profiles": (2, 7), "set-renewal-info": (2, 8), "dns-account-01": (2, 8),
         "dns-persist-01": (2, 10)}


def configuration(eab=None, profiles=None, blocklist=(), retry_after=None, caa=(), key_algorithm=None):
    """What a pebble's configuration has more.  EAB: {kid: base64url key}, then it is required; PROFILES: {name: seconds} or pebble's own
    form; BLOCKLIST: domains it refuses; RETRY_AFTER: {"authz": s, "order": s}; CAA: its identities; KEY_ALGORITHM: rsa or ecdsa."""
    made = {}
    if eab is not None:
        made.update(externalAccountBindingRequired=True, externalAccountMACKeys=eab)
    if profiles:
        made["profiles"] = {name: value if isinstance(value, dict) else {"description": f"the profile {name}", "validityPeriod": value}
                            for name, value in profiles.items()}
    if blocklist:
        made["domainBlocklist"] = list(blocklist)
    if retry_after:
        made["retryAfter"] = retry_after
    if caa:
        made["caaIdentities"] = list(caa)
    if key_algorithm:
        made["keyAlgorithm"] = key_algorithm
    return made


def switches(nonce_reject=0, authz_reuse=0, alternate_roots=0, chain_length=1, va_sleep=0, always_valid=False):
    """The environment of a pebble: percents, numbers, and at most so many seconds before each validation."""
    env = {"PEBBLE_WFE_NONCEREJECT": str(nonce_reject), "PEBBLE_AUTHZREUSE": str(authz_reuse), "PEBBLE_ALTERNATE_ROOTS": str(alternate_roots),
           "PEBBLE_CHAIN_LENGTH": str(chain_length)}
    env.update({"PEBBLE_VA_NOSLEEP": "0", "PEBBLE_VA_SLEEPTIME": str(va_sleep)} if va_sleep else {"PEBBLE_VA_NOSLEEP": "1"})
    if always_valid:
        env["PEBBLE_VA_ALWAYS_VALID"] = "1"
    return env


class Pebble:
    """One that runs.  `directory` is its URL, `management` that of its management interface, `ca_file` what its TLS certificate is
    trusted by, `version` what it is."""

    def __init__(self, lab, name, version, ports, alternates=0):
        self.lab, self.name, self.version, self.alternates = lab, name, version, alternates
        self.directory = f"https://localhost:{ports[0]}/dir"
        self.management = f"https://127.0.0.1:{ports[1]}"
        self.ca_file = lab.ca_file
        self._log = os.path.join(lab.logs, name + ".log")
        self._seen = 0
        self.forget()

    def has(self, feature):
        """Whether this version can do it: a key of SINCE."""
        return tuple(int(n) for n in re.findall(r"\d+", self.version)[:2]) >= SINCE[feature]

    # -- requests

    def log(self):
        """All it has said since the last forget()."""
        with open(self._log, "rb") as f:
            f.seek(self._seen)
            return f.read().decode("utf-8", "replace")

    def forget(self):
        """requests() and log() begin anew."""
        self._seen = os.path.getsize(self._log) if os.path.exists(self._log) else 0

    def requests(self):
        """The ACME requests since the last forget(), oldest first: [(method, path)], refused nonces among them.  Not
        there is what the newer ones turn away at the door: no User-Agent, no resource, a method that the resource has not."""
        return REQUEST.findall(self.log())

    def count(self, method=None, path=""):
        """How many of them: of one METHOD, of paths that begin with PATH ("/order-plz")."""
        return sum(1 for m, p in self.requests() if method in (None, m) and p.startswith(path))

    # -- its certificates

    def _pem(self, path):
        answer = self.lab.http("GET", self.management + path)
        if answer["status"] != 200:
            raise RuntimeError(f"{self.name}: {path}: {answer['status']} {answer['body']}")
        return answer["body"]

    def roots(self):
        """PEM texts: the root of the default chain, then those of the alternates; others at every start."""
        return [self._pem(f"/roots/{n}") for n in range(1 + self.alternates)]

    def intermediates(self):
        """The same for what signs."""
        return [self._pem(f"/intermediates/{n}") for n in range(1 + self.alternates)]

    def root_file(self, n=0):
        """A file with the n-th root."""
        path = os.path.join(self.lab.new_dir("root"), "root.pem")
        with open(path, "w", encoding="ascii") as f:
            f.write(self._pem(f"/roots/{n}"))
        return path

    def cert_status(self, serial):
        """What it says of the certificate with this serial number (hexadecimal): {"Status": "Valid" or "Revoked", "Reason", ...}."""
        return json.loads(self._pem(f"/cert-status-by-serial/{serial.lower()}"))

    def set_renewal_info(self, cert_pem, answer):
        """From now on renewalInfo of this certificate is ANSWER: an object, or a text, which need not be JSON."""
        text = answer if isinstance(answer, str) else json.dumps(answer)
        body = json.dumps({"Certificate": cert_pem, "ARIResponse": text})
        done = self.lab.http("POST", self.management + "/set-renewal-info/", body, {"Content-Type": "application/json"})
        if done["status"] != 200:
            raise RuntimeError(f"{self.name}: set-renewal-info: {done['status']} {done['body']}")

    # -- life

    def restart(self):
        """Ends it and starts it anew: it has forgotten its accounts, orders and nonces, and signs under a new root."""
        self.lab.restart(self.name)

    def stop(self):
        self.lab.remove(self.name)
