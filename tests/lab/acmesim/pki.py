"""The CA's keys and certificates, and the forms in which a certificate can come that it should not come in."""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .jws import encode

YEAR = 365 * 86400
ROOT, OLD_ROOT, INTERMEDIATE = "acmesim root X1", "acmesim old root", "acmesim E1"
HUGE = 5 << 20


def moment(offset_s):
    return datetime.datetime.utcnow().replace(microsecond=0) + datetime.timedelta(seconds=offset_s)


def pem(*certificates):
    return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates)


def cert_id(certificate):
    """RFC 9773 section 4.1."""
    issuer = certificate.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    serial = certificate.serial_number
    return f"{encode(issuer)}.{encode(serial.to_bytes(serial.bit_length() // 8 + 1, 'big'))}"


class Authority:
    """A name and a key that sign."""

    def __init__(self, name):
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = ec.generate_private_key(ec.SECP256R1())

    def _sign(self, subject, public_key, begin_s, end_s, extensions):
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(public_key)
                   .serial_number(x509.random_serial_number()).not_valid_before(moment(begin_s)).not_valid_after(moment(end_s))
                   .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
                   .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(self.key, hashes.SHA256())

    def sign_ca(self, other):
        usage = x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False, key_encipherment=False,
                              data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False)
        return self._sign(other.name, other.key.public_key(), -YEAR, 9 * YEAR,
                          [(x509.BasicConstraints(ca=True, path_length=None), True), (usage, True)])

    def sign_leaf(self, public_key, names, begin_s, end_s):
        """As CAs do today: no common name, so the alternative names are critical."""
        usage = x509.KeyUsage(digital_signature=True, key_cert_sign=False, crl_sign=False, content_commitment=False, key_encipherment=False,
                              data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False)
        return self._sign(x509.Name([]), public_key, begin_s, end_s,
                          [(x509.BasicConstraints(ca=False, path_length=None), True), (usage, True),
                           (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
                           (x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), True)])


class Pki:
    def __init__(self):
        self.root, self.old_root, self.intermediate = Authority(ROOT), Authority(OLD_ROOT), Authority(INTERMEDIATE)
        self.stranger = Authority("nobody's CA")
        self.root_cert = self.root.sign_ca(self.root)
        self.old_root_cert = self.old_root.sign_ca(self.old_root)
        self.intermediate_cert = self.root.sign_ca(self.intermediate)
        self.cross_cert = self.old_root.sign_ca(self.root)
        self.stranger_cert = self.stranger.sign_ca(self.stranger)

    def issue(self, public_key, names, backdate_s, lifetime_s):
        return self.intermediate.sign_leaf(public_key, names, -backdate_s, lifetime_s - backdate_s)

    def chain(self, leaf, number):
        """0: what is served by default; 1: the alternate that leads to the old root."""
        return [leaf, self.intermediate_cert] + ([self.cross_cert] if number else [])


def private_key(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def other_leaf(pki, leaf, key=None, names=None, begin_s=-3600, end_s=90 * 86400):
    known = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    return pki.intermediate.sign_leaf(key or leaf.public_key(), known if names is None else names, begin_s, end_s)


def _self_signed(leaf):
    own = Authority("self-signed")
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)
    return own.sign_leaf(own.key.public_key(), names, -3600, 90 * 86400)


#: What the certificate's resource serves instead of the chain: form -> function of (Pki, leaf, chain), bytes.
FORMS = {
    "another-key": lambda p, leaf, c: pem(other_leaf(p, leaf, key=p.stranger.key.public_key()), *c[1:]),
    "another-name": lambda p, leaf, c: pem(other_leaf(p, leaf, names=["www.example.org"]), *c[1:]),
    "one-name-more": lambda p, leaf, c: pem(other_leaf(p, leaf, names=[
        *leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName), "www.example.org"]), *c[1:]),
    "expired": lambda p, leaf, c: pem(other_leaf(p, leaf, begin_s=-100 * 86400, end_s=-86400), *c[1:]),
    "not-yet-valid": lambda p, leaf, c: pem(other_leaf(p, leaf, begin_s=30 * 86400, end_s=90 * 86400), *c[1:]),
    "unordered": lambda p, leaf, c: pem(*reversed(c)),
    "unlinked": lambda p, leaf, c: pem(leaf, p.stranger_cert),
    "leaf-only": lambda p, leaf, c: pem(leaf),
    "self-signed": lambda p, leaf, c: pem(_self_signed(leaf)),
    "without-leaf": lambda p, leaf, c: pem(*c[1:]),
    "private-key": lambda p, leaf, c: pem(*c) + private_key(p.stranger.key),
    "private-key-first": lambda p, leaf, c: private_key(p.stranger.key) + pem(*c),
    "trailing-garbage": lambda p, leaf, c: pem(*c) + b"\x00\xff\x1b[31m trailing\n",
    "damaged": lambda p, leaf, c: pem(*c).replace(b"\nMII", b"\nAAA", 1),
    "cut": lambda p, leaf, c: pem(*c)[:-60],
    "empty": lambda p, leaf, c: b"",
    "no-pem": lambda p, leaf, c: b"this is no certificate\n",
    "der": lambda p, leaf, c: leaf.public_bytes(serialization.Encoding.DER),
    "huge": lambda p, leaf, c: (pem(*c) * (HUGE // len(pem(*c)) + 1)),
    # what must work all the same
    "crlf": lambda p, leaf, c: pem(*c).replace(b"\n", b"\r\n"),
    "with-root": lambda p, leaf, c: pem(*c, p.root_cert),
    "blank-lines": lambda p, leaf, c: pem(*c).replace(b"-----END CERTIFICATE-----\n", b"-----END CERTIFICATE-----\n\n"),
}
