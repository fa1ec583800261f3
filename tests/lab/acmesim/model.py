"""Accounts, orders, authorizations, challenges and certificates; numbers are their identities."""

import dataclasses
import itertools
import secrets
import time
from datetime import datetime, timezone


def rfc3339(seconds):
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclasses.dataclass
class Account:
    id: int
    jwk: dict
    key: object
    contacts: list
    status: str = "valid"
    eab: object = None  # the binding as it was sent


@dataclasses.dataclass
class Challenge:
    id: int
    authz: object
    type: str
    token: str
    status: str = "pending"
    error: object = None
    validated: float = 0.0


@dataclasses.dataclass
class Authz:
    id: int
    account: Account
    domain: str
    wildcard: bool
    expires: float
    status: str = "pending"
    challenges: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Order:
    id: int
    account: Account
    names: list
    authzs: list
    expires: float
    profile: str = ""
    replaces: str = ""
    finalizing: str = ""  # after finalize: processing, valid, invalid
    error: object = None
    certificate: object = None

    @property
    def status(self):
        """RFC 8555 section 7.1.6: it follows from the authorizations until it is finalized."""
        if self.finalizing:
            return self.finalizing
        states = {authz.status for authz in self.authzs}
        if states - {"pending", "valid"} or time.time() > self.expires:
            return "invalid"
        return "pending" if "pending" in states else "ready"


@dataclasses.dataclass
class Certificate:
    id: int
    account: Account
    leaf: object
    cert_id: str
    revoked: object = None  # the reason
    replaced: bool = False


class Model:
    """All there is."""

    def __init__(self):
        self.clear()

    def clear(self):
        self.serial = itertools.count(1)
        self.accounts, self.orders, self.authzs, self.challenges, self.certificates = {}, {}, {}, {}, {}

    def put(self, table, kind, **fields):
        made = kind(next(self.serial), **fields)
        table[made.id] = made
        return made

    def account_of(self, thumbprint, thumbprint_of):
        return next((a for a in self.accounts.values() if thumbprint_of(a.jwk) == thumbprint), None)

    def new_authz(self, account, name, types, lifetime_s):
        authz = self.put(self.authzs, Authz, account=account, domain=name.removeprefix("*."), wildcard=name.startswith("*."),
                         expires=time.time() + lifetime_s)
        for kind in types:
            if kind == "http-01" and authz.wildcard:
                continue
            authz.challenges.append(self.put(self.challenges, Challenge, authz=authz, type=kind, token=secrets.token_urlsafe(32)))
        return authz

    def certificate_by_cert_id(self, cert_id):
        return next((c for c in self.certificates.values() if c.cert_id == cert_id), None)
