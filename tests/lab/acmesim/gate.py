"""What each request must pass before a resource sees it: nonces, and who has signed."""

import secrets

from . import jws
from .problem import Problem

JOSE = "application/jose+json"


class Nonces:
    """Each is good once."""

    def __init__(self, settings):
        self.settings = settings
        self.clear()

    def clear(self):
        self.good, self.last, self.used = set(), "", 0

    def fresh(self):
        self.last = secrets.token_urlsafe(18)
        self.good.add(self.last)
        return self.last

    def take(self, nonce):
        if nonce not in self.good:
            raise Problem("badNonce", "the nonce is unknown or was used before")
        self.good.discard(nonce)
        self.used += 1
        every = self.settings.refuse_nonce_every
        if every and self.used % every == 0:
            raise Problem("badNonce", "the nonce is refused because the test wants it")


class Signed:
    """A request that passed: its envelope, the key, and the account (None: signed by a key of its own)."""

    def __init__(self, envelope, key, jwk, account):
        self.envelope, self.key, self.jwk, self.account = envelope, key, jwk, account

    def is_get(self):
        return self.envelope.payload == b""


class Gate:
    def __init__(self, model, nonces):
        self.model, self.nonces = model, nonces

    def check_post(self, request, url, entry):
        """RFC 8555 section 6; a Signed.  What the request says goes into ENTRY as far as it can be read."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JOSE:
            raise Problem("malformed", f"the content type is not {JOSE}", status=415)
        envelope = jws.Jws(request.body)
        entry["payload"] = envelope.payload.decode("utf-8", "replace")
        entry["signed_by"] = envelope.text("kid") or "jwk"
        self.nonces.take(envelope.text("nonce"))
        if envelope.text("url") != url:
            raise Problem("unauthorized", f"the url in the protected header is not {url}")
        if ("jwk" in envelope.protected) == ("kid" in envelope.protected):
            raise Problem("malformed", "either jwk or kid must be in the protected header")
        made = self._by_kid(envelope) if "kid" in envelope.protected else self._by_jwk(envelope)
        envelope.verify(made.key)
        if made.account and made.account.status != "valid":
            raise Problem("unauthorized", f"the account is {made.account.status}", status=401)
        return made

    @staticmethod
    def _by_jwk(envelope):
        jwk = envelope.protected["jwk"]
        if not isinstance(jwk, dict) or "d" in jwk:
            raise Problem("malformed", "the jwk is no public key")
        return Signed(envelope, jws.public_key(jwk), jwk, None)

    def _by_kid(self, envelope):
        kid = envelope.text("kid")
        number = kid.rpartition("/account/")[2]
        account = self.model.accounts.get(int(number)) if number.isdigit() else None
        if not account:
            raise Problem("accountDoesNotExist", f"no account {kid}")
        return Signed(envelope, account.key, account.jwk, account)
