"""The simulator is faithful: other programs' own DNS Made Easy clients, unmodified, work against it."""

import json
import os
import shutil
import stat

import pytest

from lab import binaries, plan, x509

LEGO = binaries.versions("lego")
EXAMPLE_HOOK = "/usr/share/doc/lexicon/examples/dehydrated.default.sh"
OWN_HOOK = os.path.join(os.path.dirname(binaries.__file__), "lexicon-hook")


def need(name, optional=False):
    path = binaries.find(name)
    if not path:
        pytest.skip(("optional: " if optional else "") + f"{name} is not installed")
    return path


@pytest.fixture(params=LEGO or [("none", None)], ids=lambda v: v[0].replace(" ", "-"))
def lego(request):
    if not request.param[1]:
        pytest.skip("lego is not installed")
    return request.param[1]


def run_lego(lab, lego, names):
    home = lab.new_dir("lego")
    argv = [lego, "--server", lab.acme_dir, "--accept-tos", "--email", "admin@example.com", "--path", home, "--dns", "dnsmadeeasy",
            "--dns.resolvers", lab.resolver + ":53"]
    for name in names:
        argv += ["-d", name]
    env = {"DNSMADEEASY_API_KEY": lab.api_key, "DNSMADEEASY_API_SECRET": lab.api_secret, "LEGO_CA_CERTIFICATES": lab.ca_file,
           "DNSMADEEASY_POLLING_INTERVAL": "1", "DNSMADEEASY_PROPAGATION_TIMEOUT": "30"}
    lab.run([*argv, "run"], env=env, timeout=90).ok()
    return os.path.join(home, "certificates", names[0].replace("*", "_") + ".crt")


def refused(lab):
    return [r for r in lab.requests() if r["status"] in (400, 403)]


def test_lego_gets_a_certificate_for_a_name_with_its_own_provider(lab, lego):
    cert = run_lego(lab, lego, ["host.example.com"])
    assert x509.names(cert) == ["host.example.com"]
    assert x509.verifies(cert, lab.acme_root())
    assert lab.txt() == []
    assert refused(lab) == []
    assert len(lab.requests()) == 5


def test_lego_gets_a_certificate_for_apex_and_wildcard_with_its_own_provider(lab, lego):
    cert = run_lego(lab, lego, ["example.com", "*.example.com"])
    assert x509.names(cert) == ["*.example.com", "example.com"]
    assert lab.txt() == []
    assert refused(lab) == []


def lexicon(lab, *args, key=None):
    path = need("lexicon", optional=True)
    env = {"LEXICON_DNSMADEEASY_USERNAME": key or lab.api_key, "LEXICON_DNSMADEEASY_TOKEN": lab.api_secret}
    return lab.run([path, "dnsmadeeasy", *args], env=env)


def test_lexicon_creates_lists_and_deletes_a_record(lab):
    name = "_acme-challenge.host.example.com"
    assert "True" in lexicon(lab, "create", "example.com", "TXT", "--name", name, "--content", "lexicon-value").ok().stdout
    assert lab.txt() == [(name, "lexicon-value")]
    # Older systems: noise about the public suffix list comes first.
    listed = json.loads(lexicon(lab, "list", "example.com", "TXT", "--output", "JSON").ok().stdout.splitlines()[-1])
    assert [(r["name"], r["content"].strip('"')) for r in listed] == [(name, "lexicon-value")]
    lab.wait_published()
    for server in lab.nameservers:
        assert lab.dig(server, name)["answer"] == ["lexicon-value"], server
    lexicon(lab, "delete", "example.com", "TXT", "--name", name, "--content", "lexicon-value").ok()
    assert lab.txt() == []


def test_lexicon_takes_the_duplicate_answer_for_success(lab):
    args = ["create", "example.com", "TXT", "--name", "twice", "--content", "same"]
    lexicon(lab, *args).ok()
    assert "True" in lexicon(lab, *args).ok().stdout
    assert [(r["status"], r["error"]) for r in lab.requests() if r["status"] == 400][0][1].startswith("Record with this type (TXT)")
    assert lab.txt() == [("twice.example.com", "same")]


def test_lexicon_updates_a_record_by_id(lab):
    number = lab.add_txt("example.com", "old", "before")
    lexicon(lab, "update", "example.com", "TXT", "--identifier", str(number), "--name", "old", "--content", "after").ok()
    assert lab.txt() == [("old.example.com", "after")]


def test_lexicon_is_refused_with_an_unknown_key(lab):
    done = lexicon(lab, "list", "example.com", "TXT", key="00000000-0000-4000-8000-000000000000")
    assert done.returncode != 0
    assert [r["status"] for r in lab.requests()] == [403]


def test_dehydrated_gets_a_certificate_through_lexicon(lab):
    dehydrated, _ = need("dehydrated"), need("lexicon", optional=True)
    base = lab.new_dir("dehydrated")
    hook, config = os.path.join(base, "hook.sh"), os.path.join(base, "config")
    shutil.copyfile(EXAMPLE_HOOK if os.path.exists(EXAMPLE_HOOK) else OWN_HOOK, hook)
    os.chmod(hook, stat.S_IRWXU)
    with open(config, "w", encoding="utf-8") as f:
        f.write(f'CA="{plan.ACME_DIR}"\nBASEDIR="{base}"\nCONTACT_EMAIL="admin@example.com"\nCHALLENGETYPE="dns-01"\nHOOK="{hook}"\n'
                'HOOK_CHAIN="yes"\nKEY_ALGO="prime256v1"\n')
    env = {"PROVIDER": "dnsmadeeasy", "PROVIDER_UPDATE_DELAY": "2", "LEXICON_DNSMADEEASY_USERNAME": lab.api_key,
           "LEXICON_DNSMADEEASY_TOKEN": lab.api_secret}
    lab.run([dehydrated, "-f", config, "--register", "--accept-terms"], env=env).ok()
    lab.run([dehydrated, "-f", config, "-c", "-d", "example.com", "-d", "*.example.com"], env=env, timeout=120).ok()
    assert x509.names(os.path.join(base, "certs", "example.com", "cert.pem")) == ["*.example.com", "example.com"]
    assert lab.txt() == []
    assert refused(lab) == []
