"""How a fault is brought about: the stage that a row of faults.py plays on, and the steps that rows are made of.

A step is a function of the stage; what it changes outside of the program's own directory it puts onto stage.undo.
"""

import contextlib
import json
import os
import time

import pytest

from lab import plan
from program import NAME, VALUE, until

FOREIGN = "some other program's"
NOBODY = "00000000-1111-4222-8333-444444444444"  # a key that DNS Made Easy does not know
DOMAIN = "host.example.com"


class Stage:
    """What the steps of a row work on: a lab, the program, and how it will be called."""

    def __init__(self, lab, program):
        self.lab, self.program = lab, program
        self.env = {"CERTBOT_DOMAIN": DOMAIN, "CERTBOT_VALIDATION": VALUE, "CERTBOT_REMAINING_CHALLENGES": "0",
                    "CERTBOT_ALL_DOMAINS": DOMAIN}
        self.options = []
        self.prefix = []
        self.meanwhile = None  # called with the running program
        self.undo = contextlib.ExitStack()

    def write(self, name, content, mode=0o600):
        """A file beside the configuration; returns its path."""
        path = os.path.join(self.program.dir, name)
        with open(path, "wb") as f:
            f.write(content if isinstance(content, bytes) else content.encode("utf-8"))
        os.chmod(path, mode)
        return path

    def run(self, call):
        running = self.program.popen([*self.prefix, self.program.path, *self.options, *call], env=self.env)
        if self.meanwhile:
            self.meanwhile(running)
        return running.wait()


# -- steps ---------------------------------------------------------------------------------------------------------


def sim(**settings):
    """Settings of the simulator, for example skew=412: its clock is ahead."""
    return lambda stage: stage.lab.set(**settings)


def api(count=99, **fault):
    """The next COUNT requests that match fail so (dmesim/fault.py)."""
    return lambda stage: stage.lab.fault(count=count, **fault)


def says_403(text, status=403):
    return api(status=status, body=json.dumps({"error": [text]}), content_type="application/json")


def config(**changes):
    """Keys of the configuration as in Program.configure()."""
    return lambda stage: stage.program.configure(**changes)


def config_text(make, mode=0o600):
    """The whole file: a text, or a function of the stage."""
    return lambda stage: stage.program.write_config(make(stage) if callable(make) else make, mode)


def env(**values):
    return lambda stage: stage.env.update(values)


def option(*words):
    return lambda stage: stage.options.extend(words)


def machine_clock(offset_s):
    """This machine's clock is ahead by so many seconds."""
    return lambda stage: stage.env.update(stage.program.clock(f"{offset_s:+d}"))


def key(change):
    """The API key becomes change(key)."""
    return lambda stage: stage.program.configure(credentials__api_key=change(stage.lab.api_key))


def secret(change):
    return lambda stage: stage.program.configure(credentials__api_secret=change(stage.lab.api_secret))


def secret_file(change, mode=0o600):
    """The secret stands in a file of its own, with these bytes."""
    def step(stage):
        path = stage.write("secret", change(stage.lab.api_secret), mode)
        stage.program.configure(credentials__api_secret=None, credentials__api_secret_file=path)
    return step


def endpoint(port, scheme="https"):
    return config(dnsmadeeasy__endpoint=f"{scheme}://{plan.API_HOST}:{port}/V2.0/", dnsmadeeasy__give_up_after="1s")


def tls(name):
    """The API shows another certificate: expired, future, wrong-host, unknown-ca, self-signed."""
    return sim(certificate=name)


def pause(*servers):
    return lambda stage: [stage.lab.pause(name) for name in servers]


def delegation(zone, *servers):
    """The zone's parent names these servers instead, and its own servers do too; without any it is not delegated."""
    def step(stage):
        lab = stage.lab
        records = [[f"{zone}.", 60, "NS", f"{server}."] for server in servers]
        stage.undo.callback(lab.flush)
        stage.undo.callback(lab.restart, "root")
        lab.update("root", zone.split(".")[1], delete=[[f"{zone}.", "NS"]], add=records)
        if servers:
            for server in lab.nameservers:
                stage.undo.callback(lab.restart, server)
                lab.update(server, zone, delete=[[f"{zone}.", "NS"]], add=records)
        lab.flush()
    return step


def mounted(where, options, kind="tmpfs"):
    """A file system of its own at WHERE(stage)."""
    def step(stage):
        path = where(stage)
        stage.lab.run(["mkdir", "-p", "-m", "0700", path]).ok()
        stage.lab.run(["mount", "-t", kind, "-o", options, "fault", path]).ok()
        stage.undo.callback(lambda: stage.lab.run(["umount", path]).ok())
    return step


def frozen(where):
    """What is at WHERE(stage) can't be changed any more."""
    def step(stage):
        path = where(stage)
        stage.lab.run(["mount", "--bind", path, path]).ok()
        stage.undo.callback(lambda: stage.lab.run(["umount", path]).ok())
        stage.lab.run(["mount", "-o", "remount,bind,ro", path]).ok()
    return step


def dst_change(forward):
    """Local time changes by an hour while the program waits: a time zone is made up for it."""
    def step(stage):
        moment = int(time.time()) + 2
        change = time.gmtime(moment if forward else moment + 3600)  # the end is told in summer time
        rule = f"{change.tm_yday - 1}/{change.tm_hour}:{change.tm_min:02d}:{change.tm_sec:02d}"
        other = (change.tm_yday + 180) % 360
        stage.env["TZ"] = f"WIN0SUM,{rule},{other}" if forward else f"WIN0SUM,{other},{rule}"
        stage.lab.set_lag(3)
    return step


def clock_jumps(by_s):
    """The wall clock jumps while it waits for the last name server."""
    def step(stage):
        file = stage.write("clock", "+0")
        stage.env.update(stage.program.clock("@" + file))
        stage.lab.set(hold="ns11")

        def meanwhile(_running):
            until(lambda: (NAME, VALUE) in stage.lab.txt(), what="the record")
            os.replace(stage.write("clock.new", f"{by_s:+d}"), file)
            time.sleep(0.5)
            stage.lab.set(release="ns11")

        stage.meanwhile = meanwhile
    return step


def never_released(stage):
    """As clock_jumps(), but the name server never shows the record."""
    jump = stage.meanwhile
    stage.lab.set_lag([0, 30, 0, 0])
    stage.meanwhile = jump


def accounts(bad_zones=(), good_zones=("example.com",), default="good"):
    def step(stage):
        lab, settings = stage.lab, stage.program.settings
        settings.pop("credentials")
        both = [("bad", bad_zones, NOBODY, plan.OTHER_SECRET), ("good", good_zones, lab.api_key, lab.api_secret)]
        settings["accounts"] = [{"name": name, "default_account": name == default, "zones": list(zones),
                                 "credentials": {"api_key": key_, "api_secret": secret_}}
                                for name, zones, key_, secret_ in both]
        stage.program.configure()
    return step


def zone_as(content_type):
    """The look-up's right answer, under a wrong name."""
    def step(stage):
        number = next(z["id"] for z in stage.lab.state()["zones"] if z["name"] == "example.com")
        body = json.dumps({"id": number, "name": "example.com"})
        stage.lab.fault(method="GET", count=1, status=200, body=body, content_type=content_type)
    return step


def pending(zone, action):
    """A creation (1) or deletion (3) of the zone is under way at DNS Made Easy."""
    def step(stage):
        stage.undo.callback(lambda: stage.lab.sim("POST", "/zone", {"name": zone, "pendingActionId": 0}))
        stage.lab.sim("POST", "/zone", {"name": zone, "pendingActionId": action})
    return step


def secret_fifo(stage):
    """The secret's file is one that nobody ever writes to."""
    path = os.path.join(stage.program.dir, "fifo")
    os.mkfifo(path, 0o600)
    stage.program.configure(credentials__api_secret=None, credentials__api_secret_file=path)


def given_away(where):
    """What is at WHERE(stage) belongs to another user; a directory is made if nothing is there."""
    def step(stage):
        if not stage.lab.privileged:
            pytest.skip("optional: files can't be given away in a user namespace")
        path = where(stage)
        if not os.path.lexists(path):
            os.mkdir(path, 0o700)
        os.chown(path, 65534, 65534)
    return step


def prefix(*words):
    """A command in front of the program."""
    return lambda stage: stage.prefix.extend(words)


def published(stage):
    """The record is there, and its certificate issued: what follows happens to the clean-up."""
    stage.lab.wait_published()
    stage.program.run("auth", env=stage.env).ok()
    stage.lab.sim("POST", "/reset", {"only": ["log"]})


def journal_file(stage):
    directory = os.path.join(stage.program.state, "journal")
    return os.path.join(directory, next(name for name in os.listdir(directory) if name.endswith(".json")))


def damaged(change):
    """The bytes of the journal's only entry become change(bytes)."""
    def step(stage):
        path = journal_file(stage)
        with open(path, "rb") as f:
            content = f.read()
        with open(path, "wb") as f:
            f.write(change(content))
    return step


# It would otherwise try for a minute and a half.
impatient = config(dnsmadeeasy__give_up_after="1s", dnsmadeeasy__timeout="1s", dnsmadeeasy__budget_wait="1s")


# -- looks at what should be so afterwards --------------------------------------------------------------------------


def took(least, most):
    def look(_stage, done):
        assert least <= done.seconds <= most, done
    return look


def escaped(_stage, done):
    for bad in ("\x1b", "\x07", "\x9b", "\r", "\u202e", "\u2066"):
        assert bad not in done.stderr, repr(done.stderr)
    assert "\nacme-dme: forged" not in done.stderr and "\nhint: rm" not in done.stderr


def short(_stage, done):
    assert max(len(line) for line in done.stderr.splitlines()) < 800, done


def only_over_tls(stage, done):
    assert all(r["tls"] for r in stage.lab.requests()), f"the redirect was followed\n{done}"


def without(text):
    def look(_stage, done):
        assert text not in done.stderr, done
    return look
