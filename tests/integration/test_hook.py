"""What each ACME client hands over, word for word, and what it must get back; for all clients, those that can't be had here, too."""

import base64
import hashlib
import os

import pytest

from program import NAME, OK, USAGE, VALUE, refused, silent

DASHED = "-hLhbbbR7x9kYh1ZQO0AOrBFUfTBOxjTRmqhdmwUbJA"
OPTION = "--help"  # no client sends it; whatever stands behind a verb is no option
TOKEN = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJyPCt92wr-oA"
THUMBPRINT = "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"
KEYAUTH = f"{TOKEN}.{THUMBPRINT}"
HOST, RECORD = "host.example.com", NAME
FOREIGN = "some other program's"


def certbot(value):
    env = {"CERTBOT_DOMAIN": HOST, "CERTBOT_IDENTIFIER": HOST, "CERTBOT_VALIDATION": value, "CERTBOT_ALL_DOMAINS": HOST,
           "CERTBOT_ALL_IDENTIFIERS": HOST, "CERTBOT_REMAINING_CHALLENGES": "0"}
    return ["auth"], ["cleanup"], env, {"CERTBOT_AUTH_OUTPUT": ""}


# client -> (argv that publishes, argv that withdraws, environment of both, environment of the withdrawal alone), for one value
CONTRACTS = {
    "certbot": certbot,
    "lego": lambda v: (["present", RECORD + ".", v], ["cleanup", RECORD + ".", v], {}, {}),
    "win-acme": lambda v: (["create", HOST, RECORD, v], ["delete", HOST, RECORD, v], {}, {}),
    "dehydrated": lambda v: (["deploy_challenge", HOST, TOKEN, v], ["clean_challenge", HOST, TOKEN, v], {"COMMAND": "sign_domains", "ALPNCERTDIR": "/x"}, {}),
    "uacme-done": lambda v: (["begin", "dns-01", HOST, TOKEN, v], ["done", "dns-01", HOST, TOKEN, v], {"UACME_TYPE": "dns-01"}, {}),
    "uacme-failed": lambda v: (["begin", "dns-01", HOST, TOKEN, v], ["failed", "dns-01", HOST, TOKEN, v], {"UACME_TYPE": "dns-01"}, {}),
    "acmetool": lambda v: (["challenge-dns-start", HOST, "desired-target", v, ""], ["challenge-dns-stop", HOST, "desired-target", v, ""],
                           {"ACME_STATE_DIR": "/var/lib/acme"}, {}),
    "mod_md-2": lambda v: (["setup", HOST, v], ["teardown", HOST, v], {}, {}),
    "mod_md-1": lambda v: (["setup", HOST, v], ["teardown", HOST], {}, {}),
    "add-record": lambda v: (["add-record", RECORD, v], ["del-record", RECORD, v], {}, {}),
    "add-domain": lambda v: (["add-domain", HOST, v], ["del-domain", HOST, v], {}, {}),
}
EACH = pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)


def shown(lab, name=NAME):
    """What each name server says, side by side."""
    return [lab.dig(server, name)["answer"] for server in lab.nameservers]


@EACH
@pytest.mark.parametrize("value", [VALUE, DASHED, OPTION], ids=["value", "dashed", "like-an-option"])
def test_a_client_publishes_waits_and_withdraws_without_a_word(lab, program, contract, value):
    publish, withdraw, env, more = contract(value)
    silent(program.run(*publish, env=env))
    assert lab.txt() == [(NAME, value)]
    assert shown(lab) == [[value]] * len(lab.nameservers)
    silent(program.run(*withdraw, env={**env, **more}))
    program.clean()
    assert len(lab.requests()) == 3


@EACH
def test_another_value_at_the_same_name_is_nobodys_business(lab, program, contract):
    """Base and wildcard have one name: two values of ours, and a stranger's."""
    lab.set_lag(0)
    lab.add_txt("example.com", "_acme-challenge.host", FOREIGN)
    first, second = contract(VALUE), contract(DASHED)
    silent(program.run(*first[0], env=first[2]))
    silent(program.run(*second[0], env=second[2]))
    assert lab.txt() == sorted([(NAME, VALUE), (NAME, DASHED), (NAME, FOREIGN)])
    silent(program.run(*first[1], env={**first[2], **first[3]}))
    if contract is CONTRACTS["mod_md-1"]:  # it does not tell the value: both of ours
        return program.clean([(NAME, FOREIGN)])
    assert lab.txt() == sorted([(NAME, DASHED), (NAME, FOREIGN)])
    silent(program.run(*second[1], env={**second[2], **second[3]}))
    return program.clean([(NAME, FOREIGN)])


@EACH
def test_a_cleanup_of_what_is_not_there_is_success(lab, program, contract):
    """lego and certbot clean up after a failed call, dehydrated ends its run if that fails, getssl adds twice."""
    lab.set_lag(0)
    lab.add_txt("example.com", "_acme-challenge.host", FOREIGN)
    publish, withdraw, env, more = contract(VALUE)
    silent(program.run(*withdraw, env={**env, **more}))
    silent(program.run(*publish, env=env))
    silent(program.run(*publish, env=env))
    assert lab.txt() == sorted([(NAME, VALUE), (NAME, FOREIGN)])
    silent(program.run(*withdraw, env={**env, **more}))
    silent(program.run(*withdraw, env={**env, **more}))
    program.clean([(NAME, FOREIGN)])


@EACH
def test_a_cleanup_works_without_the_journal_of_the_call_before(lab, program, contract):
    """A container that was thrown away: name and value are all there is.  Without a value nothing of ours is known."""
    lab.set_lag(0)
    lab.add_txt("example.com", "_acme-challenge.host", FOREIGN)
    publish, withdraw, env, more = contract(VALUE)
    silent(program.run(*publish, env=env))
    program.configure(state_dir=os.path.join(program.dir, "another"))
    silent(program.run(*withdraw, env={**env, **more}))
    knows_value = contract is not CONTRACTS["mod_md-1"]
    assert lab.txt() == sorted([(NAME, FOREIGN)] + ([] if knows_value else [(NAME, VALUE)]))
    assert lab.state()["wipes"] == 0


@pytest.mark.parametrize("token", [TOKEN, "-" + TOKEN[1:], "--no-wait"], ids=["token", "dashed", "like-an-option"])
def test_lego_raw_sends_the_key_authorization_and_its_digest_is_published(lab, program, token):
    keyauth = f"{token}.{THUMBPRINT}"
    digest = base64.urlsafe_b64encode(hashlib.sha256(keyauth.encode()).digest()).rstrip(b"=").decode()
    silent(program.run("present", "--", HOST, token, keyauth))
    assert lab.txt() == [(NAME, digest)]
    assert shown(lab) == [[digest]] * len(lab.nameservers)
    silent(program.run("cleanup", "--", HOST, token, keyauth))
    program.clean()


def test_dehydrated_sends_a_whole_chain_and_all_of_it_is_one_batch(lab, program):
    chain = ["example.com", "T1", "-one", "example.com", "T2", "two", "www.sub.example.com", "T3", "three", "Example.NET", "T4", "--four"]
    silent(program.run("deploy_challenge", *chain))
    assert lab.txt() == sorted([("_acme-challenge.example.com", "-one"), ("_acme-challenge.example.com", "two"),
                                ("_acme-challenge.www.sub.example.com", "three"), ("_acme-challenge.example.net", "--four")])
    assert sorted(r["method"] for r in lab.requests()) == ["GET"] * 3 + ["POST"] * 3
    silent(program.run("clean_challenge", *chain))
    program.clean()
    assert sorted(r["method"] for r in lab.requests()) == ["DELETE"] * 3 + ["GET"] * 3 + ["POST"] * 3


@pytest.mark.parametrize("names, suffix", [
    (("acme-dme-create.exe", "acme-dme-delete.exe"), ""),
    (("acme-dme-create", "acme-dme-delete"), " "),
    (("acme-dme-add", "acme-dme-del"), ""),
], ids=["exe", "plain", "short"])
def test_certify_calls_two_names_of_the_program(lab, program, names, suffix):
    for value in (VALUE, DASHED):
        silent(program.lab.run([program.named(names[0]), HOST, RECORD, value, "6871000"], env=program.env()))
    assert lab.txt() == sorted([(NAME, VALUE), (NAME, DASHED)])
    silent(program.lab.run([program.named(names[1]), HOST, RECORD, VALUE, suffix], env=program.env()))
    silent(program.lab.run([program.named(names[1]), HOST, RECORD, DASHED], env=program.env()))
    program.clean()


@pytest.mark.parametrize("given", ["HOST.Example.COM", "host.example.com.", "*.host.example.com", "*.HOST.example.com."])
def test_a_domain_is_taken_in_every_form(lab, program, given):
    silent(program.run("add-domain", given, VALUE))
    assert lab.txt() == [(NAME, VALUE)]
    silent(program.run("del-domain", "host.example.com", VALUE))
    program.clean()


@pytest.mark.parametrize("given, record", [
    ("_acme-challenge.Host.Example.com", NAME),
    ("_ACME-CHALLENGE.host.example.com.", NAME),
    ("_acme-challenge-shop.example.net", "_acme-challenge-shop.example.net"),
    ("target.example.net.", "target.example.net"),
    ("example.net", "example.net"),
], ids=["case", "dot", "target", "target-dot", "apex"])
def test_a_record_name_is_taken_as_it_is(lab, program, given, record):
    silent(program.run("add-record", given, VALUE))
    assert lab.txt() == [(record, VALUE)]
    silent(program.run("del-record", given, VALUE))
    program.clean()


def test_a_domain_that_begins_with_the_prefix_still_gets_one(lab, program):
    silent(program.run("add-domain", "_acme-challenge.example.com", VALUE))
    assert lab.txt() == [("_acme-challenge._acme-challenge.example.com", VALUE)]


@pytest.mark.parametrize("argv, env, status", [
    (["this_hookscript_is_broken__dehydrated_is_working_fine__please_ignore_unknown_hooks_in_your_script"], {}, 0),
    (["startup_hook"], {}, 0),
    (["generate_csr", "example.com", "/certs/example.com", "example.com www.example.com"], {}, 0),
    (["sync_cert", "k", "c", "f", "ch", "r"], {}, 0),
    (["deploy_cert", "example.com", "k", "c", "f", "ch", "1"], {}, 0),
    (["unchanged_cert", "example.com", "k", "c", "f", "ch"], {}, 0),
    (["deploy_ocsp", "example.com", "o", "1"], {}, 0),
    (["invalid_challenge", "example.com", '{"type": "x",\n "detail": "-y"}'], {}, 0),
    (["request_failure", "500", "reason", "POST", "h: 1\n"], {}, 0),
    (["exit_hook"], {}, 0),
    (["exit_hook", "some error"], {}, 0),
    (["an_event_of_tomorrow", "x"], {"COMMAND": "sign_domains", "ALPNCERTDIR": "/x"}, 0),
    (["begin", "http-01", HOST, TOKEN, KEYAUTH], {}, 1),
    (["begin", "tls-alpn-01", HOST, TOKEN, "x"], {}, 1),
    (["begin", "dns-persist-01", HOST, "", ""], {}, 1),
    (["done", "http-01", HOST, TOKEN, KEYAUTH], {}, 0),
    (["challenge-http-start", HOST, "target", "f"], {"ACME_STATE_DIR": "/x"}, 42),
    (["challenge-http-stop", HOST, "target", "f"], {"ACME_STATE_DIR": "/x"}, 42),
    (["challenge-tls-sni-start", HOST, "target", "a", "b"], {"ACME_STATE_DIR": "/x"}, 42),
    (["live-updated"], {"ACME_STATE_DIR": "/x"}, 42),
    (["an-event-of-tomorrow"], {"ACME_STATE_DIR": "/x"}, 42),
], ids=lambda v: v[0][:24] if isinstance(v, list) else None)
def test_an_event_that_is_not_ours_gets_the_answer_its_client_wants(lab, program, argv, env, status):
    done = program.run(*argv, env=env)
    assert (done.returncode, done.stdout, done.stderr) == (status, "", ""), done
    assert lab.requests() == []


@pytest.mark.parametrize("argv", [["startup_hook"], ["deploy_cert", "a", "b", "c", "d", "e", "1"], ["begin", "http-01", HOST, TOKEN, "x"],
                                  ["live-updated"]], ids=lambda v: v[0])
def test_an_event_that_is_not_ours_needs_no_configuration(lab, program, argv):
    done = lab.run([program.path, *argv], env={"ACME_DME_CONFIG": "/does/not/exist", "ACME_STATE_DIR": "/x" if argv[0] == "live-updated" else None})
    assert done.returncode in (0, 1, 42) and done.stderr == "", done


def test_acme_sh_hands_over_the_users_case_and_two_values(lab, program):
    name = "_acme-challenge.Host.Example.com"
    for value in (VALUE, DASHED):
        silent(program.run("add-record", name, value))
    for value in (VALUE, DASHED):
        silent(program.run("del-record", name, value))
    program.clean()


def test_posh_acme_saves_all_in_one_call(lab, program):
    pairs = ["_acme-challenge.example.com", VALUE, "_acme-challenge.example.com", DASHED, "alias.example.net", VALUE]
    silent(program.run("add-record", *pairs))
    assert len(lab.txt()) == 3
    assert sorted(r["method"] for r in lab.requests()) == ["GET", "GET", "POST", "POST"]
    silent(program.run("del-record", *pairs))
    program.clean()


def test_getssl_takes_away_and_adds_again_while_it_waits(lab, program):
    """DNS_WAIT_RETRY_ADD=true."""
    for verb in ("add-domain", "del-domain", "add-domain", "add-domain", "del-domain"):
        silent(program.run(verb, HOST, VALUE))
    program.clean()


def test_lego_finds_its_variables_and_certbots_in_one_environment(lab, program):
    """A deploy hook of certbot that runs lego hands CERTBOT_* on: the number of arguments counts, not the environment."""
    env = {"CERTBOT_DOMAIN": "www.example.net", "CERTBOT_VALIDATION": "certbots", "CERTBOT_REMAINING_CHALLENGES": "0"}
    silent(program.run("present", NAME + ".", VALUE, env=env))
    assert lab.txt() == [(NAME, VALUE)]
    silent(program.run("cleanup", NAME + ".", VALUE, env=env))
    program.clean()


def test_certbot_before_5_3_names_fewer_variables(lab, program):
    env = {"CERTBOT_DOMAIN": HOST, "CERTBOT_VALIDATION": VALUE}
    silent(program.run("auth", env=env))
    assert shown(lab) == [[VALUE]] * len(lab.nameservers)
    silent(program.run("cleanup", env=dict(env, CERTBOT_AUTH_OUTPUT="")))
    program.clean()


def test_certbots_output_of_another_certificate_does_not_turn_auth_into_cleanup(lab, program):
    """certbot renew: CERTBOT_AUTH_OUTPUT of the first certificate is still set when the second one's auth hook runs."""
    silent(program.run("auth", env={"CERTBOT_DOMAIN": HOST, "CERTBOT_VALIDATION": VALUE, "CERTBOT_AUTH_OUTPUT": "something"}))
    assert lab.txt() == [(NAME, VALUE)]


@pytest.mark.parametrize("argv", [
    ["auth", "extra"], ["present", NAME], ["present", NAME, VALUE, "extra"], ["present", "--", HOST, TOKEN], ["cleanup", NAME],
    ["create", HOST, NAME], ["delete"], ["deploy_challenge", HOST, TOKEN], ["deploy_challenge", HOST, TOKEN, VALUE, HOST],
    ["clean_challenge"], ["begin", "dns-01", HOST, TOKEN], ["done", "dns-01"], ["challenge-dns-start", HOST, "t"],
    ["challenge-dns-start", HOST, "t", VALUE, "wildcard", "extra"], ["setup", HOST], ["setup", HOST, VALUE, "extra"], ["teardown"],
    ["add-record", NAME], ["add-record", NAME, VALUE, NAME], ["del-record"], ["add-domain", HOST], ["del-domain", HOST],
], ids=" ".join)
def test_missing_or_extra_arguments_are_refused_with_what_the_client_would_send(lab, program, argv):
    refused(program.run(*argv), USAGE, f'"{argv[0]}"', hint=argv[0])
    assert lab.requests() == []


def test_certify_without_its_arguments_is_refused(lab, program):
    refused(program.lab.run([program.named("acme-dme-create"), HOST, NAME], env=program.env()), USAGE, hint="RECORD VALUE")
    assert lab.requests() == []


def test_extra_arguments_of_a_later_win_acme_are_ignored(lab, program):
    assert silent(program.run("create", HOST, NAME, VALUE, "something new")).returncode == OK
    silent(program.run("delete", HOST, NAME, VALUE, "something new"))
    program.clean()


@pytest.mark.parametrize("argv", [[], ["no-such-verb", "x"], ["--no-such-option", "auth"], ["Present", NAME, VALUE]],
                         ids=["nothing", "verb", "option", "case"])
def test_an_unknown_verb_is_refused(lab, program, argv):
    done = program.run(*argv)
    assert done.returncode == USAGE and done.stdout == "", done
    assert lab.requests() == []
