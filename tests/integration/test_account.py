"""The account with a CA: how it is had, changed, lost and found again.  The CA is the scripted one, which knows what it was asked."""

import json
import os

import pytest

import windows
from acmesim_harness import b64
from program import CONFIG, USAGE, ZONE, refused, silent, warnings
from standalone import CA_REFUSED, Standalone, document, mode, read

HOST = "host.example.com"
EAB_KEY = b64(b"0123456789abcdef0123456789abcdef0123456789abcdef")


@pytest.fixture
def client(lab, acme_dme):
    made = Standalone(lab, acme_dme, lab.acmesim(), acme__timeout="2s", acme__give_up_after="3s", acme__poll_timeout="3s")
    yield made
    made.stop_all()


def files(client, ending):
    directory = os.path.join(client.state, "accounts")
    return sorted(os.path.join(directory, name) for name in os.listdir(directory) if name.endswith(ending))


def accounts(client):
    return client.ca.state()["accounts"]


def write(client, name, text, permissions=0o600):
    path = os.path.join(client.dir, name)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, permissions)
    return path


# -- having one -------------------------------------------------------------------------------------------------------


def test_it_is_made_once_and_needs_no_credentials_of_dns_made_easy(client):
    client.configure(credentials=None)
    first = client.run("account", "register", "--email", "a@example.com", "--email", "b@example.com").ok()
    assert accounts(client)[0]["url"] in first.stdout and accounts(client)[0]["contacts"] == ["mailto:a@example.com", "mailto:b@example.com"]
    client.run("account", "register").ok()
    assert len(accounts(client)) == 1 and client.lab.requests() == []
    assert [mode(path) for path in files(client, ".key")] == [0o600]
    assert "PRIVATE" not in read(files(client, ".json")[0])


def test_quiet_says_nothing(client):
    silent(client.run("-q", "account", "register"))


def test_it_is_shown_as_the_ca_has_it(client):
    client.run("account", "register", "--email", "a@example.com").ok()
    shown = document(client.run("account", "show", "--json").ok())
    assert shown == {"directory": client.ca.directory, "url": accounts(client)[0]["url"], "status": "valid", "contacts": ["mailto:a@example.com"],
                     "key_type": "ecdsa-p256"}


def test_each_ca_has_one_of_its_own(client):
    client.run("account", "register").ok()
    other = client.lab.pebble()
    client.run("account", "register", "--directory", other.directory).ok()
    assert len(files(client, ".key")) == 2 and len({read(path) for path in files(client, ".key")}) == 2
    client.ca.reset("log")
    assert other.directory in client.run("account", "show", "--directory", other.directory).ok().stdout
    assert client.ca.requests() == []


def test_no_address_is_sent_unless_one_is_given(client):
    client.run("account", "register").ok()
    assert "contact" not in json.loads(client.ca.requests("new-account")[0]["payload"]) or accounts(client)[0]["contacts"] == []
    refused(client.run("account", "update"), USAGE, "no address", hint="--email")


def test_an_address_that_the_ca_does_not_take_is_quoted(client):
    refused(client.run("account", "register", "--email", "nobody@localhost"), CA_REFUSED, "invalidContact")
    assert accounts(client) == []
    client.run("account", "register", "--email", "somebody@example.com").ok()
    assert len(accounts(client)) == 1


@pytest.mark.parametrize("words, says, hint", [
    ([], "register, show", None), (["registre"], "register, show", "account register"), (["import"], "import WHERE", "account import certbot:"),
    (["show", "more"], "register, show", None),
])
def test_the_command_line_is_explained(client, words, says, hint):
    refused(client.run("account", *words), USAGE, says, hint=hint)
    assert client.ca.requests() == []


# -- bound to another -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alg", ["hs256", "hs384", "hs512"])
@pytest.mark.parametrize("where", ["value", "file"])
def test_it_is_bound_with_each_mac(client, alg, where):
    client.ca.set(eab_required=True, eab={"kid-1": EAB_KEY})
    given = {"hmac_key": EAB_KEY} if where == "value" else {"hmac_key_file": write(client, "eab.key", EAB_KEY + "\n")}
    client.configure(acme__eab={"kid": "kid-1", "alg": alg, **given})
    client.run("account", "register").ok()
    binding = json.loads(client.ca.requests("new-account")[-1]["payload"])["externalAccountBinding"]
    assert set(binding) == {"protected", "payload", "signature"}
    done = client.run("account", "show")
    assert EAB_KEY not in done.stdout + done.stderr and all(EAB_KEY not in read(path) for path in files(client, ".json"))


def test_a_binding_is_given_on_the_command_line_too(client):
    client.ca.set(eab_required=True, eab={"kid-1": EAB_KEY})
    path = write(client, "eab.key", EAB_KEY)
    client.run("account", "register", "--eab-kid", "kid-1", "--eab-hmac-key-file", path).ok()
    assert len(accounts(client)) == 1


def test_a_key_that_others_can_read_is_refused(client):
    client.configure(acme__eab={"kid": "kid-1", "hmac_key_file": write(client, "eab.key", EAB_KEY, 0o644)})
    refused(client.run("account", "register"), CONFIG, "eab.key", hint=windows.word("chmod 600", "icacls"))
    assert client.ca.requests() == []


def test_the_accounts_key_must_not_be_readable_by_others(client):
    client.run("account", "register").ok()
    os.chmod(files(client, ".key")[0], 0o644)
    refused(client.run("account", "show"), CONFIG, files(client, ".key")[0], hint=windows.word("chmod 600", "icacls"))


# -- lost and found ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("damage", ["damaged", "gone"])
def test_with_the_key_alone_it_is_found_again(client, damage):
    client.run("account", "register").ok()
    path = files(client, ".json")[0]
    os.unlink(path)
    if damage == "damaged":
        write(client, path, "{")
    client.run("account", "register").ok()
    assert len(accounts(client)) == 1
    client.run("account", "show").ok()


def test_with_the_key_alone_an_issuance_finds_it_again(client):
    client.run("account", "register").ok()
    os.unlink(files(client, ".json")[0])
    client.issue(HOST).ok()
    assert len(accounts(client)) == 1


def test_one_that_the_ca_has_forgotten_is_said_and_can_be_replaced(client):
    client.run("account", "register").ok()
    client.ca.change("accounts", forget=True)
    refused(client.issue(HOST), CA_REFUSED, "accountDoesNotExist", hint="account deactivate")
    client.nothing_installed(HOST)
    client.run("account", "deactivate").ok()
    client.run("account", "register").ok()
    client.issue(HOST).ok()
    assert len(accounts(client)) == 1


def test_one_that_the_ca_has_deactivated_is_said(client):
    client.run("account", "register").ok()
    client.ca.change("accounts", set={"status": "deactivated"})
    refused(client.issue(HOST), CA_REFUSED, "deactivated")
    client.nothing_installed(HOST)


def test_after_its_deactivation_the_key_is_kept_and_the_next_account_has_another(client):
    client.run("account", "register").ok()
    key = read(files(client, ".key")[0])
    client.run("account", "deactivate").ok()
    assert files(client, ".key") == [] and [a["status"] for a in accounts(client)] == ["deactivated"]
    directory = os.path.join(client.state, "accounts")
    assert key in [read(os.path.join(directory, name)) for name in os.listdir(directory)]
    refused(client.run("account", "deactivate"), ZONE, "no account", hint="account register")
    client.run("account", "register").ok()
    assert read(files(client, ".key")[0]) != key


def test_one_that_the_ca_has_forgotten_is_deactivated_here(client):
    client.run("account", "register").ok()
    client.ca.change("accounts", forget=True)
    done = client.run("account", "deactivate").ok()
    assert "accountDoesNotExist" in warnings(done)[0] and files(client, ".key") == []


# -- another key ------------------------------------------------------------------------------------------------------


def test_the_old_key_opens_nothing_after_a_rollover(client):
    client.issue(HOST).ok()
    url, before = accounts(client)[0]["url"], read(files(client, ".key")[0])
    client.run("account", "rollover").ok()
    assert read(files(client, ".key")[0]) != before and accounts(client)[0]["url"] == url
    assert mode(files(client, ".key")[0]) == 0o600
    client.run("renew", "--force").ok()
    client.run("revoke", HOST).ok()
    assert len(accounts(client)) == 1


@pytest.mark.parametrize("key_type", ["rsa-2048", "ecdsa-p384"])
def test_a_rollover_brings_the_type_of_key_that_is_wanted(client, key_type):
    client.run("account", "register").ok()
    client.run("account", "rollover", "--account-key-type", key_type).ok()
    assert document(client.run("account", "show", "--json").ok())["key_type"] == key_type


def test_a_refused_rollover_leaves_the_key(client):
    client.run("account", "register").ok()
    before = read(files(client, ".key")[0])
    client.ca.fault("key-change", "problem", type="malformed", detail="no other key here")
    refused(client.run("account", "rollover"), CA_REFUSED, "no other key here")
    assert read(files(client, ".key")[0]) == before
    client.issue(HOST).ok()
