"""The table of faults: how each is made, and what the program says and does then.  test_faults.py runs a test for each.

A row is

    Row("key-unknown", [config(credentials__api_key=NOBODY)], AUTH, says=..., hint=..., requests=1)

name       the test's name
by         the steps that bring the fault about: functions of a Stage (stage.py), run in order
status     the exit status: 0 means that it heals itself or carries on
says       regular expressions, all of which the one error message matches: the cause
hint       the same for the hint: the remedy; () where the message itself tells what to do
tells      the same for message and hint together
requests   how many requests reach the API, a number or (least, most)
warns      one regular expression for each warning, in their order.  Nothing else may be on standard error
more       further error messages, where all mistakes of a file are told at once
prints     one regular expression for each line on standard output
call       the command line; by default what certbot calls: auth, for host.example.com
journal    how many entries the journal has afterwards
lost       how many records of ours are there that the journal has not
then       a function of (stage, Result) that looks at what else should be so

Whatever the row, a foreign record with the same name must survive, no zone may have been emptied, and no secret may
show.  After a row with status 0 the record must be seen at the API, and is withdrawn under the same fault.

A fault is made by the lab wherever it can be: the simulator's settings and faults (tests/lab/dmesim), other
certificates, name servers that are stopped; the rest by the program's own file, environment, clock (libfaketime) and
state directory.
"""

import dataclasses
import os
import re
import time

from lab import plan
from program import API, AUTH, CONFIG, NAME, OK, PROPAGATION, RATE_LIMIT, STATE, USAGE, VALUE, ZONE
from stage import (DOMAIN, FOREIGN, NOBODY, accounts, api, clock_jumps, config, config_text, damaged, delegation,
                   dst_change, endpoint, env, escaped, frozen, given_away, impatient, key, machine_clock, mounted,
                   never_released, only_over_tls, option, pause, pending, prefix, published, says_403, secret,
                   secret_fifo, secret_file, short, sim, tls, took, without, zone_as)

AUTH_CALL = ("auth",)
BY_NAME = ("add-domain", DOMAIN, VALUE)  # unlike certbot's, this call is rolled back when its wait fails
YEARS_30 = 30 * 365 * 86400
API_NAME = re.escape(plan.API_HOST)


@dataclasses.dataclass(frozen=True)
class Row:
    name: str
    by: list
    status: int
    says: tuple = ()
    tells: tuple = ()
    hint: tuple = ()
    requests: object = 0
    warns: tuple = ()
    more: tuple = ()
    prints: tuple = ()
    call: tuple = AUTH_CALL
    journal: int = 0
    lost: int = 0
    then: object = None
    seconds: float = 15.0


# -- the rows ------------------------------------------------------------------------------------------------------


def clock_warning(seconds, way):
    return rf"this machine's clock is {seconds} s (\([^)]*\) )?{way} DNS Made Easy's.*timedatectl.*chrony.*continuing$"


def _near(seconds):
    """SECONDS, or one more or less: two clocks with whole seconds are compared."""
    return "(" + "|".join(str(n) for n in range(seconds - 1, seconds + 2)) + ")"


def clock_rows():
    rows = []
    for label, seconds in (("31s", 31), ("412s", 412), ("1d", 86400), ("30y", YEARS_30)):
        for sign, way in ((1, "behind"), (-1, "ahead of")):
            name = f"{label}-{way.split()[0]}"
            warns = (clock_warning(_near(seconds), way),)
            rows.append(Row(f"clock-of-the-api-{name}", [sim(skew=sign * seconds)], OK, warns=warns, requests=3))
            if seconds < YEARS_30:
                rows.append(Row(f"clock-of-this-machine-{name}", [machine_clock(-sign * seconds)], OK, warns=warns, requests=3))
    return rows


CLOCK = [
    *clock_rows(),
    Row("clock-of-the-api-20s-behind", [sim(skew=20)], OK, requests=2),
    Row("summer-time-begins-in-the-wait", [dst_change(forward=True)], OK, requests=2, then=took(2.5, 8)),
    Row("summer-time-ends-in-the-wait", [dst_change(forward=False)], OK, requests=2, then=took(2.5, 8)),
    Row("clock-jumps-an-hour-ahead-in-the-wait", [clock_jumps(3600)], OK, requests=2),
    Row("clock-jumps-an-hour-back-in-the-wait", [clock_jumps(-3600)], OK, requests=2),
    Row("clock-jumps-two-weeks-back-in-the-wait", [clock_jumps(-14 * 86400)], OK, requests=2),
    Row("clock-jumps-back-and-a-server-never-shows-it",
        [config(propagation__timeout="2s"), clock_jumps(-3600), never_released], PROPAGATION, says=("ns11",),
        hint=r"propagation\.timeout", requests=2, journal=1, then=took(2, 5)),
    Row("clock-is-right-and-the-date-refused",
        [says_403("Request sent with date header too far out of sync.  Difference in times is 0, header value is 0")],
        AUTH, says=("date", "clock agrees", "out of sync"), hint=("not to blame", "proxy"),
        warns=("found the date of a request out of step",), requests=2),
    Row("clock-of-this-machine-30y-behind", [machine_clock(-YEARS_30)], API, requests=0,
        says=("certificate", "valid from 20", "clock says 199", API_NAME), hint=("clock is behind", "timedatectl")),
    Row("clock-of-this-machine-30y-ahead", [machine_clock(YEARS_30)], API, requests=0,
        says=("certificate", "expired", "clock .205", API_NAME), hint=("clock", "timedatectl")),
    Row("clock-of-this-machine-at-1970", [lambda s: machine_clock(100 - int(time.time()))(s)], API,
        says=("certificate", "valid from 20", "clock says 1970-01-01"), hint=("clock is behind", "timedatectl"),
        requests=0),
]

FROM_FILE = r"acme-dme\.yaml:\d+"

CREDENTIALS = [
    Row("key-with-a-leading-space", [key(lambda k: " " + k)], OK,
        warns=(f"{FROM_FILE}.*took white space off.*api_key",), requests=2),
    Row("secret-with-a-trailing-carriage-return", [secret_file(lambda s: s + "\r\n")], OK,
        warns=("took a carriage return off.*api_secret",), requests=2),
    Row("secret-with-a-byte-order-mark", [secret_file(lambda s: "\ufeff" + s)], OK,
        warns=("took a byte order mark off.*api_secret",), requests=2),
    Row("secret-in-quotes", [secret_file(lambda s: f"'{s}'\n")], OK, warns=("took quotes off.*api_secret",), requests=2),
    Row("secret-with-everything-around-it", [secret_file(lambda s: f'\ufeff "{s}" \r\n')], OK,
        warns=("took a byte order mark, white space, a carriage return and quotes off",), requests=2),
    Row("secret-file-missing", [config(credentials__api_secret=None, credentials__api_secret_file="/does/not/exist")],
        CONFIG, says=("/does/not/exist", "No such file"), requests=0),
    Row("secret-file-readable-by-others", [secret_file(lambda s: s, mode=0o644)], CONFIG, says=("secret", "every user"),
        hint="chmod 600", requests=0),
    Row("key-missing", [config(credentials__api_key=None)], CONFIG, says=("api_key", "missing"), requests=0),
    Row("key-encrypted-by-the-gem", [key(lambda k: "BAhTOh1TeW06OkRhdGE6OldyYXBwZXJTdHJ1Y3QLOhNlbmNyeXB0ZWRfZGF0YSJV")],
        CONFIG, says=(FROM_FILE, "encrypted"), hint="sym|Decrypt", requests=0),
    Row("key-of-the-sandbox-at-production",
        [config(credentials__api_key=plan.SANDBOX_KEY, credentials__api_secret=plan.SANDBOX_SECRET)], AUTH,
        says="does not know the API key", hint="sandbox", requests=1),
    Row("key-of-production-at-the-sandbox", [config(dnsmadeeasy__sandbox=True)], AUTH, says="does not know the API key",
        tells="sandbox", hint="production", requests=1),
    Row("environment-as-the-file",
        [lambda s: s.env.update(DNSMADEEASY_API_KEY=s.lab.api_key, DNSMADEEASY_API_SECRET=s.lab.api_secret)], OK,
        requests=2),
    Row("key-from-the-environment-secret-from-the-file",
        [lambda s: s.env.update(DNSMADEEASY_API_KEY=s.lab.api_key), config(credentials__api_key=None)], OK,
        warns=("different sources",), requests=2),
    Row("environment-empty", [env(DNSMADEEASY_API_KEY="", DNSMADEEASY_API_SECRET="")], OK, requests=2),
    Row("key-with-a-letter-for-a-digit", [key(lambda k: "O" + k[1:])], AUTH, says="does not know the API key",
        tells="hex", hint=".", warns=("no UUID",), requests=1),
    Row("key-and-secret-equal", [lambda s: s.program.configure(credentials__api_secret=s.lab.api_key)], AUTH,
        says="secret .*does not belong", tells="the same|equal", hint=".", warns=("key and secret are the same",),
        requests=1),
    Row("key-unknown", [key(lambda k: NOBODY)], AUTH, says=("does not know the API key", "API key not found", "403"),
        tells=FROM_FILE, hint=("api_key|API key", "sandbox"), requests=1),
    Row("secret-of-another-key", [secret(lambda s: plan.OTHER_SECRET)], AUTH,
        says=("secret .*does not belong", "Unable to verify HMAC"), tells=FROM_FILE, hint="api_secret|secret",
        requests=1),
    Row("key-and-secret-swapped",
        [lambda s: s.program.configure(credentials__api_key=s.lab.api_secret, credentials__api_secret=s.lab.api_key)],
        AUTH, says="does not know the API key", tells=(FROM_FILE, "swapped|exchanged|other way round|mixed up"),
        hint=".", requests=1),
    Row("secret-with-a-space-inside", [secret(lambda s: s[:9] + " " + s[9:])], CONFIG,
        says=(FROM_FILE, "api_secret", "white space"), hint=".", requests=0),
    Row("secret-of-two-lines", [secret_file(lambda s: f"{s}\n{s}\n")], CONFIG, says=("secret:?", "more than one line"),
        hint=".", requests=0),
    Row("secret-in-utf-16", [secret_file(lambda s: s.encode("utf-16"))], CONFIG,
        says=("secret", "UTF-16|control character|not ASCII"), hint=".", requests=0),
    Row("secret-empty", [secret(lambda s: "")], CONFIG, says=(FROM_FILE, "api_secret", "empty"), hint=".", requests=0),
    Row("secret-file-empty", [secret_file(lambda s: "")], CONFIG, says=("secret", "empty"), hint=".", requests=0),
    Row("secret-one-character-short", [secret(lambda s: s[:-1])], AUTH, says="secret .*does not belong",
        tells=("35 characters", FROM_FILE), hint=".", requests=1),
    Row("environment-hides-a-different-credential",
        [lambda s: s.env.update(DNSMADEEASY_API_KEY=s.lab.api_key, DNSMADEEASY_API_SECRET=s.lab.api_secret),
         key(lambda k: NOBODY), secret(lambda s: plan.OTHER_SECRET)], OK,
        warns=(f"DNSMADEEASY_API_KEY .*hides a different one, of .*{FROM_FILE}", f"DNSMADEEASY_API_SECRET .*hides .*{FROM_FILE}"),
        requests=2),
    Row("environment-hides-the-good-credential",
        [lambda s: s.env.update(DNSMADEEASY_API_KEY=NOBODY, DNSMADEEASY_API_SECRET=s.lab.api_secret)], AUTH,
        says="does not know the API key", tells="DNSMADEEASY_API_KEY", hint=".", warns=("DNSMADEEASY_API_KEY",),
        requests=1),
    Row("key-of-another-account-from-the-environment", [env(DNSMADEEASY_API_KEY=plan.OTHER_KEY)], AUTH,
        says="secret .*does not belong", tells=("DNSMADEEASY_API_KEY", FROM_FILE), hint=".", warns=(".", "."),
        requests=1),
    Row("key-one-character-short", [key(lambda k: k[:-1])], AUTH, says="does not know the API key",
        tells=("35 characters", FROM_FILE), hint=".", warns=("no UUID",), requests=1),
    Row("secret-on-the-command-line", [option("--api-secret", plan.API_SECRET)], USAGE, says="--api-secret",
        hint="--help", requests=0, then=without(plan.API_SECRET)),
    Row("secret-glued-to-an-option", [option("--credentials.api_secret=" + plan.API_SECRET)], USAGE,
        says="--credentials.api_secret", hint="--help", requests=0, then=without(plan.API_SECRET)),
    Row("secret-file-a-fifo", [secret_fifo], CONFIG, says=(FROM_FILE, "fifo", "not a regular file"), requests=0,
        then=took(0, 2)),
]


ACCOUNTS = [
    Row("two-accounts-the-other-one-is-bad", [accounts(bad_zones=["example.org"])], OK, requests=(2, 3)),
    Row("two-accounts-and-the-zone-is-the-bad-one-s", [accounts(bad_zones=["example.com"], good_zones=[])], AUTH,
        warns=('"bad".*continuing',), says=('account "bad"', "does not know the API key"), hint=".", requests=(1, 2)),
    Row("two-accounts-without-zones-the-default-is-good", [accounts(good_zones=[])], OK, requests=2),
    Row("two-accounts-without-zones-the-default-is-bad", [accounts(good_zones=[], default="bad")], OK,
        warns=('"bad".*continuing',), requests=(3, 6)),
]

HTML_403 = "<html><head><title>Access denied</title></head><body>Your address has been blocked.</body></html>"
HOSTILE = '\x1b[31mred\x1b]0;title\x07\u009b31m\u202eevil\u2066\r\nacme-dme: forged line\r\nhint: rm -rf /'


REFUSALS = [
    Row("403-with-an-unknown-text", [says_403("Account is suspended")], AUTH, says=("403", "Account is suspended"),
        hint="plan", requests=1),
    Row("403-with-control-characters", [says_403(HOSTILE)], AUTH, says=("403", "red"), hint=".", requests=1,
        then=escaped),
    Row("403-with-bytes-that-are-no-text",
        [api(status=403, body="\x1b[31m\x9b\xff\xfe red", encoding="latin-1", content_type="text/plain")], AUTH,
        says=("403", "red"), hint=".", requests=1, then=escaped),
    Row("403-with-10-kB", [says_403("very long " * 1000)], AUTH, says=("403", r"very long .*\.\.\."), hint=".",
        requests=1, then=short),
    Row("403-in-the-style-of-2017", [api(status=403, body='{error: ["Unable to verify HMAC"]}')], AUTH,
        says="secret .*does not belong", hint="secret", requests=1),
    Row("403-missing-key-or-hmac", [says_403("Missing API key or HMAC")], AUTH,
        says=("missing", "Missing API key or HMAC"), hint="proxy", requests=1),
    Row("403-invalid-date", [says_403("Invalid request date header: dim., 28 ao\u00fbt 2022 09:24:45 UTC")], AUTH,
        says=("date", "ao"), hint="proxy", requests=1),
    Row("403-without-a-word", [api(status=403, content_type="text/plain")], AUTH, says=("403", "no reason"), hint=".",
        requests=1),
    Row("401", [says_403("API key not found", 401)], AUTH, says=("401", "does not know the API key"), hint=".",
        requests=1),
    Row("302-to-a-listener",
        [api(kind="redirect", location=f"http://{plan.API_ADDR}:{plan.API_PLAIN_PORT}/V2.0/dns/managed/")], API,
        says=("redirect", "302", plan.API_ADDR), hint=("endpoint", "proxy"), requests=1, then=only_over_tls),
    Row("404-html-at-the-look-up", [api(status=404, body="<html><title>404 Not Found</title></html>")], ZONE,
        says=("example.com",), hint=".", requests=(1, 4)),
    Row("404-at-the-creation", [api(method="POST", status=404, body="<html></html>")], ZONE,
        says=('zone "example.com" vanished',), hint="control panel", requests=2),
    Row("rate-limit-that-passes", [sim(limit=1, window=1.5), config(dnsmadeeasy__request_window="1500ms")], OK,
        warns=("request limit.*needs 2 requests, 0 left of 1, next free in 2 s; waiting, continuing",), requests=2),
    Row("rate-limit-that-stays", [impatient, sim(limit=0)], RATE_LIMIT, says=("request limit",),
        hint=("150 requests in 5 minutes", "again in 5 minutes"), requests=1),
    Row("429-with-retry-after", [api(1, status=429, headers={"Retry-After": "1"})], OK,
        warns=("request limit.*continuing",), requests=3),
    Row("429-for-ever", [impatient, api(status=429, headers={"Retry-After": "100"})], RATE_LIMIT,
        says=("request limit",), hint=".", requests=1),
    Row("500-once", [api(1, status=500, body="<html>oops</html>")], OK, requests=3),
    Row("500-for-ever", [impatient, api(status=500, body="<html><title>Oops</title></html>")], API,
        says=("500", "Oops", "gave up after"), hint="later|again|status", requests=(2, 4)),
    Row("503-for-ever",
        [impatient, api(status=503, body='{"error":["Service Unavailable"]}', content_type="application/json")], API,
        says=("503", "Service Unavailable"), hint="later|again|status", requests=(2, 4)),
    Row("503-at-the-creation", [impatient, api(method="POST", status=503)], API, says=("503", NAME),
        hint="later|again|status", requests=(3, 9)),
    Row("no-answer", [impatient, api(kind="timeout")], API, says=("no answer in time", API_NAME), hint=".",
        requests=(1, 2), seconds=8),
    Row("no-answer-to-the-creation", [impatient, api(method="POST", kind="timeout")], API,
        says=("no answer in time", NAME), hint=".", requests=(2, 6), seconds=8, warns=("may still appear.*sweep",),
        journal=1),
    Row("answer-cut-once", [api(1, kind="truncate")], OK, requests=3),
    Row("gzip-that-is-none",
        [impatient, api(status=200, headers={"Content-Encoding": "gzip"}, body="no gzip at all", content_type="application/json")],
        API, says="answer", hint=".", requests=(2, 4)),
    Row("answer-without-end", [impatient, api(kind="oversize")], API, says=("large|too big|more than",), hint=".",
        requests=(1, 4)),
    Row("200-without-a-word", [impatient, api(kind="empty")], API, says=("empty",), hint=".", requests=(2, 3)),
    Row("200-with-a-web-page", [impatient, api(status=200, body="<html><title>Welcome to the hotel</title></html>")],
        API, says=("web server", "Welcome to the hotel"), hint=("proxy", "portal", "endpoint"), requests=(2, 3)),
    Row("200-with-broken-json", [impatient, api(kind="invalid_json")], API, says=("answer",), hint=".", requests=(2, 3)),
    Row("200-with-json-of-another-shape",
        [impatient, api(status=200, body='{"hello":"world"}', content_type="application/json")], API, says=("answer",),
        hint=".", requests=(1, 3)),
    Row("200-with-the-wrong-content-type", [zone_as("text/html")], OK, requests=2),
    Row("no-http-at-all", [impatient, api(kind="garbage")], API, says=("HTTP", API_NAME), hint=".", requests=(2, 4)),
    Row("403-with-html", [api(status=403, body=HTML_403, foreign=True, headers={"Server": "filter"})], AUTH,
        says=("403", "HTML page", "Access denied"), hint="proxy|firewall", requests=1),
    Row("401-of-a-gateway", [api(status=401, body="<html><title>Login</title></html>", foreign=True)], AUTH,
        says=("401", "Login"), hint="proxy", requests=1),
    Row("connection-reset", [impatient, api(kind="reset_before")], API, says=("connection broke", API_NAME), hint=".",
        requests=(2, 4)),
    Row("answer-cut", [impatient, api(kind="truncate")], API, says=API_NAME, hint=".", requests=(2, 4)),
    Row("answer-with-too-many-headers",
        [impatient, api(status=200, headers={f"X-{n}": "y" * 1000 for n in range(400)}, body="{}")], API,
        says=("too many headers", API_NAME), hint="proxy", requests=(2, 4)),
]

TLS = [
    Row("tls-of-an-unknown-ca", [tls("unknown-ca")], API, says=("certificate", "some other CA", "not trust"),
        hint="ca_file", requests=0),
    Row("tls-handshake-without-an-answer", [endpoint(plan.API_SILENT_PORT), config(dnsmadeeasy__timeout="1s")], API,
        says=("no answer in time", API_NAME), hint="firewall", requests=0),
    Row("tls-expired", [tls("expired")], API, says=("certificate", "expired", API_NAME), tells=r"20\d\d-\d\d-\d\d",
        hint="clock", requests=0),
    Row("tls-not-yet-valid", [tls("future")], API, says=("certificate", r"valid from 20\d\d-\d\d-\d\d", API_NAME),
        hint="clock", requests=0),
    Row("tls-of-another-host", [tls("wrong-host")], API, says=("certificate", API_NAME),
        hint="proxy|endpoint|another host", requests=0),
    Row("tls-self-signed", [tls("self-signed")], API, says=("certificate", "self-signed"), hint=("ca_file", "proxies"),
        requests=0),
    Row("tls-ca-file-missing", [config(dnsmadeeasy__ca_file="/does/not/exist.pem")], CONFIG,
        says=(FROM_FILE, "/does/not/exist.pem", "No such file"), hint="ca_file", requests=0),
    Row("tls-ca-file-empty", [lambda s: s.program.configure(dnsmadeeasy__ca_file=s.write("empty.pem", ""))], CONFIG,
        says=(FROM_FILE, "empty.pem", "no certificate"), hint="PEM|pem", requests=0),
    Row("tls-plain-http-at-the-port", [endpoint(plan.API_PLAIN_PORT)], API, says=("secure connection", API_NAME),
        hint="proxy|portal|endpoint", requests=0),
    Row("tls-handshake-cut", [endpoint(plan.API_CUT_PORT)], API, says=(API_NAME,), hint="firewall|proxy|connection",
        requests=0),
]


NETWORK = [
    Row("port-closed", [endpoint(444)], API, says=("no connection", API_NAME, "444|refused"), hint="firewall",
        requests=0),
    Row("host-name-unknown",
        [config(dnsmadeeasy__endpoint="https://api.nowhere.invalid/V2.0/", dnsmadeeasy__give_up_after="1s")], API,
        says=("could not resolve", r"api\.nowhere\.invalid"), hint="resolv.conf|endpoint", requests=0),
    Row("proxy-that-refuses", [impatient, env(https_proxy=f"http://{plan.API_ADDR}:{plan.API_DENY_PORT}")], API,
        says=("proxy refused", "403", API_NAME), hint="https_proxy", requests=0),
    Row("proxy-with-a-password",
        [impatient, env(https_proxy=f"http://joe:hunter2@{plan.API_ADDR}:{plan.API_DENY_PORT}")], API,
        says="proxy refused", hint="https_proxy", requests=0, then=without("hunter2")),
    Row("proxy-of-an-unknown-name", [impatient, env(https_proxy="http://proxy.nowhere.invalid:3128")], API,
        says=("proxy", "resolve"), hint="https_proxy", requests=0),
    Row("proxy-that-is-not-there", [impatient, env(https_proxy=f"http://{plan.API_ADDR}:9")], API,
        says=("no connection", "proxy", f"{plan.API_ADDR}|9"), hint="https_proxy", requests=0),
    Row("proxy-of-an-unknown-kind", [impatient, env(https_proxy="nonsense://x")], API, says=("nonsense://x",),
        hint="https_proxy", requests=0),
    Row("network-unplugged", [impatient, prefix("unshare", "-n")], API, says=("no connection", API_NAME),
        hint="network", requests=0),
    Row("endpoint-without-tls", [config(dnsmadeeasy__endpoint=f"http://{plan.API_HOST}/V2.0/")], CONFIG,
        says=(FROM_FILE, "must be an https URL"), requests=0),
    Row("endpoint-that-is-another-service", [config(dnsmadeeasy__endpoint=plan.ACME_DIR.replace("/dir", "/V2.0/"))],
        API, says=("https://localhost:14000/V2.0", "not the API of DNS Made Easy"), hint="endpoint", requests=0),
]


def other_zone(zone):
    return ("add-domain", f"host.{zone}", VALUE)


DNS = [
    Row("zone-in-no-account", [], ZONE, call=other_zone("foreign.org"),
        says=(r'"foreign\.org"', r'"host\.foreign\.org"'), hint="account", requests=(1, 3)),
    Row("zone-of-another-account", [], ZONE, call=other_zone("example.org"), says=r'"example\.org"', hint="account",
        requests=(1, 3)),
    Row("zone-pending-deletion", [pending("example.net", 3)], ZONE, call=other_zone("example.net"),
        says=(r'"example\.net"', "delet"), hint=".", requests=1),
    Row("zone-hosted-elsewhere", [], ZONE, call=other_zone("away.example.com"), says=r'"away\.example\.com"',
        hint=r"away\.example\.com", requests=(1, 4)),
    Row("zone-undelegated", [delegation("example.net")], OK, call=other_zone("example.net"),
        warns=(r'"example\.net".*NXDOMAIN.*registrar.*continuing',), requests=(2, 4)),
    Row("name-servers-one-lame",
        [delegation("example.com", *(plan.nameserver_fqdn(n) for n in plan.NAMESERVERS), "ns1.foreign.org")], OK,
        warns=(r"ns1\.foreign\.org.*continuing",), requests=2),
    Row("name-servers-all-lame", [delegation("example.com", "ns1.foreign.org")], OK,
        warns=(r'"example\.com".*SERVFAIL.*registrar.*continuing',), requests=(2, 4)),
    Row("name-servers-one-silent", [pause("ns12")], OK,
        warns=(r"ns12\.dnsmadeeasy\.com.*has not answered|did not answer.*continuing",), requests=2),
    Row("name-servers-all-silent",
        [config(propagation__timeout="2s", propagation__doh="never", propagation__resolvers=["127.0.0.99:53"]),
         pause(*plan.NAMESERVERS)], PROPAGATION, call=BY_NAME, says=(r"ns10\.dnsmadeeasy\.com",), hint="53",
        requests=(3, 5)),
    Row("port-53-closed-and-dns-over-https", [config(propagation__timeout="6s"), lambda s: s.lab.block53()], OK,
        warns=("DNS over HTTPS.*continuing",), requests=2, seconds=30),
    Row("port-53-closed-without-dns-over-https",
        [config(propagation__timeout="2s", propagation__doh="never"), lambda s: s.lab.block53()], PROPAGATION,
        call=BY_NAME, says=("did not answer",), hint=("53", r"propagation\.doh"), requests=3),
    Row("name-server-that-never-shows-it", [config(propagation__timeout="1s"), sim(hold="ns13")], PROPAGATION,
        call=BY_NAME, says=(r"ns13\.dnsmadeeasy\.com", FOREIGN), hint=r"propagation\.timeout", requests=3),
    Row("resolver-dead", [config(propagation__resolvers=["127.0.0.99:53"])], OK, requests=(2, 6), seconds=30),
    Row("cname-out-of-the-account",
        [lambda s: s.lab.add_record("example.com", "_acme-challenge.other", "CNAME", "challenge.foreign.org.")], ZONE,
        call=("add-domain", "other.example.com", VALUE), says=(r'"challenge\.foreign\.org"',), hint="CNAME",
        requests=(1, 4)),
    Row("cname-loop", [lambda s: s.lab.add_record("example.com", "_acme-challenge.other", "CNAME", "a.example.net."),
         lambda s: s.lab.add_record("example.net", "a", "CNAME", "_acme-challenge.other.example.com.")], ZONE,
        call=("add-domain", "other.example.com", VALUE), says=("loop", r"a\.example\.net"), hint="CNAME|follow_cname",
        requests=(1, 4)),
    Row("zone-pending-creation", [pending("example.net", 1)], OK, call=other_zone("example.net"), requests=(2, 3)),
]

STATE_DIR = [
    Row("state-read-only", [mounted(lambda s: s.program.state, "ro,mode=0700")], STATE, says=("state", "[Rr]ead-only"),
        hint=("state_dir|journal: none",), requests=0),
    Row("state-on-a-full-disk", [lambda s: s.program.configure(state_dir=os.path.join(s.program.dir, "disk", "state")),
         mounted(lambda s: os.path.join(s.program.dir, "disk"), "size=16k,nr_inodes=32,mode=0700"),
         lambda s: s.lab.run(["sh", "-c", f'dd if=/dev/zero of="{s.program.dir}/disk/fill" bs=512 count=99 2>/dev/null; true'])],
        STATE, says=("journal", "[Nn]o space"), hint="space|state_dir", requests=1,
        warns=("zones/example.com.*No space left.*continuing",)),
    Row("state-without-inodes", [lambda s: s.program.configure(state_dir=os.path.join(s.program.dir, "disk", "state")),
         mounted(lambda s: os.path.join(s.program.dir, "disk"), "size=64k,nr_inodes=2,mode=0700")], STATE,
        says=("state", "[Nn]o space"), hint="space|state_dir", requests=0),
    Row("state-writable-by-everyone", [lambda s: (os.mkdir(s.program.state), os.chmod(s.program.state, 0o777))], STATE,
        says=("state", "write|writable"), hint="chmod go-w", requests=0),
    Row("state-of-another-user", [given_away(lambda s: s.program.state)], STATE, says=("state", "another user"),
        hint="chown|state_dir", requests=0),
    Row("state-is-a-file", [lambda s: s.write("state", "")], STATE, says=("state", "[Nn]ot a directory"),
        hint="state_dir", requests=0),
    Row("state-behind-a-dangling-link", [lambda s: os.symlink("/does/not/exist", s.program.state)], STATE, says="state",
        hint="state_dir", requests=0),
    Row("state-beyond-the-limit-of-file-sizes", [prefix("prlimit", "--fsize=0")], STATE,
        says=("journal", "File too large"), hint="ulimit -f", requests=1,
        warns=("zones/example.com.*File too large.*continuing",)),
    Row("state-beyond-the-limit-of-open-files", [prefix("prlimit", "--nofile=5")], STATE, says=("Too many open files",),
        hint="ulimit -n", requests=0, warns=("results: .*Too many open files.*continuing",)),
]


def good(stage):
    return f"credentials: {{api_key: {stage.lab.api_key}, api_secret: {stage.lab.api_secret}}}\nstate_dir: {stage.program.state}\n"


CONFIGURATION = [
    Row("config-missing", [env(ACME_DME_CONFIG="/does/not/exist.yaml")], CONFIG,
        says=("/does/not/exist.yaml", "ACME_DME_CONFIG", "does not exist"), requests=0),
    Row("config-a-directory", [lambda s: s.env.update(ACME_DME_CONFIG=s.program.dir)], CONFIG,
        says=("not a regular file|directory",), requests=0),
    Row("config-readable-by-others", [lambda s: os.chmod(s.program.config, 0o644)], CONFIG,
        says=("acme-dme.yaml", "every user"), hint="chmod 600", requests=0),
    Row("config-with-a-syntax-error", [config_text(lambda s: good(s) + "propagation: {timeout: 3s\n")], CONFIG,
        says=(r"acme-dme\.yaml:\d+:\d+",), hint=".", requests=0),
    Row("config-with-a-tab", [config_text(lambda s: good(s) + "propagation:\n\ttimeout: 3s\n")], CONFIG,
        says=(r"acme-dme\.yaml:4:1", "tab"), hint="spaces|blanks", requests=0),
    Row("config-with-an-unknown-key", [config_text(lambda s: good(s) + "propagation:\n  timeot: 3s\n")], CONFIG,
        says=(r"acme-dme\.yaml:4:3", '"propagation.timeot"|"timeot"'), tells='"propagation.timeout"', requests=0),
    Row("config-with-a-duplicate-key", [config_text(lambda s: good(s) + "journal: required\njournal: none\n")], CONFIG,
        says=(r"acme-dme\.yaml:4:1", '"journal"', "twice", "line 3"), requests=0),
    Row("config-with-a-wrong-value", [config_text(lambda s: good(s) + "propagation:\n  timeout: soon\n")], CONFIG,
        says=(r"acme-dme\.yaml:4:12", "soon", "duration from 1s to 1d"), requests=0),
    Row("config-with-three-mistakes",
        [config_text(lambda s: good(s) + "propagation:\n  timeout: soon\n  doh: perhaps\nttl: 5\n")], CONFIG,
        says=(r"yaml:4:12",), more=(r"yaml:5:8", r"yaml:6:1.*dnsmadeeasy\.ttl", "3 mistakes"), requests=0),
    Row("config-in-utf-16", [lambda s: s.write("acme-dme.yaml", good(s).encode("utf-16"))], CONFIG,
        says=("acme-dme.yaml", "UTF-8|UTF-16|encod"), hint=".", requests=0),
    Row("config-with-two-kinds-of-credentials",
        [config_text(lambda s: good(s) + f"accounts: [{{name: a, credentials: {{api_key: {NOBODY}, api_secret: {NOBODY}}}}}]\n")],
        CONFIG, says=("credentials", "accounts", "both"), hint="one", requests=0),
    Row("option-unknown", [option("--proagation")], USAGE, says="--proagation", hint="--help|-h", requests=0),
    Row("option-mistyped", [option("--timout=3s")], USAGE, says="--timout", hint="--timeout", requests=0),
    Row("command-mistyped", [], USAGE, call=("chek",), says="chek", hint="check", requests=0),
    Row("verb-mistyped", [], USAGE, call=("cleanupp",), says="cleanupp", hint="cleanup", requests=0),
    Row("option-with-a-wrong-value", [option("--timeout", "soon")], CONFIG,
        says=("--timeout", "soon", "duration from 1s to 1d"), requests=0),
    Row("account-unknown", [option("--account", "nobody")], CONFIG, says=("nobody",), hint='"default"', requests=0),
    Row("certbot-without-a-domain", [env(CERTBOT_DOMAIN=None)], USAGE, says="CERTBOT_DOMAIN", hint="certbot", requests=0),
    Row("verb-unknown", [], USAGE, call=("frobnicate",), says="frobnicate", hint="--help", requests=0),
    Row("config-empty", [config_text("")], CONFIG, says=("empty",), hint="api_key", requests=0),
    Row("config-of-20-MB", [config_text(lambda s: good(s) + "#" + " " * 20_000_000 + "\n")], CONFIG,
        says=("acme-dme.yaml", "larger than"), requests=0),
    Row("config-of-another-user", [given_away(lambda s: s.program.config)], CONFIG,
        says=("acme-dme.yaml", "another user"), hint=("chown", "chmod 600"), requests=0),
]


SET_ASIDE = r"damaged: .*set aside as .*may remain .*acme-dme check.*continuing$"

CLEAN_UP = [
    Row("clean-up-with-an-unknown-key", [published, key(lambda k: NOBODY)], AUTH, call=("cleanup",),
        says=("delete|withdraw", NAME, "does not know the API key"), tells=(FROM_FILE, "sweep"), hint=".", requests=1,
        journal=1),
    Row("clean-up-with-a-dead-api", [published, impatient, api(kind="timeout")], API, call=("cleanup",),
        says=("no answer in time", NAME), tells="sweep", hint=".", requests=(1, 2), journal=1),
    Row("clean-up-with-a-broken-api", [published, impatient, api(status=500)], API, call=("cleanup",),
        says=("500", NAME), tells="sweep", hint=".", requests=(1, 4), journal=1),
    Row("clean-up-without-dns", [published, lambda s: s.lab.block53()], OK, call=("cleanup",), requests=1),
    Row("clean-up-with-a-clock-412s-behind", [published, machine_clock(-412)], OK, call=("cleanup",), requests=3,
        warns=(clock_warning(_near(412), "behind"),)),
    Row("clean-up-of-what-somebody-else-deleted", [published,
         lambda s: s.lab.sim("POST", "/record", { "zone": "example.com", "delete": [next(r["id"] for r in s.lab.records(rtype="TXT") if VALUE in r["value"])]})],
        OK, call=("cleanup",), requests=(1, 3)),
    Row("clean-up-with-a-read-only-state", [published, frozen(lambda s: s.program.state)], STATE, call=("cleanup",),
        says=("read-only",), hint="state_dir", requests=0, journal=1),
    Row("sweep-with-an-unknown-key", [published, key(lambda k: NOBODY), option("--sweep-after", "0s")], AUTH,
        call=("sweep",), says=("does not know the API key",), prints=(NAME,), tells=FROM_FILE, hint=".",
        requests=(1, 3), journal=1),
    Row("sweep-with-a-dead-api", [published, impatient, api(kind="timeout"), option("--sweep-after", "0s")], API,
        call=("sweep",), says=("no answer in time",), prints=(NAME,), hint=".", requests=(1, 3), journal=1),
    Row("journal-cut", [published, damaged(lambda b: b[:40])], OK, call=("sweep",), warns=(SET_ASIDE,), requests=0,
        lost=1),
    Row("journal-empty", [published, damaged(lambda b: b"")], OK, call=("sweep",), warns=(SET_ASIDE,), requests=0,
        lost=1),
    Row("journal-of-zeros", [published, damaged(lambda b: bytes(len(b)))], OK, call=("sweep",), warns=(SET_ASIDE,),
        requests=0, lost=1),
    Row("journal-changed", [published, damaged(lambda b: b.replace(b"example.com", b"example.net"))], OK,
        call=("sweep",), warns=(SET_ASIDE,), requests=0, lost=1),
]

ROWS = CLOCK + CREDENTIALS + ACCOUNTS + REFUSALS + TLS + NETWORK + DNS + STATE_DIR + CONFIGURATION + CLEAN_UP
