"""The CA's look into DNS, by a resolver of its own."""

import base64
import hashlib
import time

import dns.asyncquery
import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype

from .jws import encode, thumbprint
from .problem import document


def account_label(account_url):
    """draft-ietf-acme-dns-account-label-03."""
    return "_" + base64.b32encode(hashlib.sha256(account_url.encode()).digest()[:10]).decode().lower()


class Lookup(Exception):
    """DNS has no answer."""


async def texts(resolver, name):
    """The values of all TXT records at NAME, or where its aliases lead."""
    query = dns.message.make_query(name, "TXT")
    try:
        answer, _ = await dns.asyncquery.udp_with_fallback(query, resolver, timeout=5)
    except (dns.exception.DNSException, OSError) as error:
        raise Lookup(f"DNS problem: looking up TXT for {name}: {error or type(error).__name__}") from None
    if answer.rcode() != dns.rcode.NOERROR:
        raise Lookup(f"DNS problem: {dns.rcode.to_text(answer.rcode())} looking up TXT for {name}")
    return [b"".join(rdata.strings).decode("utf-8", "replace") for rrset in answer.answer if rrset.rdtype == dns.rdatatype.TXT for rdata in rrset]


def persist_error(text, issuers, account_url, wildcard):
    """Why a record of draft-ietf-acme-dns-persist-01 does not serve; None: it does."""
    issuer, *parameters = [part.strip() for part in text.split(";")]
    known = {}
    for parameter in parameters:
        tag, equals, value = parameter.partition("=")
        if not equals or tag.strip().lower() in known:
            return "malformed record"
        known[tag.strip().lower()] = value.strip()
    if issuer.lower() not in issuers:
        return "another issuer"
    if known.get("accounturi") != account_url:
        return "another account"
    if wildcard and known.get("policy", "").lower() != "wildcard":
        return "no policy=wildcard"
    if "persistuntil" in known and int(known["persistuntil"]) < time.time():
        return "it has expired"
    return None


async def _persist(challenge, account_url, settings):
    authz = challenge.authz
    name = f"_validation-persist.{authz.domain}"
    found = await texts(settings.resolver, name)
    errors = [persist_error(text, settings.issuers, account_url, authz.wildcard) for text in found]
    if None in errors:
        return None
    return document("unauthorized", f"no TXT record at {name} serves: {', '.join(errors) or 'there is none'}", status=403)


async def challenge_error(challenge, account_url, settings):
    """None: it is met; else the problem document."""
    if settings.validation == "always":
        return None
    if settings.validation != "really":
        return document(settings.validation, settings.validation_detail, status=403)
    authz = challenge.authz
    try:
        if challenge.type == "dns-persist-01":
            return await _persist(challenge, account_url, settings)
        if challenge.type not in ("dns-01", "dns-account-01"):
            return document("connection", f"no {challenge.type} here", status=400)
        label = account_label(account_url) + "." if challenge.type == "dns-account-01" else ""
        name = f"{label}_acme-challenge.{authz.domain}"
        authorization = f"{challenge.token}.{thumbprint(authz.account.jwk)}"
        wanted = encode(hashlib.sha256(authorization.encode()).digest())
        found = await texts(settings.resolver, name)
    except Lookup as error:
        return document("dns", str(error), status=400)
    if wanted in found:
        return None
    if not found:
        return document("unauthorized", f"No TXT record found at {name}", status=403)
    return document("unauthorized", f'Incorrect TXT record "{found[0]}" (and {len(found) - 1} more) found at {name}', status=403)
