#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes dnssec_vectors.c: one small zone signed by ldns (package ldnsutils) with each algorithm, as the octets of its records.

    cd tests/unit && ./dnssec_vectors.py > dnssec_vectors.c

The keys are thrown away.  Signatures are valid from 2026-01-01 to 2026-02-01.
"""

import pathlib
import subprocess
import tempfile

import dns.rdataclass
import dns.rdatatype
import dns.zone

ALGORITHMS = ["RSASHA1", "RSASHA1-NSEC3-SHA1", "RSASHA256", "RSASHA512", "ECDSAP256SHA256", "ECDSAP384SHA384", "ED25519", "ED448"]
# Upper case and a dot within a label: what the canonical form has to deal with.
ZONE = """$ORIGIN example.com.
$TTL 3600
@ SOA Ns1.Example.COM. host\\.Master.Example.com. 2026010101 43200 3600 1209600 180
@ NS Ns1.Example.COM.
ns1 A 192.0.2.1
"""
IN = dns.rdataclass.IN
DIGESTS = {"1": "ds_sha1", "2": "ds_sha256", "4": "ds_sha384"}


def run(directory, *argv):
    return subprocess.run(argv, cwd=directory, check=True, capture_output=True, text=True).stdout.strip()


def sign(directory, algorithm):
    ksk, zsk, standby = (run(directory, "ldns-keygen", "-a", algorithm, "-b", "1024", *options, "example.com")
                         for options in (["-k"], [], []))
    (directory / "zone").write_text(ZONE + (directory / f"{standby}.key").read_text())
    run(directory, "ldns-signzone", "-i", "20260101000000", "-e", "20260201000000", "-f", "signed", "zone", ksk, zsk)
    zone = dns.zone.from_file(str(directory / "signed"), origin="example.com.", relativize=False)
    out = {}
    for number, field in DIGESTS.items():
        text = run(directory, "ldns-key2ds", "-n", f"-{number}", f"{ksk}.key")
        rdata = dns.rdata.from_text("IN", "DS", text.split(None, 4)[4])
        out[field] = rdata.to_wire().hex()
    node = zone.get_node("example.com.")
    for kind, field in (("DNSKEY", "keys"), ("SOA", "soa")):
        found = [rdata.to_wire().hex() for rdata in node.get_rdataset(IN, dns.rdatatype.from_text(kind))]
        out[field] = sorted(found, reverse=True) if kind == "DNSKEY" else found[0]
        sigs = node.get_rdataset(IN, dns.rdatatype.RRSIG, dns.rdatatype.from_text(kind))
        assert len(sigs) == 1
        out[field + "_signature"] = sigs[0].to_wire().hex()
    return int(ksk.split("+")[1]), out


def c_string(text, indent):
    chunks = [text[i:i + 96] for i in range(0, len(text), 96)]
    return ("\n" + indent).join(f'"{chunk}"' for chunk in chunks)


def main():
    print("/* SPDX-License-Identifier: MIT\n *\n * Made by dnssec_vectors.py. */\n#include \"dnssec_vectors.h\"\n")
    print("const struct dnssec_vector dnssec_vectors[DNSSEC_VECTORS] = {")
    for algorithm in ALGORITHMS:
        with tempfile.TemporaryDirectory() as name:
            number, out = sign(pathlib.Path(name), algorithm)
        indent = " " * 12
        print("    {")
        print(f"        .algorithm = {number},")
        for field, value in out.items():
            if isinstance(value, list):
                print(f"        .{field} =\n        {{")
                for item in value:
                    print(f"{indent}{c_string(item, indent)},")
                print("        },")
            else:
                print(f"        .{field} =\n{indent}{c_string(value, indent)},")
        print("    },")
    print("};")


main()
