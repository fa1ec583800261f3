"""The watch over secrets finds what is planted, in every disguise, and fails the session."""

import base64
import json
import os
import subprocess
import urllib.parse

import pytest

from lab import binaries, plan
from lab.lab import Result
from leaks import Watch, b64url, jwk_thumbprint, keys_below, pem_thumbprint

HERE = os.path.dirname(os.path.abspath(__file__))
SIGNATURE = "b3502e6116a324f3cf4a8ed693d78bcee8d8fe3c"
THUMBPRINT = "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"
KEYAUTH = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA." + THUMBPRINT

DISGUISES = {
    "plain": lambda s: s,
    "upper": lambda s: s.upper(),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64, behind something": lambda s: base64.b64encode(b"u:" + s.encode()).decode(),
    "base64url, without padding": lambda s: b64url(b"\xff\xfe" + s.encode()),
    "base64, glued to a word": lambda s: "xyz" + base64.b64encode(s.encode()).decode(),
    "hex": lambda s: s.encode().hex(),
    "HEX": lambda s: s.encode().hex().upper(),
    "percent": lambda s: "".join(f"%{b:02x}" for b in s.encode()),
    "quoted": lambda s: urllib.parse.quote(s, safe=""),
    "json": lambda s: "".join(f"\\u{ord(c):04x}" for c in s),
    "backslash": lambda s: "".join(f"\\x{ord(c):02x}" for c in s),
}


def found(text, ours=True):
    watch = Watch()
    watch.signatures.add(SIGNATURE)
    watch.thumbprints.add(THUMBPRINT)
    watch.text("a place", f"before {text} behind", ours)
    return watch.search()


SECRETS = {"key": plan.API_KEY, "secret": plan.API_SECRET, "sandbox's secret": plan.SANDBOX_SECRET, "other secret": plan.OTHER_SECRET,
           "signature": SIGNATURE, "thumbprint": THUMBPRINT, "key authorization": KEYAUTH}
CASE_COUNTS = ("thumbprint", "key authorization")


@pytest.mark.parametrize(("name", "disguise"), [(n, d) for n in SECRETS for d in DISGUISES if not (d == "upper" and n in CASE_COUNTS)])
def test_a_secret_is_found_in_every_disguise(name, disguise):
    secret = SECRETS[name]
    lines = found(DISGUISES[disguise](secret))
    assert lines and all("a place" in line for line in lines)
    assert not any(secret in line for line in lines)


def test_a_secret_without_its_dashes_is_found():
    assert found(plan.API_SECRET.replace("-", ""))


def test_what_looks_alike_is_none():
    text = " ".join(["12345678-a8f8-4466-ffff-2324aaaa9098", "a" * 40, "hFW8fRxYb-p6oP1oCBbEA9lIFfzwkbPNPyG9Hqjv2OQ", "fingerprint 1a2b3c4d",
                     "_acme-challenge.host.example.com", "https://api.dnsmadeeasy.com/V2.0/dns/managed/6871000/records/131517074",
                     "-----BEGIN CERTIFICATE-----", "/tmp/acme-dme-lab.dow4ny_j/dirs/1-acme-dme/acme-dme.yaml:10:14"])
    assert found(text) == []


def test_clients_may_show_their_own_key_authorizations_but_nothing_else():
    assert found(KEYAUTH, ours=False) == []
    assert found(plan.API_SECRET, ours=False) and found(SIGNATURE, ours=False)


@pytest.mark.parametrize("kind", [["ec", "ec_paramgen_curve:P-256"], ["ec", "ec_paramgen_curve:P-384"], ["rsa", "rsa_keygen_bits:2048"]],
                         ids=["P-256", "P-384", "RSA"])
def test_private_keys_that_lie_about_are_learnt(tmp_path, kind):
    path = tmp_path / "sub" / ".key.pem"
    path.parent.mkdir()
    subprocess.run(["openssl", "genpkey", "-algorithm", kind[0], "-pkeyopt", kind[1], "-out", path], check=True, capture_output=True)
    thumbprints, bodies = keys_below(tmp_path)
    assert len(thumbprints) == 1 and thumbprints == {pem_thumbprint(path)}
    pem = path.read_text()
    watch = Watch()
    watch.bodies, watch.thumbprints = bodies, thumbprints
    for number, text in enumerate([pem, pem.replace("\n", ""), "\n".join(pem.splitlines()[2:-1]), f"x {thumbprints.copy().pop()} y"]):
        watch.text(str(number), text)
        assert watch.search(), number


def test_accounts_of_json_are_learnt(tmp_path):
    """RFC 7638 section 3.1."""
    jwk = {"kty": "RSA", "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn6"
           "4tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdk"
           "t-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw", "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"}
    assert jwk_thumbprint(jwk) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    (tmp_path / "private_key.json").write_text(json.dumps({"account": [{**jwk, "d": "X4cTteJY_gn4FYPsXB8rdXix5vwsg1FLN5E3EaG6RJoVH"}]}))
    assert keys_below(tmp_path) == ({jwk_thumbprint(jwk)}, {"X4cTteJY_gn4FYPsXB8rdXix5vwsg1FLN5E3EaG6RJoVH"})


def test_a_key_authorization_that_a_client_hands_over_is_learnt():
    watch = Watch()
    watch.text("said before", f"what is {THUMBPRINT}?")
    assert watch.search() == []
    watch.result(Result(["acme-dme", "present", "--", "host.example.com", "token", KEYAUTH], 0, "", "", 0.1, False), ours=True)
    assert watch.search() == []
    assert watch.search_all()


LEAKS = {
    "says": 'echo "the secret is $secret" >&2',
    "hides": 'printf %s "u:$secret" | base64 >&2',
    "prints": 'echo "$secret"',
    "stores": 'mkdir -p "$state" && echo "{\\"x\\": \\"$secret\\"}" >"$state/x.json"',
}


@pytest.mark.parametrize(("leak", "workers"), [*((leak, []) for leak in LEAKS), ("says", ["-n", "2"])], ids=[*LEAKS, "xdist"])
def test_a_program_that_gives_a_secret_away_fails_the_session(tmp_path, leak, workers):
    program = tmp_path / "acme-dme"
    program.write_text(f"""#!/bin/sh
secret=$(sed -n 's/.*api_secret: //p' "$ACME_DME_CONFIG")
state=$(sed -n 's/^state_dir: //p' "$ACME_DME_CONFIG")
test "$4" = 2 || exit 0
{LEAKS[leak]}
""")
    program.chmod(0o755)
    env = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    done = subprocess.run([binaries.PYTHON, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", *workers, os.path.join(HERE, "planted.py")],
                          env={**env, "ACME_DME": str(program)}, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd=HERE)
    assert done.returncode == 1, done.stdout
    assert "secrets showed up" in done.stdout and "API secret is in" in done.stdout, done.stdout
    assert "test_that_does_not_look_at_what_is_said[2]" in done.stdout and "4 passed" in done.stdout, done.stdout
    assert plan.API_SECRET not in done.stdout.split("short test summary")[1]
