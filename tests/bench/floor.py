#!/usr/bin/python3
"""The floor: only what no ACME client can leave out on its way to a certificate by dns-01 through DNS Made Easy.

    floor.py CONFIG.json register               an account, kept in the directory "home"
    floor.py CONFIG.json issue TOOK NAME...     a certificate; writes the seconds from the first request on into the file TOOK

One connection to the CA and one to the API, each kept; one look-up of the zone, one createMulti, one DELETE; the name servers are
asked every 0.1 s; the CA is asked when its Retry-After says so.  No retries, no records of what was done: a yardstick, not a
client.
"""

import base64
import email.utils
import hashlib
import hmac
import http.client
import json
import os
import ssl
import sys
import time
import urllib.parse

import dns.message
import dns.query
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

LOOK_EVERY_S = 0.1
# Where the CA says nothing: its validations take about this long, and whoever asks at once waits for a whole Retry-After.
POLL_S = 0.2


def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def dumps(value):
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def retry_after(headers):
    """Seconds that the CA asks for, as a number or (Pebble: one or the other, by chance) as a date by its own clock."""
    text = headers["Retry-After"]
    if not text:
        return POLL_S
    if text.isdigit():
        return float(text)
    until, now = (email.utils.parsedate_to_datetime(t) for t in (text, headers["Date"]))
    return max(0.0, (until - now).total_seconds())


class Server:
    """A connection that is kept."""

    def __init__(self, url, ca_file):
        self.connection = http.client.HTTPSConnection(urllib.parse.urlsplit(url).netloc, timeout=30,
                                                      context=ssl.create_default_context(cafile=ca_file))

    def ask(self, method, url, body=None, headers=None):
        """(headers, body) of a success."""
        at = urllib.parse.urlsplit(url)
        self.connection.request(method, at.path + ("?" + at.query if at.query else ""), body=body,
                                headers={"User-Agent": "acme-dme-floor", **(headers or {})})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {url}: {answer.status} {text.decode()}")
        return answer.headers, text


class Acme:
    """The CA, with the account's key."""

    def __init__(self, config):
        self.server = Server(config["directory"], config["ca_file"])
        self.directory = json.loads(self.server.ask("GET", config["directory"])[1])
        self.nonce = self.server.ask("HEAD", self.directory["newNonce"])[0]["Replay-Nonce"]
        self.account = None
        self.key_file, self.account_file = (os.path.join(config["home"], name) for name in ("account.pem", "account.url"))

    def register(self):
        self.use(ec.generate_private_key(ec.SECP256R1()))
        headers, _ = self.post(self.directory["newAccount"], {"termsOfServiceAgreed": True})
        with open(self.key_file, "wb") as f:
            f.write(self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        with open(self.account_file, "w", encoding="ascii") as f:
            f.write(headers["Location"])

    def load(self):
        with open(self.key_file, "rb") as f:
            self.use(serialization.load_pem_private_key(f.read(), None))
        with open(self.account_file, encoding="ascii") as f:
            self.account = f.read()

    def use(self, key):
        self.key = key
        public = key.public_key().public_numbers()
        self.jwk = {"crv": "P-256", "kty": "EC", "x": b64(public.x.to_bytes(32, "big")), "y": b64(public.y.to_bytes(32, "big"))}

    def post(self, url, payload=None):
        """Without a payload: POST-as-GET."""
        who = {"kid": self.account} if self.account else {"jwk": self.jwk}
        protected = b64(dumps({"alg": "ES256", "nonce": self.nonce, "url": url, **who}))
        content = b64(dumps(payload)) if payload is not None else ""
        r, s = utils.decode_dss_signature(self.key.sign(f"{protected}.{content}".encode(), ec.ECDSA(hashes.SHA256())))
        signature = b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
        headers, body = self.server.ask("POST", url, dumps({"protected": protected, "payload": content, "signature": signature}),
                                        {"Content-Type": "application/jose+json"})
        self.nonce = headers["Replay-Nonce"]
        return headers, body

    def poll(self, url, until, headers):
        """The order, once it has that status.  HEADERS: of the answer that set the CA to work."""
        while True:
            time.sleep(retry_after(headers))
            headers, body = self.post(url)
            order = json.loads(body)
            if order["status"] == until:
                return order
            if order["status"] not in ("pending", "processing"):
                raise SystemExit(f"order: {body.decode()}")

    def value(self, token):
        """What the TXT record has to hold."""
        thumbprint = b64(hashlib.sha256(dumps(self.jwk)).digest())
        return b64(hashlib.sha256(f"{token}.{thumbprint}".encode()).digest())


class Api:
    """DNS Made Easy."""

    def __init__(self, config):
        self.config = config
        self.server = Server(config["api"], config["ca_file"])

    def ask(self, method, path, body=None):
        date = email.utils.formatdate(usegmt=True)
        digest = hmac.new(self.config["secret"].encode(), date.encode(), hashlib.sha1).hexdigest()
        headers = {"x-dnsme-apiKey": self.config["key"], "x-dnsme-requestDate": date, "x-dnsme-hmac": digest,
                   "Content-Type": "application/json"}
        return self.server.ask(method, self.config["api"] + path, body, headers)[1]

    def publish(self, zone, records):
        """RECORDS: [(full name, value)].  Returns what withdraw() wants."""
        number = json.loads(self.ask("GET", f"/dns/managed/name?domainname={zone}"))["id"]
        made = self.ask("POST", f"/dns/managed/{number}/records/createMulti", dumps(
            [{"name": name.removesuffix("." + zone), "type": "TXT", "value": f'"{value}"', "ttl": 60, "gtdLocation": "DEFAULT"}
             for name, value in records]))
        return number, [record["id"] for record in json.loads(made)]

    def withdraw(self, published):
        number, ids = published
        self.ask("DELETE", f"/dns/managed/{number}/records?" + "&".join(f"ids={i}" for i in ids))


def shows(server, name, value):
    answer = dns.query.udp(dns.message.make_query(name, "TXT"), server, timeout=2)
    return any(value.encode() == b"".join(rd.strings) for rrset in answer.answer for rd in rrset)


def wait_shown(servers, records):
    """Until every server shows every value; each is asked for the first that it does not show yet."""
    unseen = {server: list(records) for server in servers}
    while any(unseen.values()):
        begin = time.monotonic()
        for server, left in unseen.items():
            while left and shows(server, *left[0]):
                left.pop(0)
        if any(unseen.values()):
            time.sleep(max(0, LOOK_EVERY_S - (time.monotonic() - begin)))


def make_request(names):
    """(key, signing request) of the certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    return key, x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(names, False).sign(key, hashes.SHA256())


def issue(config, names):
    acme, api = Acme(config), Api(config)
    acme.load()
    headers, body = acme.post(acme.directory["newOrder"], {"identifiers": [{"type": "dns", "value": name} for name in names]})
    order_url, order = headers["Location"], json.loads(body)
    challenges, records = [], []
    for url in order["authorizations"]:
        authorization = json.loads(acme.post(url)[1])
        challenge = next(c for c in authorization["challenges"] if c["type"] == "dns-01")
        challenges.append(challenge["url"])
        records.append((f"_acme-challenge.{authorization['identifier']['value']}", acme.value(challenge["token"])))
    published = api.publish(config["zone"], records)
    wait_shown(config["servers"], records)
    for url in challenges:
        headers, _ = acme.post(url, {})
    acme.poll(order_url, "ready", headers)
    key, request = make_request(names)
    headers, _ = acme.post(order["finalize"], {"csr": b64(request.public_bytes(serialization.Encoding.DER))})
    chain = acme.post(acme.poll(order_url, "valid", headers)["certificate"])[1]
    api.withdraw(published)
    with open(os.path.join(config["home"], "certificate.pem"), "wb") as f:
        f.write(chain)
    with open(os.path.join(config["home"], "key.pem"), "wb") as f:
        f.write(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        config = json.load(f)
    if sys.argv[2] == "register":
        Acme(config).register()
        return
    begin = time.monotonic()
    issue(config, sys.argv[4:])
    with open(sys.argv[3], "w", encoding="ascii") as f:
        f.write(f"{time.monotonic() - begin:.3f}")


if __name__ == "__main__":
    main()
