"""Around the simulator: lexicon's own provider, TLS, and the feed of the name servers."""

import http.client
import shutil
import ssl
import subprocess
import time

import dns.rcode
import pytest
from dmesim_harness import (
    KEY,
    RECORDS,
    SECRET,
    TOKEN,
    NameServer,
    Simulator,
    fresh_simulator,
    shared_simulator,
)

__all__ = ["fresh_simulator", "shared_simulator"]  # fixtures

# ---- lexicon, the library under certbot's plug-in, unmodified


@pytest.fixture
def lexicon(sim):
    pytest.importorskip("lexicon", reason="optional: lexicon is not installed")
    from lexicon.config import ConfigResolver
    from lexicon.providers.dnsmadeeasy import Provider

    def provider(domain="example.com", secret=SECRET):
        return Provider(
            ConfigResolver().with_dict(
                {
                    "provider_name": "dnsmadeeasy",
                    "domain": domain,
                    "ttl": 60,
                    "action": "list",
                    "type": "TXT",
                    "dnsmadeeasy": {
                        "auth_username": KEY,
                        "auth_token": secret,
                        "api_endpoint": f"http://127.0.0.1:{sim.port}/V2.0",
                    },
                }
            )
        )

    return provider


def test_lexicon_works_unmodified(sim, lexicon):
    provider = lexicon()
    provider.authenticate()
    name = "_acme-challenge.www.example.com"
    assert provider.create_record("TXT", name, TOKEN)
    assert provider.create_record("TXT", name, TOKEN), "a duplicate is a 400 that lexicon takes for success"
    assert provider.create_record("TXT", name, "second")
    listed = provider.list_records("TXT", name)
    assert sorted(record["content"] for record in listed) == sorted([TOKEN, "second"])
    assert provider.update_record(listed[1]["id"], "TXT", name, "changed")
    assert provider.delete_record(None, "TXT", name, TOKEN)
    assert sim.values() == ["changed"]
    statuses = [(entry["method"], entry["status"]) for entry in sim.control("/log")]
    assert statuses == [
        ("GET", 200),
        ("POST", 201),
        ("POST", 400),
        ("POST", 201),
        ("GET", 200),
        ("PUT", 200),
        ("GET", 200),
        ("DELETE", 200),
    ]


def test_lexicon_understands_the_refusals(sim, lexicon):
    with pytest.raises(Exception, match="No domain found"):
        lexicon("example.net").authenticate()
    with pytest.raises(Exception, match="^403 Client Error: Forbidden for url"):
        lexicon(secret="wrong").authenticate()


def test_lexicon_waits_out_the_rate_limit(sim, lexicon):
    sim.control("/set", {"limit": 1, "window": 0.5})
    sim.call("GET", RECORDS)
    lexicon().authenticate()
    statuses = [entry["status"] for entry in sim.control("/log")[1:]]
    assert statuses[0] == 400 and statuses[-1] == 200


# ---- TLS


def test_tls_with_keep_alive(tmp_path):
    if not shutil.which("openssl"):
        pytest.skip("needs openssl to make a certificate")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            "-keyout",
            key,
            "-out",
            cert,
        ],
        check=True,
        capture_output=True,
    )
    sim = Simulator(tmp_path, listen=[{"addr": "127.0.0.1", "port": 0, "cert": str(cert), "key": str(key)}])
    try:
        context = ssl.create_default_context(cafile=cert)
        connection = http.client.HTTPSConnection("localhost", sim.port, context=context, timeout=5)
        created = sim.call(
            "POST", RECORDS, {"type": "TXT", "name": "a", "value": "tls", "ttl": 5}, connection=connection
        )
        assert created.headers["Location"].startswith(f"https://localhost:{sim.port}/V2.0/")
        assert sim.call("GET", RECORDS, connection=connection).json()["totalRecords"] == 1
        log = sim.control("/log")
        assert log[0]["tls"] and log[0]["connection"] == log[1]["connection"]
        sim.control("/fault", {"kind": "reset_after"})
        with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected, ssl.SSLError)):
            sim.call("GET", RECORDS, connection=connection)
        connection.close()
    finally:
        assert sim.stop() == 0


# ---- the DNS feed


@pytest.fixture
def fed(tmp_path):
    """A simulator that feeds two name servers, the second 0.3 s behind."""
    near, far = NameServer(), NameServer()
    near.start()
    far.start()
    sim = Simulator(
        tmp_path,
        nameservers=[
            {"fqdn": f"ns1{n}.dnsmadeeasy.com", "ipv4": "127.0.0.1", "port": server.port, "lag": lag}
            for n, (server, lag) in enumerate(((near, 0), (far, 0.3)))
        ],
    )
    yield sim, near, far
    assert sim.stop() == 0
    near.socket.close()
    far.socket.close()


NAME = "_acme-challenge.example.com."


def test_feed_sets_whole_record_sets_after_each_servers_lag(fed):
    sim, near, far = fed
    start = time.monotonic()
    first = sim.create(value="one").json()["id"]
    assert sim.create(value="two").status == 201
    assert near.wait_for(NAME, "TXT", ['"one"', '"two"']) - start < 0.3
    assert far.sets == {}
    assert far.wait_for(NAME, "TXT", ['"one"', '"two"']) - start >= 0.3
    sim.call("DELETE", f"{RECORDS}/{first}")
    near.wait_for(NAME, "TXT", ['"two"'])
    near.sets[(NAME, "TXT")].add('"stale"')
    sim.create(value="three")
    near.wait_for(NAME, "TXT", ['"two"', '"three"'])
    assert (
        sim.call("GET", "/V2.0/dns/managed/name?domainname=example.com").json()["nameServers"][1]["fqdn"]
        == "ns11.dnsmadeeasy.com"
    )


def test_feed_holds_and_releases_a_server(fed):
    sim, near, far = fed
    sim.control("/set", {"hold": "ns11", "lag": {"ns11": 0}})
    sim.create(value="one")
    near.wait_for(NAME, "TXT", ['"one"'])
    time.sleep(0.1)
    assert far.sets == {}
    assert [server["pending"] for server in sim.control("/state")["nameservers"]] == [0, 1]
    sim.control("/set", {"release": "all"})
    far.wait_for(NAME, "TXT", ['"one"'])
    end = time.monotonic() + 5  # the server knows before the simulator has heard of it
    while not (told := sim.control("/feed")["ns11.dnsmadeeasy.com"]) and time.monotonic() < end:
        time.sleep(0.02)
    assert told[-1]["values"] == ["one"]


def test_feed_loses_the_changes_of_a_zone_that_is_held(fed):
    sim, near, _ = fed
    sim.control("/set", {"hold_zones": ["example.com"]})
    sim.create(value="one")
    time.sleep(0.2)
    assert near.sets == {}
    sim.control("/set", {"release": "all"})
    sim.create(value="two")
    near.wait_for(NAME, "TXT", ['"one"', '"two"'])


def test_feed_tries_again_and_carries_other_types(fed):
    sim, near, far = fed
    near.code = dns.rcode.SERVFAIL
    batch = [
        {"type": "CNAME", "name": "_acme-challenge.www", "value": "target", "ttl": 60},
        {"type": "TXT", "name": "long", "value": "x" * 300, "ttl": 60},
        {"type": "A", "name": "", "value": "192.0.2.1", "ttl": 60},
        {"type": "MX", "name": "", "value": "mail.example.net.", "mxLevel": 5, "ttl": 60},
        {"type": "A", "name": "bad", "value": "not an address", "ttl": 60},
        {
            "type": "CAA",
            "name": "",
            "value": "ca.example",
            "caaType": "issue",
            "issuerCritical": 0,
            "ttl": 60,
        },
    ]
    assert sim.call("POST", f"{RECORDS}/createMulti", batch).status == 201
    time.sleep(0.1)
    near.code = dns.rcode.NOERROR
    near.wait_for("_acme-challenge.www.example.com.", "CNAME", ["target.example.com."])
    near.wait_for("long.example.com.", "TXT", [f'"{"x" * 255}" "{"x" * 45}"'])
    near.wait_for("example.com.", "A", ["192.0.2.1"])
    near.wait_for("example.com.", "MX", ["5 mail.example.net."])
    near.wait_for("example.com.", "CAA", ['0 issue "ca.example"'])
    assert (
        sim.control("/state")["nameservers"][0]["dropped"] == 1
    ), "the bad value is given up, the rest arrives"
    sim.control("/reset", {})
    near.wait_for("example.com.", "A", [])
    far.wait_for("example.com.", "MX", [], seconds=1)


def test_feed_sends_one_message_for_many_records(fed):
    sim, near, _ = fed
    batch = [{"type": "TXT", "name": f"_acme-challenge.h{n}", "value": f"v{n}", "ttl": 60} for n in range(90)]
    assert sim.call("POST", f"{RECORDS}/createMulti", batch).status == 201
    near.wait_for("_acme-challenge.h89.example.com.", "TXT", ['"v89"'])
    assert near.messages <= 3
