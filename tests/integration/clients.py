"""The real ACME clients, each driven as an administrator would: first issue, renewal from cron, and what it leaves where.

All of them call `Hook.path`.  During the first issue that is a recorder around the program, so that a test can see what the client
gave and got; for the renewal it is the program itself.
"""

import glob
import json
import os
import shutil

from lab import binaries
from leaks import WATCH

# What a scheduled run may find: nothing.
EMPTY = {"PATH": None, "HOME": None, "TMPDIR": None, "LANG": None}

RECORDER = """#!/usr/bin/python3 -B
# Runs the program and notes what it was given and what it answered.
import json, os, subprocess, sys, tempfile
done = subprocess.run([{program!r}, *sys.argv[1:]], capture_output=True)
call = {{"argv": sys.argv[1:], "status": done.returncode, "stdout": done.stdout.decode("utf-8", "replace"),
        "stderr": done.stderr.decode("utf-8", "replace"), "remaining": os.environ.get("CERTBOT_REMAINING_CHALLENGES")}}
with open({log!r}, "a", encoding="utf-8") as f:
    f.write(json.dumps(call) + "\\n")
sys.stdout.buffer.write(done.stdout)
sys.stderr.buffer.write(done.stderr)
sys.exit(done.returncode if done.returncode >= 0 else 128 - done.returncode)
"""


# It proves one name after the other: the wildcard's value follows that of the base before the CA's resolver has forgotten that.
ONE_BY_ONE = {"dnsmadeeasy__ttl": 1, "propagation__settle": "1500ms"}


class Hook:
    """What the client is told to call."""

    def __init__(self, program):
        self.program = program
        self.dir = program.lab.new_dir("hooks")
        self.path = os.path.join(self.dir, "acme-dme")
        self.log = os.path.join(program.lab.new_dir("calls"), "calls.jsonl")

    def record(self):
        with open(self.path, "w", encoding="utf-8") as f:
            f.write(RECORDER.format(program=self.program.path, log=self.log))
        os.chmod(self.path, 0o755)

    def plain(self):
        os.unlink(self.path)
        os.symlink(self.program.path, self.path)

    def calls(self):
        WATCH.calls(self.log)
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="utf-8") as f:
            return [json.loads(line) for line in f]


class Client:
    """One client.  SETTINGS: what the program's configuration has for its sake."""

    settings = {}
    failure = 1          # its exit status when a name fails
    declines = (0,)      # what our hook may answer it beside success

    def __init__(self, lab, program, label=""):
        self.lab, self.program, self.label = lab, program, label
        self.hook = Hook(program)
        self.hook.record()
        self.base = lab.new_dir(type(self).__name__.lower())

    def close(self):
        """What the client needed in the lab goes."""

    def path(self, *parts):
        return os.path.join(self.base, *parts)

    def run(self, argv, env=None, timeout=120, **kwargs):
        return self.lab.run(argv, env=env, timeout=timeout, **kwargs)

    def run_from_cron(self, argv, env=None, timeout=120):
        return self.lab.run(argv, env={**EMPTY, **(env or {})}, cwd="/", timeout=timeout)


class Certbot(Client):
    binary = "certbot"

    def options(self):
        return ["--config-dir", self.path("config"), "--work-dir", self.path("work"), "--logs-dir", self.path("log")]

    def argv(self, names, *more):
        return [binaries.find("certbot"), "certonly", "-n", "--agree-tos", "--email", "admin@example.com", "--server",
                self.lab.acme_dir, *self.options(), "--manual", "--preferred-challenges", "dns",
                "--manual-auth-hook", f"{self.hook.path} auth", "--manual-cleanup-hook", f"{self.hook.path} cleanup",
                *(word for name in names for word in ("-d", name)), *more]

    def issue(self, names, *more):
        return self.run(self.argv(names, *more))

    def renew(self):
        return self.run_from_cron([binaries.find("certbot"), "renew", "--force-renewal", "--no-random-sleep-on-renew", *self.options()])

    def cert(self, name):
        return self.path("config", "live", name, "fullchain.pem")

    def complaints(self, done):
        """What the client says of the hook's standard error."""
        return [line for line in (done.stdout + done.stderr).splitlines() if "error output" in line]


class Lego(Client):
    binary = "lego"
    settings = ONE_BY_ONE
    mode = None

    def argv(self, *command):
        return [self.label or binaries.find("lego"), "--server", self.lab.acme_dir, "--accept-tos", "--email", "admin@example.com", "--path",
                self.base, "--dns", "exec", "--dns.resolvers", self.lab.resolver + ":53", *self.names, *command]

    def env(self):
        env = {"EXEC_PATH": self.hook.path, "EXEC_SEQUENCE_INTERVAL": "0", "EXEC_POLLING_INTERVAL": "1",
               "EXEC_PROPAGATION_TIMEOUT": "60", "LEGO_CA_CERTIFICATES": self.lab.ca_file}
        if self.mode:
            env["EXEC_MODE"] = self.mode
        return env

    def issue(self, names):
        self.names = [word for name in names for word in ("-d", name)]
        return self.run(self.argv("run"), env=self.env())

    def renew(self):
        return self.run_from_cron(self.argv("renew", "--days", "1000", "--no-random-sleep"), env=self.env())

    def cert(self, name):
        return self.path("certificates", name + ".crt")

    def complaints(self, done):
        return [line for line in (done.stdout + done.stderr).splitlines() if "acme-dme:" in line]


class LegoRaw(Lego):
    mode = "RAW"


class Uacme(Client):
    """Only with the distribution's own pebble: what newer ones offer beside dns-01, it can't read."""

    binary = "uacme"
    settings = ONE_BY_ONE
    failure = 2
    declines = (0, 1)

    def argv(self, *words):
        return [binaries.find("uacme"), "-v", "-c", self.base, "-a", self.lab.system_acme_dir, "-t", "EC", *words]

    def issue(self, names):
        self.names = names
        made = self.run(self.argv("-y", "new", "admin@example.com"))
        return made if made.returncode != 0 else self.run(self.argv("-h", self.hook.path, "issue", *names))

    def renew(self):
        return self.run_from_cron(self.argv("-f", "-h", self.hook.path, "issue", *self.names))

    def cert(self, name):
        return self.path(name, "cert.pem")

    def complaints(self, done):
        return [line for line in (done.stdout + done.stderr).splitlines() if "acme-dme:" in line]


class Dehydrated(Client):
    binary = "dehydrated"
    chain = "no"

    def argv(self, *words):
        return [binaries.find("dehydrated"), "-f", self.path("config"), *words]

    def issue(self, names):
        with open(self.path("config"), "w", encoding="utf-8") as f:
            f.write(f'CA="{self.lab.acme_dir}"\nBASEDIR="{self.base}"\nCONTACT_EMAIL="admin@example.com"\nCHALLENGETYPE="dns-01"\n'
                    f'HOOK="{self.hook.path}"\nHOOK_CHAIN="{self.chain}"\nKEY_ALGO="prime256v1"\n')
        with open(self.path("domains.txt"), "w", encoding="utf-8") as f:
            f.write(" ".join(names) + "\n")
        made = self.run(self.argv("--register", "--accept-terms"))
        return made if made.returncode != 0 else self.run(self.argv("-c"))

    def renew(self):
        return self.run_from_cron(self.argv("-c", "-x"))

    def cert(self, name):
        return self.path("certs", name, "fullchain.pem")

    def complaints(self, done):
        return [line for line in (done.stdout + done.stderr).splitlines() if "acme-dme:" in line]


class DehydratedChain(Dehydrated):
    chain = "yes"


class Acmetool(Client):
    """It handles all names side by side, each on its own: the CA may ask for the base while the wildcard's value is on its way."""

    binary = "acmetool"
    settings = {"dnsmadeeasy__ttl": 1, "propagation__settle": "1s"}
    declines = (0, 42)

    def __init__(self, *args):
        super().__init__(*args)
        # It listens at port 80, and if it can reach itself there it asks the CA for http-01.
        self.lab.run(["nft", "add table inet acmetool; add chain inet acmetool in { type filter hook input priority 0; }; "
                      "add rule inet acmetool in tcp dport 80 reject with tcp reset"]).ok()

    def close(self):
        self.lab.run(["nft", "delete table inet acmetool"]).ok()

    def argv(self, *words):
        return [binaries.find("acmetool"), f"--state={self.path('state')}", f"--hooks={self.hook.dir}", "--batch",
                f"--response-file={self.path('responses')}", *words]

    def issue(self, names):
        os.makedirs(self.path("state", "conf"))
        with open(self.path("state", "conf", "target"), "w", encoding="utf-8") as f:
            f.write(f"request:\n  provider: {self.lab.acme_dir}\n")
        with open(self.path("responses"), "w", encoding="utf-8") as f:
            f.write('"acme-enter-email": "admin@example.com"\n"acme-agreement:data:text/plain,Do%20what%20thou%20wilt": true\n')
        return self.run(self.argv("want", "--reconcile", *names))

    def renew(self):
        """It has no "force": without certificates it asks for new ones."""
        for directory in ("certs", "live"):
            shutil.rmtree(self.path("state", directory))
        return self.run_from_cron(self.argv("reconcile"))

    def cert(self, name):
        return (glob.glob(self.path("state", "live", name, "fullchain")) or glob.glob(self.path("state", "certs", "*", "fullchain")))[0]

    def complaints(self, done):
        return [line for line in (done.stdout + done.stderr).splitlines() if "acme-dme:" in line]


def entries(kind):
    """(id, class, path of the program, with renewal) for each version of the client that is installed.

    lego takes five seconds a name; so, where there are two versions, one does everything in each mode and the other does the half of it.
    """
    name = kind.__name__.lower()
    if not issubclass(kind, Lego):
        return [(name, kind, binaries.find(kind.binary), True)]
    found = binaries.versions("lego")
    return [(f"{name}-{label.split('-')[0]}", kind, path, len(found) == 1 or n == (kind is LegoRaw)) for n, (label, path) in enumerate(found)] \
        or [(name, kind, None, True)]


EVERY = [entry for kind in (Lego, LegoRaw, Dehydrated, DehydratedChain, Acmetool, Certbot, Uacme) for entry in entries(kind)]
