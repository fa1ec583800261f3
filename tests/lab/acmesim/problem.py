"""Refusals: problem documents (RFC 7807) with ACME's types, and answers in general."""

import json
import time
from email.utils import formatdate

PREFIX = "urn:ietf:params:acme:error:"
STATUS = {
    "alreadyReplaced": 409, "caa": 403, "externalAccountRequired": 403, "incorrectResponse": 403, "orderNotReady": 403,
    "rateLimited": 429, "serverInternal": 500, "unauthorized": 403, "userActionRequired": 403,
}  # all others: 400
REASONS = {
    200: "OK", 201: "Created", 204: "No Content", 301: "Moved Permanently", 302: "Found", 307: "Temporary Redirect", 308: "Permanent Redirect",
    400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 409: "Conflict",
    415: "Unsupported Media Type", 429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable",
    504: "Gateway Timeout",
}
JSON_TYPE = "application/json"
PROBLEM_TYPE = "application/problem+json"
PEM_TYPE = "application/pem-certificate-chain"


def document(kind, detail, **more):
    """KIND: one of ACME's types without its prefix, or any URN."""
    return {"type": kind if ":" in kind else PREFIX + kind, "detail": detail, **more}


class Problem(Exception):
    """A request is refused.  `more`: further members (subproblems, instance); `headers`: of the answer."""

    def __init__(self, kind, detail, status=None, headers=(), **more):
        super().__init__(f"{kind}: {detail}")
        self.kind, self.detail, self.more = kind, detail, more
        self.status = status or STATUS.get(kind, 400)
        self.headers = list(headers)

    def reply(self):
        body = document(self.kind, self.detail, status=self.status, **self.more)
        return Reply(self.status, body, PROBLEM_TYPE, self.headers)


def header_value(text):
    """"@+3", "@-60": that many seconds from now as an HTTP date; anything else as it is."""
    if text[:2] in ("@+", "@-"):
        return formatdate(time.time() + float(text[1:]), usegmt=True)
    return text


class Reply:
    """An answer; a body that is no bytes becomes JSON.  Headers may repeat."""

    def __init__(self, status, body=b"", content_type=JSON_TYPE, headers=()):
        self.status, self.content_type, self.headers = status, content_type, list(headers)
        self.document = None if isinstance(body, bytes) else body
        self.body = body if isinstance(body, bytes) else json.dumps(body, indent=1).encode("utf-8")

    def set_header(self, name, value):
        """None: goes away."""
        self.headers = [(n, v) for n, v in self.headers if n.lower() != name.lower()]
        if value is not None:
            self.headers.append((name, value))

    def encode(self, head_only, close):
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Status')}", f"Date: {formatdate(usegmt=True)}", "Server: acmesim",
                 "Cache-Control: public, max-age=0, no-cache"]
        if self.content_type and self.body:
            lines.append(f"Content-Type: {self.content_type}")
        if self.status != 204:
            lines.append(f"Content-Length: {len(self.body)}")
        lines += [f"{name}: {header_value(value)}" for name, value in self.headers]
        if close:
            lines.append("Connection: close")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")
        return head if head_only or self.status == 204 else head + self.body
