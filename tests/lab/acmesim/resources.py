"""The endpoints: what is asked for, and what is answered when nothing goes wrong on purpose."""

import asyncio
import calendar
import re
import time

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from . import jws, model, pki, validate
from .problem import PEM_TYPE, Problem, Reply, document

ROUTES = [
    (name, re.compile(pattern + r"\Z"), methods) for name, pattern, methods in (
        ("directory", "/directory", "GET"), ("nonce", "/nonce", "GET HEAD"), ("new-account", "/new-account", "POST"),
        ("account", r"/account/(\d+)", "POST"), ("new-order", "/new-order", "POST"), ("order", r"/order/(\d+)", "POST"),
        ("finalize", r"/order/(\d+)/finalize", "POST"), ("authz", r"/authz/(\d+)", "POST"), ("challenge", r"/challenge/(\d+)", "POST"),
        ("certificate", r"/certificate/(\d+)(?:/(\d))?", "POST"), ("key-change", "/key-change", "POST"), ("revoke", "/revoke", "POST"),
        ("renewal-info", r"/renewal-info/([^/]*)", "GET"), ("terms", "/terms", "GET"))
]
DNS_NAME = re.compile(r"(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?\Z")
REASONS = {0, 1, 3, 4, 5}


def route(path):
    """(endpoint's name, its arguments, its methods); ("", ...) for what does not exist."""
    for name, pattern, methods in ROUTES:
        match = pattern.match(path)
        if match:
            return name, match.groups(), methods.split()
    return "", (), []


class Resources:
    def __init__(self, settings):
        self.settings = settings
        self.model = model.Model()
        self.pki = pki.Pki()
        self.tasks = set()

    def answer(self, name, base, signed, arguments):
        """The Reply of one endpoint; SIGNED: None for what is not signed."""
        handler = getattr(self, "_" + name.replace("-", "_"))
        return handler(base, signed, *arguments)

    # -- small things

    def _find(self, table, number, signed):
        found = table.get(int(number))
        if not found:
            raise Problem("malformed", "no such resource", status=404)
        if getattr(found, "account", None) is not signed.account:
            raise Problem("unauthorized", "the resource is of another account")
        return found

    def _account_of(self, signed):
        if not signed.account:
            raise Problem("malformed", "this must be signed by an account (kid)")
        return signed.account

    def _paced(self, pending):
        """The headers of what is still pending."""
        return [("Retry-After", self.settings.retry_after)] if pending and self.settings.retry_after else []

    def _later(self, ms, what):
        """WHAT, a coroutine function, after so many milliseconds; never for -1."""
        async def run():
            await asyncio.sleep(ms / 1000)
            await what()
        if ms >= 0:
            task = asyncio.get_running_loop().create_task(run())
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    # -- directory, nonces

    def _directory(self, base, _signed):
        listed = {"newNonce": f"{base}/nonce", "newAccount": f"{base}/new-account", "newOrder": f"{base}/new-order",
                  "revokeCert": f"{base}/revoke", "keyChange": f"{base}/key-change",
                  "jH2gTr9oPqs": "https://community.letsencrypt.org/t/adding-random-entries-to-the-directory/33417"}
        if self.settings.ari:
            listed["renewalInfo"] = f"{base}/renewal-info"
        meta = {"website": "https://acme.lab.example", "caaIdentities": ["acme.lab.example"]}
        if self.settings.terms:
            meta["termsOfService"] = f"{base}/terms"
        if self.settings.eab_required:
            meta["externalAccountRequired"] = True
        if self.settings.profiles:
            meta["profiles"] = {name: f"the profile {name}" for name in self.settings.profiles}
        return Reply(200, {**listed, "meta": meta})

    @staticmethod
    def _nonce(_base, _signed):
        return Reply(200)

    @staticmethod
    def _terms(_base, _signed):
        return Reply(200, b"Do what thou wilt.\n", "text/plain")

    # -- accounts

    def _account_reply(self, base, account, status):
        body = {"status": account.status, "contact": account.contacts, "orders": f"{base}/account/{account.id}/orders"}
        if account.eab:
            body["externalAccountBinding"] = account.eab
        return Reply(status, body, headers=[("Location", f"{base}/account/{account.id}")])

    @staticmethod
    def _contacts(payload):
        contacts = payload.get("contact", [])
        if not isinstance(contacts, list):
            raise Problem("malformed", "contact is no list")
        for contact in contacts:
            if not isinstance(contact, str) or not contact.startswith("mailto:"):
                raise Problem("unsupportedContact", f"no contact but mailto: here, not {contact!r}")
            if not re.match(r"mailto:[^@\s,?]+@[^@\s,?]+\.[a-z]+\Z", contact):
                raise Problem("invalidContact", f"{contact!r} is no address")
        return contacts

    def _binding(self, base, signed, payload):
        binding = payload.get("externalAccountBinding")
        if binding is None:
            if self.settings.eab_required:
                raise Problem("externalAccountRequired", "an external account binding is needed")
            return None
        envelope = jws.Jws(binding)
        key = self.settings.eab.get(envelope.text("kid"))
        if key is None:
            raise Problem("unauthorized", "the external account binding's kid is not known")
        if "nonce" in envelope.protected or envelope.text("url") != f"{base}/new-account":
            raise Problem("malformed", "the external account binding's protected header is wrong")
        envelope.verify_mac(jws.decode(key))
        if jws.thumbprint(envelope.json()) != jws.thumbprint(signed.jwk):
            raise Problem("malformed", "the external account binding is about another key")
        return binding

    def _new_account(self, base, signed):
        if signed.account:
            raise Problem("malformed", "newAccount must be signed with jwk")
        payload = signed.envelope.json()
        known = self.model.account_of(jws.thumbprint(signed.jwk), jws.thumbprint)
        if known:
            if known.status != "valid":
                raise Problem("unauthorized", f"the account is {known.status}", status=401)
            return self._account_reply(base, known, 200)
        if payload.get("onlyReturnExisting"):
            raise Problem("accountDoesNotExist", "no account with this key")
        contacts = self._contacts(payload)
        if self.settings.terms and payload.get("termsOfServiceAgreed") is not True:
            raise Problem("userActionRequired", "the terms of service must be agreed to")
        binding = self._binding(base, signed, payload)
        account = self.model.put(self.model.accounts, model.Account, jwk=signed.jwk, key=signed.key, contacts=contacts, eab=binding)
        return self._account_reply(base, account, 201)

    def _account(self, base, signed, number):
        if int(number) != self._account_of(signed).id:
            raise Problem("unauthorized", "another account")
        account = signed.account
        if not signed.is_get():
            payload = signed.envelope.json()
            if payload.get("status", account.status) not in (account.status, "deactivated"):
                raise Problem("malformed", "an account can only be deactivated")
            if "contact" in payload:
                account.contacts = self._contacts(payload)
            account.status = payload.get("status", account.status)
        return self._account_reply(base, account, 200)

    def _key_change(self, base, signed):
        account = self._account_of(signed)
        inner = jws.Jws(signed.envelope.json())
        if "jwk" not in inner.protected or "nonce" in inner.protected or inner.text("url") != signed.envelope.text("url"):
            raise Problem("malformed", "the inner protected header is wrong")
        new_jwk = inner.protected["jwk"]
        new_key = jws.public_key(new_jwk)
        inner.verify(new_key)
        payload = inner.json()
        if payload.get("account") != f"{base}/account/{account.id}":
            raise Problem("malformed", "the inner payload is about another account")
        if not isinstance(payload.get("oldKey"), dict) or jws.thumbprint(payload["oldKey"]) != jws.thumbprint(account.jwk):
            raise Problem("malformed", "the inner payload has another old key")
        owner = self.model.account_of(jws.thumbprint(new_jwk), jws.thumbprint)
        if owner:
            raise Problem("malformed", "the new key is in use", status=409, headers=[("Location", f"{base}/account/{owner.id}")])
        account.jwk, account.key = new_jwk, new_key
        return self._account_reply(base, account, 200)

    # -- orders

    def _order_reply(self, base, order, status=200):
        body = {"status": order.status, "expires": model.rfc3339(order.expires),
                "identifiers": [{"type": "dns", "value": name} for name in order.names],
                "authorizations": [f"{base}/authz/{authz.id}" for authz in order.authzs], "finalize": f"{base}/order/{order.id}/finalize"}
        body.update({key: value for key, value in (("profile", order.profile), ("replaces", order.replaces), ("error", order.error)) if value})
        if order.status == "valid":
            body["certificate"] = f"{base}/certificate/{order.certificate.id}"
        return Reply(status, body, headers=[("Location", f"{base}/order/{order.id}"), *self._paced(order.status in ("pending", "processing"))])

    def _names(self, payload):
        identifiers = payload.get("identifiers")
        if not isinstance(identifiers, list) or not identifiers:
            raise Problem("malformed", "no identifiers")
        names, bad = [], []
        for identifier in identifiers:
            if not isinstance(identifier, dict) or identifier.get("type") != "dns":
                raise Problem("unsupportedIdentifier", "no identifiers but dns here")
            name = identifier.get("value")
            if not isinstance(name, str) or not DNS_NAME.match(name) or any(name == b or name.endswith("." + b) for b in self.settings.blocked):
                bad.append(document("rejectedIdentifier", f"no certificate for {name!r} here", identifier=identifier))
            names.append(name)
        if bad:
            raise Problem("rejectedIdentifier", f"{len(bad)} identifiers are refused: {bad[0]['detail']}", subproblems=bad)
        if len(set(names)) != len(names):
            raise Problem("malformed", "an identifier is there twice")
        if len(names) > self.settings.max_names:
            raise Problem("malformed", f"an order may have {self.settings.max_names} identifiers at most")
        return names

    def _authz_for(self, account, name):
        if self.settings.authz_reuse:
            for authz in self.model.authzs.values():
                if (authz.account, authz.domain, authz.wildcard, authz.status) == (account, name.removeprefix("*."), name.startswith("*."), "valid"):
                    return authz
        return self.model.new_authz(account, name, self.settings.challenges, self.settings.order_seconds)

    def _predecessor(self, account, replaces):
        if not replaces:
            return None
        found = self.model.certificate_by_cert_id(replaces)
        if not found:
            raise Problem("malformed", "the predecessor is not known", status=404)
        if found.account is not account:
            raise Problem("unauthorized", "the predecessor is of another account")
        if found.replaced:
            raise Problem("alreadyReplaced", "the predecessor has been replaced already")
        return found

    def _new_order(self, base, signed):
        account = self._account_of(signed)
        payload = signed.envelope.json()
        if "notBefore" in payload or "notAfter" in payload:
            raise Problem("malformed", "notBefore and notAfter are not supported")
        names = self._names(payload)
        profile = payload.get("profile") or (self.settings.default_profile if self.settings.profiles else "")
        if profile and profile not in self.settings.profiles:
            raise Problem("invalidProfile", f"no profile {profile!r} here")
        replaces = payload.get("replaces", "")
        self._predecessor(account, replaces)
        order = self.model.put(self.model.orders, model.Order, account=account, names=names, profile=profile, replaces=replaces,
                               authzs=[self._authz_for(account, name) for name in names], expires=time.time() + self.settings.order_seconds)
        return self._order_reply(base, order, 201)

    def _order(self, base, signed, number):
        return self._order_reply(base, self._find(self.model.orders, number, signed))

    # -- authorizations

    def _challenge_body(self, base, challenge):
        body = {"type": challenge.type, "url": f"{base}/challenge/{challenge.id}", "status": challenge.status}
        if challenge.type == "dns-persist-01":
            body.update({"issuer-domain-names": self.settings.issuers, "accounturi": f"{base}/account/{challenge.authz.account.id}"})
        else:
            body["token"] = challenge.token
        if challenge.error:
            body["error"] = challenge.error
        if challenge.validated:
            body["validated"] = model.rfc3339(challenge.validated)
        return body

    def _authz(self, base, signed, number):
        authz = self._find(self.model.authzs, number, signed)
        if not signed.is_get() and signed.envelope.json().get("status") == "deactivated":
            authz.status = "deactivated"
        body = {"status": authz.status, "expires": model.rfc3339(authz.expires), "identifier": {"type": "dns", "value": authz.domain},
                "challenges": [self._challenge_body(base, challenge) for challenge in authz.challenges]}
        if authz.wildcard:
            body["wildcard"] = True
        return Reply(200, body, headers=self._paced(authz.status == "pending"))

    def _challenge(self, base, signed, number):
        found = self.model.challenges.get(int(number))
        if not found or found.authz.account is not signed.account:
            raise Problem("malformed", "no such challenge", status=404)
        if not signed.is_get():
            if signed.envelope.json():
                raise Problem("malformed", "the answer to a challenge is an empty object")
            if found.authz.status != "pending":
                raise Problem("malformed", f"the authorization is {found.authz.status}")
            if found.status == "pending":
                found.status = "processing"
                if self.settings.validation != "never":
                    self._later(self.settings.validation_ms, lambda: self._validate(base, found))
        links = [("Link", f'<{base}/authz/{found.authz.id}>;rel="up"'), *self._paced(found.status == "processing")]
        return Reply(200, self._challenge_body(base, found), headers=links)

    async def _validate(self, base, challenge):
        error = await validate.challenge_error(challenge, f"{base}/account/{challenge.authz.account.id}", self.settings)
        challenge.error = error
        challenge.status = challenge.authz.status = "invalid" if error else "valid"
        challenge.validated = 0.0 if error else time.time()

    # -- issuing

    @staticmethod
    def _csr_names(csr):
        names = {a.value.lower() for a in csr.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)}
        try:
            alternatives = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            if len(alternatives) != len(alternatives.get_values_for_type(x509.DNSName)):
                raise Problem("badCSR", "the CSR has other names than DNS names")
            names |= {name.lower() for name in alternatives.get_values_for_type(x509.DNSName)}
        except x509.ExtensionNotFound:
            pass
        return names

    def _check_csr(self, order, payload):
        try:
            csr = x509.load_der_x509_csr(jws.decode(payload.get("csr"), "the CSR"))
        except ValueError:
            raise Problem("badCSR", "the CSR cannot be read") from None
        if not csr.is_signature_valid:
            raise Problem("badCSR", "the CSR's signature does not verify")
        if self._csr_names(csr) != set(order.names):
            raise Problem("badCSR", f"the CSR is for {sorted(self._csr_names(csr))}, the order for {sorted(order.names)}")
        if jws.same_key(csr.public_key(), order.account.key):
            raise Problem("badCSR", "the CSR has the account's key")
        if isinstance(csr.public_key(), rsa.RSAPublicKey) and csr.public_key().key_size not in (2048, 3072, 4096):
            raise Problem("badPublicKey", "RSA keys must have 2048, 3072 or 4096 bits")
        return csr

    def _finalize(self, base, signed, number):
        order = self._find(self.model.orders, number, signed)
        if order.status != "ready":
            raise Problem("orderNotReady", f"the order is {order.status}")
        csr = self._check_csr(order, signed.envelope.json())
        order.finalizing = "processing"
        if self.settings.processing_ms == 0:
            self._issue(order, csr)
        else:
            async def issue():
                self._issue(order, csr)
            self._later(self.settings.processing_ms, issue)
        return self._order_reply(base, order)

    def _issue(self, order, csr):
        if self.settings.order_fails:
            order.finalizing = "invalid"
            order.error = document(self.settings.order_fails, self.settings.validation_detail, status=403)
            return
        lifetime = self.settings.profiles.get(order.profile, self.settings.lifetime)
        leaf = self.pki.issue(csr.public_key(), order.names, self.settings.backdate, lifetime)
        order.certificate = self.model.put(self.model.certificates, model.Certificate, account=order.account, leaf=leaf,
                                           cert_id=pki.cert_id(leaf))
        order.finalizing = "valid"
        predecessor = self.model.certificate_by_cert_id(order.replaces)
        if predecessor:
            predecessor.replaced = True

    def _certificate(self, base, signed, number, alternate):
        found = self._find(self.model.certificates, number, signed)
        which = int(alternate or 0)
        if which > self.settings.alternates:
            raise Problem("malformed", "no such chain", status=404)
        links = [("Link", f'<{base}/certificate/{found.id}{f"/{n}" if n else ""}>;rel="alternate"')
                 for n in range(1 + self.settings.alternates) if n != which]
        return Reply(200, pki.pem(*self.pki.chain(found.leaf, which)), PEM_TYPE, links)

    def bent_certificate(self, number, alternate, form):
        """The certificate's resource in another FORM (pki.FORMS)."""
        leaf = self.model.certificates[int(number)].leaf
        return pki.FORMS[form](self.pki, leaf, self.pki.chain(leaf, int(alternate or 0)))

    def _revoke(self, _base, signed):
        payload = signed.envelope.json()
        der = jws.decode(payload.get("certificate"), "the certificate")
        found = next((c for c in self.model.certificates.values() if c.leaf.public_bytes(serialization.Encoding.DER) == der), None)
        if not found:
            raise Problem("malformed", "the certificate is none of ours", status=404)
        reason = payload.get("reason", 0)
        if isinstance(reason, bool) or reason not in REASONS:
            raise Problem("badRevocationReason", f"no reason {reason!r} here")
        if signed.account is not found.account and not jws.same_key(signed.key, found.leaf.public_key()):
            raise Problem("unauthorized", "neither the account's key nor the certificate's")
        if found.revoked is not None:
            raise Problem("alreadyRevoked", "the certificate has been revoked already")
        found.revoked = reason
        return Reply(200)

    # -- RFC 9773

    def _renewal_info(self, _base, _signed, cert_id):
        found = self.model.certificate_by_cert_id(cert_id)
        if not self.settings.ari or not found:
            raise Problem("malformed", "no such certificate", status=404)
        now = time.time()
        begin, end = (calendar.timegm(t.timetuple()) for t in (found.leaf.not_valid_before, found.leaf.not_valid_after))
        window = [begin + (end - begin) * 0.66, begin + (end - begin) * 0.68]
        if self.settings.ari_window:
            window = [now + offset for offset in self.settings.ari_window]
        if found.revoked is not None:
            window = [now - 3600, now - 1800]
        body = {"suggestedWindow": {"start": model.rfc3339(window[0]), "end": model.rfc3339(window[1])}}
        if self.settings.ari_explanation:
            body["explanationURL"] = self.settings.ari_explanation
        headers = [("Retry-After", self.settings.ari_retry_after)] if self.settings.ari_retry_after else []
        return Reply(200, body, headers=headers)


def describe(resources, base):
    """What the control port shows of it."""
    table = resources.model
    return {
        "accounts": [{"url": f"{base}/account/{a.id}", "status": a.status, "contacts": a.contacts, "thumbprint": jws.thumbprint(a.jwk)}
                     for a in table.accounts.values()],
        "orders": [{"url": f"{base}/order/{o.id}", "status": o.status, "names": o.names, "profile": o.profile, "replaces": o.replaces,
                    "account": o.account.id, "authzs": [a.id for a in o.authzs]} for o in table.orders.values()],
        "authzs": [{"id": a.id, "domain": a.domain, "wildcard": a.wildcard, "status": a.status} for a in table.authzs.values()],
        "certificates": [{"id": c.id, "serial": f"{c.leaf.serial_number:X}", "cert_id": c.cert_id, "revoked": c.revoked, "replaced": c.replaced,
                          "pem": pki.pem(c.leaf).decode()} for c in table.certificates.values()],
    }
