#!/usr/bin/python3
"""A newcomer's tour: a certificate from a real CA, first by certbot with acme-dme as its hook, then by acme-dme alone.

    demo.py PATH-OF-ACME-DME
"""

import os
import shlex
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lab import Lab, LabUnavailable, plan, x509  # noqa: E402

NAMES = ["example.com", "*.example.com", "www.sub.example.com"]
LAG = [0.5, 1.0, 1.5, 2.0]


class Broken(Exception):
    """The demo did not show what it promises."""


def say(text=""):
    print(text, flush=True)


def head(number, text):
    say(f"\n[{number}] {text}")


def indent(text, mark="    | "):
    for line in text.splitlines():
        if line.strip():
            say(mark + line)


def check(truth, text):
    if not truth:
        raise Broken(text)
    say(f"    ok: {text}")


def write_config(lab):
    state = lab.new_dir("state")
    path = os.path.join(lab.work, "acme-dme.yaml")
    text = f"""credentials:
  api_key: {lab.api_key}
  api_secret: {lab.api_secret}
dnsmadeeasy:
  ca_file: {lab.ca_file}
propagation:
  timeout: 60s
  settle: 0s
  resolvers: ["{lab.resolver}:53"]
state_dir: {state}
acme:
  directory: {lab.acme_dir}
  ca_file: {lab.ca_file}
"""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as f:
        f.write(text)
    indent(text)
    return path, state


def run_certbot(lab, program, config):
    base = lab.new_dir("certbot")
    # One line each, for the reader's sake.
    words = [["certbot", "certonly"], ["--non-interactive", "--agree-tos", "--email", "admin@example.com"], ["--server", lab.acme_dir],
             ["--config-dir", f"{base}/config", "--work-dir", f"{base}/work", "--logs-dir", f"{base}/log"],
             ["--manual", "--preferred-challenges", "dns"],
             ["--manual-auth-hook", shlex.join([program, "--config", config, "auth"])],
             ["--manual-cleanup-hook", shlex.join([program, "--config", config, "cleanup"])],
             [word for name in NAMES for word in ("-d", name)]]
    argv = sum(words, [])
    say("    $ " + " \\\n        ".join(shlex.join(line) for line in words))
    begin = time.time()
    done = lab.run(argv, timeout=180)
    indent(done.stdout + done.stderr)
    if done.returncode != 0:
        raise Broken(f"certbot failed with exit status {done.returncode}")
    return os.path.join(base, "config", "live", NAMES[0], "fullchain.pem"), begin, time.time()


def show_requests(lab, begin):
    requests = lab.requests()
    for r in requests:
        query = "?" + r["query"] if r["query"] else ""
        say(f"    {r['t'] - begin:6.2f} s  {r['method']:6} {r['path']}{query}  -> {r['status']}")
    refused = [r for r in requests if r["status"] in (400, 403, 429)]
    check(requests and not refused, f"{len(requests)} requests for {len(NAMES)} names in 2 zones, none refused")


def complete_at(changes):
    """When a name server had shown as many values as there are names."""
    seen = set()
    for change in changes:
        seen.update((change["name"], change["zone"], value) for value in change["values"])
        if len(seen) == len(NAMES):
            return change["t"]
    raise Broken("a name server never got all values")


def show_waiting(lab, begin):
    events = sorted((complete_at(changes), f"{server} has all values") for server, changes in lab.sim("GET", "/feed").items())
    slowest = events[-1][0]
    delete = min(r["t"] for r in lab.requests() if r["method"] == "DELETE")
    for at, text in events + [(delete, "the CA has validated the names, the first record goes")]:
        say(f"    {at - begin:6.2f} s  {text}")
    check(slowest < delete, "acme-dme waited for the slowest of them")


def run_standalone(lab, program, config, state):
    argv = [program, "--config", config, "issue", "--agree-tos", *(word for name in NAMES for word in ("-d", name))]
    say("    $ " + shlex.join(argv))
    begin = time.time()
    done = lab.run(argv, timeout=180)
    indent(done.stdout + done.stderr)
    if done.returncode != 0:
        raise Broken(f"acme-dme failed with exit status {done.returncode}")
    return os.path.join(state, "certs", NAMES[0], "fullchain.pem"), begin, time.time()


def check_certificate(lab, cert):
    indent(x509.text(cert, "-subject", "-issuer", "-dates"))
    indent("names: " + ", ".join(x509.names(cert)))
    check(x509.names(cert) == sorted(NAMES), "it is for the names that were asked for")
    check(x509.verifies(cert, lab.acme_root()), "its chain leads to the CA's root")


def demo(program):
    head(1, "A private Internet: CA, name servers, resolvers and the DNS Made Easy API, all on loopback addresses of this lab's own")
    begin = time.monotonic()
    with Lab(lag=LAG, sim={"delay_ms": 100}) as lab:
        say(f"    CA            Pebble {lab.pebble_version} at {lab.acme_dir}")
        say(f"    API           a simulator, as https://{plan.API_HOST}/V2.0/ (100 ms per answer)")
        for (name, addr), lag in zip(lab.nameservers.items(), LAG):
            say(f"    name server   {plan.nameserver_fqdn(name)} ({addr}), {lag} s behind")
        say(f"    ready after {time.monotonic() - begin:.1f} s")

        head(2, "The whole configuration of acme-dme (mode 0600, because it holds the secret)")
        config, state = write_config(lab)

        head(3, f"certbot asks for one certificate for {', '.join(NAMES)}")
        cert, start, end = run_certbot(lab, program, config)

        head(4, "What acme-dme asked of DNS Made Easy (seconds since certbot's start)")
        show_requests(lab, start)

        head(5, "How long the name servers took")
        show_waiting(lab, start)

        head(6, f"The certificate, after {end - start:.1f} s")
        check_certificate(lab, cert)

        head(7, "The same without another client: acme-dme itself asks the CA")
        lab.sim("POST", "/reset", {"only": ["log", "feed"]})
        lab.flush()  # certbot's records are in the CA's resolver for their time to live, and "settle" is 0 here
        cert, start, end = run_standalone(lab, program, config, state)
        show_requests(lab, start)
        say(f"    after {end - start:.1f} s:")
        check_certificate(lab, cert)
        again = lab.run([program, "--config", config, "renew"])
        check(again.returncode == 0 and not again.stdout + again.stderr, "acme-dme renew, as cron runs it, has nothing to do and says nothing")

        head(8, "What is left behind")
        check(lab.txt() == [], "no TXT record in the account")
        lab.wait_published()
        left = [ns for ns in lab.nameservers for name in ("example.com", "www.sub.example.com") if lab.dig(ns, f"_acme-challenge.{name}")["answer"]]
        check(not left, "no TXT record on any name server")
        swept = lab.run([program, "--config", config, "sweep", "--dry-run"])
        check(swept.returncode == 0 and "_acme-challenge" not in swept.stdout + swept.stderr, "nothing in acme-dme's journal (acme-dme sweep --dry-run)")
    check(not os.path.exists(lab.work), "the lab and its files are gone")


def main():
    program = os.path.abspath(sys.argv[1])
    try:
        demo(program)
    except LabUnavailable as e:
        print(f"demo: {e}", file=sys.stderr)
        return 1
    except Broken as e:
        print(f"\ndemo: FAILED: {e}", file=sys.stderr)
        return 1
    say("\ndemo: a real certificate, obtained through DNS Made Easy by certbot with acme-dme, and by acme-dme alone")
    return 0


if __name__ == "__main__":
    sys.exit(main())
