"""A simulator of the DNS Made Easy REST API V2.0: other programs' own clients work through it unmodified.

How far it can be trusted, by source:

Recorded from the real service (sandbox, 2016 and 2018, and quoted production answers): bodies, field order,
compact JSON, 201 with Location and chunked body, 200 with Content-Length 0 for PUT and DELETE, the duplicate
error with "Connection: close", HTML 404 pages, the 403 "API key not found" (no Content-Type, Content-Length
32, session cookie), the 400 "Rate limit exceeded" (34 bytes, no Content-Type, no Retry-After), the three
x-dnsme-* headers on all of those. In the recordings of 2018 the remaining count falls with each 403 for an
unknown key (149, 146, 145), so such requests use up the window and the counting does not need a valid key:
hence `count_forbidden` is true and `rate` stands first in `check_order`.

Quoted by users or agreed on by several clients: the other 403 texts and the 30 s limit.

Our choices, where nothing is known (each can be changed by a setting where a client might care):
- order of the checks: rate, missing headers, key, date, HMAC (`check_order`);
- whether requests refused by the rate limit count: no (`count_refused`);
- sign of the reported clock difference: header minus server clock (`skew_sign`);
- no authentication headers at all: 403 like missing ones; one third-hand source says 302
  (`no_auth_redirect`);
- `recordName=` with nothing behind it selects the apex (`empty_record_name`); names match exactly, without
  regard to case (`record_name_match`: exact, prefix, substring);
- paging counts from 0 (`page_base`), a batch has at most 200 records (`max_batch`), a TTL is at least 1
  (`min_ttl`);
- GET of a single record does not exist (`single_record_get`);
- template records (source 0 or 2) look missing to DELETE and PUT and survive a wipe;
- texts of errors for malformed input; TXT beside a CNAME is refused with 400;
- XML is not spoken: a client that insists on it gets 406.

The dangerous calls are real: DELETE .../records without ids empties the zone and is logged with "wiped":
true.

Where it listens: "listen": [{"addr", "port", "kind", "cert", "key", "certificates": {name: [cert, key]}}, ...].
The kind is tls (the default), plain, or something that is not the API at all: cut (hangs up on the first
bytes), silent (takes the connection and says nothing), deny (a proxy that refuses everything). With POST /set
{"certificate": name} the next handshakes show another certificate: expired, of another host, of an unknown CA.

The clock: {"skew": seconds} puts the service's clock ahead, in its checks and in the Date header; years work as
well as seconds.

Layout: settings (knobs), auth (signature), limit (window), reply (answers), record and store (data), api
(resources), gate (what happens before a resource is reached), fault (injected failures), feed (DNS updates),
http1 (wire), control (test port), server.
"""
