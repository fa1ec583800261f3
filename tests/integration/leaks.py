"""What must show up nowhere, looked for in all that the program said and wrote in the whole session.

Every Result of a lab (lab.run(), program.run() ...), what the real clients' recorder saw, and the files that the program writes itself
(its state, its logs) are handed in.  After each test they are searched for what is known by then, and at the end of a lab once more for
what became known later.  Looked for, as they are and hidden in base64, base64url, hexadecimal, percent and backslash codes:

  the API's keys and secrets                      in everything, clients' output included
  every signature that the simulator was sent     the same
  private keys: as PEM, and the bodies of all     the same, but where the program keeps its keys
    keys that lie in the lab
  key authorizations: anything shaped like one,   in what the program said or wrote; clients may show their own
    and the thumbprints of all account keys
"""

import base64
import hashlib
import json
import os
import re
import subprocess
import urllib.parse

from lab import plan

#: Where the program keeps private keys: there they must be, and nowhere else.
# Below certs/ it is a second name of the file in archive/, where there are no symbolic links.
KEY_HOME = re.compile(r"/(accounts/[^/]+\.key[^/]*|orders/[^/]+\.key[^/]*|(archive/.+|certs/[^/]+)/(privkey\.pem|combined\.pem|privkey\.der|certificate\.pfx))\Z")
HIDDEN = "[…]"
AROUND = 60
FILE_MAX = 4 << 20
KEY_FILE_MAX = 64 << 10

API_TEXTS = {"API key": (plan.API_KEY, plan.OTHER_KEY, plan.SANDBOX_KEY), "API secret": (plan.API_SECRET, plan.OTHER_SECRET, plan.SANDBOX_SECRET)}
KEYAUTH = re.compile(r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{20,128}\.([A-Za-z0-9_-]{43})(?![A-Za-z0-9_-])")
PEM_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
SIGNATURE = re.compile(r"(?=([0-9a-f]{40}))")

BASE64_RUN = re.compile(r"[A-Za-z0-9+/_-]{28,}")
HEX_RUN = re.compile(r"[0-9A-Fa-f]{32,}")
BACKSLASH = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u00([0-9A-Fa-f]{2}))")
STANDARD = str.maketrans("-_", "+/")


# -- what a text may hide -----------------------------------------------------------------------------------------------------


def decoded_base64(run):
    for shift in range(4):
        part = run[shift:].translate(STANDARD)
        part = part[:len(part) - (len(part) % 4 == 1)]
        yield base64.b64decode(part + "=" * (-len(part) % 4)).decode("latin-1")


def decoded_hex(run):
    for shift in range(2):
        part = run[shift:]
        yield bytes.fromhex(part[:len(part) // 2 * 2]).decode("latin-1")


def views(text):
    """The text, and what it turns into when somebody decodes parts of it."""
    plain = [text]
    if "%" in text:
        plain.append(urllib.parse.unquote(text, encoding="latin-1"))
    if "\\" in text:
        plain.append(BACKSLASH.sub(lambda m: chr(int(m[1] or m[2], 16)), text))
    yield from plain
    for view in plain:
        for run in BASE64_RUN.findall(view):
            yield from decoded_base64(run)
        for run in HEX_RUN.findall(view):
            yield from decoded_hex(run)


# -- what keys there are ------------------------------------------------------------------------------------------------------


def b64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def number(n):
    return b64url(n.to_bytes((n.bit_length() + 7) // 8, "big"))


def jwk_thumbprint(jwk):
    """RFC 7638."""
    wanted = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}.get(jwk.get("kty"), ())
    if not wanted or not all(isinstance(jwk.get(name), str) for name in wanted):
        return None
    return b64url(hashlib.sha256(json.dumps({k: jwk[k] for k in wanted}, separators=(",", ":"), sort_keys=True).encode()).digest())


def openssl(*args):
    done = subprocess.run(["openssl", *args], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else b""


def pem_thumbprint(path):
    modulus = openssl("rsa", "-in", path, "-noout", "-modulus")
    if modulus.startswith(b"Modulus="):
        return jwk_thumbprint({"kty": "RSA", "e": "AQAB", "n": number(int(modulus[8:], 16))})
    point = openssl("ec", "-in", path, "-pubout", "-outform", "DER", "-conv_form", "uncompressed")
    for curve, size in (("P-256", 32), ("P-384", 48)):
        if len(point) > 2 * size and point[-2 * size - 1] == 4 and len(point) < 2 * size + 32:
            return jwk_thumbprint({"kty": "EC", "crv": curve, "x": b64url(point[-2 * size:-size]), "y": b64url(point[-size:])})
    return None


def find_jwks(value):
    if isinstance(value, dict):
        if "kty" in value:
            yield value
        value = list(value.values())
    for item in value if isinstance(value, list) else ():
        yield from find_jwks(item)


def keys_below(directory):
    """(thumbprints, telling lines of private keys) of all that lies in the directory."""
    thumbprints, bodies = set(), set()
    for path in walk(directory):
        text = read(path, KEY_FILE_MAX)
        if PEM_KEY.search(text):
            body = text.partition("PRIVATE KEY-----")[2].partition("-----END")[0].split()
            bodies.update(line for line in body[1:] if len(line) >= 32)  # the first line is the same for all keys of a kind
            thumbprints.add(pem_thumbprint(path))
        elif '"kty"' in text:
            for jwk in find_jwks(parse(text)):
                thumbprints.add(jwk_thumbprint(jwk))
                bodies.update([jwk["d"]] if isinstance(jwk.get("d"), str) else [])
    return thumbprints - {None}, bodies


def parse(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def walk(directory):
    for base, _, names in os.walk(directory):
        for name in names:
            yield os.path.join(base, name)


def read(path, limit):
    """What the file begins with; nothing of what is no file."""
    try:
        if os.path.islink(path) or not os.path.isfile(path):
            return ""
        with open(path, "rb") as f:
            return f.read(limit).decode("utf-8", "replace")
    except OSError:
        return ""


# -- the watch ----------------------------------------------------------------------------------------------------------------


class Watch:
    """Everything that was said and written, and everything that must not be in it."""

    def __init__(self):
        self.texts = {}          # digest: (where, is ours, text)
        self.fresh = []          # digests that were not searched yet
        self.signatures = set()
        self.thumbprints = set()
        self.bodies = set()
        self.told = set()
        self.learnt = set()      # files with keys
        self.files = {}          # path of signatures: how far it was read
        self.places = []         # paths that the program under test writes to
        self.found = []

    # -- what there is

    def text(self, where, text, ours=True):
        """Something was said or written; OURS: by the program under test, and by nobody else."""
        key = hashlib.sha256(repr((ours, text)).encode("utf-8", "surrogatepass")).digest()
        if text and key not in self.texts:
            self.texts[key] = (where, ours, text)
            self.fresh.append(key)

    def result(self, result, ours):
        """A program ended.  A key authorization that it was given is one that it must not show."""
        self.text(repr(result.argv), result.stdout + "\n" + result.stderr, ours)
        for word in result.argv:
            self.thumbprints.update(KEYAUTH.findall(word))

    def place(self, path):
        """A file or directory that the program writes."""
        if path not in self.places:
            self.places.append(path)

    def calls(self, path):
        """What the recorder of a real client's hook noted, a JSON object a line."""
        for line in read(path, FILE_MAX).splitlines():
            call = parse(line)
            if call:
                self.text(f"{path}: {call['argv'][:1]}", call["stdout"] + "\n" + call["stderr"])
                for word in call["argv"]:
                    self.thumbprints.update(KEYAUTH.findall(word))

    def lab(self, lab):
        """Learn the signatures that the lab's simulator was sent since the last time."""
        if os.path.exists(lab.signatures):
            with open(lab.signatures, encoding="ascii", errors="replace") as f:
                f.seek(self.files.get(lab.signatures, 0))
                self.signatures.update(f.read().split())
                self.files[lab.signatures] = f.tell()

    def lab_ends(self, lab):
        """Its keys are about to go."""
        self.lab(lab)
        thumbprints, bodies = keys_below(lab.work)
        self.thumbprints |= thumbprints
        self.bodies |= bodies

    # -- the search

    def _say(self, where, what, view, begin, length):
        around = view[max(0, begin - AROUND):begin] + HIDDEN + view[begin + length:begin + length + AROUND]
        line = f"{what} is in {where}: {around!r}"
        if line not in self.told:
            self.told.add(line)
            self.found.append(line)

    def _search(self, where, ours, text):
        literals = [(what, word, True) for what, words in API_TEXTS.items() for word in words]
        literals += [(what, word.replace("-", ""), True) for what, word, _ in literals]
        literals += [("a private key", body, False) for body in self.bodies]
        literals += [("an account's thumbprint", thumbprint, False) for thumbprint in self.thumbprints] if ours else []
        for view in views(text):
            lower = view.lower()
            for what, word, any_case in literals:
                at = lower.find(word.lower()) if any_case else view.find(word)
                if at >= 0:
                    self._say(where, what, view, at, len(word))
            for match in PEM_KEY.finditer(view):
                self._say(where, "a private key", view, match.start(), len(match[0]))
            for match in SIGNATURE.finditer(lower):
                if match[1] in self.signatures:
                    self._say(where, "a signature", view, match.start(), 40)
            for match in KEYAUTH.finditer(view) if ours else ():
                self._say(where, "a key authorization", view, match.start(), len(match[0]))

    def search(self):
        """What is found in what is new, a line each."""
        for place in self.places:
            for path in walk(place) if os.path.isdir(place) else [place]:
                if KEY_HOME.search(path):
                    self._learn(path)
                else:
                    self.text(path, read(path, FILE_MAX))
        fresh, self.fresh, self.found = self.fresh, [], []
        for key in fresh:
            self._search(*self.texts[key])
        return self.found

    def _learn(self, path):
        """A key of the program's is something to look for in everything else."""
        if path in self.learnt or not path.endswith(("privkey.pem", ".key")):
            return
        self.learnt.add(path)
        body = read(path, KEY_FILE_MAX).partition("PRIVATE KEY-----")[2].partition("-----END")[0].split()
        self.bodies.update(line for line in body[1:] if len(line) >= 32)
        self.thumbprints.update({pem_thumbprint(path)} - {None})

    def search_all(self):
        """The same in everything, with all that is known now."""
        self.fresh = list(self.texts)
        return self.search()


WATCH = Watch()
