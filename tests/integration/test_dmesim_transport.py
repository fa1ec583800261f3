"""What the simulator can be below HTTP: other certificates, and listeners that are no API at all; and its clock by years."""

import email.utils
import http.client
import json
import pathlib
import socket
import ssl
import sys
import time

import pytest
from dmesim_harness import RECORDS, Simulator, fresh_simulator, shared_simulator

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from lab import ca, x509  # noqa: E402

__all__ = ["fresh_simulator", "shared_simulator"]  # fixtures

HOST = ["DNS:localhost"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return ca.Authority(str(tmp_path_factory.mktemp("ca")))


@pytest.fixture(scope="module")
def tls(authority, tmp_path_factory):
    """A simulator with more than one certificate."""
    other = ca.Authority(str(tmp_path_factory.mktemp("other")), "other")
    cert, key = authority.leaf("own", HOST)
    certificates = {
        "expired": authority.leaf("expired", HOST, (-9, -2)),
        "future": authority.leaf("future", HOST, (2, 9)),
        "wrong-host": authority.leaf("wrong-host", ["DNS:elsewhere.example"]),
        "unknown-ca": other.leaf("unknown-ca", HOST),
        "self-signed": ca.self_signed(other.directory, "self-signed", HOST),
    }
    simulator = Simulator(
        tmp_path_factory.mktemp("tls"),
        listen=[{"addr": "127.0.0.1", "port": 0, "cert": cert, "key": key, "certificates": certificates}],
    )
    yield simulator
    assert simulator.stop() == 0


def get(simulator, authority):
    context = ssl.create_default_context(cafile=authority.cert)
    connection = http.client.HTTPSConnection("localhost", simulator.port, context=context, timeout=5)
    try:
        return simulator.call("GET", RECORDS, connection=connection)
    finally:
        connection.close()


@pytest.mark.parametrize(
    "name, reason",
    [
        ("expired", "has expired"),
        ("future", "not yet valid"),
        ("wrong-host", "Hostname mismatch"),
        ("unknown-ca", "unable to get local issuer"),
        ("self-signed", "self-signed certificate|self signed certificate"),
    ],
)
def test_another_certificate_and_back_again(tls, authority, name, reason):
    assert get(tls, authority).status == 200
    tls.control("/set", {"certificate": name})
    try:
        with pytest.raises(ssl.SSLCertVerificationError, match=reason):
            get(tls, authority)
    finally:
        tls.control("/reset", {"only": ["settings"]})
    assert get(tls, authority).status == 200


def test_a_certificate_that_it_does_not_have_is_refused_at_once(tls, authority):
    connection = http.client.HTTPConnection("127.0.0.1", tls.control_port, timeout=5)
    connection.request("POST", "/set", json.dumps({"certificate": "nobody", "delay_ms": 50}))
    answer = connection.getresponse()
    assert (answer.status, b"nobody" in answer.read()) == (400, True)
    connection.close()
    assert tls.control("/state")["settings"]["delay_ms"] == 0
    assert get(tls, authority).status == 200


def test_the_lab_s_ages_of_certificates(authority):
    """A day off is no matter for TLS, decades are: that is what the rows about the clock build on."""
    cert = authority.leaf("age", HOST)[0]
    for path, before, after in ((cert, 86400 * 2, 86400 * 200), (authority.cert, 86400 * 400, 86400 * 365 * 30)):
        begin, end = (ssl.cert_time_to_seconds(x509.text(path, which).partition("=")[2]) for which in ("-startdate", "-enddate"))
        assert begin < time.time() - before and time.time() + before < end < time.time() + after


def listener(tmp_path, kind):
    return Simulator(tmp_path, listen=[{"addr": "127.0.0.1", "port": 0, "kind": kind}])


def test_a_listener_that_hangs_up(tmp_path):
    sim = listener(tmp_path, "cut")
    with socket.create_connection(("127.0.0.1", sim.port), 5) as peer:
        peer.settimeout(0.2)
        with pytest.raises(TimeoutError):
            peer.recv(1)  # it waits for the first bytes
        peer.settimeout(5)
        peer.sendall(b"\x16\x03\x01")
        assert peer.recv(1) == b""
    assert sim.control("/log") == [] and sim.stop() == 0


def test_a_listener_that_says_nothing(tmp_path):
    sim = listener(tmp_path, "silent")
    with socket.create_connection(("127.0.0.1", sim.port), 5) as peer:
        peer.sendall(b"GET / HTTP/1.1\r\n\r\n")
        peer.settimeout(0.3)
        with pytest.raises(TimeoutError):
            peer.recv(1)
        assert sim.control("/log") == []
        assert sim.stop() == 0, "an open connection does not hold it up"


def test_a_listener_that_refuses_as_a_proxy_does(tmp_path):
    sim = listener(tmp_path, "deny")
    connection = http.client.HTTPSConnection("127.0.0.1", sim.port, timeout=5)
    connection.set_tunnel("api.dnsmadeeasy.com", 443)
    with pytest.raises(OSError, match="403"):
        connection.request("GET", "/")
    assert sim.control("/log") == [] and sim.stop() == 0


def test_a_listener_of_an_unknown_kind_is_a_mistake(tmp_path):
    with pytest.raises(AssertionError):
        listener(tmp_path, "nonsense")


@pytest.mark.parametrize("skew", [-30 * 365 * 86400, -86400, 86400, 30 * 365 * 86400])
def test_its_clock_may_be_years_off(sim, skew):
    sim.control("/set", {"skew": skew})
    answer = sim.call("GET", RECORDS)
    assert answer.status == 403 and "too far out of sync" in answer.text()
    assert abs(email.utils.parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time() - skew) < 3
    assert sim.call("GET", RECORDS, date=answer.headers["Date"]).status == 200


def test_a_body_in_another_encoding(sim):
    sim.control("/fault", {"kind": "status", "status": 403, "body": "\x1b\x9b\xff", "encoding": "latin-1"})
    assert sim.call("GET", RECORDS).body == b"\x1b\x9b\xff"


def test_an_answer_of_somebody_on_the_way(sim):
    sim.control("/fault", {"kind": "status", "status": 403, "body": "no", "foreign": True, "headers": {"Server": "squid"}})
    answer = sim.call("GET", RECORDS)
    assert (answer.status, answer.body, answer.headers["Server"]) == (403, b"no", "squid")
    assert not [name for name in answer.headers if name.lower().startswith("x-dnsme") or name == "Set-Cookie"]
    assert answer.headers["Date"]
    assert sim.call("GET", RECORDS).headers["x-dnsme-requestId"]
