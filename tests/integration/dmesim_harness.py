"""Starts the simulator of the DNS Made Easy API for its own tests and plays a name server for it."""

import email.utils
import hashlib
import hmac
import http.client
import json
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time

import dns.message
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest

SIMULATOR = pathlib.Path(__file__).resolve().parent.parent / "lab" / "dmesim.py"
KEY, SECRET = "1c1a3c91-4770-4ce7-96f4-54c0eb0e457a", "c9b5625f-9834-4ff8-baba-4ed5f32cae55"
BOX_KEY, BOX_SECRET = "2d2b4d02-5881-4df8-a705-65d1fc1f568b", "d0c6736a-0945-40a9-8bcb-5fe60c43df66"
EMPTY_KEY, EMPTY_SECRET = "3e3c5e13-6992-4e09-b816-76e20d20679c", "e1d7847b-1a56-41ba-9cdc-60f71d54e077"
ZONE_ID, SUB_ID, BOX_ID = 878951, 878952, 878953
RECORDS = f"/V2.0/dns/managed/{ZONE_ID}/records"
TOKEN = "XKrxpRBosdIKFzxW_CT3KLZNf6q0HG9i01zxXp5CPBs"

ACCOUNTS = [
    {
        "key": KEY,
        "secret": SECRET,
        "zones": [{"name": "example.com", "id": ZONE_ID}, {"name": "sub.example.com", "id": SUB_ID}],
    },
    {"key": BOX_KEY, "secret": BOX_SECRET, "sandbox": True, "zones": [{"name": "example.org", "id": BOX_ID}]},
    {"key": EMPTY_KEY, "secret": EMPTY_SECRET, "zones": []},
]


class Answer:
    """A response, read to its end."""

    def __init__(self, response):
        self.status, self.reason, self.headers = response.status, response.reason, response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    def text(self):
        return self.body.decode("utf-8")


class Simulator:
    """A running simulator and ways to talk to it."""

    def __init__(self, directory, **config):
        self.directory = directory
        self.log_file = directory / "log.jsonl"
        config = {
            "listen": [{"addr": "127.0.0.1", "port": 0, "plain": True}],
            "control": {"addr": "127.0.0.1", "port": 0},
            "ports_file": str(directory / "ports"),
            "log": str(self.log_file),
            "accounts": ACCOUNTS,
            "delay_ms": 0,
        } | config
        (directory / "config").write_text(json.dumps(config))
        self.process = subprocess.Popen(
            [sys.executable, str(SIMULATOR), "--config", str(directory / "config")],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout.readline() == "ready\n"
        ports = json.loads((directory / "ports").read_text())
        self.port = ports["listen"][0]["port"]
        self.control_port = ports["control"]["port"]
        self.ports = ports

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(5)
        self.process.stdout.close()
        return code

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)

    def call(self, method, path, body=None, connection=None, **options):
        own = connection or self.connect()
        try:
            own.request(
                method, path, json.dumps(body) if isinstance(body, (dict, list)) else body, signed(**options)
            )
            return Answer(own.getresponse())
        finally:
            if not connection:
                own.close()

    def control(self, path, fields=None, method=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.control_port, timeout=5)
        connection.request(
            method or ("GET" if fields is None else "POST"),
            path,
            None if fields is None else json.dumps(fields),
        )
        answer = Answer(connection.getresponse())
        connection.close()
        assert answer.status == 200, answer.body
        return answer.json()

    def create(self, name="_acme-challenge", value=TOKEN, **fields):
        return self.call(
            "POST", f"{RECORDS}/", {"type": "TXT", "name": name, "value": value, "ttl": 60} | fields
        )

    def values(self, zone="example.com"):
        zones = {entry["name"]: entry for entry in self.control("/state")["zones"]}
        return [record["value"].strip('"') for record in zones[zone]["records"]]


def signed(key=KEY, secret=SECRET, date=None, digest=None, host=None, **extra):
    """The three headers, and others by keyword (underscores become dashes)."""
    date = date if date is not None else email.utils.formatdate(usegmt=True)
    if digest is None:
        digest = hmac.new(secret.encode(), date.encode("utf-8"), hashlib.sha1).hexdigest()
    headers = {"x-dnsme-apiKey": key, "x-dnsme-requestDate": date.encode("utf-8"), "x-dnsme-hmac": digest}
    headers |= {"Host": host} if host else {}
    return headers | {name.replace("_", "-"): value for name, value in extra.items()}


class NameServer(threading.Thread):
    """Takes RFC 2136 updates over TCP, keeps the record sets, and tells its SOA; can be told to refuse."""

    SOA = "ns0.example.net. hostmaster.example.net. 41 43200 3600 1209600 180"

    def __init__(self):
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.sets = {}
        self.times = {}
        self.messages = 0
        self.code = dns.rcode.NOERROR

    def run(self):
        while True:
            try:
                connection = self.socket.accept()[0]
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                message = dns.message.from_wire(stream.read(int.from_bytes(stream.read(2), "big")))
                answer = dns.message.make_response(message)
                answer.set_rcode(self.code)
                if message.opcode() == dns.opcode.QUERY:
                    name = message.question[0].name
                    answer.answer.append(dns.rrset.from_text(name, 60, "IN", "SOA", self.SOA))
                elif self.code == dns.rcode.NOERROR:
                    self.apply(message)
                wire = answer.to_wire()
                connection.sendall(len(wire).to_bytes(2, "big") + wire)

    def apply(self, message):
        assert message.opcode() == dns.opcode.UPDATE
        self.messages += 1
        for rrset in message.update:
            key = (rrset.name.to_text(), dns.rdatatype.to_text(rrset.rdtype))
            if rrset.deleting == dns.rdataclass.ANY:
                self.sets[key] = set()
            else:
                self.sets[key] = self.sets.get(key, set()) | {record.to_text() for record in rrset}
            self.times[key] = time.monotonic()

    def wait_for(self, name, kind, values, seconds=3):
        deadline = time.monotonic() + seconds
        while self.sets.get((name, kind), set()) != set(values):
            assert time.monotonic() < deadline, self.sets
            time.sleep(0.01)
        return self.times.get((name, kind))


@pytest.fixture(scope="module", name="shared")
def shared_simulator(tmp_path_factory):
    """One simulator for a file of tests."""
    simulator = Simulator(tmp_path_factory.mktemp("dmesim"))
    yield simulator
    assert simulator.stop() == 0


@pytest.fixture(name="sim")
def fresh_simulator(shared):
    """The shared simulator as it was at its start."""
    shared.control("/reset", {"only": ["settings", "window", "faults", "records", "log"]})
    return shared
