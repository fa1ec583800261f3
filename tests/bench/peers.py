"""A certificate for one name, by each client: through its own DNS Made Easy code, or through our hook."""

import os
import stat

from lab import binaries, plan

LEXICON_HOOK = os.path.join(os.path.dirname(binaries.__file__), "lexicon-hook")


def write(path, text, mode=stat.S_IRUSR | stat.S_IWUSR):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


def lego(lab, path, name, more, env):
    home = lab.new_dir("lego")
    argv = [path, "--server", lab.acme_dir, "--accept-tos", "--email", "admin@example.com", "--path", home,
            "--dns.resolvers", lab.resolver + ":53", *more, "-d", name, "run"]
    return {"argv": argv, "env": {"LEGO_CA_CERTIFICATES": lab.ca_file, **env}}


def lego_own(lab, path, name):
    return lego(lab, path, name, ["--dns", "dnsmadeeasy"],
                {"DNSMADEEASY_API_KEY": lab.api_key, "DNSMADEEASY_API_SECRET": lab.api_secret})


def lego_hook(lab, path, name, hook, config):
    return lego(lab, path, name, ["--dns", "exec"],
                {"EXEC_PATH": hook, "ACME_DME_CONFIG": config, "EXEC_SEQUENCE_INTERVAL": "0", "EXEC_POLLING_INTERVAL": "1"})


def dehydrated(lab, name, hook, env):
    base = lab.new_dir("dehydrated")
    config = write(os.path.join(base, "config"),
                   f'CA="{plan.ACME_DIR}"\nBASEDIR="{base}"\nCONTACT_EMAIL="admin@example.com"\nCHALLENGETYPE="dns-01"\n'
                   f'HOOK="{hook}"\nHOOK_CHAIN="yes"\nKEY_ALGO="prime256v1"\n')
    program = binaries.find("dehydrated")
    lab.run([program, "-f", config, "--register", "--accept-terms"], env=env).ok()
    return {"argv": [program, "-f", config, "-c", "-d", name], "env": env}


def dehydrated_lexicon(lab, name, wait):
    return dehydrated(lab, name, LEXICON_HOOK,
                      {"LEXICON_DNSMADEEASY_USERNAME": lab.api_key, "LEXICON_DNSMADEEASY_TOKEN": lab.api_secret, "PROVIDER": "dnsmadeeasy",
                       "PROVIDER_UPDATE_DELAY": str(wait)})


def dehydrated_hook(lab, name, hook, config):
    return dehydrated(lab, name, hook, {"ACME_DME_CONFIG": config})


def certbot_hook(lab, name, hook, config):
    home = lab.new_dir("certbot")
    argv = [binaries.find("certbot"), "certonly", "--non-interactive", "--agree-tos", "-m", "admin@example.com", "--server", lab.acme_dir,
            "--config-dir", home + "/c", "--work-dir", home + "/w", "--logs-dir", home + "/l", "--manual", "--preferred-challenges", "dns",
            "--manual-auth-hook", f"{hook} --config {config} auth", "--manual-cleanup-hook", f"{hook} --config {config} cleanup", "-d", name]
    return {"argv": argv, "env": {"REQUESTS_CA_BUNDLE": lab.ca_file}}


def commands(lab, hook, config, lag):
    """{label: function of a host name that makes the command}; only what is installed."""
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
