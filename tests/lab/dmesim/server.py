"""Puts the parts together: configuration, sockets, the journal of requests, the end on SIGTERM."""

import argparse
import asyncio
import json
import os
import signal
import ssl
import sys
import time
import traceback

from .control import Control
from .fault import Faults
from .feed import Feed
from .gate import Gate
from .http1 import Connection
from .limit import Windows
from .reply import encode, html_error
from .settings import DEFAULTS, Settings
from .store import SYSTEM_SERVERS, Store

KNOWN = {"listen", "control", "ports_file", "accounts", "nameservers", "log", "signatures"} | set(DEFAULTS)
SHOWN_BODY = 20000
KINDS = ("tls", "plain", "cut", "silent", "deny")


class Journal:
    """One JSON line per request, in memory and, if wanted, in a file."""

    def __init__(self, path):
        self.entries = []
        self.wipes = 0
        self.file = open(path, "ab", buffering=0) if path else None

    def add(self, entry):
        self.entries.append(entry)
        self.wipes += 1 if entry.get("wiped") else 0
        if self.file:
            self.file.write(json.dumps(entry, ensure_ascii=False).encode("utf-8") + b"\n")

    def clear(self):
        self.entries.clear()
        self.wipes = 0


class App:
    """The API side: receives requests from the connections."""

    def __init__(self, config):
        self.settings = Settings({name: value for name, value in config.items() if name in DEFAULTS})
        self.windows = Windows(self.settings)
        self.faults = Faults()
        self.feed = Feed(config.get("nameservers", []))
        servers = [
            (entry["fqdn"], entry.get("ipv4", ""), entry.get("ipv6", ""))
            for entry in config.get("nameservers", [])
        ]
        self.store = Store(self.settings, servers or SYSTEM_SERVERS, self.feed.publish)
        self.store.load(config.get("accounts", []))
        self.gate = Gate(self)
        self.journal = Journal(config.get("log"))
        self.signatures = open(config["signatures"], "ab", buffering=0) if "signatures" in config else None
        self.connections = set()
        self.certificates = {name for entry in config.get("listen", []) for name in entry.get("certificates", {})}
        self.resets = 0

    def receive(self, connection, request):
        """The delay comes first and the request is carried out at its end, so that DNS lag starts when the
        client hears of it.
        """
        fault = self.faults.take(request)
        delay = self.settings.delay_ms / 1000 + (fault.delay_s() if fault else 0.0)
        if delay > 0:
            asyncio.get_running_loop().call_later(delay, self.serve, connection, request, fault, self.resets)
        else:
            self.serve(connection, request, fault, self.resets)

    def serve(self, connection, request, fault, resets):
        if resets != self.resets:  # ids begin anew with the records: this one would hit another test's
            connection.abort()
            return
        entry = {
            "t": round(time.time(), 4),
            "method": request.method,
            "path": request.path,
            "query": request.target.partition("?")[2],
            "host": request.headers.get("host", ""),
            "key": "",
        }
        reply = None
        if fault is None or fault.acts:
            reply, limits = self.carry_out(request, entry)
        else:
            limits = self.gate.limits_of(request)
        if fault:
            status = fault.deliver(connection, request, reply, self.settings, limits)
            entry["fault"] = fault.kind
        else:
            status = reply.status
            connection.send(
                encode(reply, request, self.settings, limits), reply.close or request.wants_close()
            )
        self.note(entry, request, reply, status, limits)

    def carry_out(self, request, entry):
        try:
            return self.gate.pass_request(request, entry)
        except Exception as error:  # a bug of ours must show as such in the test that met it
            traceback.print_exc()
            return html_error(500, f"simulator bug: {error!r}", close=True), self.gate.limits_of(request)

    def note(self, entry, request, reply, status, limits):
        if self.signatures:
            self.signatures.write(request.headers.get("x-dnsme-hmac", "").strip().lower().encode("ascii", "replace") + b"\n")
        entry.update(
            status=status,
            remaining=limits[1],
            duration_ms=round((time.monotonic() - request.received) * 1000, 2),
            error=reply.error if reply else None,
            connection=request.connection,
            tls=request.tls,
            agent=request.headers.get("user-agent", ""),
        )
        if request.body:
            entry["body"] = request.body[:SHOWN_BODY].decode("utf-8", "replace")
        self.journal.add(entry)


class Door(asyncio.Protocol):
    """What stands where the API should be: hangs up on the first bytes ("cut"), says nothing ("silent"), or refuses like a
    proxy that lets nobody through ("deny").
    """

    DENIAL = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    def __init__(self, app, kind):
        self.app = app
        self.kind = kind
        self.transport = None

    def connection_made(self, transport):
        self.transport = transport
        self.app.connections.add(self)

    def data_received(self, _data):
        if self.kind == "deny":
            self.transport.write(self.DENIAL)
        if self.kind != "silent":
            self.transport.close()

    def connection_lost(self, _exc):
        self.app.connections.discard(self)


def plain_context(cert, key):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    context.set_alpn_protocols(["http/1.1"])
    return context


def tls_context(entry, settings):
    """The listener's own certificate, unless the setting "certificate" names another when a handshake begins."""
    context = plain_context(entry["cert"], entry["key"])
    others = {name: plain_context(*files) for name, files in entry.get("certificates", {}).items()}

    def choose(connection, _server_name, _context):
        if settings.certificate:
            connection.context = others[settings.certificate]

    context.sni_callback = choose
    return context


async def listen(receiver, entry, settings=None):
    """A listening server and the port it really got; with SETTINGS it may speak TLS."""
    kind = entry.get("kind", "plain" if settings is None or entry.get("plain") else "tls")
    if kind not in KINDS:
        raise ValueError(f'listen: unknown kind "{kind}"')
    tls = kind == "tls"
    context = tls_context(entry, settings) if tls else None
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(receiver, tls) if kind in ("tls", "plain") else Door(receiver, kind),
        entry.get("addr", "127.0.0.1"),
        entry.get("port", 0),
        ssl=context,
        backlog=512,
    )
    return server, server.sockets[0].getsockname()[1]


def write_ports(path, ports):
    with open(f"{path}.new", "w", encoding="ascii") as file:
        json.dump(ports, file)
    os.rename(f"{path}.new", path)


async def run(config):
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    app = App(config)
    servers, ports = [], {"listen": [], "control": None}
    for entry in config.get("listen", []):
        server, port = await listen(app, entry, app.settings)
        servers.append(server)
        plain = entry.get("plain", False) or entry.get("kind") == "plain"
        ports["listen"].append({"addr": entry.get("addr", "127.0.0.1"), "port": port, "plain": plain})
    control = Control(app)
    if config.get("control"):
        server, port = await listen(control, config["control"])
        servers.append(server)
        ports["control"] = {"addr": config["control"].get("addr", "127.0.0.1"), "port": port}
    app.feed.start()
    if config.get("ports_file"):
        write_ports(config["ports_file"], ports)
    print("ready", flush=True)
    await stopped.wait()
    for server in servers:
        server.close()
    for connection in app.connections | control.connections:
        connection.transport.abort()
    app.feed.stop()


def load_config(path):
    with open(path, encoding="utf-8") as file:
        config = json.load(file)
    unknown = set(config) - KNOWN
    if unknown:
        raise ValueError(f"unknown keys: {', '.join(sorted(unknown))}")
    return config


def main(argv):
    parser = argparse.ArgumentParser(
        prog="dmesim.py", description="Simulator of the DNS Made Easy API, for tests."
    )
    parser.add_argument("--config", required=True, metavar="FILE", help="JSON, see the text of this package")
    try:
        asyncio.run(run(load_config(parser.parse_args(argv).config)))
    except (OSError, ValueError, KeyError) as error:
        print(f"dmesim: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0
