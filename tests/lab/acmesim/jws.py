"""Who signed a request: flattened JWS (RFC 7515) as RFC 8555 narrows it down."""

import base64
import hashlib
import hmac
import json
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from .problem import Problem

CURVES = {"P-256": (ec.SECP256R1, "ES256", hashes.SHA256, 32), "P-384": (ec.SECP384R1, "ES384", hashes.SHA384, 48),
          "P-521": (ec.SECP521R1, "ES512", hashes.SHA512, 66)}
MACS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}
SIGNATURES = ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"]
BASE64URL = re.compile(r"[A-Za-z0-9_-]*\Z")


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text, what="a member"):
    """Base64url without padding, and nothing else (RFC 8555 section 6.1)."""
    if not isinstance(text, str) or not BASE64URL.match(text) or len(text) % 4 == 1:
        raise Problem("malformed", f"{what} is no base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def thumbprint(jwk):
    """RFC 7638."""
    wanted = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x")}[jwk["kty"]]
    return encode(hashlib.sha256(json.dumps({k: jwk[k] for k in wanted}, separators=(",", ":"), sort_keys=True).encode()).digest())


def number(text):
    return int.from_bytes(decode(text, "a number of the key"), "big")


def public_key(jwk):
    """The key that a JWK stands for; badPublicKey if it is none that we take."""
    try:
        if jwk["kty"] == "EC":
            curve, _, _, size = CURVES[jwk["crv"]]
            if {len(decode(jwk[c])) for c in "xy"} != {size}:
                raise Problem("badPublicKey", "a coordinate has not the curve's size")
            return ec.EllipticCurvePublicNumbers(number(jwk["x"]), number(jwk["y"]), curve()).public_key()
        if jwk["kty"] == "RSA":
            key = rsa.RSAPublicNumbers(number(jwk["e"]), number(jwk["n"])).public_key()
            if key.key_size < 2048:
                raise Problem("badPublicKey", "an RSA key of less than 2048 bits")
            return key
        if jwk["kty"] == "OKP" and jwk["crv"] == "Ed25519":
            return ed25519.Ed25519PublicKey.from_public_bytes(decode(jwk["x"]))
    except (KeyError, TypeError, ValueError) as error:
        raise Problem("badPublicKey", f"the key cannot be read: {error!r}") from None
    raise Problem("badPublicKey", "no such kind of key here")


def same_key(key, other):
    kind = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return key.public_bytes(*kind) == other.public_bytes(*kind)


def _verify(key, alg, signature, data):
    if isinstance(key, ec.EllipticCurvePublicKey):
        wanted = next(row for row in CURVES.values() if row[0].name == key.curve.name)
        if alg != wanted[1]:
            raise Problem("badSignatureAlgorithm", f"{alg} does not go with the key", algorithms=SIGNATURES)
        if len(signature) != 2 * wanted[3]:
            raise Problem("malformed", "the signature has not the curve's size")
        half = wanted[3]
        der = encode_dss_signature(int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
        key.verify(der, data, ec.ECDSA(wanted[2]()))
    elif isinstance(key, rsa.RSAPublicKey) and alg == "RS256":
        key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
    elif isinstance(key, rsa.RSAPublicKey) and alg == "PS256":
        key.verify(signature, data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    elif isinstance(key, ed25519.Ed25519PublicKey) and alg == "EdDSA":
        key.verify(signature, data)
    else:
        raise Problem("badSignatureAlgorithm", f"{alg} does not go with the key", algorithms=SIGNATURES)


class Jws:
    """A request's envelope, taken apart; nothing of it is to be believed before verify()."""

    def __init__(self, value):
        if isinstance(value, (bytes, str)):
            try:
                value = json.loads(value)
            except ValueError:
                raise Problem("malformed", "the request is no JSON") from None
        if not isinstance(value, dict) or set(value) != {"protected", "payload", "signature"}:
            raise Problem("malformed", "the request is no flattened JWS of protected, payload and signature")
        if not all(isinstance(part, str) for part in value.values()):
            raise Problem("malformed", "a part of the JWS is no text")
        self.data = f"{value['protected']}.{value['payload']}".encode("ascii", "replace")
        self.payload = decode(value["payload"], "the payload")
        self.signature = decode(value["signature"], "the signature")
        try:
            self.protected = json.loads(decode(value["protected"], "the protected header"))
        except ValueError:
            raise Problem("malformed", "the protected header is no JSON") from None
        if not isinstance(self.protected, dict):
            raise Problem("malformed", "the protected header is no object")

    def text(self, name):
        value = self.protected.get(name)
        return value if isinstance(value, str) else ""

    def json(self):
        """The payload as an object; POST-as-GET has none."""
        try:
            value = json.loads(self.payload)
        except ValueError:
            raise Problem("malformed", "the payload is no JSON") from None
        if not isinstance(value, dict):
            raise Problem("malformed", "the payload is no object")
        return value

    def verify(self, key):
        if self.text("alg") not in SIGNATURES:
            raise Problem("badSignatureAlgorithm", f"no signature with {self.text('alg') or 'nothing'} here", algorithms=SIGNATURES)
        try:
            _verify(key, self.text("alg"), self.signature, self.data)
        except InvalidSignature:
            raise Problem("malformed", "the signature does not verify") from None

    def verify_mac(self, key):
        made = MACS.get(self.text("alg"))
        if not made:
            raise Problem("malformed", f"no MAC with {self.text('alg') or 'nothing'} here")
        if not hmac.compare_digest(hmac.new(key, self.data, made).digest(), self.signature):
            raise Problem("unauthorized", "the external account binding does not verify")
