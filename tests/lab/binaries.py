"""Which programs the lab runs: those of the system, and newer ones that fetch-newer unpacked (its newer.json says which)."""

import json
import os
import shutil
import subprocess

SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
PYTHON = "/usr/bin/python3"
NEEDED = ("knotd", "knotc", "unbound", "pebble", "ip", "openssl", "unshare", "nsenter", "mount", "nft")
NEEDED_TO_SIGN = ("keymgr", "kzonesign")


def cache_dir():
    """Where fetch-newer unpacks to; never inside the source tree."""
    named = os.environ.get("ACME_DME_LAB_CACHE")
    if named:
        return named
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(base, "acme-dme-lab")


def newer():
    """What fetch-newer found: package -> {"suite", "version", "root", "path"} (path: the program, may be absent); {} if it never ran."""
    try:
        with open(os.path.join(cache_dir(), "newer.json"), encoding="utf-8") as f:
            return {k: v for k, v in json.load(f)["packages"].items() if os.path.exists(v.get("path") or v["root"])}
    except (OSError, ValueError, KeyError):
        return {}


def find(name):
    return shutil.which(name, path=SYSTEM_PATH)


def versions(name):
    """All there are of a program, newest first: [(label, path)]."""
    found = []
    entry = newer().get(name)
    if entry and entry.get("path"):
        found.append((f"{entry['version']} ({entry['suite']})", entry["path"]))
    system = find(name)
    if system:
        found.append((f"{package_version(name)} (system)", system))
    return found


def package_version(package):
    done = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else "unknown"


def missing(signing=False):
    """What must be installed before a lab (SIGNING: one with DNSSEC) can start."""
    lacking = [name for name in (NEEDED + NEEDED_TO_SIGN if signing else NEEDED) if not find(name)]
    if not os.path.exists(PYTHON):
        lacking.append(PYTHON)
    return lacking
