"""Whole issuances, from the order to the certificate and clean name servers: ours, the floor's, and those of other clients."""

import collections
import json
import os
import re
import time

from lab import Lab, binaries

import hook as hooks
import peers
import waits
from report import Limit, repeated

HERE = os.path.dirname(os.path.abspath(__file__))
ZONE = "example.com"
LAG = [0.5, 1.0, 2.0, 5.0]
SMOKE_LAG = [0.2, 0.4, 0.6, 1.0]
# As the service is: its limit, and about what its answers take.
SIM = {"delay_ms": 100, "limit": 150, "window": 300}
# The CA lets nobody wait longer than the protocol's whole seconds allow.
PEBBLE = {"retryAfter": {"authz": 1, "order": 1}}
LIMIT_S = 1200
WALL_BY_FLOOR = 1.2
API_REQUESTS = 3
MB = 1000 * 1000 / 1024 / 1024  # in MiB
PEAK_MB = 20

# wall, cpu: seconds.  rss: MiB.  acme, api: requests; refused: those that the API refused for their number.  left: TXT records.
# why: of a failure, "" is success.  issued: certificates.  end: moment of the end.  said: all output.
Run = collections.namedtuple("Run", "wall cpu rss acme api refused left why issued end said", defaults=(0, 0, ""))
# make: function of (lab, names) that makes the command, and the account where the client can do that on its own.
Client = collections.namedtuple("Client", "key label make")


def make_lab():
    return Lab(lag=LAG, sim=SIM, pebble=PEBBLE)


def host_names(count):
    return [f"h{i}.{ZONE}" for i in range(1, count + 1)]


def counted(count, what):
    return f"{count} {what}{'' if count == 1 else 's'}"


def acme_requests(count):
    """Directory, nonce, order, authorizations and challenges, order twice (ready, valid), its finalization, the certificate."""
    return 2 * count + 7


# -- what is run ---------------------------------------------------------------------------------------------------------------


def configure(lab, more=""):
    """A configuration of ours, with a state directory of its own beside it.  MORE: lines of YAML."""
    home = lab.new_dir("ours")
    return peers.write(os.path.join(home, "acme-dme.yaml"),
                       f"credentials: {{api_key: {lab.api_key}, api_secret: {lab.api_secret}}}\n"
                       f"acme: {{directory: \"{lab.acme_dir}\", ca_file: {lab.ca_file}, agree_tos: true}}\n"
                       f"propagation: {{settle: 0s, resolvers: [\"{lab.resolver}:53\"]}}\nstate_dir: {home}/state\n{more}")


def register(lab, program, config):
    lab.run([program, "-c", config, "account", "register", "--agree-tos"]).ok()


def ours(lab, names, program):
    config = configure(lab)
    register(lab, program, config)
    return {"argv": [program, "-c", config, "issue", "--agree-tos", *peers.each(names)]}


def floor(lab, names):
    home = lab.new_dir("floor")
    config = peers.write(os.path.join(home, "floor.json"), json.dumps({
        "directory": lab.acme_dir, "ca_file": lab.ca_file, "home": home, "api": hooks.API, "key": lab.api_key, "secret": lab.api_secret,
        "zone": ZONE, "servers": list(lab.nameservers.values())}))
    argv = [binaries.PYTHON, os.path.join(HERE, "floor.py"), config]
    lab.run([*argv, "register"]).ok()
    took = os.path.join(home, "took")
    return {"argv": [*argv, "issue", took, *names], "took": took}


def clients(program):
    """[Client] of what is installed, PROGRAM (None: without) first."""
    found = [Client("floor", "the floor (a script)", floor)]
    if program:
        found.insert(0, Client("ours", "acme-dme issue", lambda lab, names: ours(lab, names, program)))
    for label, path in binaries.versions("lego")[:1]:
        found.append(Client("lego", f"lego {label}, its own provider", lambda lab, names: peers.lego_own(lab, path, names)))
    if binaries.find("dehydrated") and binaries.find("lexicon"):
        label = f"dehydrated {binaries.package_version('dehydrated')} + lexicon {binaries.package_version('lexicon')}, {max(LAG) + 1:g} s"
        found.append(Client("dehydrated", label, lambda lab, names: peers.dehydrated_lexicon(lab, names, max(LAG) + 1)))
    if binaries.find("certbot") and program:
        found.append(Client("certbot", f"certbot {binaries.package_version('certbot')} --manual, our hook",
                            lambda lab, names: peers.certbot_hook(lab, names, program, hooks.write_config(lab)[0])))
    for key, make in (("uacme", peers.uacme), ("acmetool", peers.acmetool)):
        if binaries.find(key):
            found.append(Client(key, f"{key} {binaries.package_version(key)}, simple hook",
                                lambda lab, names, make=make: make(lab, names, peers.simple_hook(lab, ZONE, max(LAG)))))
    return found


# -- how it is measured --------------------------------------------------------------------------------------------------------


def ca_log(lab):
    """What the lab's CAs have logged.  Pebble has a line for each request that it takes."""
    text = ""
    for name in ("pebble", "pebble-system"):
        path = os.path.join(lab.logs, name + ".log")
        if os.path.exists(path):
            text += read(path)
    return text


def count_requests(text):
    return text.count(" -> calling handler()")


def count_issued(text):
    return text.count("Issued certificate serial ")


def last_words(text):
    """What a client said last, fit for a cell of a table; the hint of ours is not the reason."""
    lines = [re.sub(r"[|`\s]+", " ", line).strip() for line in text.splitlines()]
    return next((line for line in reversed(lines) if re.search("[a-z]{3}", line) and not line.startswith("hint: ")), "without a word")[:120]


def read(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return f.read()


def measure(lab, make, names):
    """One issuance in a lab as new.  MAKE: as that of a Client."""
    lab.reset()
    try:
        command = make(lab, names)
    except AssertionError as e:
        return Run(0, 0, 0, 0, 0, 0, 0, "no account: " + last_words(str(e)))
    lab.flush()
    lab.sim("POST", "/reset", {"only": ["log", "feed", "window"]})
    said = peers.write(os.path.join(lab.new_dir("run"), "output"), "")
    before = ca_log(lab)
    done = hooks.run_measure(lab, 1, {"run": {**command, "output": said}}, LIMIT_S)
    after = ca_log(lab)
    requests = lab.requests()
    refused = sum(map(waits.is_refused, requests))
    found = {"wall": done.seconds, "cpu": 0, "rss": 0, "status": -9, "end": time.time()} if done.timed_out else json.loads(done.ok().stdout)["run"][0]
    wall = found["wall"]
    if "took" in command and found["status"] == 0:
        wall = float(read(command["took"]))
    issued, output = count_issued(after) - count_issued(before), read(said)
    why = ""
    if done.timed_out:
        why = f"stopped after {LIMIT_S} s"
    elif found["status"] or not issued:
        why = "rate limit of the API" if refused else f"exit {found['status']}: {last_words(output)}"
    return Run(wall, found["cpu"], found["rss"], count_requests(after) - count_requests(before), len(requests), refused, len(lab.txt()), why,
               issued, found["end"], output)


# -- what comes of it ----------------------------------------------------------------------------------------------------------


def limits(count, run, base):
    """The promises: RUN is ours, BASE the floor's."""
    what = counted(count, "name")
    return [Limit(f"{what}: wall by the floor's {base.wall:.2f} s", run.wall / base.wall, WALL_BY_FLOOR),
            Limit(f"{what}: ACME requests", run.acme, acme_requests(count), of_several=max),
            Limit(f"{what}: API requests", run.api, API_REQUESTS, of_several=max),
            Limit(f"{what}: peak memory", run.rss, PEAK_MB * MB, " MiB", max)]


def faults(count, run, base):
    """What keeps the two from being compared."""
    return [f"{counted(count, 'name')}: {who}: {one.why or 'a certificate'}, {one.left} TXT left" for who, one in (("ours", run), ("the floor", base))
            if one.why or one.left]


def check(report, count, run, base):
    broken = faults(count, run, base)
    for fault in broken:
        report.fail(fault)
    if not broken:
        report.limits(limits(count, run, base))


def smoke_once(lab, pair, count, broken):
    """The limits of ours and the floor alone; what keeps them from being compared goes to BROKEN."""
    runs = {key: measure(lab, pair[key].make, host_names(count)) for key in ("floor", "ours")}
    broken += faults(count, runs["ours"], runs["floor"])
    return [] if broken else limits(count, runs["ours"], runs["floor"])


def smoke(lab, program, report, counts=(1, 20)):
    print(f"\nWhole issuances, slowest name server {max(LAG):g} s behind")
    pair = {client.key: client for client in clients(program)}
    for count in counts:
        broken = []
        found = repeated(lambda: smoke_once(lab, pair, count, broken))
        for fault in broken:
            report.fail(fault)
        report.limits(found)


def by(value, base, digits):
    """A figure, and how many times the BASE's it is (None: without)."""
    text = f"{value:.{digits}f}"
    if not base or not value:
        return text
    times = value / base
    return f"{text} (×{times:.{0 if times >= 10 else 1 if times >= 1 else 2}f})"


HEAD = ["client", "result", "wall s", "CPU s", "peak MiB", "ACME requests", "API requests", "TXT left"]


def row(client, run, base):
    """BASE: what is compared with, None for that itself."""
    def figure(field, digits=0):
        return by(getattr(run, field), base and getattr(base, field), digits)

    refused = f", {run.refused} refused" if run.refused else ""
    return [client.label, f"**fails**: {run.why}" if run.why else "ok", figure("wall", 1), figure("cpu", 2), figure("rss"), figure("acme"),
            figure("api") + refused, str(run.left)]


def markdown_table(rows, head=HEAD, text_columns=2):
    """The first TEXT_COLUMNS are flush left."""
    lines = [head, ["---"] * text_columns + ["---:"] * (len(head) - text_columns), *rows]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def section(count, measured):
    """The table for COUNT names; MEASURED: [(Client, Run)].  What is compared with: ours, else the floor."""
    good = {client.key: run for client, run in measured if not run.why}
    base = good.get("ours") or good.get("floor")
    who = "" if not base else "\n×: times that of " + ("acme-dme.\n" if "ours" in good else "the floor.\n")
    return f"## {counted(count, 'name')}\n{who}\n{markdown_table([row(client, run, None if run is base else base) for client, run in measured])}"


def preamble(lab):
    return f"""# Whole issuances, measured

`tests/bench/issue --out FILE` writes this file: one certificate for h1.{ZONE} … hN.{ZONE}, by all clients in one run on one
machine ({os.cpu_count()} CPUs), one after the other, each in a lab as new: an empty account, a whole budget of requests, resolvers that know nothing.
What many names, many certificates and small budgets cost is measured in [scale.md](scale.md), with plots.

- The CA is Pebble {lab.pebble_version}, without random sleeps, refused nonces or reused authorizations; where it gives a Retry-After
  that is 1 s, and the floor obeys. uacme cannot read that one's answers and gets the distribution's own, which never gives one.
- The API is the lab's simulator of DNS Made Easy with the real limit, {SIM['limit']} requests in {SIM['window']} s, and {SIM['delay_ms']} ms for an answer. The four
  name servers have a change after {', '.join(f'{lag:g}' for lag in LAG)} s; the CA's resolver asks any of them.
- *wall*: from the start of the client to its end. *CPU*: user and system time of the client and all that it starts. *peak*: resident
  memory of the largest of these processes (less than 10 MiB cannot be seen). *ACME requests*: lines `-> calling handler()` in Pebble's log.
  *API requests*: the simulator's own log. *TXT left*: records that the client leaves in the account.
- Accounts are made before the time begins, except by lego and acmetool, which have no command for that (2 or 3 requests, some ms).
- *The floor* is a script, `tests/bench/floor.py`, that does only what no client can leave out; its wall time counts from its first
  request, its CPU time and memory are mostly those of Python.
- *dehydrated + lexicon*: all records are made by one hook (`HOOK_CHAIN`), which then sleeps a second longer than the slowest name server
  needs (lexicon's example hook: 30 s).
- *simple hook*: shell and curl. It does without the API: the lab feeds the name servers, with the same lag, and the hook waits for the
  slowest of them.
"""


def run_all(lab, report, chosen, counts, say):
    """Every client at every count; returns the Markdown."""
    text = preamble(lab)
    for count in counts:
        found = []
        for client in chosen:
            run = measure(lab, client.make, host_names(count))
            found.append((client, run))
            say(f"{count:4} {client.label}: {run.why or 'ok'}, {run.wall:.1f} s wall, {run.cpu:.2f} s CPU, {run.rss:.0f} MiB, {run.acme} ACME, "
                f"{run.api} API ({run.refused} refused), {run.left} left")
        text += "\n" + section(count, found)
        runs = {client.key: run for client, run in found}
        if "ours" in runs and "floor" in runs:
            check(report, count, runs["ours"], runs["floor"])
    return text
