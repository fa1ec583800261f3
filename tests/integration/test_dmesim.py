"""The simulator of the DNS Made Easy API behaves like the service, as far as that is known.

Test names carry the number of the requirement they show (rows 1 to 20 of the fidelity table: paths,
signature, refusals, headers, budget, zone object, 404 pages, zone list, look-ups, record list, sourceId,
creation, duplicates, bodies on GET, empty answers, bulk delete, bulk create, error styles, HTTP details,
switches). Plain HTTP on free loopback ports; one simulator for all tests, reset in between.
"""

import email.utils
import hashlib
import http.client
import json
import re
import socket
import subprocess
import sys
import threading
import time

import pytest
from dmesim_harness import (
    BOX_ID,
    BOX_KEY,
    BOX_SECRET,
    EMPTY_KEY,
    EMPTY_SECRET,
    KEY,
    RECORDS,
    SECRET,
    SIMULATOR,
    SUB_ID,
    TOKEN,
    ZONE_ID,
    Answer,
    fresh_simulator,
    shared_simulator,
    signed,
)

__all__ = ["fresh_simulator", "shared_simulator"]  # fixtures
UUID_RE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


# ---- 1: paths


@pytest.mark.parametrize(
    "path",
    [
        "/V2.0/dns/managed",
        "/V2.0/dns/managed/",
        "/V2.0//dns/managed/",
        f"/V2.0/dns/managed/{ZONE_ID}",
        f"/V2.0/dns/managed/{ZONE_ID}/",
        RECORDS,
        RECORDS + "/",
        "/V2.0/dns/managed/name/?domainname=example.com",
    ],
)
def test_row01_paths_work_with_and_without_trailing_slash(sim, path):
    answer = sim.call("GET", path)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")


def test_row01_never_redirects(sim):
    for path in ("/", "/V2.0", "/V2.0/", "/dns/managed/", "/v2.0/dns/managed/", "/V2.0/dns", "/V2.0/console"):
        assert sim.call("GET", path).status == 404, path


# ---- 2: signature


def test_row02_published_signatures_verify():
    sys.path.insert(0, str(SIMULATOR.parent))
    try:
        from dmesim.auth import sign
    finally:
        sys.path.pop(0)
    assert (
        sign("c9b5625f-9834-4ff8-baba-4ed5f32cae55", "Sat, 12 Feb 2011 20:59:04 GMT")
        == "b3502e6116a324f3cf4a8ed693d78bcee8d8fe3c"
    )
    assert sign("secret", "Tue, 02 Jun 2015 02:36:07 UTC") == "6b6c8432119c31e1d3776eb4cd3abd92fae4a71c"
    assert sign("soooo secret", "Wed, 21 May 2014 18:08:37 GMT") == "ff6e87e78ff909573362c9a38df13ccc5fa01846"


def test_row02_dates_of_all_known_clients_are_accepted(sim):
    now = time.gmtime()
    gmt = email.utils.formatdate(time.mktime(now) - time.timezone, usegmt=True)
    unpadded = f"{gmt[:5]}{now.tm_mday} {gmt[8:]}"
    for date in (
        gmt,
        gmt.replace("GMT", "UTC"),
        gmt.replace("GMT", "+0000"),
        unpadded,
        unpadded.replace("GMT", "UTC"),
        email.utils.formatdate(time.time() + 7200)[:-5] + "+0200",
    ):
        assert sim.call("GET", "/V2.0/dns/managed", date=date).status == 200, date


def test_row02_header_names_are_case_insensitive(sim):
    headers = {name.title(): value for name, value in signed().items()}
    assert "X-Dnsme-Apikey" in headers
    connection = sim.connect()
    connection.request("GET", "/V2.0/dns/managed", headers=headers)
    assert connection.getresponse().status == 200
    connection.close()


# ---- 3: refusals


def refused(answer, text, length=None):
    assert (answer.status, answer.reason) == (403, "Forbidden")
    assert answer.text() == f'{{"error": ["{text}"]}}'
    assert length is None or int(answer.headers["Content-Length"]) == length
    return True


def test_row03_unknown_key(sim):
    answer = sim.call("GET", "/V2.0/dns/managed", key="00000000-4770-4ce7-96f4-54c0eb0e457a")
    assert refused(answer, "API key not found", 32)
    assert answer.headers["Content-Type"] is None  # as recorded


def test_row03_wrong_secret(sim):
    assert refused(sim.call("GET", "/V2.0/dns/managed", secret="wrong"), "Unable to verify HMAC", 36)
    assert refused(sim.call("GET", "/V2.0/dns/managed", secret=" " + SECRET), "Unable to verify HMAC", 36)


def test_row03_missing_headers(sim):
    for options in ({"key": ""}, {"digest": ""}):
        assert refused(sim.call("GET", "/V2.0/dns/managed", **options), "Missing API key or HMAC")
    connection = sim.connect()
    connection.request("GET", "/V2.0/dns/managed")
    assert refused(Answer(connection.getresponse()), "Missing API key or HMAC")
    sim.control("/set", {"no_auth_redirect": True})
    connection.request("GET", "/V2.0/dns/managed")
    assert connection.getresponse().status == 302
    connection.close()


def test_row03_foreign_month_names_come_back_as_they_were_sent(sim):
    date = "dim., 28 août 2022 09:24:45 UTC"
    assert refused(sim.call("GET", "/V2.0/dns/managed", date=date), f"Invalid request date header: {date}")


@pytest.mark.parametrize(
    "offset,fine", [(-28, True), (28, True), (-31, False), (32, False), (-38, False), (48, False)]
)
def test_row03_clock_window(sim, offset, fine):
    moment = int(time.time()) + offset
    answer = sim.call("GET", "/V2.0/dns/managed", date=email.utils.formatdate(moment, usegmt=True))
    if fine:
        assert answer.status == 200
        return
    match = re.fullmatch(
        r'\{"error": \["Request sent with date header too far out of sync\.  Difference in times is (-?\d+), '
        r'header value is (\d+)"\]\}',
        answer.text(),
    )
    assert (answer.status, answer.reason) == (403, "Forbidden")
    assert int(match[2]) == moment * 1000
    assert abs(int(match[1]) - offset * 1000) < 1500


def test_row03_sandbox_and_production_keys_do_not_mix(sim):
    path = "/V2.0/dns/managed/name?domainname=example.org"
    box = {"key": BOX_KEY, "secret": BOX_SECRET}
    assert sim.call("GET", path, host="api.sandbox.dnsmadeeasy.com", **box).json()["id"] == BOX_ID
    assert refused(sim.call("GET", path, host="api.dnsmadeeasy.com", **box), "API key not found")
    assert refused(sim.call("GET", path, host="api.sandbox.dnsmadeeasy.com"), "API key not found")


# ---- 4: headers on every reply


def test_row04_headers_of_every_reply(sim):
    sim.create()
    sim.control("/set", {"skew": 25})
    answers = [
        sim.call("GET", "/V2.0/dns/managed"),
        sim.create(),
        sim.call("GET", "/V2.0/nowhere"),
        sim.create(value="other"),
        sim.call("GET", "/V2.0/dns/managed", secret="wrong"),
    ]
    sim.control("/set", {"limit": 6})
    answers.append(sim.call("GET", "/V2.0/dns/managed"))
    assert [answer.status for answer in answers] == [200, 400, 404, 201, 403, 400]
    for answer in answers:
        assert UUID_RE.fullmatch(answer.headers["x-dnsme-requestId"])
        assert answer.headers["x-dnsme-requestLimit"] in ("150", "6")
        assert answer.headers["x-dnsme-requestsRemaining"].isdigit()
        assert answer.headers["Retry-After"] is None
        server_clock = email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp()
        assert abs(server_clock - time.time() - 25) < 3
    assert len({answer.headers["x-dnsme-requestId"] for answer in answers}) == len(answers)


# ---- 5: budget


def test_row05_budget_of_150_then_400(sim):
    connection = sim.connect()
    for n in range(150):
        answer = sim.call("GET", "/V2.0/dns/managed", connection=connection)
        assert (answer.status, int(answer.headers["x-dnsme-requestsRemaining"])) == (200, 149 - n)
    answer = sim.call("GET", "/V2.0/dns/managed", connection=connection)
    assert (answer.status, answer.reason, answer.text()) == (
        400,
        "Bad Request",
        '{"error": ["Rate limit exceeded"]}',
    )
    assert answer.headers["Content-Length"] == "34"
    assert answer.headers["x-dnsme-requestsRemaining"] == "0"
    assert answer.headers["x-dnsme-requestLimit"] == "150"
    assert answer.headers["Server"] == "DNSME API"
    assert (
        sim.call("GET", "/V2.0/dns/managed", key=EMPTY_KEY, secret=EMPTY_SECRET).status == 200
    ), "the budget is each key's own"
    connection.close()


def test_row05_window_slides_and_refused_requests_count_only_if_told(sim):
    sim.control("/set", {"limit": 2, "window": 0.4})

    def statuses(count):
        return [sim.call("GET", "/V2.0/dns/managed").status for _ in range(count)]

    assert statuses(3) == [200, 200, 400]
    time.sleep(0.42)
    assert statuses(1) == [200]
    sim.control("/set", {"count_refused": True})
    assert statuses(3) == [200, 400, 400]
    time.sleep(0.25)
    assert statuses(2) == [400, 400]
    time.sleep(0.25)
    assert statuses(1) == [400], "refused requests kept the window full"


def test_row05_forbidden_requests_use_the_budget_up_as_recorded(sim):
    unknown = "99999999-4770-4ce7-96f4-54c0eb0e457a"
    left = [
        sim.call("GET", "/V2.0/dns/managed", key=unknown).headers["x-dnsme-requestsRemaining"]
        for _ in range(3)
    ]
    assert left == ["149", "148", "147"]


# ---- 6: zone by name


def acme_sh_zone_id(text, name):
    """What acme.sh does: outer braces off, everything between the first and the last brace out, then the last
    id.
    """
    assert f'"name":"{name}"' in text
    inner = re.sub(r"\{.*\}", "", re.sub(r"\}$", "", re.sub(r"^\{", "", text)))
    return re.sub(r'^.*"id":([0-9]+).*$', r"\1", inner)


def acme_sh_record_id(text, value):
    """And for a record: the value in escaped quotes, directly followed by the id."""
    found = re.search(f',"value":"..{re.escape(value)}..","id":[^,]*', text)
    return found[0].split(":")[2] if found else ""


def test_row06_zone_object_as_acme_sh_needs_it(sim):
    answer = sim.call("GET", "/V2.0/dns/managed/name?domainname=example.com")
    text, zone = answer.text(), answer.json()
    assert acme_sh_zone_id(text, "example.com") == str(ZONE_ID)
    assert text == json.dumps(zone, separators=(",", ":"))
    assert list(zone)[-2:] == ["name", "id"]
    assert (zone["id"], zone["pendingActionId"], zone["gtdEnabled"]) == (ZONE_ID, 0, False)
    assert all(set(server) == {"ipv6", "fqdn", "groupId", "ipv4", "id"} for server in zone["nameServers"])
    assert all(name.endswith(".") for name in zone["delegateNameServers"])
    assert zone["created"] > 2**32 and zone["updated"] > 2**32


def test_row06_only_the_exact_name_is_found(sim):
    assert sim.call("GET", "/V2.0/dns/managed/name?domainname=sub.example.com").json()["id"] == SUB_ID
    for name in ("www.example.com", "com", "ple.com", "example.com.", ""):
        assert sim.call("GET", f"/V2.0/dns/managed/name?domainname={name}").status == 404


# ---- 7: 404 pages


@pytest.mark.parametrize(
    "method,path",
    [
        ("GET", "/V2.0/dns/managed/name?domainname=example.net"),
        ("GET", "/V2.0/dns/managed/name?domainname=example.org"),
        ("GET", "/V2.0/dns/managed/1"),
        ("GET", "/V2.0/dns/managed/1/records"),
        ("DELETE", f"{RECORDS}/1"),
        ("PUT", f"{RECORDS}/1"),
        ("GET", f"{RECORDS}/1"),
        ("DELETE", f"/V2.0/dns/managed/{BOX_ID}/records/1"),
        ("DELETE", f"{RECORDS}?ids=abc"),
    ],
)
def test_row07_missing_things_are_html(sim, method, path):
    answer = sim.call(method, path, {})
    assert (answer.status, answer.reason) == (404, "Not Found")
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.body.startswith(b"<html>") and b"HTTP Status 404" in answer.body


def test_row07_other_looks_of_404(sim):
    sim.control("/set", {"html404": "console"})
    page = sim.call("GET", "/V2.0/dns/managed/1")
    assert page.headers["Content-Type"] == "text/html;charset=ISO-8859-1" and 7000 < len(page.body) < 12000
    sim.control("/set", {"html404": "empty"})
    assert sim.call("GET", "/V2.0/dns/managed/1").body == b""


# ---- 8, 9: zone list and look-ups


def test_row08_zone_list(sim):
    text = sim.call("GET", "/V2.0/dns/managed/").text()
    zones = json.loads(text)
    assert text.startswith('{"totalPages":1,"totalRecords":2,"data":[{') and text.endswith('],"page":0}')
    assert {zone["name"]: zone["id"] for zone in zones["data"]} == {
        "example.com": ZONE_ID,
        "sub.example.com": SUB_ID,
    }
    assert not any("nameServers" in zone for zone in zones["data"])


def test_row08_paging_and_empty_account(sim):
    page = sim.call("GET", "/V2.0/dns/managed/?rows=1&page=1").json()
    assert (page["totalPages"], page["totalRecords"], page["page"], page["data"][0]["name"]) == (
        2,
        2,
        1,
        "sub.example.com",
    )
    sim.control("/set", {"page_size": 1})
    page = sim.call("GET", "/V2.0/dns/managed/").json()
    assert (page["totalPages"], len(page["data"])) == (2, 1)
    nobody = {"key": EMPTY_KEY, "secret": EMPTY_SECRET}
    assert (
        sim.call("GET", "/V2.0/dns/managed/", **nobody).text()
        == '{"totalPages":1,"totalRecords":0,"data":[],"page":0}'
    )
    sim.control("/set", {"empty_account_object": True})
    assert sim.call("GET", "/V2.0/dns/managed/", **nobody).text() == "{}"


def test_row09_zone_by_id_and_by_name_in_the_path(sim):
    by_name = sim.call("GET", "/V2.0/dns/managed/id/example.com").json()
    assert by_name == sim.call("GET", f"/V2.0/dns/managed/{ZONE_ID}").json()
    assert by_name["id"] == ZONE_ID


# ---- 10, 11: record list


def test_row10_record_list_has_the_recorded_shape(sim):
    record_id = sim.create().json()["id"]
    for query in (
        "recordName=_acme-challenge&type=TXT",
        "type=TXT&recordName=_acme-challenge",
        "recordName=_acme-challenge",
        "type=TXT",
        "",
    ):
        text = sim.call("GET", f"{RECORDS}?{query}").text()
        assert text == (
            '{"totalPages":1,"totalRecords":1,"data":[{"failover":false,"monitor":false,"sourceId":%d,'
            '"dynamicDns":false,"failed":false,"gtdLocation":"DEFAULT","hardLink":false,"ttl":60,"source":1,'
            '"name":"_acme-challenge","value":"\\"%s\\"","id":%d,"type":"TXT"}]'
            ',"page":0}' % (ZONE_ID, TOKEN, record_id)
        )
    assert acme_sh_record_id(text, TOKEN) == str(record_id)


def test_row10_filters_are_exact(sim):
    sim.create("_acme-challenge.www")
    sim.create("_acme-challenge", "second")
    sim.call("POST", RECORDS, {"type": "A", "name": "_acme-challenge", "value": "192.0.2.1", "ttl": 60})

    def found(query):
        return sim.call("GET", f"{RECORDS}?{query}").json()["totalRecords"]

    assert found("recordName=_acme-challenge&type=TXT") == 1
    assert found("recordName=_acme&type=TXT") == found("recordName=www&type=TXT") == 0
    assert found("recordName=_acme-challenge") == 2
    assert (
        sim.call("GET", f"{RECORDS}?recordName=nothing&type=TXT").text()
        == '{"totalPages":1,"totalRecords":0,"data":[],"page":0}'
    )
    sim.control("/set", {"record_name_match": "prefix"})
    assert found("recordName=_acme-challenge&type=TXT") == 2


def test_row10_records_are_sorted_by_name_then_id(sim):
    for name, value in (("zz", "1"), ("aa", "2"), ("zz", "0")):
        sim.create(name, value)
    listed = [(record["name"], record["value"]) for record in sim.call("GET", RECORDS).json()["data"]]
    assert listed == [("aa", '"2"'), ("zz", '"1"'), ("zz", '"0"')]


def test_row10_acme_sh_finds_the_right_one_of_two_values(sim):
    ids = {value: str(sim.create(value=value).json()["id"]) for value in (TOKEN, "second-value")}
    text = sim.call("GET", f"{RECORDS}?recordName=_acme-challenge&type=TXT").text()
    assert {value: acme_sh_record_id(text, value) for value in ids} == ids
    assert acme_sh_record_id(text, "third-value") == ""


def test_row11_source_id_is_the_zone_id(sim):
    record = sim.create().json()
    assert (record["source"], record["sourceId"]) == (1, ZONE_ID)
    assert sim.call("DELETE", f"/V2.0/dns/managed/{record['sourceId']}/records/{record['id']}").status == 200
    assert sim.values() == []


# ---- 12, 13: creation


def test_row12_create_answers_201_with_record_and_location(sim):
    answer = sim.create(id=0, sourceId=0, unknownField=None)
    record = answer.json()
    assert (answer.status, answer.reason) == (201, "Created")
    assert record["value"] == f'"{TOKEN}"' and record["gtdLocation"] == "DEFAULT" and record["id"] > 100000000
    assert answer.headers["Location"] == f"http://127.0.0.1:{sim.port}{RECORDS}/{record['id']}"
    assert list(record)[-4:] == ["name", "value", "id", "type"]


def test_row12_quoted_and_unquoted_are_equal_and_long_values_are_split(sim):
    assert sim.create(value="plain").json()["value"] == '"plain"'
    assert sim.create(value='"quoted"').json()["value"] == '"quoted"'
    assert sim.create(value='"plain"').status == 400
    long = "x" * 300
    assert sim.create(value=long).json()["value"] == f'"{long[:255]}""{long[255:]}"'
    assert sim.create(value=f'"{long[:100]}" "{long[100:]}"').status == 400


def test_row12_numbers_may_be_strings_and_apex_is_the_empty_name(sim):
    record = sim.create("", ttl="120").json()
    assert (record["name"], record["ttl"]) == ("", 120)
    assert sim.call("GET", f"{RECORDS}?recordName=&type=TXT").json()["totalRecords"] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"ttl": 0},
        {"ttl": None},
        {"ttl": "x"},
        {"type": "TEXT"},
        {"gtdLocation": ""},
        {"value": ""},
        {"value": 'a"b'},
        {"name": "trailing."},
        {"name": "a..b"},
        {"name": "x" * 64},
        {"type": "CNAME", "value": "."},
    ],
)
def test_row12_bad_records_are_refused(sim, change):
    answer = sim.create(**change)
    assert (answer.status, answer.headers["Connection"]) == (400, "close")
    assert isinstance(answer.json()["error"][0], str) and answer.text().startswith('{"error":["')
    assert sim.values() == []


def test_row12_unreadable_body_is_refused(sim):
    for body in (b"{", b"", b"[]", b"\xff"):
        assert sim.call("POST", RECORDS, body).status == 400


def test_row13_duplicates_are_refused_with_the_recorded_text(sim):
    assert sim.create("_acme-challenge.noop", "challengetoken").status == 201
    answer = sim.create("_acme-challenge.noop", "challengetoken")
    assert (answer.status, answer.reason, answer.headers["Connection"]) == (400, "Bad Request", "close")
    assert answer.text() == (
        '{"error":["Record with this type (TXT), name (_acme-challenge.noop), '
        'and value (\\"challengetoken\\") already exists."]}'
    )
    assert sim.create("_acme-challenge.noop", "another").status == 201


def test_row13_nothing_stands_beside_a_cname(sim):
    cname = {"type": "CNAME", "name": "_acme-challenge", "value": "target.example.net.", "ttl": 60}
    assert sim.call("POST", RECORDS, cname).status == 201
    assert sim.create().status == 400
    assert sim.create("elsewhere").status == 201
    assert sim.call("POST", RECORDS, cname | {"name": "elsewhere"}).status == 400


# ---- 14, 15: bodies


def test_row14_bodies_on_get_and_delete_are_read_and_ignored(sim):
    connection = sim.connect()
    record = sim.create().json()
    for method, path in (("GET", RECORDS), ("DELETE", f"{RECORDS}/{record['id']}"), ("GET", RECORDS)):
        assert (
            sim.call(method, path, {}, connection=connection, Content_Type="application/json").status == 200
        )
    connection.close()
    assert len({entry["connection"] for entry in sim.control("/log")[1:]}) == 1


def test_row15_put_and_delete_answer_with_an_empty_body(sim):
    record = sim.create().json()
    answers = [
        sim.call(
            "PUT",
            f"{RECORDS}/{record['id']}/",
            {"id": str(record["id"]), "type": "TXT", "name": "new", "value": "changed", "ttl": 5},
        )
    ]
    assert sim.values() == ["changed"]
    answers.append(sim.call("DELETE", f"{RECORDS}/{record['id']}"))
    for answer in answers:
        assert (answer.status, answer.body, answer.headers["Content-Length"]) == (200, b"", "0")
        assert answer.headers["Content-Type"] == "application/json"
    assert sim.call("DELETE", f"{RECORDS}/{record['id']}").status == 404


def test_row15_put_refuses_duplicates_and_leaves_the_record(sim):
    sim.create(value="one")
    two = sim.create(value="two").json()["id"]
    assert sim.call("PUT", f"{RECORDS}/{two}", {"value": "one"}).status == 400
    assert sim.values() == ["one", "two"]


# ---- 16, 17: many at once


@pytest.mark.parametrize("form", ["ids={0}&ids={1}", "ids={0},{1}", "ids={0},{1},999"])
def test_row16_delete_by_ids(sim, form):
    ids = [sim.create(value=f"v{n}").json()["id"] for n in range(3)]
    answer = sim.call("DELETE", f"{RECORDS}?{form.format(*ids)}")
    assert (answer.status, answer.body) == (200, b"")
    assert sim.values() == ["v2"]
    entry = sim.control("/log")[-1]
    assert entry["deleted"] == ids[:2] and "wiped" not in entry
    assert sim.control("/state")["wipes"] == 0


@pytest.mark.parametrize(
    "query,body", [("", None), ("?", None), ("?ids=", None), ("?ids=,", None), ("", [1])]
)
def test_row16_delete_without_ids_empties_the_zone_and_says_so(sim, query, body):
    for n in range(3):
        sim.create(value=f"v{n}")
    assert sim.call("DELETE", f"{RECORDS}{query}", body).status == 200
    assert sim.values() == []
    assert sim.control("/log")[-1]["wiped"] is True
    assert sim.control("/state")["wipes"] == 1


def test_row17_create_many(sim):
    batch = [{"type": "TXT", "name": "_acme-challenge", "value": f"v{n}", "ttl": 60} for n in range(3)]
    answer = sim.call("POST", f"{RECORDS}/createMulti", batch)
    assert answer.status == 201
    assert [record["value"] for record in answer.json()] == ['"v0"', '"v1"', '"v2"']
    answer = sim.call("POST", f"{RECORDS}/createMulti/", [batch[0] | {"value": "new"}, batch[1]])
    assert answer.status == 400
    assert answer.json()["error"] == [
        'Duplicate name and value match detected for record "_acme-challenge "v1"" with domain "example.com".'
    ]
    assert sim.values() == ["v0", "v1", "v2"], "all or none"
    assert sim.call("POST", f"{RECORDS}/createMulti", [batch[0] | {"value": "w"}] * 2).status == 400
    assert (
        sim.call("POST", f"{RECORDS}/createMulti", [batch[0] | {"value": f"w{n}"} for n in range(201)]).status
        == 400
    )
    assert sim.values() == ["v0", "v1", "v2"]


def test_row17_update_many(sim):
    ids = [sim.create(value=f"v{n}").json()["id"] for n in range(2)]
    answer = sim.call(
        "PUT",
        f"{RECORDS}/updateMulti",
        [{"id": record_id, "value": f"u{record_id}", "ttl": 30} for record_id in ids],
    )
    assert (answer.status, answer.body) == (200, b"")
    assert sim.values() == [f"u{record_id}" for record_id in ids]
    assert sim.call("POST", f"{RECORDS}/updateMulti", []).status == 405


# ---- 18, 19: looks


def test_row18_error_styles(sim):
    assert (
        sim.call("GET", "/V2.0/dns/managed", secret="wrong").text() == '{"error": ["Unable to verify HMAC"]}'
    )
    assert sim.create(ttl=0).text().startswith('{"error":["')
    sim.control("/set", {"legacy_error_style": True})
    assert sim.call("GET", "/V2.0/dns/managed", secret="wrong").text() == '{error: ["Unable to verify HMAC"]}'


def test_row19_cookie_chunks_and_close(sim):
    connection = sim.connect()
    for answer in (
        sim.call("GET", RECORDS, connection=connection),
        sim.create(),
        sim.call("GET", "/V2.0/nowhere", connection=connection),
    ):
        assert re.fullmatch(r"JSESSIONID=[0-9A-F]{32}; Path=/V2\.0; HttpOnly", answer.headers["Set-Cookie"])
        assert answer.headers["Transfer-Encoding"] == "chunked" and answer.headers["Content-Length"] is None
        assert answer.headers["Connection"] is None
    duplicate = sim.call(
        "POST",
        RECORDS,
        {"type": "TXT", "name": "_acme-challenge", "value": TOKEN, "ttl": 1},
        connection=connection,
    )
    assert (duplicate.status, duplicate.headers["Connection"], duplicate.headers["Transfer-Encoding"]) == (
        400,
        "close",
        "chunked",
    )
    connection.close()


def test_row19_pipelined_chunked_and_old_requests(sim):
    head = "".join(
        f"{name}: {value.decode() if isinstance(value, bytes) else value}\r\n"
        for name, value in signed(Host="x").items()
    )
    with socket.create_connection(("127.0.0.1", sim.port), 5) as raw:
        body = b'{"type":"TXT","name":"p","value":"piped","ttl":5}'
        raw.sendall(
            f"POST {RECORDS} HTTP/1.1\r\n{head}Transfer-Encoding: chunked\r\n\r\n".encode()
            + b"10\r\n"
            + body[:16]
            + b"\r\n"
            + b"%x\r\n" % len(body[16:])
            + body[16:]
            + b"\r\n0\r\n\r\n"
            + f"GET {RECORDS} HTTP/1.0\r\n{head}\r\n".encode()
        )
        received = b"".join(iter(lambda: raw.recv(65536), b""))
    assert received.count(b"HTTP/1.1 20") == 2 and received.startswith(b"HTTP/1.1 201 Created\r\n")
    assert received.endswith(b'"type":"TXT"}],"page":0}'), "HTTP/1.0 gets no chunks and a closed connection"
    assert sim.values() == ["piped"]


def test_row19_expect_continue(sim):
    headers = "".join(
        f"{name}: {value.decode() if isinstance(value, bytes) else value}\r\n"
        for name, value in signed(Host="x").items()
    )
    with socket.create_connection(("127.0.0.1", sim.port), 5) as raw:
        raw.sendall(
            f"POST {RECORDS} HTTP/1.1\r\n{headers}Expect: 100-continue\r\nContent-Length: 49\r\n\r\n".encode()
        )
        assert raw.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        raw.sendall(b'{"type":"TXT","name":"p","value":"hello","ttl":5}')
        assert raw.recv(4096).startswith(b"HTTP/1.1 201 ")


# ---- 20: switches


def test_row20_skew_moves_the_server_clock(sim):
    sim.control("/set", {"skew": -412})
    answer = sim.call("GET", "/V2.0/dns/managed")
    assert answer.status == 403 and "too far out of sync.  Difference in times is 41" in answer.text()
    there = email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp()
    assert sim.call("GET", "/V2.0/dns/managed", date=email.utils.formatdate(there, usegmt=True)).status == 200


def test_row20_delay(sim):
    sim.control("/set", {"delay_ms": 120})
    start = time.monotonic()
    assert sim.call("GET", "/V2.0/dns/managed").status == 200
    assert 0.12 <= time.monotonic() - start < 0.2


def test_row20_pending_vanity_and_new_zone_id(sim):
    zone = sim.control(
        "/zone",
        {
            "name": "sub.example.com",
            "pendingActionId": 3,
            "vanity": ["ns1.vanity.example", "ns2.vanity.example"],
        },
    )
    assert (zone["pendingActionId"], zone["delegateNameServers"]) == (
        3,
        ["ns1.vanity.example.", "ns2.vanity.example."],
    )
    answer = sim.call("GET", "/V2.0/dns/managed/name?domainname=sub.example.com")
    assert answer.json()["nameServers"][0]["fqdn"] == "ns10.dnsmadeeasy.com" and answer.json()["vanityId"]
    assert acme_sh_zone_id(answer.text(), "sub.example.com") == str(SUB_ID)
    assert sim.call("DELETE", f"/V2.0/dns/managed/{SUB_ID}").json()["error"] == [
        "Cannot delete a domain that is pending a create or delete action."
    ]
    sim.control("/zone", {"name": "sub.example.com", "pendingActionId": 0, "vanity": [], "id": 99})
    assert sim.call("GET", f"/V2.0/dns/managed/{SUB_ID}").status == 404
    assert sim.call("GET", "/V2.0/dns/managed/99").json()["name"] == "sub.example.com"
    sim.control("/zone", {"name": "sub.example.com", "id": SUB_ID})


def test_row20_zones_can_be_created_and_deleted(sim):
    sim.control("/set", {"pending_seconds": 0.1})
    answer = sim.call("POST", "/V2.0/dns/managed/", {"name": "new.example"})
    zone = answer.json()
    assert (answer.status, zone["pendingActionId"]) == (201, 1)
    conflict = sim.call("POST", "/V2.0/dns/managed/", {"name": "new.example"})
    assert conflict.json()["error"] == ["Domain name conflicts with existing zones."]
    time.sleep(0.12)
    assert sim.call("DELETE", f"/V2.0/dns/managed/{zone['id']}").status == 200
    assert sim.call("GET", f"/V2.0/dns/managed/{zone['id']}").json()["pendingActionId"] == 3
    time.sleep(0.12)
    assert sim.call("GET", f"/V2.0/dns/managed/{zone['id']}").status == 404
    assert sim.call("PUT", "/V2.0/dns/managed", {"ids": [1]}).json()["error"] == [
        "Invalid domain IDs specified."
    ]


def test_row20_template_records_cannot_be_touched(sim):
    ids = sim.control(
        "/record", {"zone": "example.com", "name": "t", "type": "TXT", "value": "from template", "source": 0}
    )["ids"]
    own = sim.create().json()["id"]
    record = sim.call("GET", f"{RECORDS}?recordName=t").json()["data"][0]
    assert record["source"] == 0 and record["sourceId"] != ZONE_ID
    assert sim.call("DELETE", f"{RECORDS}/{ids[0]}").status == 404
    assert sim.call("DELETE", f"/V2.0/dns/managed/{record['sourceId']}/records/{ids[0]}").status == 404
    assert sim.call("DELETE", f"{RECORDS}?ids={ids[0]},{own}").status == 200
    assert sim.values() == ["from template"]


def test_row20_big_zone_in_one_answer(sim):
    sim.control(
        "/record",
        {
            "zone": "example.com",
            "records": [
                {"name": f"host-{n:04d}", "type": "A", "value": f"192.0.2.{n % 250}"} for n in range(2500)
            ],
        },
    )
    answer = sim.call("GET", RECORDS).json()
    assert (answer["totalPages"], answer["totalRecords"], len(answer["data"])) == (1, 2500, 2500)
    page = sim.call("GET", f"{RECORDS}?rows=1000&page=2").json()
    assert (page["totalPages"], page["page"], len(page["data"])) == (3, 2, 500)
    start = time.monotonic()
    assert sim.create().status == 201
    assert time.monotonic() - start < 0.1


def test_row20_ids_beyond_32_bits(sim):
    sim.control("/set", {"next_record_id": 2**40})
    assert sim.create().json()["id"] == 2**40
    assert sim.call("DELETE", f"{RECORDS}/{2 ** 40}").status == 200


def test_row20_errors_after_and_before_acting(sim):
    sim.control(
        "/fault",
        {
            "method": "POST",
            "path": "/records",
            "kind": "status",
            "status": 503,
            "body": "<p>busy</p>",
            "count": 2,
        },
    )
    assert [sim.create().status for _ in range(3)] == [503, 503, 201]
    sim.control("/fault", {"kind": "reset_after", "method": "POST"})
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        sim.create(value="lost answer")
    sim.control("/fault", {"kind": "reset_before", "method": "POST"})
    with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
        sim.create(value="never seen")
    sim.control("/fault", {"kind": "close_before", "skip": 1})
    assert sim.call("GET", RECORDS).status == 200
    with pytest.raises(http.client.RemoteDisconnected):
        sim.call("GET", RECORDS)
    assert sim.values() == [TOKEN, "lost answer"]


def test_row20_damaged_answers(sim):
    sim.control("/fault", {"kind": "truncate"})
    with pytest.raises(http.client.IncompleteRead):
        sim.call("GET", RECORDS)
    sim.control("/fault", {"kind": "garbage"})
    with pytest.raises(http.client.BadStatusLine):
        sim.call("GET", RECORDS)
    sim.control("/fault", {"kind": "invalid_json"})
    with pytest.raises(ValueError):
        sim.call("GET", RECORDS).json()
    sim.control("/fault", {"kind": "empty"})
    assert sim.call("GET", RECORDS).body == b""
    sim.control("/fault", {"kind": "redirect", "location": "http://127.0.0.1:9/"})
    answer = sim.call("GET", RECORDS)
    assert (answer.status, answer.headers["Location"]) == (302, "http://127.0.0.1:9/")
    sim.control("/fault", {"kind": "oversize", "bytes": 20_000_000})
    answer = sim.call("GET", RECORDS)
    assert (answer.status, len(answer.body)) == (200, 20_000_000)
    sim.control("/fault", {"kind": "timeout", "seconds": 0.2})
    with pytest.raises(http.client.RemoteDisconnected):
        sim.call("GET", RECORDS)
    sim.control("/set", {"empty_body": True})
    assert sim.call("GET", RECORDS).body == b""


def test_row20_log_has_no_secrets_and_all_the_rest(sim):
    sim.create()
    entry = sim.control("/log")[0]
    assert entry["key"] == hashlib.sha256(KEY.encode()).hexdigest()[:12]
    assert (entry["method"], entry["path"], entry["status"], entry["remaining"], entry["error"]) == (
        "POST",
        RECORDS + "/",
        201,
        149,
        None,
    )
    assert json.loads(entry["body"])["value"] == TOKEN and entry["duration_ms"] < 50
    assert json.loads(sim.log_file.read_text().splitlines()[-1]) == entry
    everything = sim.log_file.read_text() + json.dumps(sim.control("/state"))
    assert SECRET not in everything and KEY not in everything


def test_row20_order_of_checks_is_a_switch(sim):
    sim.control("/set", {"limit": 0})
    assert sim.call("GET", "/V2.0/dns/managed", secret="wrong").status == 400
    sim.control("/set", {"check_order": ["missing", "key", "date", "hmac", "rate"]})
    assert refused(sim.call("GET", "/V2.0/dns/managed", secret="wrong"), "Unable to verify HMAC")
    assert sim.call("GET", "/V2.0/dns/managed").status == 400


def test_other_methods_and_media_types(sim):
    head = sim.call("HEAD", RECORDS)
    assert (head.status, head.body) == (200, b"")
    answer = sim.call("PATCH", RECORDS)
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, POST, DELETE")
    assert sim.call("GET", RECORDS, Accept="application/xml").status == 406
    assert sim.call("GET", RECORDS, Accept="text/html, application/json;q=0.5").status == 200


def test_wrong_configuration_ends_at_once(tmp_path):
    (tmp_path / "config").write_text('{"limits": 3}')
    run = subprocess.run(
        [sys.executable, SIMULATOR, "--config", tmp_path / "config"],
        capture_output=True,
        text=True,
        timeout=5,
    )
    assert run.returncode == 1 and "unknown keys: limits" in run.stderr and run.stdout == ""


def test_row20_wrong_controls_are_refused(sim):
    for path, fields in (
        ("/set", {"limits": 3}),
        ("/set", {"limit": "many"}),
        ("/fault", {"kind": "nonsense"}),
        ("/fault", {"kid": 1}),
        ("/fault", {"path": "("}),
        ("/record", {"zone": "example.net"}),
        ("/reset", {"only": ["all"]}),
        ("/nowhere", {}),
    ):
        with pytest.raises(AssertionError, match="error"):
            sim.control(path, fields)


def test_requests_are_fast_and_parallel(sim):
    """No delay of its own worth mentioning, and one client does not wait for another's delay."""
    sim.control("/set", {"limit": 1000})
    connection = sim.connect()
    sim.call("GET", RECORDS, connection=connection)
    start = time.monotonic()
    for _ in range(100):
        sim.call("GET", RECORDS, connection=connection)
    assert (time.monotonic() - start) / 100 < 0.01, "3 ms aimed at, room for a busy machine"
    connection.close()
    sim.control("/set", {"delay_ms": 200})
    threads = [threading.Thread(target=sim.call, args=("GET", RECORDS)) for _ in range(30)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - start < 1.5
    assert len(sim.control("/log")) == 131
