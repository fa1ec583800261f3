"""Process 1 of a lab: sets the namespaces up, starts the servers, then serves its parent over stdin/stdout.

Started by lab.py as `unshare … python3 inside.py OPTIONS.json`.  Each request and each answer is one line of JSON; the first line
out is {"ready": …} or {"error": …}.  End of file on stdin (the parent is gone, however it died) ends this process, and with the
PID namespace every server and every program started in the lab.
"""

import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.flags
import dns.rdatatype
import dns.update

import plan
import servers

START_LIMIT_S = 20.0


def quiet(*cmd):
    done = subprocess.run(cmd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr.strip()


def must(*cmd):
    code, text = quiet(*cmd)
    if code != 0:
        raise RuntimeError(f"{' '.join(cmd)}: {text or code}")


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def set_network_up():
    """True: IPv6 works inside."""
    must("ip", "link", "set", "lo", "up")
    for _, v6 in plan.NAMESERVERS.values():
        if v6 and quiet("ip", "-6", "addr", "add", v6 + "/128", "dev", "lo", "nodad")[0] != 0:
            return False
    return True


def own_root():
    """Nothing mounted from now on reaches the host."""
    if quiet("mount", "--make-rprivate", "/")[0] == 0:
        return
    # In a chroot whose root is no mount point: /proc is one, and what is mounted over a private mount stays private.
    must("mount", "--make-private", "/proc")
    must("mount", "--rbind", "/", "/proc")
    must("mount", "--make-rprivate", "/proc")
    os.chroot("/proc")
    os.chdir("/")


def set_files_up(options):
    """A private /run, and a private copy of /etc with the lab's hosts, resolv.conf, nsswitch.conf and CA bundle."""
    own_root()
    must("mount", "-t", "tmpfs", "-o", "mode=0755", "lab", "/run")
    os.mkdir("/run/lock", 0o1777)
    etc = "/run/.etc"
    # Unreadable entries are none of the lab's business, nor is who owns them.
    owner = [] if options["privileged"] else ["--no-preserve=ownership"]
    quiet("cp", "-a", *owner, "/etc/.", etc + "/")
    with open(options["ca"], encoding="ascii") as f:
        bundle = f.read()
    for name, text in {
        "hosts": plan.hosts_text(),
        "resolv.conf": f"nameserver {plan.CLIENT_RESOLVER}\noptions timeout:2 attempts:2\n",
        # Name services of the host (systemd-resolved, nscd, mDNS) must not answer for the lab.
        "nsswitch.conf": "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n",
        "ssl/certs/ca-certificates.crt": bundle,
    }.items():
        path = os.path.join(etc, name)
        if os.path.lexists(path):
            os.unlink(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write(path, text)
        os.chmod(path, 0o644)
    must("mount", "--bind", etc, "/etc")


class Daemons:
    """The servers of the lab by name; their ends are collected by SIGCHLD because process 1 reaps strangers too."""

    def __init__(self, logdir):
        self.logdir = logdir
        self.pids = {}
        self.ended = {}
        signal.signal(signal.SIGCHLD, self._reap)

    def _reap(self, *_):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for name, known in self.pids.items():
                if known == pid:
                    self.ended[name] = os.waitstatus_to_exitcode(status)

    def start(self, name, argv, env):
        log = os.open(os.path.join(self.logdir, name + ".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self.ended.pop(name, None)
        self.pids[name] = os.posix_spawn(argv[0], argv, env, setsigmask=[], setsigdef=[signal.SIGCHLD, signal.SIGPIPE], file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, log, 1),
            (os.POSIX_SPAWN_DUP2, log, 2)])
        os.close(log)

    def signal(self, name, number):
        if name not in self.pids or name in self.ended:
            raise RuntimeError(f"{name} does not run")
        os.kill(self.pids[name], number)

    def wait_end(self, name, limit_s=5.0):
        end = time.monotonic() + limit_s
        while name not in self.ended:
            if time.monotonic() > end:
                os.kill(self.pids[name], signal.SIGKILL)
            time.sleep(0.01)


def dns_ask(server, name, rtype, timeout=2.0, tcp=False, recurse=True, port=53):
    query = dns.message.make_query(name, rtype)
    if not recurse:
        query.flags &= ~dns.flags.RD
    ask = dns.query.tcp if tcp else dns.query.udp_with_fallback
    try:
        answer = ask(query, server, timeout=timeout, port=port)
    except (dns.exception.Timeout, OSError) as e:
        return {"rcode": None, "error": str(e) or type(e).__name__, "answer": [], "records": []}
    if isinstance(answer, tuple):
        answer = answer[0]
    records = [(rrset.name.to_text(), dns.rdatatype.to_text(rrset.rdtype), rrset.ttl, rd) for rrset in answer.answer for rd in rrset]
    return {
        "rcode": dns.rcode.to_text(answer.rcode()),
        "aa": bool(answer.flags & dns.flags.AA),
        "answer": [text_of(rd) for _, t, _, rd in records if t == rtype.upper()],
        "records": [[n, t, ttl, text_of(rd)] for n, t, ttl, rd in records],
        "authority": [rr.to_text() for rr in answer.authority],
    }


def text_of(rdata):
    """TXT as the bytes a reader gets (strings joined), everything else in presentation format."""
    if hasattr(rdata, "strings"):
        return b"".join(rdata.strings).decode("utf-8", "replace")
    return rdata.to_text()


def dns_update(server, zone, add=(), delete=()):
    """RFC 2136.  ADD: [name, ttl, type, data]; DELETE: [name, type] or [name]."""
    message = dns.update.UpdateMessage(zone)
    for entry in delete:
        message.delete(*entry)
    for entry in add:
        message.add(*entry)
    code = dns.query.tcp(message, server, timeout=5, source=plan.API_ADDR).rcode()
    if code != dns.rcode.NOERROR:
        raise RuntimeError(f"update of {zone} at {server}: {dns.rcode.to_text(code)}")


def http_ask(method, url, body=None, headers=None, timeout=10.0, ca=None):
    scheme, rest = url.split("://", 1)
    host, _, path = rest.partition("/")
    if scheme == "https":
        context = ssl.create_default_context(cafile=ca)
        if not ca:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        conn = http.client.HTTPSConnection(host, timeout=timeout, context=context)
    else:
        conn = http.client.HTTPConnection(host, timeout=timeout)
    try:
        conn.request(method, "/" + path, body=body.encode() if body is not None else None, headers={"User-Agent": "acme-dme-lab", **(headers or {})})
        answer = conn.getresponse()
        return {"status": answer.status, "headers": dict(answer.getheaders()), "body": answer.read().decode("utf-8", "replace")}
    finally:
        conn.close()


def unbound_ask(port, command):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
        s.sendall(b"UBCT1 " + command.encode() + b"\n")
        text = b""
        while chunk := s.recv(4096):
            text += chunk
    return text.decode()


def block_53(addresses):
    """From now on nothing but the lab's own resolvers and the simulator (which bind their source address) reaches port 53 of ADDRESSES."""
    rules = ["flush ruleset", "table inet lab {", " chain in {", "  type filter hook input priority 0;"]
    sources = "{ 127.0.0.8, 127.0.0.9, 127.0.0.10, 127.0.0.20 }"
    for a in addresses:
        if ":" in a:
            rules.append(f"  ip6 daddr {a} meta l4proto {{ tcp, udp }} th dport 53 drop")
        else:
            rules.append(f"  ip saddr != {sources} ip daddr {a} meta l4proto {{ tcp, udp }} th dport 53 drop")
    rules += [" }", "}"] if addresses else []
    text = "\n".join(rules) + "\n" if addresses else "flush ruleset\n"
    done = subprocess.run(["nft", "-f", "-"], input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0 and done.stderr:
        raise RuntimeError("nft: " + done.stderr.strip())


class Agent:
    def __init__(self, options):
        self.logs = options["logs"]
        self.ipv6 = set_network_up()
        set_files_up(options)
        self.setup = servers.build(options, self.ipv6)
        self.daemons = Daemons(self.logs)

    def start_all(self):
        for path in self.setup.dirs:
            os.makedirs(path, exist_ok=True)
        for path, text in self.setup.files.items():
            write(path, text)
        for path, source in self.setup.copies.items():
            shutil.copy(source, path)
            os.chmod(path, 0o755)
        for path, source in self.setup.trees.items():
            shutil.copytree(source, path)
        for name in self.setup.daemons:
            self.start(name)
        for name in self.setup.daemons:
            self.await_ready(name)

    def start(self, name):
        spec = self.setup.daemons[name]
        self.daemons.start(name, spec["argv"], dict(os.environ, **spec.get("env", {})))

    def await_ready(self, name):
        probe = self.setup.daemons[name]["ready"]
        end = time.monotonic() + START_LIMIT_S
        while not self.answers(probe):
            if name in self.daemons.ended:
                raise RuntimeError(f"{name} ended at once ({self.daemons.ended[name]}): {self.log_tail(name)}")
            if time.monotonic() > end:
                raise RuntimeError(f"{name} is not ready after {START_LIMIT_S:.0f} s: {self.log_tail(name)}")
            time.sleep(0.02)

    def log_tail(self, name):
        with open(os.path.join(self.logs, name + ".log"), encoding="utf-8", errors="replace") as f:
            return " | ".join(f.read().splitlines()[-6:])

    @staticmethod
    def answers(probe):
        if probe[0] == "dns":
            return dns_ask(probe[1], probe[2], "SOA", timeout=0.5)["rcode"] == "NOERROR"
        if probe[0] == "log":
            with open(probe[1], encoding="utf-8", errors="replace") as f:
                return probe[2] in f.read()
        try:
            socket.create_connection((probe[1], probe[2]), timeout=0.5).close()
            return True
        except OSError:
            return False

    def handle(self, op, args):
        if op == "dns":
            return dns_ask(**args)
        if op == "update":
            return dns_update(**args)
        if op == "http":
            return http_ask(**args)
        if op == "unbound":
            return unbound_ask(**args)
        if op == "block":
            return block_53(**args)
        if op == "signal":
            return self.daemons.signal(args["name"], args["number"])
        if op == "restart":
            return self.restart(args["name"])
        if op == "add":
            return self.add(**args)
        if op == "remove":
            return self.remove(args["name"])
        raise RuntimeError(f"unknown request {op!r}")

    def end(self, name):
        self.daemons.signal(name, signal.SIGCONT)
        self.daemons.signal(name, signal.SIGTERM)
        self.daemons.wait_end(name)

    def restart(self, name):
        self.end(name)
        self.start(name)
        self.await_ready(name)

    def add(self, files, daemons):
        """More servers, while the lab runs."""
        for path, text in files.items():
            write(path, text)
        self.setup.daemons.update(daemons)
        for name in daemons:
            self.start(name)
        for name in daemons:
            self.await_ready(name)

    def remove(self, name):
        if name not in self.daemons.ended:
            self.end(name)
        del self.setup.daemons[name]
        del self.daemons.pids[name]

    def serve(self):
        for line in sys.stdin:
            request = json.loads(line)
            try:
                reply = {"ok": self.handle(request["op"], request["args"])}
            except Exception as e:  # the parent decides what a failure means
                reply = {"error": f"{type(e).__name__}: {e}"}
            print(json.dumps(reply), flush=True)


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        options = json.load(f)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        agent = Agent(options)
        agent.start_all()
        print(json.dumps({"ready": {"ipv6": agent.ipv6}}), flush=True)
    except Exception as e:
        print(json.dumps({"error": str(e)}), flush=True)
        return 1
    agent.serve()
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        pass
    if not options["keep"]:
        shutil.rmtree(options["work"], ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
