"""Failures on demand: the next N requests to an endpoint get a failure instead of the real answer, or after it.

POST /fault {"endpoint": "new-order", "count": 1, "skip": 0, "kind": "problem", ...}

endpoint  a name as in the package's text, or "" for any that a client asks
count     how many requests; 0: all that follow
skip      how many matching requests pass before

kind          what happens                                              parameters (default)
status        an answer of our choice                                   status (500), body (""), content_type (text/html)
problem       a problem document                                        type, detail, status, more ({}: subproblems, instance ...)
redirect      to another URL                                            status (302), location
reset_before  TCP reset, nothing done
reset_after   the request is carried out, then TCP reset: a lost answer
close_before  like reset_before, with an orderly close
close_after   like reset_after, with an orderly close
timeout       nothing is said, nothing done                             seconds (3600)
hold_after    the request is carried out, nothing is said               seconds (3600)
bend          the real answer with its JSON changed                     set ({}: members to replace, null takes away; "a.b" for what
                                                                        is deeper, "0" for items of lists)
body          the real answer with another body                         body, content_type
certificate   the certificate in another form                           form (pki.FORMS)
slow          the real answer, later                                    ms (1000)
truncate      the real answer, cut in the middle of its body            bytes (half of the body)
trickle       the real answer, a byte at a time                         ms between them (100)
garbage       bytes that are not HTTP                                   bytes (512)
oversize      200 with a body without end                               bytes (64 MiB)
none          the real answer: for `headers` alone

"headers" {name: value or null} changes those of the answer; "@+3" is a date in three seconds.  "nonce" (a text, or null for none)
replaces the Replay-Nonce.
"""

import asyncio
import itertools
import os

from .problem import PROBLEM_TYPE, Reply, document

ACTS = {"reset_after", "close_after", "hold_after", "bend", "body", "certificate", "slow", "truncate", "trickle", "none"}
KINDS = ACTS | {"status", "problem", "redirect", "reset_before", "close_before", "timeout", "garbage", "oversize"}
PARAMETERS = {"id", "endpoint", "count", "skip", "kind", "status", "body", "content_type", "type", "detail", "more", "location", "seconds", "set",
              "form", "ms", "bytes", "headers", "nonce"}
PIECE = b" " * 65536


class FaultError(ValueError):
    """A fault that makes no sense."""


def bend(document_, changes):
    """Changes the members of a document in place."""
    for path, value in changes.items():
        *parents, last = path.split(".")
        at = document_
        for name in parents:
            at = at[int(name)] if isinstance(at, list) else at[name]
        last = int(last) if isinstance(at, list) else last
        if value is None:
            del at[last]
        else:
            at[last] = value


class Fault:
    def __init__(self, number, fields):
        unknown = set(fields) - PARAMETERS
        if unknown or fields.get("kind") not in KINDS:
            raise FaultError(f"unknown parameter or kind: {', '.join(sorted(unknown)) or fields.get('kind')}")
        self.id, self.fields, self.kind = number, fields, fields["kind"]
        self.endpoint, self.left, self.skip = fields.get("endpoint", ""), int(fields.get("count", 1)), int(fields.get("skip", 0))
        self.endless = self.left == 0

    def matches(self, endpoint):
        if self.endpoint not in ("", endpoint):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        return True

    def acts(self):
        return self.kind in ACTS

    def own_reply(self):
        """Of those that do not act."""
        fields = self.fields
        if self.kind == "problem":
            status = fields.get("status", 400)
            body = document(fields.get("type", "malformed"), fields.get("detail", "the test wants it so"), status=status, **fields.get("more", {}))
            return Reply(status, body, PROBLEM_TYPE)
        if self.kind == "redirect":
            return Reply(fields.get("status", 302), b"", headers=[("Location", fields["location"])])
        return Reply(fields.get("status", 500), fields.get("body", "").encode(), fields.get("content_type", "text/html"))

    def change(self, reply):
        fields = self.fields
        if self.kind == "bend" and reply.document is not None:
            bend(reply.document, fields.get("set", {}))
            headers = reply.headers
            reply = Reply(reply.status, reply.document, reply.content_type, headers)
        if self.kind == "body":
            reply.body = fields.get("body", "").encode()
        if "content_type" in fields:
            reply.content_type = fields["content_type"]
        for name, value in fields.get("headers", {}).items():
            reply.set_header(name, value)
        if "nonce" in fields:
            reply.set_header("Replay-Nonce", fields["nonce"])
        return reply

    def end(self, connection, reply):
        """The ends that are no answer; REPLY: what it would have been, None if nothing was done.  False: it is none of these."""
        kind, fields = self.kind, self.fields
        if kind in ("reset_before", "reset_after"):
            connection.abort()
        elif kind in ("close_before", "close_after"):
            connection.transport.close()
        elif kind in ("timeout", "hold_after"):
            connection.hold(fields.get("seconds", 3600))
        elif kind == "garbage":
            connection.send(os.urandom(fields.get("bytes", 512)), True)
        elif kind == "oversize":
            size = fields.get("bytes", 64 << 20)
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n".encode()
            connection.stream(itertools.chain([head], itertools.repeat(PIECE, size // len(PIECE))))
        elif kind == "truncate":
            whole = reply.encode(False, False)
            connection.send(whole[:len(whole) - len(reply.body) + fields.get("bytes", len(reply.body) // 2)], True)
        elif kind == "trickle":
            self._trickle(connection, reply.encode(False, True), fields.get("ms", 100) / 1000)
        else:
            return False
        return True

    def _trickle(self, connection, data, pause_s):
        if connection.transport.is_closing():
            return
        connection.transport.write(data[:1])
        if len(data) > 1:
            asyncio.get_running_loop().call_later(pause_s, self._trickle, connection, data[1:], pause_s)
        else:
            connection.transport.close()

    def as_dict(self):
        return {**self.fields, "id": self.id, "left": self.left}


class Faults:
    def __init__(self):
        self.active, self.numbers = [], itertools.count(1)

    def add(self, fields):
        fault = Fault(next(self.numbers), fields)
        self.active.append(fault)
        return fault

    def take(self, endpoint):
        for fault in self.active:
            if not fault.matches(endpoint):
                continue
            fault.left -= 1
            if fault.left == 0 and not fault.endless:
                self.active.remove(fault)
            return fault
        return None

    def clear(self):
        self.active.clear()
