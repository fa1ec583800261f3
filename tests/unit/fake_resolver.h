/* SPDX-License-Identifier: MIT
 *
 * A small world of DNS for fake_dns: name servers that serve zones whose TXT records are those of the fake
 * API, each with a lag of its own; delegations, CNAMEs, silence; and a recursive resolver that sees all of it, or an
 * inside view.  Answers take a few milliseconds of the fake clock, and questions can be made to fail one by one.
 *
 *     struct fake_resolver *dns = fake_resolver_new(&clock, api);
 *     struct fake_server *ns1 = fake_resolver_add_server(dns, "ns1.dme.test", "192.0.2.1");
 *     fake_server_serve(ns1, "example.com");
 *     ns1->lag_ms = 5000;
 *
 * A zone that any server serves exists.  A server that is asked for a name in a zone below those it serves refers
 * there.
 */
#ifndef ACME_DME_TESTS_UNIT_FAKE_RESOLVER_H
#define ACME_DME_TESTS_UNIT_FAKE_RESOLVER_H

#include "dns/resolver.h"
#include "fake_api.h"
#include "fake_dns.h"

enum fake_mood { FAKE_SERVER_FINE, FAKE_SERVER_SILENT, FAKE_SERVER_REFUSES, FAKE_SERVER_UNREACHABLE };

struct fake_server {
    const char *name;    /* all strings here are literals of the test */
    const char *address; /* NULL: it has none in DNS */
    const char *zones[32];
    size_t zone_count;
    uint32_t serial; /* of all its zones */
    int64_t lag_ms;  /* after the API; FAKE_NEVER: it shows nothing that came by the API */
    bool is_inside;  /* not part of the public tree (split horizon) */
    enum fake_mood mood;
};

#define FAKE_NEVER INT64_MAX

/* A record beside those of the API, the same at every server; "*.x" is a wildcard. */
struct fake_rr {
    const char *owner;
    enum dns_type type;
    const char *text;
};

struct fake_question {
    char name[80];
    enum dns_type type;
    char server[16]; /* "": the recursive resolvers */
};

struct fake_resolver {
    struct fake_dns *questions;
    struct fake_clock *clock;
    struct fake_api *api;
    struct fake_server servers[12];
    size_t server_count;
    struct fake_rr records[256];
    size_t record_count;
    struct fake_rr inside[24]; /* what the recursive resolver says instead (split horizon) */
    size_t inside_count;
    int64_t round_trip_ms;
    struct fake_question asked[600]; /* what does not fit is counted only */
    size_t asked_count;
    size_t names_spoilt; /* recursive questions for a name that begins with "_", which the cache then denies */
    enum err_code fault; /* ERR_TIMEOUT, ERR_NETWORK, ERR_DNS; ERR_SERVER stands for SERVFAIL */
    size_t fault_first, fault_count;
    /* Set: a DoH server in front of that one's world; it takes no questions for a server. */
    const struct fake_resolver *doh_of;
};

struct fake_resolver *fake_resolver_new(struct fake_clock *clock, struct fake_api *api) MUST_USE;
struct resolver *fake_resolver_base(struct fake_resolver *dns);
/* Fails the test when questions are still open. */
void fake_resolver_free(struct fake_resolver *dns);

struct fake_server *fake_resolver_add_server(struct fake_resolver *dns, const char *name, const char *address);
void fake_server_serve(struct fake_server *server, const char *zone);
void fake_resolver_add(struct fake_resolver *dns, const char *owner, enum dns_type type, const char *text);
/* Split horizon: SOA (text unused), NS and A as the inside resolver has them; of several that fit the first counts. */
void fake_resolver_add_inside(struct fake_resolver *dns, const char *owner, enum dns_type type, const char *text);

/* From question `first` (from 0, counted over the life of the resolver) on, `count` questions fail. */
void fake_resolver_fail(struct fake_resolver *dns, enum err_code fault, size_t first, size_t count);

/* Questions so far to that server ("": the recursive resolvers; NULL: any) of that type. */
size_t fake_resolver_count(const struct fake_resolver *dns, const char *server, enum dns_type type);

#endif
