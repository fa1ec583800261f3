"""What the benchmarks read off logs, and their plots: figures that nobody counts again by hand."""

import json
import os
import sys
import xml.etree.ElementTree as ElementTree

import pytest

BENCH = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "bench")
sys.path.insert(0, BENCH)

import plot  # noqa: E402
import waits  # noqa: E402

CA = "https://ca.example"
SVG = "{http://www.w3.org/2000/svg}"


def entry(second, arrow, url, more=""):
    return {"time": f"2026-11-26T00:00:{second:06.3f}Z", "message": f"{arrow} POST {url}{more}", "method": "POST", "url": url}


def log_file(tmp_path, *entries):
    path = tmp_path / "log"
    path.write_text("".join(json.dumps(e) + "\n" for e in entries))
    return str(path)


def seconds(times):
    return [(round(a % 60, 3), round(b % 60, 3)) for a, b in times]


def test_requests_side_by_side_are_waited_for_once(tmp_path):
    log = log_file(tmp_path, entry(1, ">", CA + "/a"), entry(1.5, ">", CA + "/b"), entry(2, "<", CA + "/a"), entry(3, "<", CA + "/b"),
                   entry(4, ">", "https://api.example/x"), entry(4.25, "<", "https://api.example/x"),
                   {"time": "2026-11-26T00:00:05.000Z", "message": "nothing of the wire"})
    ca, api = waits.traced(log, CA)
    assert (waits.length(ca), waits.length(api)) == (2, 0.25)


@pytest.mark.parametrize("header, end", [("3", 6), ("Thu, 26 Nov 2026 00:00:12 GMT", 5), ("60", 9)], ids=["seconds", "date", "cut short"])
def test_a_pause_that_the_ca_asked_for_is_waited_for_until_it_is_asked_again(tmp_path, header, end):
    more = f": 200; Date: Thu, 26 Nov 2026 00:00:10 GMT; Retry-After: {header}"
    log = log_file(tmp_path, entry(2, ">", CA), entry(3, "<", CA, more), entry(9, ">", CA), entry(9.5, "<", CA))
    assert seconds(waits.traced(log, CA)[0]) == [(2, 3), (3, end), (9, 9.5)]


def test_shares_are_of_one_whole_and_count_nothing_twice():
    found = waits.shares(10, 20, lag=[(8, 12), (11, 13)], ca=[(12, 14), (19, 25)], api=[(13, 15)])
    assert found == pytest.approx((0.3, 0.2, 0.1, 0.4))


def request(t, path="/x", error="Rate limit exceeded", **more):
    return {"method": "GET", "path": path, "query": "", "t": t, "error": error, "status": 400, **more}


def test_refusals_are_counted_by_request_and_window():
    log = [request(0), request(1, "/y"), request(30), request(61), request(62, error=None), request(80)]
    assert waits.refused_in_a_window(log, 60) == 3
    assert waits.refused_in_a_window(log, 20) == 2
    assert waits.refused_in_a_window(log, 10) == 1
    assert waits.refused_in_a_window([request(0, error="another")], 60) == 0


def test_a_wave_makes_the_records_of_a_zone_once():
    def made(zone, end, status=201):
        return request(0, f"/dns/managed/{zone}/records{end}", error=None, status=status) | {"method": "POST"}

    assert waits.waves([]) == 0
    assert waits.waves([made(1, "/createMulti"), made(2, ""), made(1, "/createMulti", status=400)]) == 1
    assert waits.waves([made(1, "/createMulti"), made(1, ""), made(2, "")]) == 2


def test_the_feed_tells_the_lag_of_the_slowest_name_server(lab):
    lab.set_lag([0, 0.1, 0.2, 0.7])
    lab.add_txt("example.com", "_acme-challenge.host", "v")
    assert 0.7 <= waits.true_lag(waits.shown(lab)) < 2.5


def drawn(lines, marks=()):
    return ElementTree.fromstring(plot.draw("<Title> & more", ("names", "requests"), lines, marks))


def test_a_plot_shows_every_line_with_its_name_and_its_failures():
    lines = [plot.Line("first of all", "first", [(1, 3, True), (10, 30, True), (100, 300, False)]),
             plot.Line("second", "2nd", [(1, 3, True), (10, 3, True), (100, 3, True)]),
             plot.Line("none that can be shown", "none", [(1, 0, True), (10, 0, True)])]
    svg = drawn(lines, [plot.Mark(150, "the limit")])
    words = [e.text for e in svg.iter(SVG + "text")]
    assert {"<Title> & more", "names", "requests", "first of all", "first", "second", "2nd", "the limit", "1", "10", "100"} <= set(words)
    assert "none" not in words and not list(svg.iter(SVG + "script"))
    assert len(list(svg.iter(SVG + "polyline"))) == 2
    assert sum(e.get("fill") == "#ffffff" for e in svg.iter(SVG + "circle")) == 1


def test_ten_times_as_much_is_as_far_everywhere_on_a_logarithmic_axis():
    svg = drawn([plot.Line("a", "a", [(1, 5, True), (10, 50, True), (100, 500, True)])])
    points = [tuple(map(float, p.split(","))) for p in next(svg.iter(SVG + "polyline")).get("points").split()]
    (x1, y1), (x2, y2), (x3, y3) = points
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2) and y1 - y2 == pytest.approx(y2 - y3, abs=0.2) and y1 > y2


def test_labels_keep_apart_and_in_order():
    moved = plot.spread([100.0, 101.0, 300.0, 99.0], 15)
    order = sorted(moved)
    assert all(b - a > 14 for a, b in zip(order, order[1:])) and moved[3] < moved[0] < moved[1] < moved[2]
