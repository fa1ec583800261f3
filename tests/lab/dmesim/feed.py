"""Publishes record sets at the name servers by RFC 2136, each server after its own lag, from a thread of its
own.

A change carries the whole record set as it was when it happened, and the update deletes the set before it
adds the values: applying it twice, or after a lost answer, does no harm. Changes reach a server in order. A
server that is held gets nothing until it is released; one that does not answer gets everything once it does.
Each change has a serial of the zone, which the update carries: a server that takes several changes at once, or
that was restarted with its old zone, ends with the same serial as the others.
"""

import importlib
import subprocess
import threading
import time
from collections import deque

from .record import txt_pieces

HISTORY = 5000
TIMEOUT_S = 2.0
BACKOFF_S = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)
MAX_SETS = 100  # record sets per update message
SOA_TTL = 60
NOT_IN_DNS = ("ANAME", "HTTPRED")


class Change:
    """The new state of one record set; no values means it is gone."""

    __slots__ = ("zone", "number", "name", "type", "values", "ttl", "at")

    def __init__(self, zone, number, name, kind, values, ttl):
        self.zone = zone
        self.number = number  # of the zone's changes, from 1
        self.name = name
        self.type = kind
        self.values = values
        self.ttl = ttl
        self.at = time.monotonic()

    def key(self):
        return (self.zone, self.name, self.type)


def host(value, zone):
    """Host values are relative to the zone unless they end in a dot; an empty one is the zone."""
    if value.endswith("."):
        return value
    return f"{value}.{zone}." if value else f"{zone}."


def rdata_text(record, zone):
    """Presentation format of everything but TXT."""
    extra, value = record.extra, record.value
    if record.type in ("CNAME", "NS", "PTR"):
        return host(value, zone)
    if record.type == "MX":
        return f"{extra.get('mxLevel', 10)} {host(value, zone)}"
    if record.type == "SRV":
        return (
            f"{extra.get('priority', 0)} {extra.get('weight', 0)} {extra.get('port', 0)} {host(value, zone)}"
        )
    if record.type == "CAA":
        return f"{extra.get('issuerCritical', 0)} {extra.get('caaType', 'issue')} \"{value.strip(chr(34))}\""
    return value


class Serials:
    """The zones' SOA records as they were before the first change, and how many changes there were."""

    def __init__(self):
        self.lock = threading.Lock()
        self.counts = {}
        self.first = {}

    def next_number(self, zone):
        with self.lock:
            self.counts[zone] = self.counts.get(zone, 0) + 1
            return self.counts[zone]

    def soa(self, zone, number, ask):
        """The SOA after change NUMBER; ask(zone) gets that of a server. None if there is none."""
        with self.lock:
            if zone not in self.first:
                found = ask(zone)
                if found is None:
                    return None
                self.first[zone] = found
            first = self.first[zone]
        return first.replace(serial=(first.serial + number) % 2**32)


def build_update(zone, changes, soa=None):
    """One update message. dnspython is imported late: a simulator without name servers starts without it."""
    import dns.rdata
    import dns.rdataclass
    import dns.rdataset
    import dns.rdatatype
    import dns.rdtypes.ANY.SPF
    import dns.rdtypes.ANY.TXT
    import dns.update

    message = dns.update.UpdateMessage(f"{zone}.")
    texts = {"TXT": dns.rdtypes.ANY.TXT.TXT, "SPF": dns.rdtypes.ANY.SPF.SPF}
    for change in changes:
        kind = dns.rdatatype.from_text(change.type)
        owner = change.name or "@"
        message.delete(owner, kind)
        for value in change.values:
            if change.type in texts:
                data = texts[change.type](dns.rdataclass.IN, kind, value)
            else:
                data = dns.rdata.from_text(dns.rdataclass.IN, kind, value)
            message.add(owner, change.ttl, data)
    if soa is not None:
        message.add("@", SOA_TTL, soa)
    return message


class Server(threading.Thread):
    """One name server and what it still has to be told."""

    def __init__(self, entry, serials):
        super().__init__(name=f"feed {entry['fqdn']}", daemon=True)
        self.serials = serials
        self.fqdn = entry["fqdn"]
        self.address = entry.get("ipv4") or entry.get("ipv6")
        self.port = entry.get("port", 53)
        self.source = entry.get("source")
        self.after = entry.get("after", [])
        self.lag = float(entry.get("lag", 0))
        self.held = bool(entry.get("held", False))
        self.queue = deque()
        self.changed = threading.Condition()
        self.stopping = False
        self.applied = 0
        self.failed = 0
        self.dropped = 0
        self.last_error = ""
        self.in_flight = 0
        self.history = deque(maxlen=HISTORY)

    # ---- called from the main thread

    def push(self, change):
        with self.changed:
            self.queue.append(change)
            self.changed.notify()

    def set(self, lag=None, held=None):
        with self.changed:
            self.lag = self.lag if lag is None else float(lag)
            self.held = self.held if held is None else held
            self.changed.notify()

    def flush(self):
        """Everything queued is due now."""
        with self.changed:
            for change in self.queue:
                change.at = float("-inf")
            self.changed.notify()

    def stop(self):
        with self.changed:
            self.stopping = True
            self.changed.notify()

    def as_dict(self):
        with self.changed:
            return {
                "fqdn": self.fqdn,
                "address": self.address,
                "port": self.port,
                "lag": self.lag,
                "held": self.held,
                "pending": len(self.queue) + self.in_flight,
                "applied": self.applied,
                "failed": self.failed,
                "dropped": self.dropped,
                "last_error": self.last_error,
            }

    # ---- the thread

    def run(self):
        failures = 0
        while True:
            batch = self.take_due()
            if batch is None:
                return
            left = self.apply(batch)
            failures = failures + 1 if left else 0
            with self.changed:
                self.in_flight = 0
                newer = {change.key() for change in self.queue}
                self.queue.extendleft(reversed([change for change in left if change.key() not in newer]))
                if left and not self.stopping:
                    self.changed.wait(BACKOFF_S[min(failures, len(BACKOFF_S)) - 1])

    def take_due(self):
        """Wait for the next due changes; of several for one record set the last is enough. None: the end."""
        with self.changed:
            while not self.stopping:
                if not self.queue or self.held:
                    self.changed.wait()
                    continue
                now = time.monotonic()
                wait = self.queue[0].at + self.lag - now
                if wait > 0:
                    self.changed.wait(wait)
                    continue
                due = {}
                while self.queue and self.queue[0].at + self.lag <= now:
                    change = self.queue.popleft()
                    due.pop(change.key(), None)
                    due[change.key()] = change
                self.in_flight = len(due)
                return list(due.values())
        return None

    def apply(self, batch):
        """Send the updates zone by zone. Returns what has to be tried again."""
        zones = {}
        for change in batch:
            zones.setdefault(change.zone, []).append(change)
        left = []
        for zone, changes in zones.items():
            for start in range(0, len(changes), MAX_SETS):
                left += self.send(zone, changes[start : start + MAX_SETS])
        return left

    def ask_soa(self, zone):
        """The zone's SOA at this server, None if it has none."""
        import dns.exception
        import dns.message
        import dns.query
        import dns.rdatatype

        question = dns.message.make_query(f"{zone}.", "SOA")
        try:
            answer = dns.query.tcp(question, self.address, timeout=TIMEOUT_S, port=self.port, source=self.source)
        except (OSError, EOFError, dns.exception.DNSException):
            return None
        for rrset in answer.answer:
            if rrset.rdtype == dns.rdatatype.SOA:
                return rrset[0]
        return None

    def send(self, zone, changes):
        """Returns the changes that have to be tried again."""
        import dns.exception
        import dns.query
        import dns.rcode

        try:
            soa = self.serials.soa(zone, max(change.number for change in changes), self.ask_soa)
            message = build_update(zone, changes, soa)
        except (dns.exception.DNSException, ValueError) as error:
            if len(changes) > 1:  # one bad value must not keep the others out
                return [left for change in changes for left in self.send(zone, [change])]
            return self.give_up(changes, f"{changes[0].name} {changes[0].type}: {error}")
        try:
            answer = dns.query.tcp(
                message, self.address, timeout=TIMEOUT_S, port=self.port, source=self.source
            )
            code = answer.rcode()
        except (OSError, EOFError, dns.exception.DNSException) as error:
            return self.note_failure(changes, f"{type(error).__name__}: {error}")
        if code == dns.rcode.NOERROR:
            self.note_success(changes)
            self.run_after(zone)
            return []
        if code == dns.rcode.SERVFAIL:  # Knot says so while a zone is being loaded
            return self.note_failure(changes, "SERVFAIL")
        return self.give_up(changes, f"zone {zone}: {dns.rcode.to_text(code)}")

    def note_success(self, changes):
        now = time.time()
        with self.changed:
            self.applied += len(changes)
            for change in changes:
                self.history.append(
                    {
                        "t": now,
                        "zone": change.zone,
                        "name": change.name,
                        "type": change.type,
                        "values": [readable(value) for value in change.values],
                    }
                )

    def run_after(self, zone):
        """A command that the server wants after an update, with the zone as its last argument."""
        if self.after:
            subprocess.run([*self.after, zone], stdin=subprocess.DEVNULL, capture_output=True, check=False)

    def note_failure(self, changes, text):
        with self.changed:
            self.failed += 1
            self.last_error = text
        return changes

    def give_up(self, changes, text):
        with self.changed:
            self.dropped += len(changes)
            self.last_error = text
        return []


def readable(value):
    return b"".join(value).decode("utf-8", "replace") if isinstance(value, list) else value


class Feed:
    """All the name servers."""

    def __init__(self, entries):
        self.serials = Serials()
        self.servers = [Server(entry, self.serials) for entry in entries]
        self.held_zones = set()  # whose changes no server is ever told of

    def start(self):
        if self.servers:
            # dnspython is loaded here: at the first change it would hold the answers up
            importlib.import_module("dns.query")
            build_update("example.com", [Change("example.com", 1, "", "TXT", [[b""]], 0)])
        for server in self.servers:
            server.start()

    def stop(self):
        for server in self.servers:
            server.stop()
        for server in self.servers:
            server.join(0.5)

    def publish(self, zone, name, kind, records):
        """The store's news. The zone's own NS set is the servers' business."""
        if not self.servers or kind in NOT_IN_DNS or (kind == "NS" and not name) or zone.name in self.held_zones:
            return
        if kind in ("TXT", "SPF"):
            values = [txt_pieces(record.value) for record in records]
        else:
            values = [rdata_text(record, zone.name) for record in records]
        ttl = min((record.ttl for record in records), default=0)
        number = self.serials.next_number(zone.name)
        for server in self.servers:
            server.push(Change(zone.name, number, name, kind, values, ttl))

    def pick(self, names):
        """Servers by full name, first label or address; "all" or "*" is everyone."""
        names = [names] if isinstance(names, str) else names
        chosen = []
        for name in names:
            found = [
                server
                for server in self.servers
                if name in ("all", "*", server.fqdn, server.fqdn.split(".")[0], server.address)
            ]
            if not found:
                raise KeyError(name)
            chosen += found
        return chosen
