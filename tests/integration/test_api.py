"""The API at its worst: each time either success with the right records, or one clear error; and nothing of ours left, nobody else's touched."""

import json
import os
import re
import threading

import pytest

from program import API, NAME, VALUE, refused, seal, silent, until, warnings

FOREIGN = "some other program's"
SUB = "_acme-challenge.www.sub.example.com"
RECORDS = "/dns/managed/[0-9]+/records"

# What one answer may be; the next one is all right again.
HICCUPS = {
    "500": {"status": 500, "body": "<html>oops</html>"},
    "502-empty": {"status": 502},
    "503-json": {"status": 503, "body": '{"error":["Service Unavailable"]}', "content_type": "application/json"},
    "reset-before": {"kind": "reset_before"},
    "reset-after": {"kind": "reset_after"},
    "close-before": {"kind": "close_before"},
    "close-after": {"kind": "close_after"},
    "silence-before": {"kind": "timeout"},
    "silence-after": {"kind": "timeout_after"},
    "cut": {"kind": "truncate"},
    "garbage": {"kind": "garbage"},
    "broken-json": {"kind": "invalid_json"},
    "old-style-error": {"kind": "invalid_json", "body": '{error: ["Something"]}'},
    "empty": {"kind": "empty"},
    "slow": {"kind": "slow", "delay_ms": 600},
    "endless": {"kind": "oversize", "bytes": 40 * 1024 * 1024},
}


@pytest.fixture
def quick(lab, program):
    """Name servers without lag, and a second for a request."""
    lab.set_lag(0)
    program.configure(dnsmadeeasy__timeout="1s")
    lab.add_txt("example.com", "_acme-challenge.host", FOREIGN)
    return program


# -- one bad answer ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", HICCUPS.values(), ids=HICCUPS)
@pytest.mark.parametrize("method, path", [("GET", "domainname"), ("POST", RECORDS), ("DELETE", RECORDS)], ids=["look-up", "create", "delete"])
def test_one_bad_answer_is_made_up_for(lab, quick, method, path, fault):
    lab.fault(method=method, path=path, **{"kind": "status", **fault})
    done = quick.run("add-record", NAME, VALUE).ok()
    assert done.stdout == ""
    assert lab.txt() == sorted([(NAME, VALUE), (NAME, FOREIGN)])
    assert lab.dig("ns13", NAME)["answer"].count(VALUE) == 1
    quick.run("del-record", NAME, VALUE).ok()
    assert lab.state()["faults"] == []
    quick.clean([(NAME, FOREIGN)])


@pytest.mark.parametrize("fault", ["reset-after", "close-after", "silence-after", "cut", "empty", "503-json"])
def test_a_batch_whose_answer_is_lost_is_not_made_twice(lab, quick, fault):
    lab.fault(method="POST", path="createMulti", **{"kind": "status", **HICCUPS[fault]})
    quick.run("add-record", NAME, "one", NAME, "two", "_acme-challenge.b.example.com", "three").ok()
    assert lab.txt() == sorted([(NAME, "one"), (NAME, "two"), ("_acme-challenge.b.example.com", "three"), (NAME, FOREIGN)])
    quick.run("del-record", NAME, "one", NAME, "two", "_acme-challenge.b.example.com", "three").ok()
    quick.clean([(NAME, FOREIGN)])


def test_a_batch_of_which_one_record_is_there_already(lab, quick):
    """createMulti is all or nothing: the duplicate is ours by value, the rest is made."""
    lab.add_txt("example.com", "_acme-challenge.host", "two")
    silent(quick.run("add-record", NAME, "one", NAME, "two", NAME, "three"))
    assert lab.txt() == sorted([(NAME, "one"), (NAME, "two"), (NAME, "three"), (NAME, FOREIGN)])
    silent(quick.run("del-record", NAME, "one", NAME, "two", NAME, "three"))
    quick.clean([(NAME, FOREIGN)])


@pytest.mark.parametrize("html", ["tomcat", "console", "empty", "json"])
def test_a_404_in_any_dress_means_no_such_zone(lab, quick, html):
    """Without a resolver to propose the zone, every suffix is tried."""
    lab.set(html404=html)
    quick.configure(propagation__resolvers=["127.0.0.99:53"])
    silent(quick.run("--no-wait", "add-domain", "a.b.host.example.com", VALUE))
    assert [r["status"] for r in lab.requests()][-2:] == [200, 201]
    assert 404 in [r["status"] for r in lab.requests()]
    silent(quick.run("del-domain", "a.b.host.example.com", VALUE))
    quick.clean([(NAME, FOREIGN)])


@pytest.mark.parametrize("settings", [{"chunked": False}, {"legacy_error_style": True}, {"delay_ms": 700}, {"no_auth_redirect": True},
                                      {"count_refused": True}, {"single_record_get": True}], ids=lambda s: next(iter(s)))
def test_other_manners_of_the_api(lab, quick, settings):
    lab.set(**settings)
    lab.add_txt("example.com", "_acme-challenge.host", "twice")
    silent(quick.run("add-record", NAME, VALUE))
    silent(quick.run("add-record", NAME, "twice"))
    silent(quick.run("del-record", NAME, VALUE))
    silent(quick.run("del-record", NAME, "twice"))
    quick.clean([(NAME, FOREIGN)])


# -- refusals that stay ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status, body, content_type, needle", [
    (400, '{"error":["Record value may not be this."]}', "application/json", "Record value may not be this."),
    (400, '{error: ["Old style"]}', "text/html", "Old style"),
    (400, "", "text/html", "400"),
    (405, "<html><body>Method not allowed</body></html>", "text/html", "405"),
    (409, '{"error":"one string"}', "application/json", "one string"),
    (418, "\x1b[31mred\x07", "text/plain", "418"),
], ids=["json", "old-style", "empty", "html", "string", "escapes"])
def test_a_refusal_is_reported_with_its_reason(lab, quick, status, body, content_type, needle):
    lab.fault(method="POST", kind="status", status=status, body=body, content_type=content_type, count=5)
    done = refused(quick.run("add-record", NAME, VALUE), API, needle, f'"{NAME}"')
    assert "\x1b" not in done.stderr and "\x07" not in done.stderr
    quick.clean([(NAME, FOREIGN)])


@pytest.mark.parametrize("kind", ["invalid_json", "garbage", "empty"])
def test_answers_that_stay_unreadable_are_reported(lab, quick, kind):
    lab.fault(method="GET", kind=kind, count=50)
    done = refused(quick.run("add-record", NAME, VALUE), API)
    assert done.seconds < 20
    quick.clean([(NAME, FOREIGN)])


@pytest.mark.parametrize("n", range(7))
def test_whatever_request_fails_nothing_is_lost_and_nothing_foreign_is_touched(lab, quick, n):
    """From request N on the API refuses everything: what exists is in the journal, and a later clean-up finds it."""
    pairs = [NAME, "one", NAME, "two", SUB, "three"]
    lab.fault(kind="status", status=400, body='{"error":["No."]}', content_type="application/json", skip=n, count=100)
    done = quick.run("add-record", *pairs)
    assert done.returncode == (0 if n >= 4 else API), done
    assert {v for _, v in lab.txt()} - {FOREIGN} <= {e["value"] for e in quick.journal()}
    lab.sim("POST", "/reset", {"only": ["faults"]})
    quick.run("del-record", *pairs).ok()
    assert lab.txt() == [(NAME, FOREIGN)]
    # What was never confirmed might still appear: that is kept for a few minutes, for sweep.
    assert {e["state"] for e in quick.journal()} <= {"intended"}
    quick.run("--sweep-after", "0s", "sweep").ok()
    quick.clean([(NAME, FOREIGN)])


def test_a_record_that_can_not_be_deleted_stays_in_the_journal(lab, quick):
    silent(quick.run("add-record", NAME, VALUE))
    lab.fault(method="DELETE", kind="status", status=400, body='{"error":["Not now."]}', content_type="application/json", count=5)
    refused(quick.run("del-record", NAME, VALUE), API, "Not now.", "delete")
    assert [e["value"] for e in quick.journal()] == [VALUE]
    lab.sim("POST", "/reset", {"only": ["faults"]})
    silent(quick.run("del-record", NAME, VALUE))
    quick.clean([(NAME, FOREIGN)])


def test_a_roll_back_that_fails_says_so_and_sweep_makes_up_for_it(lab, quick):
    lab.set(hold="ns11")
    lab.fault(method="DELETE", kind="status", status=400, body='{"error":["Not now."]}', content_type="application/json", count=5)
    done = quick.run("--timeout", "1s", "add-record", NAME, VALUE)
    assert done.returncode == 8 and any("sweep" in w for w in warnings(done)), done
    lab.sim("POST", "/reset", {"only": ["faults"]})
    quick.run("--sweep-after", "0s", "sweep").ok()
    quick.clean([(NAME, FOREIGN)])


def test_an_api_that_is_not_there_is_reported_within_bounds(lab, quick):
    quick.configure(dnsmadeeasy__endpoint="https://api.dnsmadeeasy.com:444/V2.0/", dnsmadeeasy__give_up_after="3s")
    done = refused(quick.run("add-record", NAME, VALUE), API, "api.dnsmadeeasy.com")
    assert 1 < done.seconds < 6
    assert quick.journal() == []


def test_a_certificate_of_somebody_else_is_not_trusted(lab, quick):
    other = os.path.join(quick.dir, "other.pem")
    lab.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", "/dev/null", "-subj", "/CN=x",
             "-out", other]).ok()
    quick.configure(dnsmadeeasy__ca_file=other)
    refused(quick.run("add-record", NAME, VALUE), API, "certificate")
    assert lab.requests() == []


# -- redirects ---------------------------------------------------------------------------------------------------------------------

LISTENER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def handle_one_request(self):
        super().handle_one_request()
        open(sys.argv[1], "ab").write(self.raw_requestline or b"something")
http.server.HTTPServer(("127.0.0.40", 8080), Handler).serve_forever()
"""


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_never_followed(lab, quick, method, status):
    hits = os.path.join(quick.dir, "hits")
    listener = quick.popen(["/usr/bin/python3", "-c", LISTENER, hits])
    until(lambda: lab.run(["sh", "-c", "ss -Hltn | grep -q 127.0.0.40:8080"]).returncode == 0, what="the listener")
    if method == "DELETE":
        silent(quick.run("add-record", NAME, VALUE))
    lab.fault(method=method, kind="redirect", status=status, location="http://127.0.0.40:8080/V2.0/dns/managed", count=5)
    verb = "del-record" if method == "DELETE" else "add-record"
    refused(quick.run(verb, NAME, VALUE), API, "redirect", "127.0.0.40", hint="endpoint")
    assert not os.path.exists(hits)
    lab.kill(listener.process)
    lab.sim("POST", "/reset", {"only": ["faults"]})
    silent(quick.run("del-record", NAME, VALUE))
    quick.clean([(NAME, FOREIGN)])


# -- zones and records that are not what they were ---------------------------------------------------------------------------------


def zone_id(lab, name):
    return next(z["id"] for z in lab.state()["zones"] if z["name"] == name)


@pytest.fixture
def new_id(lab):
    """A function that gives zone example.com another id; at the end it has its own again."""
    before = zone_id(lab, "example.com")
    yield lambda number: lab.sim("POST", "/zone", {"name": "example.com", "id": number})
    lab.sim("POST", "/zone", {"name": "example.com", "id": before})


def test_a_zone_with_a_new_id_is_found_again(lab, quick, new_id):
    silent(quick.run("add-record", NAME, VALUE))
    silent(quick.run("del-record", NAME, VALUE))
    new_id(7999001)
    silent(quick.run("add-record", NAME, VALUE))
    assert lab.txt() == sorted([(NAME, VALUE), (NAME, FOREIGN)])
    lab.sim("POST", "/reset", {"only": ["log"]})
    silent(quick.run("del-record", NAME, VALUE))
    assert [r["method"] for r in lab.requests()] == ["DELETE"]
    quick.clean([(NAME, FOREIGN)])


def test_a_zone_that_got_a_new_id_between_publishing_and_withdrawing(lab, quick, new_id):
    silent(quick.run("add-record", NAME, VALUE))
    new_id(7999002)
    quick.run("del-record", NAME, VALUE).ok()
    assert quick.journal() == [] or lab.txt() == [(NAME, FOREIGN)]
    quick.run("del-record", NAME, VALUE).ok()
    quick.clean([(NAME, FOREIGN)])


def test_a_sub_zone_that_was_made_after_its_parent_was_remembered(lab, quick):
    """The memo of example.com must not hide sub.example.com."""
    silent(quick.run("add-record", NAME, VALUE))
    silent(quick.run("add-domain", "www.sub.example.com", VALUE))
    assert {r["zone"] for r in lab.records(rtype="TXT") if r["value"] == f'"{VALUE}"'} == {"example.com", "sub.example.com"}
    silent(quick.run("del-record", NAME, VALUE))
    silent(quick.run("del-domain", "www.sub.example.com", VALUE))
    quick.clean([(NAME, FOREIGN)])


def test_ids_beyond_32_bits(lab, quick, new_id):
    new_id(2 ** 40 + 7)
    lab.set(next_record_id=2 ** 52 + 1)
    silent(quick.run("add-record", NAME, VALUE, NAME, "second"))
    assert sorted(e["record_id"] for e in quick.journal()) == [2 ** 52 + 1, 2 ** 52 + 2]
    silent(quick.run("del-record", NAME, VALUE, NAME, "second"))
    quick.clean([(NAME, FOREIGN)])


@pytest.mark.parametrize("match", ["exact", "prefix", "substring"])
def test_a_sloppy_filter_of_the_api_hits_nobody_else(lab, quick, match):
    """Records whose names contain ours, with our very value, and ours with others: only name and value together count."""
    lab.set(record_name_match=match)
    others = [("example.com", "_acme-challenge.host2", VALUE), ("example.com", "x._acme-challenge.host", VALUE), ("example.com", "_acme-challenge.host", VALUE.lower())]
    for zone, name, value in others:
        lab.add_txt(zone, name, value)
    left = lab.txt()
    silent(quick.run("add-record", NAME, VALUE))
    quick.configure(state_dir=os.path.join(quick.dir, "forgetful"))
    silent(quick.run("del-record", NAME, VALUE))
    assert lab.txt() == left
    silent(quick.run("del-record", NAME, VALUE))
    assert lab.txt() == left


@pytest.mark.parametrize("empty", ["apex", "all"])
def test_a_record_at_the_apex(lab, quick, empty):
    lab.set(empty_record_name=empty)
    lab.add_txt("example.com", "", "v=spf1 -all")
    left = lab.txt()
    silent(quick.run("add-record", "example.com", VALUE))
    quick.configure(state_dir=os.path.join(quick.dir, "forgetful"))
    silent(quick.run("del-record", "example.com", VALUE))
    assert lab.txt() == left


@pytest.mark.parametrize("base", [0, 1])
def test_answers_in_pages(lab, quick, base):
    lab.set(page_size=3, page_base=base)
    for n in range(8):
        lab.sim("POST", "/record", {"zone": "example.com", "name": "_acme-challenge.host", "type": "TXT", "value": f'"strangers-{n}"', "ttl": 60})
    lab.wait_published()
    left = lab.txt()
    silent(quick.run("add-record", NAME, VALUE))
    quick.configure(state_dir=os.path.join(quick.dir, "forgetful"))
    silent(quick.run("del-record", NAME, VALUE))
    assert lab.txt() == left


def test_a_template_record_with_our_value_is_reported_not_deleted(lab, quick):
    lab.add_record("example.com", "_acme-challenge.host", "TXT", f'"{VALUE}"', source=0, sourceId=4711)
    left = lab.txt()
    refused(quick.run("add-record", NAME, VALUE), API, "exists", hint="template")
    silent(quick.run("del-record", NAME, VALUE))
    assert lab.txt() == left and quick.journal() == []


def test_a_template_record_with_another_value_is_left_alone(lab, quick):
    lab.add_record("example.com", "_acme-challenge.host", "TXT", '"of-a-template"', source=0, sourceId=4711)
    left = lab.txt()
    silent(quick.run("add-record", NAME, VALUE))
    silent(quick.run("del-record", NAME, VALUE))
    assert lab.txt() == left


def test_a_record_that_somebody_changed_meanwhile_is_not_deleted(lab, quick):
    """The journal's id is an hour old, and under it stands another value now."""
    silent(quick.run("add-record", NAME, VALUE))
    (entry,) = quick.journal()
    path = os.path.join(quick.state, "journal", next(f for f in os.listdir(os.path.join(quick.state, "journal")) if f.endswith(".json")))
    with open(path, encoding="utf-8") as f:
        text = json.load(f)
    text["published_ms"] -= 2 * 3600 * 1000
    text["record_id"] = next(r["id"] for r in lab.records(rtype="TXT") if r["value"] == f'"{FOREIGN}"')
    with open(path, "w", encoding="utf-8") as f:
        f.write(seal(text))
    silent(quick.run("del-record", NAME, VALUE))
    quick.clean([(NAME, FOREIGN)])
    assert entry["value"] == VALUE


def test_a_record_that_somebody_deleted_meanwhile_is_success(lab, quick):
    silent(quick.run("add-record", NAME, VALUE))
    number = next(r["id"] for r in lab.records(rtype="TXT") if r["value"] == f'"{VALUE}"')
    lab.sim("POST", "/record", {"zone": "example.com", "delete": [number]})
    silent(quick.run("del-record", NAME, VALUE))
    quick.clean([(NAME, FOREIGN)])


# -- clocks ------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("skew", [-40, 40, -3600, 86400], ids=str)
def test_a_wrong_clock_is_made_up_for_and_named(lab, quick, skew):
    lab.set(skew=skew)
    for verb in ("add-record", "del-record"):
        done = quick.run(verb, NAME, VALUE).ok()
        (warning,) = warnings(done)
        seconds, way = re.search(r"clock is (\d+) s (?:\(.*?\) )?(ahead|behind)", warning).groups()
        assert abs(int(seconds) - abs(skew)) <= 2 and way == ("ahead" if skew < 0 else "behind"), done
        assert warning.endswith(", continuing")
    assert [r["status"] for r in lab.requests()].count(403) == 2
    quick.clean([(NAME, FOREIGN)])


def test_a_small_difference_of_the_clocks_is_nobodys_business(lab, quick):
    lab.set(skew=20)
    silent(quick.run("add-record", NAME, VALUE))
    silent(quick.run("del-record", NAME, VALUE))
    assert len(lab.requests()) == 3


# -- everything at once ------------------------------------------------------------------------------------------------------------


def test_many_hooks_against_an_api_that_often_fails(lab, quick):
    """A call may come to the end of its patience; then it says so, and the journal has what it could not take back."""
    stop = threading.Event()
    faults = [HICCUPS[name] for name in ("500", "reset-after", "cut", "garbage", "reset-before", "empty", "close-after", "broken-json")]

    def trouble():
        for fault in faults * 3:
            if stop.wait(0.1):
                return
            lab.fault(**{"kind": "status", **fault})

    thread = threading.Thread(target=trouble)
    thread.start()
    names = [f"_acme-challenge.m{n}.example.com" for n in range(6)]
    try:
        ended = [each.wait(100) for verb in ("add-record", "del-record") for each in [quick.start(verb, name, VALUE) for name in names]]
    finally:
        stop.set()
        thread.join()
    assert {done.returncode for done in ended} <= {0, API}, ended
    lab.sim("POST", "/reset", {"only": ["faults"]})
    assert {name for name, _ in lab.txt()} - {NAME} <= {e["name"] for e in quick.journal()}
    quick.run("--sweep-after", "0s", "sweep").ok()
    quick.clean([(NAME, FOREIGN)])
