"""Puts the parts together: configuration, sockets, the journal of requests, the end on SIGTERM."""

import argparse
import asyncio
import json
import signal
import sys
import time
import traceback

from dmesim.server import Journal, listen

from .control import Control
from .fault import Faults
from .gate import Gate, Nonces
from .problem import Problem, Reply
from .resources import Resources, route
from .settings import DEFAULTS, Settings

KNOWN = {"listen", "control", "base", "log"} | set(DEFAULTS)
SHOWN_PAYLOAD = 20000
WITHOUT_NONCE = ("directory", "renewal-info", "terms")


class App:
    """The ACME side: receives requests from the connections."""

    def __init__(self, config):
        self.base = config["base"]
        self.settings = Settings({name: value for name, value in config.items() if name in DEFAULTS})
        self.faults = Faults()
        self.resources = Resources(self.settings)
        self.nonces = Nonces(self.settings)
        self.gate = Gate(self.resources.model, self.nonces)
        self.journal = Journal(config.get("log"))
        self.connections = set()

    def receive(self, connection, request):
        endpoint, arguments, methods = route(request.path)
        fault = self.faults.take(endpoint)
        delay = self.settings.delay_ms / 1000 + (fault.fields.get("ms", 1000) / 1000 if fault and fault.kind == "slow" else 0.0)
        if delay > 0:
            asyncio.get_running_loop().call_later(delay, self.serve, connection, request, (endpoint, arguments, methods), fault)
        else:
            self.serve(connection, request, (endpoint, arguments, methods), fault)

    def serve(self, connection, request, where, fault):
        entry = {"t": round(time.time(), 4), "method": request.method, "path": request.path, "endpoint": where[0],
                 "agent": request.headers.get("user-agent", "")}
        reply = None if fault and not fault.acts() else self.carry_out(request, where, entry)
        status = self.deliver(connection, request, where[0], reply, fault)
        entry.update(status=status, fault=fault.kind if fault else "", payload=entry.get("payload", "")[:SHOWN_PAYLOAD], connection=request.connection)
        self.journal.add(entry)

    def deliver(self, connection, request, endpoint, reply, fault):
        if fault and fault.end(connection, reply):
            return 0
        if fault and fault.kind == "certificate" and reply.status == 200:
            number, alternate = route(request.path)[1]
            reply.body = self.resources.bent_certificate(number, alternate, fault.fields["form"])
        reply = reply or fault.own_reply()
        if endpoint not in WITHOUT_NONCE:
            reply.set_header("Replay-Nonce", self.nonces.fresh())
        if fault:
            reply = fault.change(reply)
        connection.send(reply.encode(request.method == "HEAD", request.wants_close()), request.wants_close())
        return reply.status

    def carry_out(self, request, where, entry):
        try:
            return self.pass_request(request, where, entry)
        except Problem as problem:
            return problem.reply()
        except Exception as error:  # a bug of ours must show as such in the test that met it
            traceback.print_exc()
            return Reply(500, f"simulator bug: {error!r}".encode(), "text/plain")

    def pass_request(self, request, where, entry):
        endpoint, arguments, methods = where
        if not endpoint:
            raise Problem("malformed", "no such resource", status=404)
        if request.method not in methods:
            raise Problem("malformed", f"no {request.method} here", status=405)
        if not request.headers.get("user-agent"):
            raise Problem("malformed", "a User-Agent is required")
        signed = None
        if request.method == "POST":
            self.gate.model = self.resources.model
            signed = self.gate.check_post(request, self.base + request.path, entry)
        if endpoint == "nonce" and request.method == "GET":
            return Reply(204)
        return self.resources.answer(endpoint, self.base, signed, arguments)


async def run(config):
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    app = App(config)
    control = Control(app)
    servers = [(await listen(app, config["listen"], app.settings))[0], (await listen(control, config["control"]))[0]]
    print("ready", flush=True)
    await stopped.wait()
    for server in servers:
        server.close()
    for connection in app.connections | control.connections:
        connection.transport.abort()


def main(argv):
    parser = argparse.ArgumentParser(prog="acmesim.py", description="A scripted ACME server, for tests.")
    parser.add_argument("--config", required=True, metavar="FILE", help="JSON, see the text of this package")
    try:
        with open(parser.parse_args(argv).config, encoding="utf-8") as file:
            config = json.load(file)
        unknown = set(config) - KNOWN
        if unknown:
            raise ValueError(f"unknown keys: {', '.join(sorted(unknown))}")
        asyncio.run(run(config))
    except (OSError, ValueError, KeyError) as error:
        print(f"acmesim: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0
