"""The files in hooks/ do what they say: each is used as its user would, with nothing but the program's path replaced."""

import os
import re
import shutil

import pytest

from lab import binaries, x509

HOOKS = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "hooks")
NAMES = ["example.com", "*.example.com"]
RECORD = "_acme-challenge.host.example.com"
VALUE = "-hLhbbbR7x9kYh1ZQO0AOrBFUfTBOxjTRmqhdmwUbJA"


class Hooks:
    """hooks/ as it would be installed, with a configuration of its own."""

    def __init__(self, lab, program, settle):
        self.lab, self.program = lab, program
        self.dir = lab.new_dir("hooks")
        self.config = os.path.join(self.dir, "acme-dme.yaml")
        self.state = lab.new_dir("state")
        self.env = {"ACME_DME_CONFIG": self.config}
        self.write("acme-dme.yaml", f"""
credentials: {{api_key: {lab.api_key}, api_secret: {lab.api_secret}}}
dnsmadeeasy: {{ca_file: {lab.ca_file}, ttl: 1}}
propagation: {{timeout: 20s, settle: {settle}, resolvers: ["{lab.resolver}:53"]}}
state_dir: {self.state}
""")

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text, mode=0o600):
        with open(self.path(name), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def text(self, file):
        """A file of hooks/ with the path of the program under test in it."""
        with open(os.path.join(HOOKS, file), encoding="utf-8") as f:
            return re.sub(r"/usr/bin/acme-dme\b", self.program, f.read())

    def install(self, file):
        return self.write(os.path.basename(file), self.text(file), 0o755)

    def run(self, argv, env=None, timeout=120, **kwargs):
        return self.lab.run(argv, env={**self.env, **(env or {})}, timeout=timeout, **kwargs)

    def clean(self):
        assert self.lab.txt() == []
        assert os.listdir(os.path.join(self.state, "journal")) == []


@pytest.fixture
def hooks(lab, acme_dme):
    return Hooks(lab, acme_dme, "0s")


@pytest.fixture
def slow_hooks(lab, acme_dme):
    """For clients that put a wildcard's value onto the name right after that of its base, or side by side with it: the
    CA's resolver has forgotten the first (TTL 1) when it is asked for the second."""
    return Hooks(lab, acme_dme, "1500ms")


def client(name):
    path = binaries.find(name)
    if not path:
        pytest.skip(f"{'optional: ' if name == 'acmetool' else ''}{name} is not installed")
    return path


def check_certificate(hooks, path, root=None):
    assert x509.names(path) == sorted(NAMES)
    assert x509.verifies(path, root or hooks.lab.acme_root())
    hooks.clean()


# ------------------------------------------------------------------ acme.sh

# What acme.sh has around the file: a subshell for each call, settings of an account.
ACME_SH = """
_readaccountconf_mutable() { sed -n "s/^SAVED_$1=//p" "$ACCOUNT" | tail -n 1; }
_saveaccountconf_mutable() { echo "SAVED_$1=$2" >>"$ACCOUNT"; }
. "$SHIM"
( "$@" )
"""


@pytest.fixture(params=["dash", "bash"])
def acme_sh(request, hooks):
    """Calls a function of the shim."""
    shim = hooks.install("acme.sh/dns_acmedme.sh")
    account = hooks.write("account.conf", "")

    def call(*words, **env):
        return hooks.run([request.param, "-c", ACME_SH, "acme.sh", *words],
                         env={"SHIM": shim, "ACCOUNT": account, "ACME_DME": hooks.program, **env})

    call.account = account
    return call


def test_acme_sh_adds_and_removes_one_of_two_values(hooks, acme_sh):
    for value in (VALUE, "second"):
        done = acme_sh("dns_acmedme_add", "_acme-challenge.Host.example.com", value)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done
    assert sorted(hooks.lab.dig("ns13", RECORD)["answer"]) == sorted([VALUE, "second"])
    for _ in "twice":
        assert acme_sh("dns_acmedme_rm", RECORD, VALUE).returncode == 0
    assert hooks.lab.txt() == [(RECORD, "second")]
    acme_sh("dns_acmedme_rm", RECORD, "second").ok()
    hooks.clean()


def test_acme_sh_keeps_its_settings_for_renewals(hooks, acme_sh):
    hooks.lab.set_lag(30)
    acme_sh("dns_acmedme_add", RECORD, VALUE, ACMEDME_OPTIONS="--no-wait --quiet").ok()
    with open(acme_sh.account, encoding="utf-8") as f:
        assert f.read() == f"SAVED_ACME_DME={hooks.program}\nSAVED_ACMEDME_OPTIONS=--no-wait --quiet\n"
    acme_sh("dns_acmedme_add", RECORD, "two", ACME_DME="").ok()
    assert hooks.lab.txt() == sorted([(RECORD, VALUE), (RECORD, "two")])
    for value in (VALUE, "two"):
        acme_sh("dns_acmedme_rm", RECORD, value, ACME_DME="").ok()
    hooks.clean()


def test_acme_sh_is_told_of_failures(hooks, acme_sh):
    done = acme_sh("dns_acmedme_add", "_acme-challenge.host.foreign.org", VALUE)
    assert done.returncode == 1 and "foreign.org" in done.stderr, done
    with open(acme_sh.account, encoding="utf-8") as f:
        assert f.read() == ""
    done = acme_sh("dns_acmedme_add", RECORD, VALUE, ACME_DME="", PATH="/nowhere")
    assert done.returncode != 0, done


# ------------------------------------------------------------------ clients that are told a path

def test_certbot_with_the_configuration_file(hooks):
    base = hooks.lab.new_dir("certbot")
    directories = ["--config-dir", f"{base}/config", "--work-dir", f"{base}/work", "--logs-dir", f"{base}/log"]
    done = hooks.run([client("certbot"), "certonly", "--config", hooks.install("certbot/cli.ini"), "-n", "--agree-tos", "--email",
                      "admin@example.com", "--server", hooks.lab.acme_dir, *directories, *(w for name in NAMES for w in ("-d", name))])
    done.ok()
    check_certificate(hooks, f"{base}/config/live/example.com/fullchain.pem")

    # The lines for existing certificates are those that certbot writes itself; and it renews with them.
    wanted = [line for line in hooks.text("certbot/renewal.conf").splitlines() if line and line[0] not in "#["]
    with open(f"{base}/config/renewal/example.com.conf", encoding="utf-8") as f:
        written = f.read().splitlines()
    assert len(wanted) == 4 and not [line for line in wanted if line not in written], written
    hooks.run([client("certbot"), "renew", "--force-renewal", "--no-random-sleep-on-renew", *directories]).ok()
    check_certificate(hooks, f"{base}/config/live/example.com/fullchain.pem")


def test_lego_with_the_environment_file(slow_hooks):
    hooks = slow_hooks
    base = hooks.lab.new_dir("lego")
    script = 'set -a; . "$0"; exec "$@"'
    done = hooks.run(["sh", "-c", script, hooks.install("lego/lego.env"), client("lego"), "--server", hooks.lab.acme_dir, "--accept-tos", "--email",
                      "admin@example.com", "--path", base, "--dns", "exec", "--dns.resolvers", hooks.lab.resolver + ":53",
                      *(w for name in NAMES for w in ("-d", name)), "run"], env={"LEGO_CA_CERTIFICATES": hooks.lab.ca_file})
    done.ok()
    check_certificate(hooks, f"{base}/certificates/example.com.crt")


def test_dehydrated_with_the_configuration_lines(hooks):
    base = hooks.lab.new_dir("dehydrated")
    config = hooks.write("config", f'CA="{hooks.lab.acme_dir}"\nBASEDIR="{base}"\nKEY_ALGO="prime256v1"\n' + hooks.text("dehydrated/config"))
    hooks.run([client("dehydrated"), "-f", config, "--register", "--accept-terms"]).ok()
    hooks.run([client("dehydrated"), "-f", config, "-c", *(w for name in NAMES for w in ("-d", name))]).ok()
    check_certificate(hooks, f"{base}/certs/example.com/fullchain.pem")


def test_uacme_with_the_cron_line(slow_hooks):
    hooks = slow_hooks
    base = hooks.lab.new_dir("uacme")
    options = f"-c {base} -a {hooks.lab.system_acme_dir} -t EC"
    # Only where the test's CA and directory are is added to the line.
    wrapper = hooks.write("uacme", f'#!/bin/sh\nexec {client("uacme")} {options} "$@"\n', 0o755)
    hooks.run([wrapper, "-y", "new", "admin@example.com"]).ok()
    lines = [line for line in hooks.text("uacme/acme-dme-uacme.cron").splitlines() if " root " in line]
    assert len(lines) == 1
    command = lines[0].split(" root ")[1].strip()
    for _ in ("first", "not due"):
        done = hooks.run(["sh", "-c", f'PATH="{hooks.dir}:$PATH"; {command}'])
        assert done.returncode == 0, done
    port = 15000 if hooks.lab.system_acme_dir == hooks.lab.acme_dir else 15001
    check_certificate(hooks, f"{base}/example.com/cert.pem", hooks.lab.acme_root(f"https://127.0.0.1:{port}"))


def test_acmetool_with_symlink_and_target_file(slow_hooks):
    hooks = slow_hooks
    base = hooks.lab.new_dir("acmetool")
    for name in ("hooks", "state/conf", "state/desired"):
        os.makedirs(os.path.join(base, name))
    os.symlink(hooks.program, f"{base}/hooks/acme-dme")
    with open(f"{base}/state/conf/target", "w", encoding="utf-8") as f:
        f.write(f"request:\n  provider: {hooks.lab.acme_dir}\n")
    with open(f"{base}/state/desired/example.com", "w", encoding="utf-8") as f:
        f.write(hooks.text("acmetool/desired.yaml").replace("/etc/acme-dme/acme-dme.yaml", hooks.config))
    responses = hooks.write("responses", '"acme-enter-email": "admin@example.com"\n"acme-agreement:data:text/plain,Do%20what%20thou%20wilt": true\n')
    done = hooks.lab.run([client("acmetool"), f"--state={base}/state", f"--hooks={base}/hooks", "--batch", f"--response-file={responses}", "reconcile"],
                         timeout=120)
    done.ok()
    check_certificate(hooks, f"{base}/state/live/example.com/fullchain")


# ------------------------------------------------------------------ clients that are not to be had

def test_getssl_commands_as_getssl_evaluates_them(hooks):
    script = '. "$0"; export LANG=C; eval "$DNS_ADD_COMMAND" "host.example.com" "$1" && echo added && eval "$DNS_DEL_COMMAND" "host.example.com" "$1"'
    done = hooks.run(["bash", "-c", script, hooks.install("getssl/getssl.cfg"), VALUE])
    assert (done.returncode, done.stdout, done.stderr) == (0, "added\n", ""), done
    assert [r["method"] for r in hooks.lab.requests() if r["method"] != "GET"] == ["POST", "DELETE"]
    hooks.clean()


def test_mod_md_command_as_apache_splits_it(hooks):
    directives = dict(line.split(None, 1) for line in hooks.text("mod_md/acme-dme.conf").splitlines() if line and line[0] != "#")
    assert directives["MDChallengeDns01Version"] == "2" and directives["MDCAChallenges"] == "dns-01"
    command = directives["MDChallengeDns01"].split()
    hooks.run([*command, "setup", "host.example.com", VALUE]).ok()
    assert hooks.lab.txt() == [(RECORD, VALUE)]
    hooks.run([*command, "teardown", "host.example.com", VALUE]).ok()
    hooks.clean()


def test_traefiks_container_gives_secrets_that_all_can_read(hooks):
    text = hooks.text("traefik/compose.yaml")
    environment = dict(re.findall(r"^      ([A-Z_]+): \"?([^\"\n]+)\"?$", text, re.M))
    content = re.search(r"content: \|\n((?:      .*\n)+)", text).group(1).replace("      ", "")
    assert environment["EXEC_PATH"] == hooks.program and environment["EXEC_SEQUENCE_INTERVAL"] == "0"
    env = {"ACME_DME_CONFIG": hooks.write("mounted.yaml", content + f"dnsmadeeasy: {{ca_file: {hooks.lab.ca_file}}}\n"
                                          f"propagation: {{settle: 0s, resolvers: ['{hooks.lab.resolver}:53']}}\n", 0o444),
           "ACME_DME_STATE_DIR": hooks.state}
    for name, secret in (("API_KEY", hooks.lab.api_key), ("API_SECRET", hooks.lab.api_secret)):
        variable = f"DNSMADEEASY_{name}_FILE"
        assert environment[variable] == "/run/secrets/dme_" + name.lower()
        env[variable] = hooks.write(name.lower(), secret + "\n", 0o444)
    assert set(environment) >= set(env)
    hooks.run([hooks.program, "present", RECORD + ".", VALUE], env=env).ok()
    hooks.run([hooks.program, "cleanup", RECORD + ".", VALUE], env=env).ok()
    hooks.clean()


POSH_ACME = """
$ErrorActionPreference = 'Stop'
$module = New-Module -ScriptBlock {
    function Invoke-Plugin { param($File, $Function, $Arguments) . $File; & $Function @Arguments }
}
$file, $program, $names = $args
foreach ($verb in 'Add-DnsTxt','Remove-DnsTxt') {
    foreach ($name in $names) {
        & $module { param($f, $n, $a) Invoke-Plugin $f $n $a } $file $verb @{ RecordName = $name; TxtValue = '-value'; AcmeDmePath = $program; Other = 1 }
    }
    & $module { param($f, $n, $a) Invoke-Plugin $f $n $a } $file 'Save-DnsTxt' @{ AcmeDmePath = $program; Other = 1 }
    'saved'
}
"""


def test_posh_acme_creates_all_in_one_request(hooks):
    pwsh = shutil.which("pwsh")
    if not pwsh:
        pytest.skip("optional: pwsh is not installed")
    script = hooks.write("drive.ps1", POSH_ACME)
    done = hooks.run([pwsh, "-NoProfile", "-File", script, hooks.install("posh-acme/AcmeDme.ps1"), hooks.program,
                      "_acme-challenge.a.example.com", "_acme-challenge.b.example.com"])
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["saved", "saved"], ""), done
    assert [r["method"] for r in hooks.lab.requests() if r["method"] != "GET"] == ["POST", "DELETE"]
    hooks.clean()


# The plugin's functions in Posh-ACME's order; what each says to acme-dme is read from the file.
STAND_IN = """#!/bin/sh
program=$1
shift
for words; do $program $words || exit 1; done
"""


def test_the_words_of_the_posh_acme_plugin_create_all_in_one_request(hooks):
    text = hooks.text("posh-acme/AcmeDme.ps1")
    says = {}
    for function, body in re.findall(r"^function (\S+) \{$(.*?)^\}", text, re.M | re.S):
        said = re.findall(r"^    Invoke-AcmeDme @\(([^)]*)\) \$AcmeDmePath \$AcmeDmeConfig$", body, re.M)
        if said:
            says[function] = " ".join(word.strip("'") for word in said[0].split(","))
    assert says == {"Add-DnsTxt": "--defer add-record $RecordName $TxtValue", "Remove-DnsTxt": "--defer del-record $RecordName $TxtValue",
                    "Save-DnsTxt": "save-records"}
    pairs = [("_acme-challenge.example.com", "one"), ("_acme-challenge.example.com", "-two"), (RECORD, VALUE)]
    steps = []
    for function in ("Add-DnsTxt", "Remove-DnsTxt"):
        steps += [says[function].replace("$RecordName", name).replace("$TxtValue", value) for name, value in pairs] + [says["Save-DnsTxt"]]
    pwsh = hooks.write("pwsh", STAND_IN, 0o755)
    done = hooks.run([pwsh, hooks.program, *steps[:4]])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done
    assert hooks.lab.txt() == sorted(pairs)
    hooks.run([pwsh, hooks.program, *steps[4:]]).ok()
    assert [r["method"] for r in hooks.lab.requests() if r["method"] != "GET"] == ["POST", "DELETE"]
    hooks.clean()


# ------------------------------------------------------------------ what runs by the clock

def test_systemd_likes_the_units(hooks):
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        pytest.skip("optional: systemd-analyze is not installed")
    units = [f"acme-dme-{verb}.{kind}" for verb in ("sweep", "renew") for kind in ("service", "timer")]
    for unit in units:
        hooks.write(unit, hooks.text(f"systemd/{unit}"), 0o644)
    done = hooks.run([analyze, "verify", "--man=no", *map(hooks.path, units)])
    assert (done.returncode, done.stderr.strip()) == (0, ""), done


def test_cron_sweeps(hooks):
    line = [line for line in hooks.text("cron/acme-dme-sweep").splitlines() if " root " in line][0]
    command = line.split(" root ")[1].strip()
    assert re.fullmatch(r"\d+ \d+ \* \* \*", line.split(" root ")[0].strip())
    hooks.run([hooks.program, "--no-wait", "add-record", RECORD, VALUE]).ok()
    done = hooks.run(["sh", "-c", f"{command} --sweep-after 0s"])
    assert done.returncode == 0 and done.stdout.endswith(": removed\n"), done
    hooks.clean()


def test_cron_renews_at_a_random_second(hooks):
    line = [line for line in hooks.text("cron/acme-dme-renew").splitlines() if " root " in line][0]
    assert line.split(" root ")[0].strip() == "0 0,12 * * *"
    command = line.split(" root ")[1].strip()
    # Crontabs end a command at "%".
    assert "%" not in command
    # A run ends before the next one begins; nothing was issued, so that nothing is due.
    assert command.endswith(" renew --jitter 11h")
    done = hooks.run(["sh", "-c", command.replace("11h", "1s")])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done
