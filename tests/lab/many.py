"""A state directory with any number of certificates, fabricated: what runs over thousands of them are measured and tested with.

    make("/tmp/state", 10_000, directory="https://ca.example/dir")        # none is due
    make("/tmp/state", 1_000, zones=["a.test", "b.test"], left=-1)        # all have expired

The certificate itself is the same in all of them, made once by the openssl command; the records are as acme-dme writes them, so that it
reads them as its own.  As a program: python3 -m lab.many STATE COUNT [--due]
"""

import argparse
import hashlib
import json
import os
import subprocess
import tempfile
import time

DAY = 86400
GENERATION = 1
CODEC_VERSION = 2  # src/store/internal.h


def compact(members):
    return json.dumps(members, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def with_checksum(members):
    """The text of a file of the state directory: src/store/checksum.c."""
    return compact({**members, "checksum": hashlib.sha256(compact(members).encode()).hexdigest()[:16]}) + "\n"


def record(name, domains, directory, *, begin, end, **members):
    """What renewal/<name>.json holds of a certificate that is valid from BEGIN to END, in seconds."""
    return {"version": CODEC_VERSION, "name": name, "domains": domains, "settings": [], "directory": directory, "ari_id": "",
            "generation": GENERATION, "issued_ms": int(begin * 1000), "not_before_s": int(begin), "not_after_s": int(end),
            "window_start_ms": 0, "window_end_ms": 0, "drawn_ms": 0, "next_look_ms": 0, "explanation_url": "", "deploy_pending": 0,
            "revoked_ms": 0, "retry_after_ms": 0, "persisted": [], **members}


def template(directory):
    """The files of one generation, made in DIRECTORY."""
    cert, key = (os.path.join(directory, file) for file in ("cert.pem", "privkey.pem"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "90", "-subj", "/CN=many",
                    "-keyout", key, "-out", cert], stdin=subprocess.DEVNULL, capture_output=True, check=True)
    with open(cert, encoding="ascii") as f:
        pem = f.read()
    with open(key, encoding="ascii") as f:
        private = f.read()
    return {"cert.pem": (pem, 0o644), "chain.pem": (pem, 0o644), "fullchain.pem": (pem + pem, 0o644), "privkey.pem": (private, 0o600)}


def write(path, text, mode=0o600):
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as f:
        f.write(text)
        os.fchmod(f.fileno(), mode)


def make_files(state, name, files):
    generation = os.path.join(state, "archive", name, f"{GENERATION:08d}")
    os.makedirs(generation, 0o700)
    for file, (text, mode) in files.items():
        write(os.path.join(generation, file), text, mode)
    os.symlink(f"../archive/{name}/{GENERATION:08d}", os.path.join(state, "certs", name))


def make(state, count, *, zones=("example.com",), directory, lifetime=90 * DAY, left=80 * DAY, prefix="m", with_files=True, **members):
    """COUNT certificates of one name each, spread over ZONES, LEFT seconds of their LIFETIME left.  MEMBERS go into each record.  Returns
    their names, which are those of the certificates, too."""
    for part in ("", "renewal", "archive", "certs"):
        os.makedirs(os.path.join(state, part), 0o700, exist_ok=True)
    end = time.time() + left
    names = [f"{prefix}{i:05d}.{zones[i % len(zones)]}" for i in range(count)]
    with tempfile.TemporaryDirectory() as scratch:
        files = template(scratch) if with_files else {}
    for name in names:
        made = record(name, [name], directory, begin=end - lifetime, end=end, **members)
        write(os.path.join(state, "renewal", name + ".json"), with_checksum(made))
        if with_files:
            make_files(state, name, files)
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("state")
    parser.add_argument("count", type=int)
    parser.add_argument("--directory", default="https://ca.example/directory", help="of the CA")
    parser.add_argument("--due", action="store_true", help="all have expired")
    options = parser.parse_args()
    make(options.state, options.count, directory=options.directory, left=-DAY if options.due else 80 * DAY)


if __name__ == "__main__":
    main()
