"""Failures on demand: the next N requests that match get a failure instead of the real answer, or after it.

POST /fault {"method": "POST", "path": "regular expression", "count": 1, "skip": 0, "kind": "status", ...}

kind             what happens                                     parameters (default)
status           an answer of our choice                          status (500), body (""), headers ({}),
                                                                  content_type (text/html),
                                                                  encoding of the body (utf-8),
                                                                  foreign (false): it comes from a
                                                                  proxy and has none of the API's headers
redirect         302 to another URL                               location, status (302)
reset_before     TCP reset, nothing done
reset_after      the request is carried out, then TCP reset
close_before     like reset_before, with an orderly close
close_after      like reset_after, with an orderly close
timeout          nothing is said, nothing done                    seconds (3600)
timeout_after    the request is carried out, nothing is said      seconds (3600)
truncate         the real answer, cut in the middle of its body   bytes (half of the body)
garbage          bytes that are not HTTP                          bytes (512)
invalid_json     the real status with broken JSON                 body ({"data":[{"id":)
empty            the real status with an empty body
oversize         200 with a body without end                      bytes (64 MiB)
slow             the real answer, later                           delay_ms (1000)

"act": true or false overrides whether the request is carried out. "path" is searched in path?query. Budget
and authentication are part of carrying out: a fault that does not act costs nothing.
"""

import itertools
import os
import re

from .reply import JSON_TYPE, Reply, encode

ACTS = {
    "status": False,
    "redirect": False,
    "reset_before": False,
    "reset_after": True,
    "close_before": False,
    "close_after": True,
    "timeout": False,
    "timeout_after": True,
    "truncate": True,
    "garbage": False,
    "invalid_json": True,
    "empty": True,
    "oversize": False,
    "slow": True,
}
PARAMETERS = {
    "id",
    "kind",
    "method",
    "path",
    "count",
    "skip",
    "act",
    "status",
    "body",
    "content_type",
    "encoding",
    "foreign",
    "headers",
    "location",
    "seconds",
    "bytes",
    "delay_ms",
}
PIECE = b" " * 65536


class FaultError(ValueError):
    """A fault that makes no sense."""


class Fault:
    def __init__(self, number, fields):
        unknown = set(fields) - PARAMETERS
        if unknown:
            raise FaultError(f"unknown parameter {', '.join(sorted(unknown))}")
        self.id = number
        self.fields = fields
        self.kind = fields.get("kind", "status")
        if self.kind not in ACTS:
            raise FaultError(f'unknown kind "{self.kind}"')
        self.acts = bool(fields.get("act", ACTS[self.kind]))
        self.method = fields.get("method", "*")
        try:
            self.path = re.compile(fields.get("path", ""))
        except re.error as error:
            raise FaultError(f"path: {error}") from None
        self.left = int(fields.get("count", 1))
        self.skip = int(fields.get("skip", 0))

    def matches(self, method, target):
        return self.method in ("*", method) and self.path.search(target) is not None

    def delay_s(self):
        return self.fields.get("delay_ms", 1000) / 1000 if self.kind == "slow" else 0.0

    def as_dict(self):
        return {
            "id": self.id,
            "kind": self.kind,
            "method": self.method,
            "path": self.path.pattern,
            "left": self.left,
            "skip": self.skip,
        }

    def deliver(self, connection, request, reply, settings, limits):
        """End the request on the wire. `reply` is the real answer, None if the request was not carried out.
        Returns the status sent.
        """
        return getattr(self, "_" + self.kind.removesuffix("_before").removesuffix("_after"))(
            connection, request, reply or Reply(200), settings, limits
        )

    def _send(self, connection, request, reply, settings, limits):
        connection.send(encode(reply, request, settings, limits), reply.close or request.wants_close())
        return reply.status

    def _status(self, connection, request, _reply, settings, limits):
        body = self.fields.get("body", "").encode(self.fields.get("encoding", "utf-8"))
        made = Reply(
            int(self.fields.get("status", 500)),
            body,
            self.fields.get("content_type", "text/html"),
            headers=self.fields.get("headers", {}).items(),
        )
        if self.fields.get("foreign"):
            return self._send_foreign(connection, request, made, settings, limits)
        return self._send(connection, request, made, settings, limits)

    @staticmethod
    def _send_foreign(connection, request, reply, settings, limits):
        reply.cookie = False
        head, blank, body = encode(reply, request, settings, limits).partition(b"\r\n\r\n")
        lines = [
            line
            for line in head.split(b"\r\n")
            if not line.lower().startswith(b"x-dnsme-") and line != b"Server: DNSME API"
        ]
        connection.send(b"\r\n".join(lines) + blank + body, reply.close or request.wants_close())
        return reply.status

    def _redirect(self, connection, request, _reply, settings, limits):
        made = Reply(
            int(self.fields.get("status", 302)),
            headers=[("Location", self.fields.get("location", "https://example.invalid/"))],
            content_type=None,
        )
        return self._send(connection, request, made, settings, limits)

    def _reset(self, connection, *_):
        connection.abort()
        return 0

    def _close(self, connection, *_):
        connection.transport.close()
        return 0

    def _timeout(self, connection, *_):
        connection.hold(float(self.fields.get("seconds", 3600)))
        return 0

    def _truncate(self, connection, request, reply, settings, limits):
        head, blank, body = encode(reply, request, settings, limits).partition(b"\r\n\r\n")
        cut = min(int(self.fields.get("bytes", len(body) // 2)), len(body))
        connection.send(head + blank + body[:cut], True)
        return reply.status

    def _garbage(self, connection, *_):
        connection.send(os.urandom(int(self.fields.get("bytes", 512))), True)
        return 0

    def _invalid_json(self, connection, request, reply, settings, limits):
        made = Reply(reply.status, self.fields.get("body", '{"data":[{"id":').encode("utf-8"), chunked=True)
        return self._send(connection, request, made, settings, limits)

    def _empty(self, connection, request, reply, settings, limits):
        return self._send(connection, request, Reply(reply.status), settings, limits)

    def _slow(self, connection, request, reply, settings, limits):
        return self._send(connection, request, reply, settings, limits)

    def _oversize(self, connection, request, _reply, settings, limits):
        size = int(self.fields.get("bytes", 64 * 1024 * 1024))
        start = b'{"totalPages":1,"data":['
        head = encode(Reply(200, content_type=JSON_TYPE, close=True), request, settings, limits)
        head = head.replace(b"Content-Length: 0", b"Content-Length: %d" % size)
        pieces = itertools.repeat(PIECE, max(0, size - len(start)) // len(PIECE))
        rest = PIECE[: max(0, size - len(start)) % len(PIECE)]
        connection.stream(piece for piece in itertools.chain([head + start], pieces, [rest]) if piece)
        return 200


class Faults:
    """The faults in force; the first that matches is used."""

    def __init__(self):
        self.active = []
        self.serial = itertools.count(1)

    def add(self, fields):
        try:
            fault = Fault(next(self.serial), fields)
        except (TypeError, ValueError, AttributeError) as error:
            raise FaultError(str(error)) from None
        self.active.append(fault)
        return fault

    def take(self, request):
        for fault in self.active:
            if not fault.matches(request.method, request.target):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.left -= 1
            if fault.left <= 0:
                self.active.remove(fault)
            return fault
        return None

    def clear(self):
        self.active.clear()
