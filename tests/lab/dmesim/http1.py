"""HTTP/1.1 on an asyncio transport: requests in (Content-Length or chunked, keep-alive, pipelined), one write
per answer out.

The protocol object hands each complete request to `receiver.receive(connection, request)` and waits for one
of the connection's ending calls: send, abort, hold, stream.
"""

import asyncio
import itertools
import socket
import struct
import time
from urllib.parse import parse_qsl, unquote

MAX_HEAD = 65536
MAX_BODY = 16 * 1024 * 1024
SERIAL = itertools.count(1)


class BadRequest(Exception):
    """Not HTTP as we know it; the number is the status to close with."""

    def __init__(self, status):
        super().__init__(status)
        self.status = status


class Request:
    __slots__ = (
        "method",
        "target",
        "path",
        "query",
        "version",
        "headers",
        "body",
        "tls",
        "peer",
        "connection",
        "received",
    )

    def __init__(self, head, tls, peer, connection):
        lines = head.split("\r\n")
        try:
            self.method, self.target, self.version = lines[0].split(" ")
        except ValueError:
            raise BadRequest(400) from None
        if not self.version.startswith("HTTP/1."):
            raise BadRequest(400)
        self.headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon or name != name.strip() or not name:
                raise BadRequest(400)
            self.headers[name.lower()] = value.strip()
        target = self.target
        if target.startswith(("http://", "https://")):  # absolute form, as sent to proxies
            target = "/" + target.split("/", 3)[3] if target.count("/") > 2 else "/"
        path, _, query = target.partition("?")
        self.path = unquote(path.partition(";")[0])
        self.query = parse_qsl(query, keep_blank_values=True)
        self.body = b""
        self.tls = tls
        self.peer = peer
        self.connection = connection
        self.received = time.monotonic()

    def wants_close(self):
        token = self.headers.get("connection", "").lower()
        return "close" in token or (self.version == "HTTP/1.0" and "keep-alive" not in token)


def take_chunked(buffer, start):
    """(body, end) of a chunked body in the buffer, or None if it is not complete."""
    body = bytearray()
    while True:
        line_end = buffer.find(b"\r\n", start)
        if line_end < 0:
            return None
        try:
            size = int(bytes(buffer[start:line_end]).split(b";")[0], 16)
        except ValueError:
            raise BadRequest(400) from None
        start = line_end + 2
        if len(body) + size > MAX_BODY:
            raise BadRequest(413)
        if size == 0:
            end = buffer.find(b"\r\n", start)  # trailers are not expected: the next line is the empty one
            return (bytes(body), end + 2) if end >= 0 else None
        if len(buffer) < start + size + 2:
            return None
        body += buffer[start : start + size]
        start += size + 2


class Connection(asyncio.Protocol):
    """One client connection."""

    def __init__(self, receiver, tls):
        self.receiver = receiver
        self.tls = tls
        self.serial = next(SERIAL)
        self.buffer = bytearray()
        self.busy = False
        self.eof = False
        self.continued = False
        self.transport = None
        self.peer = ""
        self.writer = None
        self.timer = None

    # ---- transport callbacks

    def connection_made(self, transport):
        self.transport = transport
        peer = transport.get_extra_info("peername")
        self.peer = peer[0] if peer else ""
        self.receiver.connections.add(self)

    def connection_lost(self, exc):
        self.receiver.connections.discard(self)
        if self.timer:
            self.timer.cancel()

    def data_received(self, data):
        self.buffer += data
        if not self.busy:
            self.next_request()
        elif len(self.buffer) > MAX_HEAD + MAX_BODY:
            self.transport.abort()

    def eof_received(self):
        self.eof = True
        return self.busy and not self.tls  # a half-closed plain connection still gets its answer

    def resume_writing(self):
        if self.writer:
            self.pump()

    def pause_writing(self):
        if self.writer:
            self.paused = True

    # ---- requests

    def next_request(self):
        try:
            request = self.take_request()
        except BadRequest as error:
            self.transport.write(
                b"HTTP/1.1 %d Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % error.status
            )
            self.transport.close()
            return
        if request:
            self.busy = True
            self.receiver.receive(self, request)

    def take_request(self):
        while self.buffer[:2] == b"\r\n":
            del self.buffer[:2]
        if self.buffer[:1] == b"\x16":  # a TLS handshake where none is spoken
            raise BadRequest(400)
        head_end = self.buffer.find(b"\r\n\r\n")
        if head_end < 0:
            if len(self.buffer) > MAX_HEAD:
                raise BadRequest(431)
            return None
        request = Request(self.buffer[:head_end].decode("latin-1"), self.tls, self.peer, self.serial)
        start = head_end + 4
        if "chunked" in request.headers.get("transfer-encoding", "").lower():
            taken = take_chunked(self.buffer, start)
        else:
            length = request.headers.get("content-length", "0")
            if not length.isdigit():
                raise BadRequest(400)
            if int(length) > MAX_BODY:
                raise BadRequest(413)
            end = start + int(length)
            taken = (bytes(self.buffer[start:end]), end) if len(self.buffer) >= end else None
        if taken is None:
            if "100-continue" in request.headers.get("expect", "").lower() and not self.continued:
                self.continued = True
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            return None
        self.continued = False
        request.body = taken[0]
        del self.buffer[: taken[1]]
        return request

    # ---- endings

    def send(self, data, close):
        """The normal end: everything in one write."""
        if self.transport.is_closing():
            return
        self.transport.write(data)
        if close or self.eof:
            self.transport.close()
            return
        self.busy = False
        if self.buffer:
            asyncio.get_running_loop().call_soon(self.next_request)

    def abort(self):
        """A TCP reset."""
        raw = self.transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def hold(self, seconds):
        """Say nothing for a while, then close."""
        self.timer = asyncio.get_running_loop().call_later(seconds, self.transport.close)

    def stream(self, pieces):
        """A body too big for one write; `pieces` is an iterator. Closes at its end."""
        self.writer = pieces
        self.pump()

    def pump(self):
        self.paused = False
        while not self.paused and not self.transport.is_closing():
            piece = next(self.writer, None)
            if piece is None:
                self.writer = None
                self.transport.close()
                return
            self.transport.write(piece)
