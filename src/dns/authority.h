/* SPDX-License-Identifier: MIT
 *
 * Who is authoritative: finding the zone that a name is in, its servers and their addresses, and asking those servers
 * directly what stands at a name.  A recursive resolver is never asked about the record that is to be published: its
 * "no such name" would be remembered (RFC 2308) and shown to others for minutes.
 */
#ifndef ACME_DME_DNS_AUTHORITY_H
#define ACME_DME_DNS_AUTHORITY_H

#include "dns/resolver.h"

/* A name server and its addresses ("192.0.2.1" or "192.0.2.1:53" form, IPv6 in brackets when a port follows). */
struct dns_server {
    char *name;
    struct strlist addresses;
};

struct dns_servers {
    struct dns_server *items;
    size_t count;
};

void dns_servers_add(struct dns_servers *servers, const char *name, const char *address); /* address may be NULL */
void dns_servers_done(struct dns_servers *servers);
void dns_servers_copy(struct dns_servers *out, const struct dns_servers *in);
#define AUTO_DNS_SERVERS AUTO(dns_servers_done)

/* Ask the recursive resolvers for the SOA of `name` and tell the zone it is in: *out is the owner of the SOA, found
 * in the answer or in the authority section, which must be `name` or above it.  Leading labels that begin with "_" are
 * left out: they are where records get published, and the resolvers would remember that nothing is there yet.  So a
 * zone cut at such a label is not seen here but by authority_look().
 * Errors: ERR_DNS (no such answer), ERR_TIMEOUT, ERR_NETWORK, ERR_CANCELLED. */
enum err_code authority_find_zone(struct resolver *resolver, const char *name, char **out, struct err *err) MUST_USE;

/* NS of `zone` with A and AAAA of each, through the recursive resolvers, side by side.  Servers without any address
 * are in the list with none.
 * Errors: ERR_DNS (no NS), ERR_TIMEOUT, ERR_NETWORK, ERR_CANCELLED. */
enum err_code authority_find_servers(struct resolver *resolver, const char *zone, struct dns_servers *out,
                                     struct err *err) MUST_USE;

/* The same for many zones side by side. */
struct authority_zone {
    const char *name;           /* borrowed */
    struct dns_servers servers; /* out, to be freed */
    struct err err;             /* out: ERR_OK, or why there are none, as authority_find_servers() */
};

/* Errors: ERR_CANCELLED, ERR_INTERNAL; then nothing is to be freed. */
enum err_code authority_find_servers_all(struct resolver *resolver, struct authority_zone *zones, size_t count,
                                         struct err *err) MUST_USE;

/* A and AAAA of servers whose names are known, added to what they have, as above.  Errors: those of the look-ups when
 * no server has any address, ERR_CANCELLED, ERR_INTERNAL. */
enum err_code authority_find_addresses(struct resolver *resolver, struct dns_servers *servers,
                                       struct err *err) MUST_USE;

/* What the servers of a zone say about a name. */
enum authority_kind {
    AUTHORITY_HERE,      /* the servers answer for the name themselves; `zone` is the zone they take it from, or
                            NULL when the answer does not tell */
    AUTHORITY_ALIAS,     /* CNAME; `target` */
    AUTHORITY_DELEGATED, /* at or below a zone cut: `zone` is served elsewhere by `servers` (glue addresses if given,
                            none otherwise: see authority_find_servers()).  Callers that follow make sure that each
                            `zone` is below the last one */
};

struct authority_view {
    enum authority_kind kind;
    char *zone;
    char *target;
    struct dns_servers servers;
};

/* Ask the servers for CNAME at `name` without recursion; the first useful answer counts.  `zone` is the one that they
 * serve: a referral that does not lead below it comes from a server that does not know it, or from a resolver that
 * answers in its place, and is of no use; NULL when it is not known.  A server that stays silent delays the next one by
 * 0.3 s only.  TCP is tried when none answers over UDP.
 * Errors: ERR_DNS (lame or contradicting), ERR_TIMEOUT, ERR_NETWORK (nobody answered), ERR_CANCELLED. */
enum err_code authority_look(struct resolver *resolver, const struct dns_servers *servers, const char *zone,
                             const char *name, struct authority_view *out, struct err *err) MUST_USE;

/* The same for many names side by side.  `servers` that are the same in memory are taken for those of one zone: the
 * questions are spread over them, and one name that nobody answers about stands for the names behind it. */
struct authority_query {
    const struct dns_servers *servers; /* borrowed, like the strings */
    const char *zone;
    const char *name;
    struct authority_view view; /* out, to be freed */
    struct err err;             /* out: ERR_OK, or why there is no view, as authority_look() */
};

/* Errors: ERR_CANCELLED; then no view is to be freed. */
enum err_code authority_look_all(struct resolver *resolver, struct authority_query *queries, size_t count,
                                 struct err *err) MUST_USE;

void authority_view_done(struct authority_view *view);
#define AUTO_AUTHORITY_VIEW AUTO(authority_view_done)

#endif
