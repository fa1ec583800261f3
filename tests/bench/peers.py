"""A certificate by each client: through its own DNS Made Easy code, through our hook, or through a hook as simple as can be."""

import os
import stat

from lab import binaries, plan

LEXICON_HOOK = os.path.join(os.path.dirname(binaries.__file__), "lexicon-hook")


def write(path, text, mode=stat.S_IRUSR | stat.S_IWUSR):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


def each(names):
    return [word for name in names for word in ("-d", name)]


def lego(lab, path, names, more, env):
    home = lab.new_dir("lego")
    argv = [path, "--server", lab.acme_dir, "--accept-tos", "--email", "admin@example.com", "--path", home,
            "--dns.resolvers", lab.resolver + ":53", *more, *each(names), "run"]
    return {"argv": argv, "env": {"LEGO_CA_CERTIFICATES": lab.ca_file, **env}}


def lego_own(lab, path, names):
    return lego(lab, path, names, ["--dns", "dnsmadeeasy"],
                {"DNSMADEEASY_API_KEY": lab.api_key, "DNSMADEEASY_API_SECRET": lab.api_secret})


def lego_hook(lab, path, names, hook, config):
    return lego(lab, path, names, ["--dns", "exec"],
                {"EXEC_PATH": hook, "ACME_DME_CONFIG": config, "EXEC_SEQUENCE_INTERVAL": "0", "EXEC_POLLING_INTERVAL": "1"})


def dehydrated(lab, names, hook, env):
    base = lab.new_dir("dehydrated")
    config = write(os.path.join(base, "config"),
                   f'CA="{plan.ACME_DIR}"\nBASEDIR="{base}"\nCONTACT_EMAIL="admin@example.com"\nCHALLENGETYPE="dns-01"\n'
                   f'HOOK="{hook}"\nHOOK_CHAIN="yes"\nKEY_ALGO="prime256v1"\n')
    program = binaries.find("dehydrated")
    lab.run([program, "-f", config, "--register", "--accept-terms"], env=env).ok()
    return {"argv": [program, "-f", config, "-c", *each(names)], "env": env}


def dehydrated_lexicon(lab, names, wait):
    return dehydrated(lab, names, LEXICON_HOOK,
                      {"LEXICON_DNSMADEEASY_USERNAME": lab.api_key, "LEXICON_DNSMADEEASY_TOKEN": lab.api_secret, "PROVIDER": "dnsmadeeasy",
                       "PROVIDER_UPDATE_DELAY": str(wait)})


def dehydrated_hook(lab, names, hook, config):
    return dehydrated(lab, names, hook, {"ACME_DME_CONFIG": config})


def certbot_hook(lab, names, hook, config):
    home = lab.new_dir("certbot")
    program, env = binaries.find("certbot"), {"REQUESTS_CA_BUNDLE": lab.ca_file}
    common = ["--non-interactive", "--agree-tos", "-m", "admin@example.com", "--server", lab.acme_dir,
              "--config-dir", home + "/c", "--work-dir", home + "/w", "--logs-dir", home + "/l"]
    lab.run([program, "register", *common], env=env).ok()
    argv = [program, "certonly", *common, "--manual", "--preferred-challenges", "dns",
            "--manual-auth-hook", f"{hook} --config {config} auth", "--manual-cleanup-hook", f"{hook} --config {config} cleanup", *each(names)]
    return {"argv": argv, "env": env}


SIMPLE_HOOK = """#!/bin/sh
# uacme: begin|done|failed TYPE HOST TOKEN VALUE.  acmetool: challenge-dns-start|challenge-dns-stop HOST FILE VALUE.
# Past the API: the lab's feeder gets the record and updates each name server (RFC 2136) after that server's lag.
set -eu
control=http://{address}:{port}
case $1 in
begin | done | failed) [ "$2" = dns-01 ] || exit 1; host=$3 value=$5 ;;
challenge-dns-start | challenge-dns-stop) host=$2 value=$4 ;;
*) exit 42 ;;
esac
kept="{directory}/kept.$value"
case $1 in
begin | challenge-dns-start)
    curl -sS -f -o "$kept" -d '{{"zone": "{zone}", "name": "_acme-challenge.'"${{host%.{zone}}}"'", "type": "TXT", "value": "\\"'"$value"'\\"", "ttl": 60}}' \
        "$control/record"
    sleep {lag:g}
    until [ "$(curl -sS -f "$control/feed" | grep -o -e "$value" | wc -l)" -ge {servers} ]; do sleep 0.1; done ;;
*)
    ids=$(sed 's/[^0-9]//g' "$kept")
    curl -sS -f -o /dev/null -d '{{"zone": "{zone}", "delete": ['"$ids"']}}' "$control/record" ;;
esac
"""


def simple_hook(lab, zone, lag):
    """A directory with that hook in it, and nothing else that can be run."""
    hooks = lab.new_dir("hooks")
    write(os.path.join(hooks, "hook"), SIMPLE_HOOK.format(address=plan.API_ADDR, port=plan.API_CONTROL_PORT, directory=lab.new_dir("kept"), zone=zone,
                                                          lag=lag, servers=len(lab.nameservers)), 0o700)
    return hooks


def uacme(lab, names, hooks):
    """With the distribution's own pebble: what newer ones offer beside dns-01, it can't read."""
    argv = [binaries.find("uacme"), "-v", "-c", lab.new_dir("uacme"), "-a", lab.system_acme_dir, "-t", "EC"]
    lab.run([*argv, "-y", "new", "admin@example.com"]).ok()
    return {"argv": [*argv, "-h", os.path.join(hooks, "hook"), "issue", *names]}


def acmetool(lab, names, hooks):
    """It makes its account in the run; if it can reach itself at port 80 it asks the CA for http-01."""
    lab.run(["nft", "add table inet acmetool; add chain inet acmetool in { type filter hook input priority 0; }; "
             "add rule inet acmetool in tcp dport 80 reject with tcp reset"]).ok()
    home = lab.new_dir("acmetool")
    os.makedirs(os.path.join(home, "state", "conf"))
    write(os.path.join(home, "state", "conf", "target"), f"request:\n  provider: {lab.acme_dir}\n  key:\n    type: ecdsa\n")
    answers = write(os.path.join(home, "responses"),
                    '"acme-enter-email": "admin@example.com"\n"acme-agreement:data:text/plain,Do%20what%20thou%20wilt": true\n')
    return {"argv": [binaries.find("acmetool"), f"--state={home}/state", f"--hooks={hooks}", "--batch", f"--response-file={answers}", "want",
                     "--reconcile", *names]}


def commands(lab, hook, config, lag):
    """{label: function of host names that makes the command}; only what is installed."""
    made = {}
    for label, path in binaries.versions("lego"):
        if path:
            made[f"lego {label}, its own provider"] = lambda n, p=path: lego_own(lab, p, n)
            made[f"lego {label}, our hook"] = lambda n, p=path: lego_hook(lab, p, n, hook, config)
    if binaries.find("dehydrated"):
        if binaries.find("lexicon"):
            made["dehydrated + lexicon (30 s)"] = lambda n: dehydrated_lexicon(lab, n, 30)
            made[f"dehydrated + lexicon ({lag + 1:g} s)"] = lambda n: dehydrated_lexicon(lab, n, lag + 1)
        made["dehydrated, our hook"] = lambda n: dehydrated_hook(lab, n, hook, config)
    if binaries.find("certbot"):
        made["certbot, our hook"] = lambda n: certbot_hook(lab, n, hook, config)
    return made
