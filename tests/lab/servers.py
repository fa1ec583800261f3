"""The files and the command lines of the lab's servers, as inside.py writes and starts them."""

import json
import os

try:
    from . import plan, signing
except ImportError:  # run as a script's neighbour (inside.py)
    import plan
    import signing

RUN = "/run/lab"


class Setup:
    """What inside.py needs: directories, files, files and directories to copy, and the daemons in the order of their readiness."""

    def __init__(self):
        self.signing = None  # signing.Signing, in a lab with DNSSEC
        self.dirs = []
        self.files = {}
        self.copies = {}
        self.trees = {}
        self.daemons = {}

    def add_knot(self, binary, name, addresses, zones):
        """ZONES: name -> text of the zone file."""
        rundir = f"{RUN}/{name}"
        self.dirs.append(rundir)
        for zone, text in zones.items():
            self.files[f"{rundir}/zone-{zone}.txt"] = text
        # knotd's %s for the root zone is the empty string
        if "." in zones:
            self.files[f"{rundir}/zone-.txt"] = zones["."]
        policy, signed = "", ()
        if self.signing:
            policy, signed = signing.POLICY, self.signing.by_server
            self.trees[f"{rundir}/keys"] = self.signing.directory
        self.files[f"{rundir}/knot.conf"] = plan.knot_conf(rundir, addresses, zones, policy, signed)
        self.daemons[name] = {"argv": [binary, "-c", f"{rundir}/knot.conf"], "ready": ["dns", addresses[0], list(zones)[0]]}

    def add_unbound(self, binary, name, address, tls):
        rundir = f"{RUN}/{name}"
        self.dirs.append(rundir)
        self.files[f"{rundir}/root.hints"] = plan.root_hints()
        self.files[f"{rundir}/unbound.conf"] = plan.unbound_conf(rundir, address, tls, self.signing.ds(".") if self.signing else ())
        # A copy of the binary: distributions confine /usr/sbin/unbound to its own directories (AppArmor).
        self.copies[f"{rundir}/unbound"] = binary
        self.daemons[name] = {"argv": [f"{rundir}/unbound", "-d", "-c", f"{rundir}/unbound.conf"], "ready": ["dns", address, "."]}

    def add_pebble(self, name, binary, tls, ports, extra, env, options=()):
        conf = f"{RUN}/{name}.json"
        self.files[conf] = json.dumps(plan.pebble_conf(tls, ports[0], ports[1], extra), indent=1)
        # The newer ones know what to do with the older one's switches, not the other way round: so only what all have.
        argv = [binary, "-config", conf, "-dnsserver", f"{plan.CA_RESOLVER}:53", *options]
        # VA_NOSLEEP: no random wait before a validation.  The others: no surprise but those a test asks for.
        settings = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
        settings.update(env)
        self.daemons[name] = {"argv": argv, "env": settings, "ready": ["tcp", "127.0.0.1", ports[0]]}

    def add_simulator(self, python, script, conf, log):
        path = f"{RUN}/dmesim.json"
        self.files[path] = json.dumps(conf, indent=1)
        self.daemons["dmesim"] = {"argv": [python, script, "--config", path], "ready": ["log", log, "ready"]}

    def add_acmesim(self, python, script, tls, certificates, ports, log):
        path = f"{RUN}/acmesim.json"
        conf = {"listen": {"addr": "127.0.0.1", "port": ports[0], "cert": tls[0], "key": tls[1], "certificates": certificates},
                "control": {"addr": "127.0.0.1", "port": ports[1]}, "base": f"https://localhost:{ports[0]}", "resolver": plan.CA_RESOLVER}
        self.files[path] = json.dumps(conf, indent=1)
        self.daemons["acmesim"] = {"argv": [python, script, "--config", path], "ready": ["log", log, "ready"]}


def simulator_conf(options):
    # Knot plans a NOTIFY for a second after each update, and an update that comes when this second has begun waits for its end.
    # So the NOTIFY (to nobody) goes out at once.
    nameservers = [{"fqdn": plan.nameserver_fqdn(ns), "ipv4": v4, "port": 53, "lag": lag, "source": plan.API_ADDR,
                    "after": [options["binaries"]["knotc"], "-s", f"{RUN}/{ns}/knot.sock", "zone-notify"]}
                   for (ns, (v4, _)), lag in zip(plan.NAMESERVERS.items(), options["lag"])]
    kinds = {"plain": plan.API_PLAIN_PORT, "cut": plan.API_CUT_PORT, "silent": plan.API_SILENT_PORT, "deny": plan.API_DENY_PORT}
    conf = {
        "listen": [{"addr": plan.API_ADDR, "port": 443, "cert": options["tls"]["api"][0], "key": options["tls"]["api"][1],
                    "certificates": options["certificates"]},
                   *({"addr": plan.API_ADDR, "port": port, "kind": kind} for kind, port in kinds.items())],
        "control": {"addr": plan.API_ADDR, "port": plan.API_CONTROL_PORT},
        "ports_file": f"{RUN}/dmesim.ports",
        "accounts": [dict(a, zones=[{"name": z} for z in a["zones"]]) for a in plan.accounts(options["zones"])],
        "nameservers": nameservers,
        "limit": 150, "window": 300, "skew": 0, "delay_ms": 0,
        "log": options["requests_log"], "signatures": options["signatures"],
    }
    conf.update(options["sim"])
    return conf


def build(options, ipv6):
    setup = Setup()
    setup.dirs.append(RUN)
    binaries, tls = options["binaries"], options["tls"]
    ds, presign = plan.no_ds, lambda _zone, text: text
    if options["dnssec"]:
        top = dict.fromkeys([".", *plan.TLDS], "signed")
        setup.signing = signing.Signing(binaries, f"{RUN}/signing", {**top, **options["dnssec"]})
        ds, presign = setup.signing.ds, setup.signing.presign
    root_zones = {".": plan.root_text(ds)}
    root_zones.update((tld, plan.tld_text(tld, ipv6, ds, options["zones"])) for tld in plan.TLDS)
    setup.add_knot(binaries["knotd"], "root", [plan.ROOT_SERVER], root_zones)
    setup.add_knot(binaries["knotd"], "foreign", [plan.FOREIGN_SERVER], {z: plan.zone_text(z, ipv6) for z in plan.FOREIGN_ZONES})
    zones = {z: presign(z, plan.zone_text(z, ipv6, ds)) for z in plan.our_zones(options["zones"]) + ["dnsmadeeasy.com"]}
    for ns, (v4, v6) in plan.NAMESERVERS.items():
        setup.add_knot(binaries["knotd"], ns, [v4, v6] if v6 and ipv6 else [v4], zones)
    setup.add_unbound(binaries["unbound"], "resolver", plan.CLIENT_RESOLVER, tls["doh"])
    setup.add_unbound(binaries["unbound"], "ca-resolver", plan.CA_RESOLVER, None)
    setup.add_pebble("pebble", binaries["pebble"], tls["acme"], (14000, 15000), options["pebble"], options["pebble_env"])
    if binaries["pebble-system"]:
        setup.add_pebble("pebble-system", binaries["pebble-system"], tls["acme"], (14001, 15001), options["pebble"], options["pebble_env"])
    if options["simulator"]:
        setup.add_simulator(options["python"], options["simulator"], simulator_conf(options), os.path.join(options["logs"], "dmesim.log"))
    return setup
