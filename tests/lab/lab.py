"""Lab: the handle a test holds.

    with Lab(lag=[0.1, 0.2, 0.3, 0.5]) as lab:
        done = lab.run(["lego", "--server", lab.acme_dir, …], env={"DNSMADEEASY_API_KEY": lab.api_key, …})
        assert done.returncode == 0
        assert lab.txt() == []

Everything runs in network, mount and PID namespaces of this lab's own, so ports and files collide with nothing and several labs
run side by side.  Needs no root where user namespaces are allowed.  plan.py says who lives at which address.
"""

import atexit
import inspect
import json
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from . import binaries, ca, pebble, plan, scripted, servers

HERE = os.path.dirname(os.path.abspath(__file__))
READY_LIMIT_S = 30
# Handed on to programs in the lab; everything else of the caller's environment stays outside.
KEPT_ENV = ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "LLVM_PROFILE_FILE")


class LabUnavailable(Exception):
    """This machine cannot run a lab; the text says what it lacks."""


class Result:
    """How a program ended: returncode (negative: by that signal), stdout, stderr (text), seconds, timed_out."""

    def __init__(self, argv, returncode, stdout, stderr, seconds, timed_out):
        self.argv, self.returncode, self.stdout, self.stderr = argv, returncode, stdout, stderr
        self.seconds, self.timed_out = seconds, timed_out

    def __repr__(self):
        late = " (killed: time limit)" if self.timed_out else ""
        return (f"$ {shlex.join(self.argv)}\nexit {self.returncode}{late} after {self.seconds:.1f} s\n"
                f"--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}")

    def ok(self):
        """Self, if the program ended well; else AssertionError with all it said."""
        assert self.returncode == 0, repr(self)
        return self


# What a lab does first (see own_root in inside.py): some systems hand out namespaces without any power in them.
PROBE = """ip link set lo up || exit
mount --make-rprivate / 2>/dev/null && exec mount -t tmpfs lab /run
mount --make-private /proc && mount --rbind / /proc && mount --make-rprivate /proc && exec chroot /proc mount -t tmpfs lab /run"""


def namespace_flags():
    """The unshare options that work here; LabUnavailable if none do."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    common = [*user, "--net", "--mount", "--pid", "--fork", "--kill-child=SIGKILL"]
    why = ""
    # --propagation unchanged: for a chroot whose root is no mount point, which unshare cannot make private.
    for more in (["--mount-proc"], [], ["--propagation=unchanged", "--mount-proc"], ["--propagation=unchanged"]):
        done = subprocess.run(["unshare", *common, *more, "sh", "-c", PROBE], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False)
        if done.returncode == 0:
            return [*common, *more]
        why = why or done.stderr.strip()
    raise LabUnavailable(f"cannot make namespaces here ({why}); run as root, or allow unprivileged user namespaces")


class Lab:
    """One lab.  Starts in the constructor, ends in stop() (or at the end of this process, however it comes)."""

    acme_dir = plan.ACME_DIR
    resolver = plan.CLIENT_RESOLVER
    doh_url = plan.DOH_URL
    api_key, api_secret = plan.API_KEY, plan.API_SECRET
    other_key, other_secret = plan.OTHER_KEY, plan.OTHER_SECRET
    sandbox_key, sandbox_secret = plan.SANDBOX_KEY, plan.SANDBOX_SECRET
    #: Told of every Result, and when the lab is about to end (tests/integration/leaks.py); None: nobody.
    watch = None
    #: Real path of the program under test: what is said by it, or by a command line that has it as a word, counts as its own.
    program = None
    nameservers = {name: v4 for name, (v4, _) in plan.NAMESERVERS.items()}

    def __init__(self, lag=plan.DEFAULT_LAG, sim=None, pebble=None, pebble_env=None, pebble_binary=None, dnssec=None, zones=0, keep=False):
        """LAG: seconds of the four name servers.  SIM, PEBBLE: settings that override the simulator's, pebble's configuration;
        PEBBLE_ENV: its PEBBLE_* switches.  DNSSEC: zone -> one of signing.KINDS; root and top-level domains are signed then, and both
        resolvers validate.  ZONES: so many more in the account, whose names are in .zones.  KEEP: leave the work directory behind."""
        lacking = binaries.missing(signing=bool(dnssec))
        if lacking:
            raise LabUnavailable("not installed: " + ", ".join(lacking) + " (run tests/setup)")
        flags = namespace_flags()
        self.privileged = "--user" not in flags
        self.zones = plan.more_zones(zones)
        self.work = tempfile.mkdtemp(prefix="acme-dme-lab.")
        self._keep = keep
        self._lock = threading.Lock()
        self._block = False
        self._paused = set()
        self._added = []
        self._pebbles = 0
        self._lag = list(lag)
        self._init_pid = None
        self._process = None
        self._serial = 0
        self.logs = self._dir("log")
        self.home = self._dir("home")
        self.tmp = self._dir("tmp")
        self.requests_log = os.path.join(self.logs, "requests.jsonl")
        self.signatures = os.path.join(self.logs, "signatures")
        atexit.register(self.stop)
        try:
            options = self._options(lag, sim or {}, pebble or {}, pebble_env or {}, pebble_binary)
            self._start(flags, {**options, "dnssec": dnssec or {}})
        except BaseException:
            self.stop()
            raise

    # -- life -----------------------------------------------------------------------------------------------------------------

    def _dir(self, name):
        path = os.path.join(self.work, name)
        os.makedirs(path, mode=0o700, exist_ok=True)
        return path

    def _options(self, lag, sim, pebble, pebble_env, pebble_binary):
        if len(lag) != len(plan.NAMESERVERS):
            raise ValueError(f"lag: {len(plan.NAMESERVERS)} numbers wanted")
        authority = ca.Authority(self._dir("ca"))
        api = ["DNS:" + plan.API_HOST, "DNS:" + plan.SANDBOX_HOST]
        self.ca_file = authority.cert
        found = binaries.versions("pebble")
        newest = pebble_binary or found[0][1]
        self.pebble_version = dict((path, label) for label, path in found).get(newest, newest)
        system = binaries.find("pebble")
        #: Directory of the distribution's own pebble: for clients that stumble over what newer ones offer.
        self.system_acme_dir = plan.ACME_DIR if newest == system else plan.SYSTEM_ACME_DIR
        simulator = os.path.join(HERE, "dmesim.py")
        here = ["DNS:localhost", "IP:127.0.0.1"]
        self._acme_tls = authority.leaf("acme", here)
        # What the scripted ACME server shows instead of its own: set(certificate="expired").
        self._acme_others = {
            "expired": authority.leaf("acme-expired", here, (-60, -2)),
            "wrong-host": authority.leaf("acme-wrong-host", ["DNS:www.example.org"]),
            "unknown-ca": ca.Authority(self._dir("acme-unknown-ca"), "some other CA").leaf("acme-unknown-ca", here),
        }
        return {
            "work": self.work, "logs": self.logs, "keep": self._keep, "privileged": self.privileged,
            "ca": authority.cert,
            "tls": {
                "acme": self._acme_tls,
                "api": authority.leaf("api", api),
                "doh": authority.leaf("doh", ["DNS:" + plan.DOH_HOST, "IP:" + plan.CLIENT_RESOLVER]),
            },
            # What the simulator shows instead of its own: set(certificate="expired").
            "certificates": {
                "expired": authority.leaf("expired", api, (-60, -2)),
                "future": authority.leaf("future", api, (2, 60)),
                "wrong-host": authority.leaf("wrong-host", ["DNS:www.example.org"]),
                "unknown-ca": ca.Authority(self._dir("unknown-ca"), "some other CA").leaf("unknown-ca", api),
                "self-signed": ca.self_signed(self._dir("unknown-ca"), "self-signed", api),
            },
            "binaries": {
                "knotd": binaries.find("knotd"), "knotc": binaries.find("knotc"), "keymgr": binaries.find("keymgr"),
                "kzonesign": binaries.find("kzonesign"), "unbound": binaries.find("unbound"), "pebble": newest,
                "pebble-system": None if newest == system else system,
            },
            "python": binaries.PYTHON, "simulator": simulator if os.path.exists(simulator) else None,
            "requests_log": self.requests_log, "signatures": self.signatures,
            "lag": list(lag), "sim": sim, "pebble": pebble, "pebble_env": pebble_env, "zones": len(self.zones),
        }

    def _start(self, flags, options):
        path = os.path.join(self.work, "options.json")
        with open(path, "w", encoding="utf-8") as f:
            json.dump(options, f)
        env = {"PATH": binaries.SYSTEM_PATH, "HOME": self.home, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": self.tmp}
        with open(os.path.join(self.logs, "inside.log"), "w", encoding="utf-8") as log:
            self._process = subprocess.Popen(
                ["unshare", *flags, binaries.PYTHON, os.path.join(HERE, "inside.py"), path],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env=env, cwd="/", text=True, start_new_session=True)
        answer = self._receive(READY_LIMIT_S)
        if "ready" not in answer:
            raise RuntimeError(f"the lab does not start: {answer.get('error')}")
        self.ipv6 = answer["ready"]["ipv6"]
        with open(f"/proc/{self._process.pid}/task/{self._process.pid}/children", encoding="ascii") as f:
            self._init_pid = int(f.read().split()[0])

    def _receive(self, limit_s):
        timer = threading.Timer(limit_s, self._process.kill)
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
        if not line:
            with open(os.path.join(self.logs, "inside.log"), encoding="utf-8") as f:
                raise RuntimeError("the lab is gone: " + f.read()[-2000:])
        return json.loads(line)

    def _ask(self, op, **args):
        with self._lock:
            self._process.stdin.write(json.dumps({"op": op, "args": args}) + "\n")
            self._process.stdin.flush()
            answer = self._receive(60)
        if "error" in answer:
            raise RuntimeError(f"{op}: {answer['error']}")
        return answer["ok"]

    def stop(self):
        """Ends every program of the lab and removes its files.  Harmless when called twice."""
        if self._process:
            if self.watch:
                self.watch.lab_ends(self)
            # End of file tells process 1 to go; with it the kernel ends everything in its PID namespace.
            self._process.stdin.close()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process.stdout.close()
            self._process = None
        if not self._keep:
            shutil.rmtree(self.work, ignore_errors=True)
        atexit.unregister(self.stop)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    # -- programs -------------------------------------------------------------------------------------------------------------

    def command(self, argv, env=None, cwd=None, path=None):
        """The command line that runs ARGV inside, with an environment of PATH, HOME, TMPDIR, LANG and ENV (None: without that
        variable).  For those who start it themselves; run() and popen() are what tests want."""
        scrubbed = {"PATH": binaries.SYSTEM_PATH, "HOME": self.home, "TMPDIR": self.tmp, "LANG": "C.UTF-8"}
        if path:
            scrubbed["PATH"] = path + ":" + binaries.SYSTEM_PATH
        scrubbed.update((k, os.environ[k]) for k in KEPT_ENV if k in os.environ)
        scrubbed.update(env or {})
        user = [] if self.privileged else ["--user", "--preserve-credentials"]
        return (["nsenter", "-t", str(self._init_pid), *user, "--net", "--mount", "--pid", "--root", "--", "env", "-i", "-C", cwd or self.tmp]
                + [f"{k}={v}" for k, v in scrubbed.items() if v is not None] + [str(a) for a in argv])

    def popen(self, argv, env=None, cwd=None, path=None, **kwargs):
        """subprocess.Popen inside, in a process group of its own; kill it with kill()."""
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.Popen(self.command(argv, env, cwd, path), start_new_session=True, **kwargs)

    @staticmethod
    def kill(process, number=signal.SIGTERM):
        """Sends the signal to a popen()ed program and its children."""
        os.killpg(process.pid, number)

    def run(self, argv, env=None, cwd=None, path=None, timeout=60, stdin=None):
        """Runs a program inside to its end (or to the time limit: then all of its group is killed) and returns its Result."""
        argv = [str(a) for a in argv]
        begin = time.monotonic()
        process = self.popen(argv, env, cwd, path, stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", errors="replace")
        timed_out = False
        try:
            out, err = process.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
            self.kill(process, signal.SIGKILL)
            out, err = process.communicate()
        except BaseException:
            self.kill(process, signal.SIGKILL)
            process.wait()
            raise
        return self.note(Result(argv, process.returncode, out, err, time.monotonic() - begin, timed_out))

    def note(self, result):
        """RESULT itself, after the watch has seen it."""
        if self.watch:
            self.watch.lab(self)
            self.watch.result(result, ours=self.program in (os.path.realpath(result.argv[0]), *result.argv))
        return result

    def new_dir(self, name="d"):
        """A fresh directory (mode 0700), removed with the lab."""
        self._serial += 1
        return self._dir(os.path.join("dirs", f"{self._serial}-{name}"))

    # -- servers --------------------------------------------------------------------------------------------------------------

    def pause(self, name):
        """The server falls silent: ns10 … ns13, root, foreign, resolver, ca-resolver, pebble, dmesim."""
        self._ask("signal", name=name, number=signal.SIGSTOP)
        self._paused.add(name)

    def resume(self, name):
        self._ask("signal", name=name, number=signal.SIGCONT)
        self._paused.discard(name)

    def restart(self, name):
        """Ends the server and starts it anew, as it was at the lab's beginning."""
        self._ask("restart", name=name)
        self._paused.discard(name)

    def add(self, setup):
        """Starts the servers of a servers.Setup until the next reset()."""
        self._added += list(setup.daemons)
        self._ask("add", files=setup.files, daemons=setup.daemons)

    def remove(self, name):
        """Ends a server that add() started."""
        self._ask("remove", name=name)
        self._added.remove(name)
        self._paused.discard(name)

    def pebble(self, version="newest", strict=False, **options):
        """One more CA, a pebble.Pebble, until the next reset().  VERSION: "newest" of those that are installed, or "system": the
        distribution's own.  STRICT: what its -strict does.  OPTIONS: those of pebble.configuration() and pebble.switches()."""
        found = binaries.versions("pebble")
        label, binary = found[0] if version == "newest" else found[-1]
        switches = {key: options.pop(key) for key in list(options) if key in inspect.signature(pebble.switches).parameters}
        name = f"pebble-{self._pebbles + 1}"
        ports = (plan.MORE_PEBBLES_PORT + self._pebbles, plan.MORE_PEBBLES_MANAGEMENT_PORT + self._pebbles)
        self._pebbles += 1
        setup = servers.Setup()
        setup.add_pebble(name, binary, self._acme_tls, ports, pebble.configuration(**options), pebble.switches(**switches),
                         ["-strict"] if strict else [])
        self.add(setup)
        return pebble.Pebble(self, name, label, ports, switches.get("alternate_roots", 0))

    def acmesim(self):
        """The scripted ACME server, a scripted.Scripted, until the next reset()."""
        if "acmesim" not in self._added:
            log = os.path.join(self.logs, "acmesim.log")
            if os.path.exists(log):
                os.unlink(log)  # its "ready" is that of an earlier one
            setup = servers.Setup()
            setup.add_acmesim(binaries.PYTHON, os.path.join(HERE, "acmesim.py"), self._acme_tls, self._acme_others,
                              (plan.ACMESIM_PORT, plan.ACMESIM_CONTROL_PORT), log)
            self.add(setup)
        return scripted.Scripted(self, plan.ACMESIM_PORT, plan.ACMESIM_CONTROL_PORT)

    def block53(self, names=tuple(plan.NAMESERVERS)):
        """A firewall: nothing but the lab's resolvers reaches port 53 of these name servers (dropped in silence)."""
        self._block = True
        self._ask("block", addresses=[a for n in names for a in plan.NAMESERVERS[n] if a])

    def unblock53(self):
        if self._block:
            self._ask("block", addresses=[])
            self._block = False

    def unbound(self, command, address=plan.CLIENT_RESOLVER):
        """unbound-control COMMAND at the client's (or the CA's) resolver."""
        return self._ask("unbound", port=plan.CONTROL_PORT[address], command=command)

    def flush(self):
        """Both resolvers forget all they know."""
        for address in plan.CONTROL_PORT:
            self.unbound("flush_zone .", address)
            self.unbound("flush_infra all", address)

    # -- questions ------------------------------------------------------------------------------------------------------------

    def dig(self, server, name, rtype="TXT", tcp=False, timeout=2.0):
        """Asks a server (ns10 …, an address, or "resolver"); a dict: rcode (None: no answer), aa, answer (data of RTYPE only),
        records, authority."""
        address = {"resolver": plan.CLIENT_RESOLVER, "ca-resolver": plan.CA_RESOLVER, **self.nameservers}.get(server, server)
        recurse = address in plan.CONTROL_PORT
        return self._ask("dns", server=address, name=name, rtype=rtype, tcp=tcp, timeout=timeout, recurse=recurse)

    def update(self, server, zone, add=(), delete=()):
        """Changes a zone behind everybody's back: at ns10 … ns13, "root" (the root and the top-level domains) or "foreign".  ADD:
        [full name with dot, ttl, type, data]; DELETE: [name, type].  restart(server) brings the old zone back."""
        address = {"root": plan.ROOT_SERVER, "foreign": plan.FOREIGN_SERVER, **self.nameservers}[server]
        self._ask("update", server=address, zone=zone, add=list(add), delete=list(delete))

    def http(self, method, url, body=None, headers=None, timeout=30):
        """One HTTP request from inside: {"status", "headers", "body"}.  Certificates are not checked."""
        return self._ask("http", method=method, url=url, body=body, headers=headers, timeout=timeout)

    def acme_root(self, management="https://127.0.0.1:15000"):
        """File with the root certificate that this pebble signs under (a new one at every start)."""
        path = os.path.join(self.new_dir("acme-root"), "root.pem")
        with open(path, "w", encoding="ascii") as f:
            f.write(self.http("GET", management + "/roots/0")["body"])
        return path

    def validated(self):
        """How many challenges the CAs of this lab have found valid so far.  Even with PEBBLE_AUTHZREUSE=0 pebble takes about one valid
        authorization in a hundred over into the next order of its account: a renewal's challenges are those that this counts."""
        count = 0
        for name in ("pebble", "pebble-system"):
            path = os.path.join(self.logs, name + ".log")
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as f:
                    count += f.read().count(" set VALID by completed challenge ")
        return count

    # -- the simulator --------------------------------------------------------------------------------------------------------

    def sim(self, method, path, body=None):
        """The simulator's control port: GET /state /log, POST /set /fault /record /zone /reset."""
        url = f"http://{plan.API_ADDR}:{plan.API_CONTROL_PORT}{path}"
        answer = self.http(method, url, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"})
        if answer["status"] >= 300:
            raise RuntimeError(f"simulator: {method} {path}: {answer['status']} {answer['body']}")
        return json.loads(answer["body"]) if answer["body"].strip() else None

    def set(self, **settings):
        return self.sim("POST", "/set", settings)

    def fault(self, **fault):
        return self.sim("POST", "/fault", fault)

    def state(self):
        return self.sim("GET", "/state")

    def requests(self):
        """The API requests since the last reset, oldest first: dicts with t, method, path, query, key, status, error, body …"""
        return self.sim("GET", "/log")

    def records(self, zone=None, rtype=None):
        """What the account holds: the API's record objects, each with "zone" added."""
        return [dict(record, zone=z["name"]) for z in self.state()["zones"] if zone in (None, z["name"])
                for record in z["records"] if rtype in (None, record["type"])]

    def txt(self, zone=None):
        """[(full name, value)] of all TXT records in the account, values without the API's quotes."""
        return sorted((f"{r['name']}.{r['zone']}".lstrip("."), r["value"].strip('"')) for r in self.records(zone, "TXT"))

    def add_record(self, zone, name, rtype, value, **fields):
        """Adds a record as if by another user's hand; waits until every name server that is not held has it.  Returns its id."""
        answer = self.sim("POST", "/record", {"zone": zone, "name": name, "type": rtype, "value": value, "ttl": 60, **fields})
        self.wait_published()
        return answer["ids"][0]

    def add_txt(self, zone, name, value):
        return self.add_record(zone, name, "TXT", f'"{value}"')

    def wait_published(self, limit_s=20):
        """Until nothing is on its way to a name server that is not held."""
        end = time.monotonic() + limit_s
        while any(ns["pending"] and not ns["held"] for ns in self.state()["nameservers"]):
            if time.monotonic() > end:
                raise RuntimeError(f"not published: {self.state()['nameservers']}")
            time.sleep(0.02)

    def set_lag(self, lag):
        """Seconds for all name servers, or one number for each of ns10 … ns13."""
        if not isinstance(lag, (list, tuple)):
            lag = [lag] * len(plan.NAMESERVERS)
        self.set(lag=dict(zip(plan.NAMESERVERS, lag)))

    def reset(self):
        """As after the start: no records, no faults, no log, default settings, all servers answer, the resolvers know nothing."""
        self.unblock53()
        for name in list(self._paused):
            self.resume(name)
        for name in list(self._added):
            self.remove(name)
        self.set(release="all")
        self.sim("POST", "/reset", {"only": ["records", "settings", "faults"]})
        self.wait_published()
        self.sim("POST", "/reset", {"only": ["feed", "window", "log"]})
        self.set_lag(self._lag)
        self.flush()
