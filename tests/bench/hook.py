"""What one challenge costs through our hook: requests, time over the name servers' own lag, CPU, memory, size; beside other clients."""

import email.utils
import hashlib
import hmac
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

from lab import binaries, plan

import peers
from report import Limit, repeated

HERE = os.path.dirname(os.path.abspath(__file__))
API = f"https://{plan.API_HOST}/V2.0"


def median(runs, field):
    return statistics.median(r[field] for r in runs)


def run_measure(lab, repeat, commands, limit_s=900):
    """The Result of measure.py."""
    spec = peers.write(os.path.join(lab.new_dir("bench"), "spec.json"), json.dumps({"repeat": repeat, "commands": commands}))
    return lab.run([binaries.PYTHON, os.path.join(HERE, "measure.py"), spec], timeout=limit_s)


def measure(lab, repeat, commands):
    return json.loads(run_measure(lab, repeat, commands).ok().stdout)


def write_config(lab):
    home = lab.new_dir("hook")
    return peers.write(os.path.join(home, "acme-dme.yaml"),
                       f"credentials: {{api_key: {lab.api_key}, api_secret: {lab.api_secret}}}\n"
                       f"propagation: {{timeout: 60s, settle: 0s, resolvers: [\"{lab.resolver}:53\"]}}\nstate_dir: {home}/state\n"), home + "/state"


def curl_command(lab):
    """One signed request, as our hook makes them."""
    date = email.utils.formatdate(usegmt=True)
    digest = hmac.new(lab.api_secret.encode(), date.encode(), hashlib.sha1).hexdigest()
    return [binaries.find("curl"), "-sS", "-o", "/dev/null", "-H", f"x-dnsme-apiKey: {lab.api_key}", "-H", f"x-dnsme-requestDate: {date}", "-H",
            f"x-dnsme-hmac: {digest}", f"{API}/dns/managed/name?domainname=example.com"]


def last_shown(lab, value):
    """When the slowest name server had the value, by the simulator's own record of what it told whom."""
    return max(told["t"] for server in lab.sim("GET", "/feed").values() for told in server if value in told["values"])


def one_challenge(lab, hook, config, name, value):
    """Publish and withdraw; (requests in all, wall seconds of the publish, seconds over the slowest server's lag)."""
    lab.sim("POST", "/reset", {"only": ["log", "feed"]})
    verb = [hook, "--config", config]
    published = measure(lab, 1, {"publish": {"argv": [*verb, "add-record", name, value]}})["publish"][0]
    assert published["status"] == 0, published
    over = published["end"] - last_shown(lab, value)
    lab.run([*verb, "del-record", name, value]).ok()
    requests = len(lab.requests())
    lab.wait_published()
    assert lab.txt() == [], lab.txt()
    return requests, published["wall"], over


def challenge_limits(lab, hook, report, rounds):
    rows, overs, requests_by_kind = [], [], {"cold": [], "zone remembered": []}
    config, state = write_config(lab)
    for i in range(rounds):
        shutil.rmtree(state, ignore_errors=True)
        lab.flush()
        for kind, counts in requests_by_kind.items():
            requests, wall, over = one_challenge(lab, hook, config, f"_acme-challenge.{kind[0]}{i}.example.com", f"value-{kind[0]}{i}")
            rows.append([f"{kind}, round {i + 1}", requests, f"{wall:.2f}", f"{over:.2f}"])
            overs.append(over)
            counts.append(requests)
    report.table("One challenge: publish, wait, withdraw (settle 0)", ["", "API requests", "publish s", "over the lag s"], rows)
    most = {"cold": 3, "zone remembered": 2}
    return [*(Limit(f"requests, {kind}, worst round", max(counts), most[kind], of_several=max) for kind, counts in requests_by_kind.items()),
            Limit("time over the slowest server's lag, worst round", max(overs), 0.5, " s")]


def process_limits(lab, hook, report, repeat):
    config, _ = write_config(lab)
    name, value = "_acme-challenge.cpu.example.com", "value-cpu"
    verb = [hook, "--config", config]
    lab.set(limit=100000)
    lab.run([*verb, "--no-wait", "add-record", name, value]).ok()
    found = measure(lab, repeat, {
        "hook, publish": {"argv": [*verb, "--no-wait", "add-record", name, value], "before": [[*verb, "del-record", name, value]]},
        "hook, withdraw": {"argv": [*verb, "del-record", name, value], "before": [[*verb, "--no-wait", "add-record", name, value]]},
        "curl, one request": {"argv": curl_command(lab)},
        "acme-dme --version": {"argv": [hook, "--version"]},
        "curl --version": {"argv": [binaries.find("curl"), "--version"]},
    })
    lab.run([*verb, "del-record", name, value]).ok()
    rows = [[k, f"{median(r, 'wall') * 1000:.1f}", f"{median(r, 'cpu') * 1000:.1f}", f"{max(x['rss'] for x in r):.1f}"] for k, r in found.items()]
    report.table(f"The process, without the wait (median of {repeat}, API delay {plan_delay(lab):g} ms)", ["", "wall ms", "CPU ms", "peak MiB"], rows)
    for k, runs in found.items():
        if any(r["status"] for r in runs):
            report.fail(f"{k}: exit status {[r['status'] for r in runs]}")
    curl = median(found["curl, one request"], "cpu")
    limits = [Limit("--version by curl's, wall", median(found["acme-dme --version"], "wall") / median(found["curl --version"], "wall"), 1)]
    for side in ("hook, publish", "hook, withdraw"):
        limits += [Limit(f"CPU of {side} by that of one curl request", median(found[side], "cpu") / curl, 1.5),
                   Limit(f"peak memory of {side}", max(r["rss"] for r in found[side]), 16, " MiB", max)]
    return limits


def plan_delay(lab):
    return lab.state()["settings"]["delay_ms"]


def bench_size(hook, report):
    with tempfile.TemporaryDirectory() as where:
        copy = os.path.join(where, "stripped")
        subprocess.run(["strip", "-o", copy, hook], check=True)
        report.limit("stripped binary", os.path.getsize(copy) / 1000, 760, " kB")  # the hook alone had 400; the standalone client is in it, and 58 of hardening


def bench_peers(lab, hook, report, lag):
    rows = []
    config, _ = write_config(lab)
    lab.set(limit=150)
    for i, (label, make) in enumerate(peers.commands(lab, hook, config, lag).items()):
        lab.flush()
        command = make([f"peer{i}.example.com"])
        lab.sim("POST", "/reset", {"only": ["log", "window"]})
        run = measure(lab, 1, {"run": command})["run"][0]
        requests, left = len(lab.requests()), len(lab.txt())
        rows.append([label, "ok" if run["status"] == 0 else f"exit {run['status']}", f"{run['wall']:.1f}", f"{run['cpu']:.2f}", f"{run['rss']:.0f}",
                     requests, left])
        if "our hook" in label and (run["status"] or left):
            report.fail(f"{label}: exit status {run['status']}, {left} TXT left")
    report.table(f"A certificate for one name, slowest server {lag:g} s behind", ["", "result", "wall s", "CPU s", "peak MiB", "API requests", "TXT left"],
                 rows)


def run(lab, hook, report, smoke, lag):
    print(f"name servers' lag {lag:g} s at most, {plan_delay(lab):g} ms for each API answer", file=sys.stdout)
    bench_size(hook, report)
    report.limits(repeated(lambda: process_limits(lab, hook, report, 7 if smoke else 21)))
    report.limits(repeated(lambda: challenge_limits(lab, hook, report, 1 if smoke else 3)))
    if not smoke:
        bench_peers(lab, hook, report, lag)
