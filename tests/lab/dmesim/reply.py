"""Answers of the API and how they look on the wire.

Two styles of error JSON exist: the gateway in front (keys, dates, budget) writes a space after the colon, the
application behind it writes compact JSON and closes the connection.
"""

import json
import os
import time
import uuid

from .auth import DAYS, MONTHS

REASONS = {
    200: "OK",
    201: "Created",
    301: "Moved Permanently",
    302: "Found",
    303: "See Other",
    307: "Temporary Redirect",
    308: "Permanent Redirect",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    408: "Request Timeout",
    413: "Payload Too Large",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
JSON_TYPE = "application/json"
HTML_TYPE = "text/html;charset=ISO-8859-1"
CHUNK = 8192


class Reply:
    """Status, body and the few headers that differ between answers."""

    __slots__ = ("status", "body", "content_type", "headers", "chunked", "close", "cookie", "error")

    def __init__(
        self,
        status,
        body=b"",
        content_type=JSON_TYPE,
        headers=(),
        chunked=False,
        close=False,
        cookie=True,
        error=None,
    ):
        self.status = status
        self.body = body
        self.content_type = content_type
        self.headers = list(headers)
        self.chunked = chunked
        self.close = close
        self.cookie = cookie
        self.error = error


class ApiError(Exception):
    """The application's 400: a list with one text."""


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def json_reply(text, status=200, headers=()):
    return Reply(status, text.encode("utf-8"), headers=headers, chunked=True)


def empty_reply(status=200):
    return Reply(status)


def application_error(text):
    return Reply(400, compact({"error": [text]}).encode("utf-8"), chunked=True, close=True, error=text)


def gateway_error(settings, status, text):
    """The text may repeat raw header bytes, so it is Latin-1 here, and it is quoted by hand as the gateway
    seems to do.
    """
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    name = "error" if settings.legacy_error_style else '"error"'
    body = f'{{{name}: ["{quoted}"]}}'.encode("latin-1")
    return Reply(status, body, content_type=None, cookie=status == 403, error=text)


def tomcat_page(status):
    title = f"HTTP Status {status} - {REASONS.get(status, 'Error')}"
    rule = '<hr size="1" noshade="noshade">'
    return (
        f"<html><head><title>Apache Tomcat/7.0.12 - Error report</title></head><body><h1>{title}</h1>{rule}"
        f"<p><b>type</b> Status report</p><p><b>message</b> {REASONS.get(status, 'Error')}</p>"
        f"<p><b>description</b> No such resource ({REASONS.get(status, 'Error')}).</p>{rule}"
        "<h3>Apache Tomcat/7.0.12</h3></body></html>"
    )


def console_page():
    """About 8 KB, mostly script tags, like the page of the management console."""
    session = "0123456789ABCDEF"
    scripts = "".join(
        '\r\n\t<script type="text/javascript" '
        f"src='/V2.0/js/part-{n:02d}.js;jsessionid={session}' ></script>"
        for n in range(80)
    )
    return (
        "\r\n" * 7
        + f"<!DOCTYPE html>\r\n<html>\r\n<head>\r\n\t<title>Management Console</title>{scripts}"
        + "\r\n\t<script>var page = {id: 0, errors: []};</script>\r\n</head>\r\n<body>"
        + '\r\n<h3>A system error has occurred.</h3>\r\n\t<a href="/V2.0/">Return to console</a>'
        + "\r\n</body>\r\n</html>"
    )


def not_found(settings, error="not found"):
    if settings.html404 == "json":
        return Reply(404, b'{"error":["Not Found"]}', chunked=True, error=error)
    if settings.html404 == "empty":
        return Reply(404, content_type=None, error=error)
    page = console_page() if settings.html404 == "console" else tomcat_page(404)
    return Reply(404, page.encode("latin-1"), HTML_TYPE, chunked=True, error=error)


def html_error(status, error, headers=(), close=False):
    return Reply(
        status,
        tomcat_page(status).encode("latin-1"),
        HTML_TYPE,
        headers,
        chunked=True,
        close=close,
        error=error,
    )


def http_date(now):
    moment = time.gmtime(now)
    day, month = DAYS[moment.tm_wday].title(), MONTHS[moment.tm_mon - 1].title()
    return f"{day}, {moment.tm_mday:02d} {month} {moment.tm_year} {time.strftime('%H:%M:%S', moment)} GMT"


def chunk(body):
    parts = []
    for start in range(0, len(body), CHUNK):
        piece = body[start : start + CHUNK]
        parts += (b"%x\r\n" % len(piece), piece, b"\r\n")
    return b"".join(parts) + b"0\r\n\r\n"


def encode(reply, request, settings, limits):
    """The whole answer as one byte string. `limits` is (limit, remaining)."""
    lines = [
        f"HTTP/1.1 {reply.status} {REASONS.get(reply.status, 'Unknown')}",
        f"Date: {http_date(time.time() + settings.skew)}",
        f"x-dnsme-requestId: {uuid.uuid4()}",
        f"x-dnsme-requestsRemaining: {limits[1]}",
        f"x-dnsme-requestLimit: {limits[0]}",
        "Server: DNSME API",
    ]
    if reply.cookie:
        lines.append(f"Set-Cookie: JSESSIONID={os.urandom(16).hex().upper()}; Path=/V2.0; HttpOnly")
    lines += [f"{name}: {value}" for name, value in reply.headers]
    if reply.content_type:
        lines.append(f"Content-Type: {reply.content_type}")
    body = reply.body
    if reply.chunked and body and settings.chunked and request.version == "HTTP/1.1":
        lines.append("Transfer-Encoding: chunked")
        body = chunk(body)
    else:
        lines.append(f"Content-Length: {len(body)}")
    if reply.close or request.wants_close():
        lines.append("Connection: close")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    return head if request.method == "HEAD" else head + body
