"""Certificates from a real CA, by acme-dme alone: Pebble in its versions and with its switches."""

import os
import re
import time

import pytest

import windows
from lab import binaries, x509
from program import CONFIG, OK, USAGE, ZONE, refused, warnings
from standalone import CA_REFUSED, Standalone, document, mode, needs, openssl, public_key_of_key, read

VERSIONS = ["newest", "system"] if len(binaries.versions("pebble")) > 1 else ["newest"]
HOST = "host.example.com"


@pytest.fixture
def client(lab, acme_dme):
    """client(pebble's options, settings={}): the program and its CA."""
    made = []

    def make(settings=None, **options):
        made.append(Standalone(lab, acme_dme, lab.pebble(**options), **(settings or {})))
        return made[-1]

    yield make
    for one in made:
        one.stop_all()


@pytest.mark.parametrize("version", VERSIONS)
def test_a_first_certificate_costs_as_few_requests_as_there_can_be(client, version):
    c = client(version=version, strict=True)
    done = c.issue(HOST).ok()
    assert re.fullmatch(rf"{HOST}: certificate for 1 name until \S+: {c.state}/certs/{HOST}\n", done.stdout)
    assert done.stderr == ""
    c.installed(HOST, [HOST])
    # directory, nonce, account, order, authorization, challenge, finalize, certificate; Pebble issues after finalize.
    polls = c.ca.count("POST", "/my-order/")
    assert c.ca.count() == 8 + polls and polls <= 3, c.ca.requests()
    assert len(c.lab.requests()) <= 3


@pytest.mark.parametrize("version", VERSIONS)
def test_base_and_wildcard_stand_side_by_side(client, version):
    c = client(version=version, strict=True)
    c.issue("example.com", "*.example.com", "*.example.com").ok()
    c.installed("example.com", ["example.com", "*.example.com"])
    assert [r["path"].rsplit("/", 1)[-1] for r in c.lab.requests() if r["method"] == "POST"] == ["createMulti"]


def test_many_names_of_two_zones_cost_three_requests_a_zone_and_two_a_name(client):
    names = [f"h{i}.example.com" for i in range(1, 16)] + [f"h{i}.sub.example.com" for i in range(1, 16)]
    c = client()
    c.run("account", "register").ok()
    c.ca.forget()
    c.issue(*names, more=["--name", "many"]).ok()
    c.installed("many", names)
    polls = c.ca.count("POST", "/my-order/")
    assert c.ca.count() <= 2 * len(names) + 5 + polls and polls <= 3, c.ca.requests()
    assert len(c.lab.requests()) <= 6, c.lab.requests()


def test_an_alias_is_followed(client):
    c = client()
    c.lab.sim("POST", "/record", {"zone": "example.com", "name": "_acme-challenge.aliased", "type": "CNAME", "value": "target.sub.example.com.", "ttl": 5})
    c.lab.wait_published()
    c.issue("aliased.example.com").ok()
    assert x509.names(c.path_of("aliased.example.com")) == ["aliased.example.com"]


@pytest.mark.parametrize("percent", [5, 50, 90])
def test_refused_nonces_are_got_over(client, percent):
    c = client(nonce_reject=percent)
    c.issue(HOST, "www.example.com", "*.example.com").ok()
    c.installed(HOST, [HOST, "www.example.com", "*.example.com"])


def test_where_every_nonce_is_refused_it_gives_up(client):
    c = client(settings={"acme__give_up_after": "8s"}, nonce_reject=100)
    refused(c.issue(HOST), CA_REFUSED, "nonce", hint="do not agree")
    c.nothing_installed(HOST)


@pytest.mark.parametrize("chosen", ["name", "fingerprint", "colons"])
def test_the_preferred_chain_is_taken(client, chosen):
    c = client(alternate_roots=2, chain_length=3)
    for number, root in enumerate(c.ca.roots()):
        path = os.path.join(c.lab.new_dir("root"), "root.pem")
        with open(path, "w", encoding="ascii") as f:
            f.write(root)
        name = x509.text(path, "-subject", "-nameopt", "RFC2253").rpartition("CN=")[2]
        if chosen != "name":  # of an intermediate: Pebble delivers no roots
            with open(path, "w", encoding="ascii") as f:
                f.write(c.ca.intermediates()[number])
            print_ = x509.text(path, "-fingerprint", "-sha256").rpartition("=")[2]
            name = print_ if chosen == "colons" else print_.replace(":", "").lower()
        done = c.issue(HOST, more=["--force", "--preferred-chain", name]).ok()
        assert not warnings(done), done
        assert x509.verifies(c.path_of(HOST), c.ca.root_file(number)), (number, name)
        assert read(c.path_of(HOST, "chain.pem")).count("BEGIN CERTIFICATE") == 3


def test_a_chain_that_there_is_not_is_warned_of_and_the_first_is_taken(client):
    c = client(alternate_roots=1)
    done = c.issue(HOST, more=["--preferred-chain", "Nobody's Root"]).ok()
    assert "no chain that leads to \"Nobody's Root\"" in warnings(done)[0]
    assert x509.verifies(c.path_of(HOST), c.ca.root_file(0))


EAB = {"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W", "kid-2": "b10lLJs8l1GPIzsLP0s6pMt8O0XVGnfTaCeROxQM0BIt2XrJMDHJZBM5NuQmQJQH"}


def test_an_account_is_bound_to_one_that_the_ca_knows(client):
    c = client(eab=EAB)
    c.configure(acme__eab={"kid": "kid-1", "hmac_key": EAB["kid-1"]})
    c.issue(HOST).ok()
    c.installed(HOST, [HOST])


def test_without_a_binding_that_the_ca_wants_the_error_says_how(client):
    c = client(eab=EAB)
    refused(c.issue(HOST), USAGE, "EAB", hint="acme.eab.kid")
    c.nothing_installed(HOST)


@pytest.mark.parametrize("kid, key", [("kid-1", EAB["kid-2"]), ("kid-3", EAB["kid-1"])])
def test_a_wrong_binding_is_refused_by_the_ca(client, kid, key):
    c = client(eab=EAB)
    c.configure(acme__eab={"kid": kid, "hmac_key": key})
    done = refused(c.issue(HOST), CA_REFUSED, "the CA says")
    assert key not in done.stderr
    c.nothing_installed(HOST)


def test_a_profile_is_asked_for_and_one_that_there_is_not_is_refused_before_anything_is_sent(client):
    c = client(profiles={"short": 6 * 86400, "long": 90 * 86400})
    needs(c.ca, "profiles")
    c.issue(HOST, more=["--profile", "short"]).ok()
    assert re.search(r'"profile=short"', str(c.record(HOST)["settings"]).replace("'", '"'))
    assert 5 * 86400 < c.record(HOST)["not_after_s"] - time.time() < 7 * 86400
    c.ca.forget()
    refused(c.issue(HOST, more=["--profile", "shrot"]), CA_REFUSED, 'no profile "shrot"', hint='"short"')
    assert c.ca.count("POST", "/order-plz") == 0


@pytest.mark.parametrize("pauses", [{"authz": 1, "order": 1}, {"authz": 3, "order": 2}])
def test_pauses_that_the_ca_asks_for_are_made(client, pauses):
    c = client(retry_after=pauses, va_sleep=1)
    c.issue(HOST, "www.example.com").ok()
    polls = c.ca.count("POST", "/my-order/")
    assert polls <= 4, c.ca.requests()
    c.installed(HOST, [HOST, "www.example.com"])


def test_authorizations_that_are_valid_already_need_no_record(client):
    c = client(authz_reuse=100)
    c.issue(HOST).ok()
    before = len(c.lab.requests())
    c.issue(HOST, more=["--force"]).ok()
    assert len(c.lab.requests()) == before
    assert c.generation(HOST) == 2


@pytest.mark.parametrize("key_type, algorithm", [("rsa-2048", "rsaEncryption"), ("rsa-3072", "rsaEncryption"), ("ecdsa-p256", "prime256v1"),
                                                 ("ecdsa-p384", "secp384r1")])
def test_keys_of_each_type(client, key_type, algorithm):
    c = client()
    c.issue(HOST, more=["--key-type", key_type]).ok()
    assert algorithm in x509.text(c.path_of(HOST), "-text")
    c.installed(HOST, [HOST])


@pytest.mark.parametrize("key_type", ["ecdsa-p256", "ecdsa-p384", "rsa-2048"])
def test_account_keys_of_each_type(client, key_type):
    c = client(settings={"acme__account_key_type": key_type})
    c.issue(HOST).ok()
    c.installed(HOST, [HOST])


def test_a_csr_of_the_operators_is_used_as_it_is(client):
    c = client()
    key, csr = os.path.join(c.dir, "own.key"), os.path.join(c.dir, "own.csr")
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", csr, "-subj", "/",
            "-addext", f"subjectAltName=DNS:{HOST},DNS:www.example.com")
    c.run("issue", "--csr", csr).ok()
    assert x509.names(c.path_of(HOST)) == sorted([HOST, "www.example.com"])
    assert openssl("x509", "-in", c.path_of(HOST), "-noout", "-pubkey") == public_key_of_key(key)
    assert not os.path.exists(c.path_of(HOST, "privkey.pem"))
    refused(c.run("issue", "--csr", csr, "-d", "other.example.com", "--name", HOST), USAGE, "not for the names", hint="Leave out the domains")
    assert c.generation(HOST) == 1


def test_a_key_is_used_again_if_that_is_wanted(client):
    c = client()
    c.issue(HOST, more=["--reuse-key"]).ok()
    first = public_key_of_key(c.path_of(HOST, "privkey.pem"))
    c.run("renew", "--force").ok()
    assert c.generation(HOST) == 2 and public_key_of_key(c.path_of(HOST, "privkey.pem")) == first
    c.run("renew", "--force", "--reuse-key=false").ok()
    assert public_key_of_key(c.path_of(HOST, "privkey.pem")) != first
    own = os.path.join(c.dir, "own.key")
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", own)
    os.chmod(own, 0o600)
    c.issue(HOST, more=["--force", "--key", own]).ok()
    assert public_key_of_key(c.path_of(HOST, "privkey.pem")) == public_key_of_key(own)
    os.chmod(own, 0o644)
    refused(c.issue(HOST, more=["--force", "--key", own]), CONFIG, "can be read by everybody", hint=windows.word("chmod 600", "icacls"))


def test_other_forms_of_the_files(client):
    c = client()
    password = os.path.join(c.dir, "password")
    with open(os.open(password, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as f:
        f.write("correct horse\n")
    for more in (["--pfx"], ["--pfx", "--pfx-legacy"]):
        c.issue(HOST, more=["--force", "--combined", "--der", *more, "--pfx-password-file", password]).ok()
        assert read(c.path_of(HOST, "combined.pem")) == read(c.path_of(HOST)) + read(c.path_of(HOST, "privkey.pem"))
        assert openssl("x509", "-inform", "DER", "-in", c.path_of(HOST, "cert.der"), "-noout", "-pubkey") == public_key_of_key(
            c.path_of(HOST, "privkey.pem"))
        listed = openssl("pkcs12", "-in", c.path_of(HOST, "certificate.pfx"), "-passin", "pass:correct horse", "-nodes")
        assert listed.count(b"BEGIN CERTIFICATE") == 2 and b"PRIVATE KEY" in listed
        assert {mode(c.path_of(HOST, f)) for f in ("privkey.pem", "combined.pem", "certificate.pfx", "privkey.der")} == {0o600}
    c.installed(HOST, [HOST])


def test_a_group_may_read_the_key_and_nobody_else(client):
    if os.getuid() != 0:
        pytest.skip("optional: only root can give files to another group")
    c = client()
    c.issue(HOST, more=["--group", "daemon"]).ok()
    assert mode(c.path_of(HOST, "privkey.pem")) == 0o640
    if os.stat(c.path_of(HOST, "privkey.pem")).st_gid == os.stat("/").st_gid:
        pytest.skip("optional: the lab's user namespace has one group only")
    reads = "cat {} >/dev/null 2>&1 && echo yes || echo no"
    inside = c.lab.run(["setpriv", "--reuid=65534", "--regid=65534", "--groups=daemon", "sh", "-c", reads.format(c.path_of(HOST, "privkey.pem"))])
    outside = c.lab.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", reads.format(c.path_of(HOST, "privkey.pem"))])
    journal = c.lab.run(["setpriv", "--reuid=65534", "--regid=65534", "--groups=daemon", "ls", os.path.join(c.state, "journal")])
    work_is_open = c.lab.run(["setpriv", "--reuid=65534", "--regid=65534", "--groups=daemon", "ls", "-d", c.state]).returncode == 0
    assert outside.stdout == "no\n" and journal.returncode != 0
    if work_is_open:
        assert inside.stdout == "yes\n"


def test_a_dry_run_installs_nothing_and_leaves_the_state_alone(client):
    c = client()
    c.issue(HOST).ok()
    before = {name: sorted(os.listdir(os.path.join(c.state, name))) for name in ("accounts", "renewal", "orders", "archive/" + HOST)}
    ran = os.path.join(c.dir, "ran")
    c.configure(acme__deploy=["/bin/touch", ran])
    trial = c.lab.pebble()
    done = c.run("issue", "-d", HOST, "--dry-run", "--directory", trial.directory).ok()
    assert "nothing was changed" in done.stdout and trial.count("POST", "/finalize-order/") == 1
    assert {name: sorted(os.listdir(os.path.join(c.state, name))) for name in before} == before
    assert c.generation(HOST) == 1 and not os.path.exists(ran)
    c.run("renew", "--dry-run", "--directory", trial.directory).ok()
    assert c.generation(HOST) == 1
    c.clean()
    refused(c.run("issue", "-d", HOST, "--dry-run"), USAGE, "no staging directory is known", hint="--directory")


def test_one_that_is_there_is_not_issued_again_before_its_time(client):
    c = client()
    c.issue(HOST).ok()
    c.ca.forget()
    assert "--force gets another" in c.issue(HOST).ok().stdout
    assert c.ca.count("POST") == 0
    c.issue(HOST, "www.example.com").ok()
    assert c.generation(HOST) == 2
    c.installed(HOST, [HOST, "www.example.com"])


def test_a_report_in_json(client):
    c = client()
    made = document(c.issue(HOST, more=["--json"]).ok())["certificates"]
    assert [(m["name"], m["outcome"], m["domains"]) for m in made] == [(HOST, "issued", [HOST])]
    listed = document(c.run("list", "--json").ok())["certificates"]
    assert [(m["name"], m["path"]) for m in listed] == [(HOST, os.path.join(c.state, "certs", HOST))]
    shown = document(c.run("show", HOST, "--json").ok())
    assert shown["settings"]["key_type"] == {"value": "ecdsa-p256", "from": "default"}
    failed = c.issue("www.example.org", more=["--json"])
    assert failed.returncode == ZONE and document(failed)["certificates"][0]["outcome"] == "failed"


@pytest.mark.parametrize("names, says", [
    (["192.0.2.1"], "IP address"), (["2001:db8::1"], "IP address"), (["_x.example.com"], "_"), (["*.*.example.com"], "wildcard"),
    (["localhost"], "single label"), (["https://example.com"], "URL"), (["a@example.com"], "e-mail"), (["a..example.com"], "a..example.com"),
])
def test_names_that_can_not_be_had_are_explained_before_anything_is_asked(client, names, says):
    c = client()
    refused(c.issue(*names), USAGE, says)
    assert c.ca.count() == 0 and c.lab.requests() == []


def test_the_ca_that_blocks_a_name_is_quoted_with_the_name(client):
    c = client(blocklist=["blocked.example.com"])
    refused(c.issue(HOST, "blocked.example.com"), CA_REFUSED, "blocked.example.com")
    c.nothing_installed(HOST)


def test_terms_of_service_are_not_agreed_to_by_themselves(client):
    c = client()
    c.configure(acme__agree_tos=None)
    refused(c.issue(HOST), USAGE, "terms of service", "data:text/plain", hint="--agree-tos")
    assert c.ca.count("POST") == 0
    assert c.issue(HOST, more=["--agree-tos"]).returncode == OK


def test_two_at_once_on_one_certificate_get_one(client):
    c = client()
    c.run("account", "register").ok()
    both = [c.start("issue", "-d", HOST) for _ in range(2)]
    ends = [one.wait(90) for one in both]
    assert [e.returncode for e in ends] == [OK, OK], ends
    assert c.generation(HOST) == 1
    assert sorted("not due" in e.stdout for e in ends) == [False, True]


@pytest.mark.parametrize("challenge", ["dns-account-01", "dns-persist-01"])
def test_challenges_of_the_drafts(client, challenge):
    c = client()
    needs(c.ca, challenge)
    c.issue(HOST, more=["--challenge", challenge]).ok()
    assert x509.names(c.path_of(HOST)) == [HOST]
    if challenge == "dns-account-01":
        c.clean()
        return
    kept = [r for r in c.lab.txt() if "accounturi=" in str(r)]
    assert len(kept) == 1 and c.journal() == []
    before = len(c.lab.requests())
    c.run("renew", "--force").ok()  # what was given at issue is used again: no DNS change at all
    assert len(c.lab.requests()) == before and c.generation(HOST) == 2
    assert c.run("sweep").ok() and c.lab.txt() == kept
