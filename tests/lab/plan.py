"""Who lives where in the lab: addresses, names, zones, credentials.  Pure data and the text of configuration files."""

API_KEY = "1c1a3c91-4770-4ce7-96f4-54c0eb0e457a"
API_SECRET = "c9b5625f-9834-4ff8-baba-4ed5f32cae55"
OTHER_KEY = "5d2f7d3e-0c6b-4d0a-8f5e-2b7d1b6f9a10"
OTHER_SECRET = "7e6f0b52-64b1-4ab4-9c55-1f1f5b6a2c33"
SANDBOX_KEY = "e3a1c0de-5a4d-4b0b-9d8e-0f6b5a4c3d2e"
SANDBOX_SECRET = "0b8f4c6e-2d1a-4f3b-8e7c-9a5d6b4f2e1c"

API_HOST = "api.dnsmadeeasy.com"
SANDBOX_HOST = "api.sandbox.dnsmadeeasy.com"
API_ADDR = "127.0.0.20"
API_CONTROL_PORT = 8053
# What may stand where the API should be, at other ports of its address.
API_PLAIN_PORT, API_CUT_PORT, API_SILENT_PORT, API_DENY_PORT = 80, 4431, 4432, 4433
CLIENT_RESOLVER = "127.0.0.10"
CA_RESOLVER = "127.0.0.9"
ROOT_SERVER = "127.0.0.8"
ACME_DIR = "https://localhost:14000/dir"
SYSTEM_ACME_DIR = "https://localhost:14001/dir"
# Of the first pebble that a test adds; each further one has the next ones.
MORE_PEBBLES_PORT, MORE_PEBBLES_MANAGEMENT_PORT = 14010, 15010
ACMESIM_PORT, ACMESIM_CONTROL_PORT = 14005, 15005
DOH_HOST = "doh.lab.example"
DOH_URL = f"https://{DOH_HOST}/dns-query"
CONTROL_PORT = {CLIENT_RESOLVER: 8953, CA_RESOLVER: 8952}

# name server -> (IPv4, IPv6 or None)
NAMESERVERS = {
    "ns10": ("127.0.0.11", "fd00::11"),
    "ns11": ("127.0.0.12", None),
    "ns12": ("127.0.0.13", None),
    "ns13": ("127.0.0.14", "fd00::14"),
}
DEFAULT_LAG = (0.1, 0.2, 0.3, 0.4)

ACCOUNTS = [
    {"key": API_KEY, "secret": API_SECRET, "sandbox": False,
     "zones": ["example.com", "sub.example.com", "example.net"]},
    {"key": OTHER_KEY, "secret": OTHER_SECRET, "sandbox": False, "zones": ["example.org"]},
    {"key": SANDBOX_KEY, "secret": SANDBOX_SECRET, "sandbox": True, "zones": ["example.info"]},
]
# Zones of nobody's account: on a name server of their own, away.example.com cut out of ours.
FOREIGN_ZONES = ["foreign.org", "away.example.com"]
FOREIGN_SERVER = "127.0.0.15"

TLDS = ["com", "net", "org", "info"]
SOA = "hostmaster.dnsmadeeasy.com. 2009010101 43200 3600 1209600 180"
HOST_ADDR = "127.0.0.30"


def more_zones(count):
    """Names of further zones: so many can be had in the first account (`Lab(zones=count)`)."""
    return [f"zone{n:02}.com" for n in range(1, count + 1)]


def accounts(more=0):
    """The accounts, with so many further zones in the first."""
    first, *others = ACCOUNTS
    return [dict(first, zones=first["zones"] + more_zones(more)), *others]


def our_zones(more=0):
    return [zone for account in accounts(more) for zone in account["zones"]]


def nameserver_fqdn(name):
    return f"{name}.dnsmadeeasy.com"


def _delegation(zone):
    if zone in FOREIGN_ZONES:
        return [f"{zone}. NS ns1.foreign.org."]
    return [f"{zone}. NS {nameserver_fqdn(ns)}." for ns in NAMESERVERS]


def _glue(zone, ipv6):
    """Address records of the name servers that live below ZONE."""
    lines = []
    if "dnsmadeeasy.com".endswith(zone):
        for ns, (v4, v6) in NAMESERVERS.items():
            lines.append(f"{nameserver_fqdn(ns)}. A {v4}")
            if v6 and ipv6:
                lines.append(f"{nameserver_fqdn(ns)}. AAAA {v6}")
    if "foreign.org".endswith(zone):
        lines.append(f"ns1.foreign.org. A {FOREIGN_SERVER}")
    return lines


def no_ds(_zone):
    return []


def zone_text(zone, ipv6, ds=no_ds):
    """The zone file of one of the zones that DNS Made Easy's (or the foreign) servers hold.  DS: the DS records of a zone below."""
    lines = ["$TTL 60", f"{zone}. SOA {_delegation(zone)[0].split()[2]} {SOA}"]
    lines += _delegation(zone) + _glue(zone, ipv6)
    if zone == "dnsmadeeasy.com":
        lines += [f"{API_HOST}. A {API_ADDR}", f"{SANDBOX_HOST}. A {API_ADDR}"]
    else:
        lines += [f"{zone}. A {HOST_ADDR}", f"www.{zone}. A {HOST_ADDR}"]
    for child in our_zones() + FOREIGN_ZONES:
        if child != zone and child.endswith("." + zone):
            lines += _delegation(child) + ds(child)
    return "\n".join(lines) + "\n"


def root_text(ds=no_ds):
    lines = ["$TTL 3600", f". SOA a.root. {SOA}", ". NS a.root.", f"a.root. A {ROOT_SERVER}"]
    for tld in TLDS:
        lines += [f"{tld}. NS a.root.", *ds(tld)]
    return "\n".join(lines) + "\n"


def tld_text(tld, ipv6, ds=no_ds, more=0):
    lines = ["$TTL 3600", f"{tld}. SOA a.root. {SOA}", f"{tld}. NS a.root."]
    for zone in our_zones(more) + FOREIGN_ZONES + ["dnsmadeeasy.com"]:
        if zone.split(".")[1:] == [tld]:
            lines += _delegation(zone) + ds(zone)
    lines += _glue(tld, ipv6)
    return "\n".join(lines) + "\n"


def root_hints():
    return f". 3600 NS a.root.\na.root. 3600 A {ROOT_SERVER}\n"


def knot_conf(rundir, addresses, zones, policy="", signed=()):
    """SIGNED: those of ZONES that knotd signs, by POLICY (signing.py)."""
    listen = "\n".join(f"    listen: {a}@53" for a in addresses)
    signing = "\n    dnssec-signing: on\n    dnssec-policy: lab"
    zone_list = "\n".join(f"  - domain: {z}" + (signing if z in signed else "") for z in zones)
    return f"""server:
    rundir: {rundir}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
{listen}
log:
  - target: stderr
    any: info
database:
    storage: {rundir}
    journal-db-max-size: 64M
    timer-db-max-size: 4M
acl:
  - id: lab
    address: [127.0.0.0/8, fd00::/64]
    action: [update, transfer]
{policy}template:
  - id: default
    storage: {rundir}
    file: "zone-%s.txt"
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
    serial-policy: increment
    semantic-checks: off
    acl: lab
zone:
{zone_list}
"""


def unbound_conf(rundir, address, tls=None, trust=()):
    """TLS: (certificate, key) switches DNS over HTTPS on.  TRUST: DS records of the root; with them the resolver validates."""
    validation = ['    module-config: "iterator"']
    if trust:
        validation = ['    module-config: "validator iterator"', "    val-log-level: 2", *(f'    trust-anchor: "{line}"' for line in trust)]
    validation = "\n".join(validation)
    doh = ""
    if tls:
        doh = f"""    interface: {address}@443
    https-port: 443
    http-endpoint: "/dns-query"
    tls-service-pem: "{tls[0]}"
    tls-service-key: "{tls[1]}"
"""
    return f"""server:
    directory: "{rundir}"
    pidfile: ""
    chroot: ""
    username: ""
    use-syslog: no
    logfile: ""
    verbosity: 1
    num-threads: 1
    outgoing-range: 256
    so-reuseport: no
    interface: {address}@53
{doh}    outgoing-interface: {address}
    do-ip6: no
    do-not-query-localhost: no
    access-control: 127.0.0.0/8 allow
{validation}
    root-hints: "{rundir}/root.hints"
    local-zone: "test." nodefault
    local-zone: "invalid." nodefault
remote-control:
    control-enable: yes
    control-interface: 127.0.0.1
    control-port: {CONTROL_PORT[address]}
    control-use-cert: no
"""


def hosts_text():
    return "\n".join([
        "127.0.0.1 localhost",
        f"{API_ADDR} {API_HOST} {SANDBOX_HOST}",
        f"{CLIENT_RESOLVER} {DOH_HOST}",
        "127.0.0.1 lab",
    ]) + "\n"


def pebble_conf(tls, port, management_port, extra):
    conf = {
        "listenAddress": f"127.0.0.1:{port}",
        "managementListenAddress": f"127.0.0.1:{management_port}",
        "certificate": tls[0],
        "privateKey": tls[1],
        "httpPort": 5002,
        "tlsPort": 5001,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": False,
        # One profile only: pebble picks one at random when none is asked for.
        "profiles": {"default": {"description": "the lab's only profile", "validityPeriod": 7776000}},
    }
    conf.update(extra)
    return {"pebble": conf}
