"""A hand that signs, for the scripted ACME server's own tests: requests right in every detail but the one that a test spoils."""

import base64
import hashlib
import hmac
import json

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

PROBLEM = "urn:ietf:params:acme:error:"


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def dumps(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


class Answer:
    def __init__(self, answer):
        self.status, self.headers, self.body = answer["status"], answer["headers"], answer["body"]

    def json(self):
        return json.loads(self.body)

    def refused(self, kind, status):
        """A problem document of this type, and a nonce to go on with."""
        assert (self.status, self.json()["type"]) == (status, PROBLEM + kind), (self.status, self.body)
        assert self.json()["status"] == status and self.headers["Content-Type"] == "application/problem+json"
        assert self.headers["Replay-Nonce"]
        return self

    def ok(self, status=200):
        assert self.status == status, (self.status, self.body)
        return self


class Hand:
    """An account key; sign() makes the body of a request, post() sends it."""

    def __init__(self, ca):
        self.ca, self.lab = ca, ca.lab
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.kid = None
        self.directory = Answer(self.lab.http("GET", ca.directory)).ok().json()

    def jwk(self):
        point = self.key.public_key().public_numbers()
        return {"kty": "EC", "crv": "P-256", "x": b64(point.x.to_bytes(32, "big")), "y": b64(point.y.to_bytes(32, "big"))}

    def nonce(self):
        return Answer(self.lab.http("HEAD", self.directory["newNonce"])).ok().headers["Replay-Nonce"]

    def signature(self, data):
        r, s = utils.decode_dss_signature(self.key.sign(data, ec.ECDSA(hashes.SHA256())))
        return b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    def sign(self, to, payload, without=(), **header):
        """The JWS for the resource TO; PAYLOAD None: POST-as-GET.  HEADER replaces members of the protected header, WITHOUT takes some out."""
        protected = {"alg": "ES256", "url": to, **({"kid": self.kid} if self.kid else {"jwk": self.jwk()})}
        if "nonce" not in without and "nonce" not in header:
            protected["nonce"] = self.nonce()
        protected = {k: v for k, v in {**protected, **header}.items() if k not in without}
        parts = [b64(dumps(protected)), "" if payload is None else b64(dumps(payload))]
        return {"protected": parts[0], "payload": parts[1], "signature": self.signature(".".join(parts).encode())}

    def send(self, to, jws, content_type="application/jose+json"):
        return Answer(self.lab.http("POST", to, json.dumps(jws), {"Content-Type": content_type}))

    def post(self, to, payload=None, **how):
        return self.send(to, self.sign(to, payload, **how))

    def eab(self, kid, key, alg="HS256", **header):
        protected = b64(dumps({"alg": alg, "kid": kid, "url": self.directory["newAccount"], **header}))
        payload = b64(dumps(self.jwk()))
        made = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[alg]
        mac = hmac.new(base64.urlsafe_b64decode(key + "=" * (-len(key) % 4)), f"{protected}.{payload}".encode(), made).digest()
        return {"protected": protected, "payload": payload, "signature": b64(mac)}

    def register(self, **payload):
        answer = self.post(self.directory["newAccount"], {"termsOfServiceAgreed": True, **payload})
        if answer.status < 300:
            self.kid = answer.headers["Location"]
        return answer

    def order(self, *names, **more):
        return self.post(self.directory["newOrder"], {"identifiers": [{"type": "dns", "value": name} for name in names], **more})

    def prove(self, order):
        """Answers the first challenge of each authorization; the order as it is then.  The CA is to be one that believes everything."""
        for url in order.json()["authorizations"]:
            self.post(self.post(url).ok().json()["challenges"][0]["url"], {}).ok()
        return self.post(order.headers["Location"])

    def csr(self, *names, key=None):
        names = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(names, critical=False)
        return b64(request.sign(key or ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(serialization.Encoding.DER))

    def certificate(self, *names, key=None):
        """(order, PEM text) of a whole issuance."""
        order = self.prove(self.order(*names).ok(201)).json()
        done = self.post(order["finalize"], {"csr": self.csr(*names, key=key)}).ok().json()
        return done, self.post(done["certificate"]).ok()


def der(pem):
    return x509.load_pem_x509_certificate(pem.encode()).public_bytes(serialization.Encoding.DER)
