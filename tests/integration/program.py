"""The program under test in a lab: its configuration, its state, calls by hand, and what every test asks afterwards."""

import glob
import hashlib
import hmac
import json
import os
import re
import signal
import subprocess
import time
from email.utils import formatdate

from lab.lab import Result
from leaks import WATCH

# src/cmd/exit.c
OK, INTERNAL, USAGE, CONFIG, AUTH, ZONE, API, RATE_LIMIT, PROPAGATION, STATE, CANCELLED = range(11)

NAME = "_acme-challenge.host.example.com"
VALUE = "hFW8fRxYb-p6oP1oCBbEA9lIFfzwkbPNPyG9Hqjv2OQ"
ENTRY = re.compile(r"[0-9a-f]{32}\.json\Z")
PLAIN = re.compile(r"[A-Za-z0-9_./-]+\Z")


def until(true, limit_s=15.0, what="the awaited"):
    """The first true value of TRUE(), asked again and again."""
    end = time.monotonic() + limit_s
    while not (value := true()):
        assert time.monotonic() < end, f"{what} did not come about in {limit_s} s"
        time.sleep(0.01)
    return value


def seal(document):
    """What the program writes into a file of its state: the document with its checksum (docs/ARCHITECTURE.md)."""
    bare = {k: v for k, v in document.items() if k != "checksum"}
    text = json.dumps(bare, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return json.dumps({**bare, "checksum": hashlib.sha256(text.encode()).hexdigest()[:16]})


def to_yaml(settings, indent=""):
    """Nested dictionaries as block mappings, everything else as JSON, which YAML contains."""
    lines = []
    for key, value in settings.items():
        if isinstance(value, dict):
            lines += [f"{indent}{key}:", *to_yaml(value, indent + "  ")]
        elif isinstance(value, str) and PLAIN.match(value):
            lines.append(f"{indent}{key}: {value}")
        else:
            lines.append(f"{indent}{key}: {json.dumps(value)}")
    return lines


class Running:
    """A call that has been started and may still run."""

    def __init__(self, lab, argv, process):
        self.lab, self.argv, self.process = lab, argv, process
        self.begin = time.monotonic()

    def pid(self):
        """Of the program itself, as seen from outside: the child that nsenter waits for."""
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"

        def child():
            try:
                with open(path, encoding="ascii") as f:
                    return f.read().split()
            except OSError:
                return None

        return int(until(child, what="the program's process")[0])

    def below(self):
        """The ids of all processes that it has started and that still run."""
        found, look = [], [self.process.pid]
        while look:
            pid = look.pop()
            try:
                with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
                    children = [int(word) for word in f.read().split()]
            except OSError:
                continue
            found += children
            look += children
        return found

    def running(self, path):
        """The ids of those among them that run the program at PATH."""
        found = []
        for pid in self.below():
            try:
                if os.path.samefile(f"/proc/{pid}/exe", path):
                    found.append(pid)
            except OSError:
                pass
        return found

    def signal(self, number):
        """To the program alone: nsenter would die of it and hide the program's own end."""
        os.kill(self.pid(), number)

    def proc(self, file):
        with open(f"/proc/{self.pid()}/{file}", "rb") as f:
            return f.read()

    def alive(self):
        return self.process.poll() is None

    def wait(self, timeout=30):
        """Its Result."""
        timed_out = False
        try:
            out, err = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
            os.killpg(self.process.pid, signal.SIGKILL)
            out, err = self.process.communicate()
        return self.lab.note(Result(self.argv, self.process.returncode, out, err, time.monotonic() - self.begin, timed_out))


class Program:
    """acme-dme with a configuration and a state directory of its own."""

    def __init__(self, lab, path):
        self.lab, self.path = lab, path
        self.dir = lab.new_dir("acme-dme")
        self.state = os.path.join(self.dir, "state")
        self.config = os.path.join(self.dir, "acme-dme.yaml")
        self.started = []
        WATCH.place(self.state)
        self.settings = {
            "credentials": {"api_key": lab.api_key, "api_secret": lab.api_secret},
            "dnsmadeeasy": {"ca_file": lab.ca_file},
            "propagation": {"timeout": "20s", "settle": "0s", "lame_after": "1s", "resolvers": [lab.resolver + ":53"],
                            "doh_urls": [lab.doh_url]},
            "state_dir": self.state,
        }
        self.configure()

    # -- configuration --------------------------------------------------------------------------------------------------------

    def configure(self, **changes):
        """Writes the configuration: keys as `propagation__settle="0s"`; None takes a key out."""
        for key, value in changes.items():
            *sections, last = key.split("__")
            section = self.settings
            for name in sections:
                section = section.setdefault(name, {})
            if value is None:
                section.pop(last, None)
            else:
                section[last] = value
        self.write_config("\n".join(to_yaml({k: v for k, v in self.settings.items() if v != {}})) + "\n")

    def write_config(self, text, mode=0o600):
        if os.path.lexists(self.config):
            os.unlink(self.config)
        with os.fdopen(os.open(self.config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(self.config, mode)

    def env(self, env=None):
        return {"ACME_DME_CONFIG": self.config, **(env or {})}

    def clock(self, offset):
        """Environment in which the program's wall clock is off by "+412" or "-86400" seconds (libfaketime); "@FILE": by what stands
        in the file, read at each look, so that the clock can jump.  Its monotonic clock is left alone, as the kernel does."""
        found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1") + glob.glob("/usr/lib*/faketime/libfaketime.so.1")
        assert found, "libfaketime is not installed (run tests/setup)"
        made = {"LD_PRELOAD": " ".join([*self.sanitizers(), found[0]]), "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1"}
        if offset.startswith("@"):
            return {**made, "FAKETIME_TIMESTAMP_FILE": offset[1:], "FAKETIME_NO_CACHE": "1"}
        return {**made, "FAKETIME": offset}

    def sanitizers(self):
        """AddressSanitizer's library, if the program is built with it: it wants to be the first."""
        listed = subprocess.run(["ldd", self.path], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout
        return re.findall(r"=> (/\S*/libasan\.so\S*)", listed)

    # -- calls ----------------------------------------------------------------------------------------------------------------

    def run(self, *args, env=None, timeout=30, **kwargs):
        """The program with these arguments, to its end."""
        return self.lab.run([self.path, *args], env=self.env(env), timeout=timeout, **kwargs)

    def start(self, *args, env=None, **kwargs):
        """The program with these arguments, running; stop_all() ends it if the test did not."""
        return self.popen([self.path, *args], env, **kwargs)

    def log_file(self, name="acme-dme.log"):
        """A path for --log-file; what gets there is watched."""
        path = os.path.join(self.dir, name)
        WATCH.place(path)
        return path

    def popen(self, argv, env=None, **kwargs):
        process = self.lab.popen(argv, env=self.env(env), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                 encoding="utf-8", errors="replace", **kwargs)
        self.started.append(process)
        return Running(self.lab, [str(a) for a in argv], process)

    def sh(self, script, *args, env=None, timeout=30, **kwargs):
        """A shell in the lab: "$0" is the program, "$@" are ARGS.  `exec "$0" "$@"` hands over with whatever was redirected."""
        return self.lab.run(["sh", "-c", script, self.path, *args], env=self.env(env), timeout=timeout, **kwargs)

    def script(self, name, text):
        """An executable file; its name counts when the program looks for the ACME client above it."""
        path = os.path.join(self.lab.new_dir("script"), name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, 0o700)
        return path

    def named(self, name):
        """The program under another name."""
        path = os.path.join(self.lab.new_dir("named"), name)
        os.symlink(self.path, path)
        return path

    def stop_all(self):
        for process in self.started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                WATCH.text("a call that its test did not wait for", "\n".join(process.communicate()))

    # -- what is left ---------------------------------------------------------------------------------------------------------

    def journal(self):
        """The entries of the journal, oldest first."""
        directory = os.path.join(self.state, "journal")
        entries = []
        if os.path.isdir(directory):
            for name in os.listdir(directory):
                if not ENTRY.match(name):  # one that is being written
                    continue
                try:
                    with open(os.path.join(directory, name), encoding="utf-8") as f:
                        entries.append(json.load(f))
                except FileNotFoundError:
                    pass
        return sorted(entries, key=lambda e: e["created_ms"])

    def changes(self):
        """The requests that were meant to change something."""
        return [r for r in self.lab.requests() if r["method"] != "GET"]

    def clean(self, left=()):
        """Nothing of ours is left: only the TXT records in LEFT are there, the journal is empty, no zone was wiped."""
        assert self.lab.txt() == sorted(left)
        assert self.journal() == []
        assert self.lab.state()["wipes"] == 0

    def secrets(self, since):
        """Texts that must be shown nowhere: key, secret, and the signature of any second from SINCE (wall clock) to now."""
        secret = self.lab.api_secret.encode()
        dates = (formatdate(t, usegmt=True) for t in range(int(since) - 2, int(time.time()) + 3))
        return [self.lab.api_key, self.lab.api_secret] + [hmac.new(secret, d.encode(), hashlib.sha1).hexdigest() for d in dates]


def silent(done):
    """Success, and not a word."""
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done
    return done


def refused(done, status, *needles, hint=None):
    """The exit status, one message with all of NEEDLES in it, the hint, and nothing on standard output."""
    assert not done.timed_out and done.returncode == status, done
    assert done.stdout == "", done
    lines = done.stderr.splitlines()
    messages = [line for line in lines if line.startswith("acme-dme: ") and not line.startswith("acme-dme: warning: ")]
    hints = [line for line in lines if line.startswith("hint: ")]
    assert len(messages) == 1 and len(hints) <= 1, done
    assert not [line for line in lines if not line.startswith(("acme-dme: ", "hint: "))], done
    for needle in needles:
        assert needle in messages[0], f"{needle!r} is not in the message\n{done}"
    if hint is not None:
        assert hints and hint in hints[0], f"{hint!r} is not in the hint\n{done}"
    return done


def warnings(done):
    """The texts of its warnings."""
    return [line.removeprefix("acme-dme: warning: ") for line in done.stderr.splitlines() if line.startswith("acme-dme: warning: ")]
