"""A scripted ACME server: a CA that follows RFC 8555 to the letter, and breaks it where a test says so.

Pebble is somebody else's reading of the RFC and stays the judge of what is right.  This one is for what Pebble does not do:
answer wrongly, late, twice or not at all, at one endpoint, at the n-th request, and tell afterwards what it was asked.

What is there: directory, nonces, JWS with ES256, ES384, ES512, RS256, PS256 and EdDSA, accounts with external binding, key change
and deactivation, orders with profiles and `replaces`, authorizations that are looked up in DNS by the CA's resolver (dns-01,
dns-account-01, dns-persist-01), certificates of an own CA with a cross-signed alternate, revocation by either key, ARI.
What is not: http-01 (offered at most), newAuthz, IP identifiers, lists of orders, CAA, OCSP, CRLs, HTTP/2.

Endpoints, by the names that faults and the log have for them: directory, nonce, new-account, account, new-order, order, authz,
challenge, finalize, certificate, key-change, revoke, renewal-info.

Layout: settings (knobs), problem, jws (who signed), pki (the CA's keys and certificates, and what may be wrong with them), model
(accounts, orders ...), validate (the look into DNS), resources (endpoints), gate (what each POST must pass), fault (what goes
wrong), control (test port), server.  HTTP, journal and listeners are dmesim's.
"""
