"""DNSSEC in a lab: keys, what the parents say of them, and zones signed ahead in ways that knotd would not sign them."""

import os
import re
import subprocess
import time

# How a zone is signed, and what its parent says of it.
KINDS = {
    "signed": "by the name servers themselves; DS at the parent",
    "ds-only": "not at all, and DS at the parent",
    "expired": "with signatures that expired weeks ago; DS at the parent",
    "forged": "rightly, but then its SOA was changed; DS at the parent",
    "wrong-ds": "as signed, but DS at the parent names no key of the zone",
}
ALGORITHM = "ecdsap256sha256"
DAY = 86400
SIGNED_AGO = 60 * DAY

POLICY = f"""policy:
  - id: lab
    algorithm: {ALGORITHM}
    single-type-signing: on
    ksk-lifetime: 0
    rrsig-lifetime: 14d
    rrsig-refresh: 7d
    manual: on
"""


class Signing:
    """Keys for each zone of KINDS (zone -> kind), in a directory that every server gets a copy of: they all sign with the same."""

    def __init__(self, binaries, rundir, kinds):
        unknown = set(kinds.values()) - set(KINDS)
        if unknown:
            raise ValueError(f"no such kinds of signing: {unknown}")
        self.kinds = kinds
        self._binaries, self._rundir = binaries, rundir
        self._ds = {}
        self.directory = f"{rundir}/keys"
        self._conf = f"{rundir}/knot.conf"
        os.makedirs(f"{rundir}/out")
        zones = "".join(f"  - domain: {zone}\n" for zone in kinds)
        with open(self._conf, "w", encoding="utf-8") as f:
            f.write(f"""server:
    rundir: {rundir}
database:
    storage: {rundir}
{POLICY}template:
  - id: default
    storage: {rundir}
    file: "zone-%s.txt"
    semantic-checks: off
    dnssec-signing: on
    dnssec-policy: lab
zone:
{zones}""")
        for zone in kinds:
            self._make_key(zone)

    @property
    def by_server(self):
        """Zones that knotd signs, so that changes are signed too."""
        return {zone for zone, kind in self.kinds.items() if kind in ("signed", "wrong-ds")}

    def ds(self, zone):
        """Lines for the parent's zone file; none for a zone without."""
        return self._ds.get(zone, [])

    def presign(self, zone, text):
        """The text of the zone file that servers get."""
        kind = self.kinds.get(zone)
        if kind == "expired":
            return self._sign(zone, text, "-t", str(int(time.time()) - SIGNED_AGO))
        if kind == "forged":
            signed, changes = re.subn(r"(\sSOA\s+\S+\s+\S+\s+)(\d+)", lambda m: m[1] + str(int(m[2]) + 1), self._sign(zone, text), count=1)
            assert changes == 1, signed
            return signed
        return text

    def _run(self, program, *args):
        done = subprocess.run([self._binaries[program], "-c", self._conf, *args], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{program} {' '.join(args)}: {done.stderr.strip() or done.returncode}")
        return done.stdout

    def _make_key(self, zone):
        since = f"-{2 * SIGNED_AGO // DAY}d"
        self._run("keymgr", zone, "generate", f"algorithm={ALGORITHM}", "ksk=yes", "zsk=yes", f"created={since}", f"publish={since}",
                  f"ready={since}", f"active={since}")
        lines = [line for line in self._run("keymgr", zone, "ds").splitlines() if line.split()[4] == "2"]
        if self.kinds[zone] == "wrong-ds":
            lines = [line[:-1] + ("0" if line[-1] != "0" else "1") for line in lines]
        self._ds[zone] = lines

    def _sign(self, zone, text, *options):
        name = f"zone-{zone}.txt"
        with open(f"{self._rundir}/{name}", "w", encoding="utf-8") as f:
            f.write(text)
        self._run("kzonesign", "-o", f"{self._rundir}/out", *options, zone)
        with open(f"{self._rundir}/out/{name}", encoding="utf-8") as f:
            return f.read()
