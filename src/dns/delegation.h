/* SPDX-License-Identifier: MIT
 *
 * How a zone hangs in the DNS: which name servers its parent names, which it names itself, and how each of their
 * addresses serves it.
 */
#ifndef ACME_DME_DNS_DELEGATION_H
#define ACME_DME_DNS_DELEGATION_H

#include "dns/authority.h"

struct delegation {
    char *parent;              /* zone above */
    struct strlist parent_ns;  /* names that the parent's servers give, sorted; see parent_kind */
    struct strlist zone_ns;    /* names that the zone's own servers give, sorted; empty: none of them answers for it */
    struct dns_servers others; /* what the world may ask too: servers of both sets that are not among those that were
                                  given, with their addresses, and addresses that only the parent has (glue) */
    enum {
        DELEGATION_SEEN,    /* parent_ns is what the parent's servers refer to */
        DELEGATION_ABSENT,  /* the parent's servers say that there is no such zone */
        DELEGATION_COVERED, /* the parent's servers serve the zone as well and so don't show their referral */
    } parent_kind;
    bool has_split_parent; /* the parent's servers refer to different sets, or some of them to none */
    bool has_split_zone;   /* the zone's own servers name different sets */
};

/* Ask the parent's servers and the zone's own, `servers`, without recursion.  The parent is found through the
 * recursive resolvers.  Errors: ERR_DNS, ERR_TIMEOUT, ERR_NETWORK (the parent's servers can't be asked or give no
 * usable answer), ERR_CANCELLED. */
enum err_code delegation_examine(struct resolver *direct, const char *zone, const struct dns_servers *servers,
                                 struct delegation *out, struct err *err) MUST_USE;
void delegation_done(struct delegation *delegation);

/* ------------------------------------------------------------------ each server */

enum serving_result {
    SERVING_OK,          /* an authoritative answer with the zone's SOA */
    SERVING_LAME,        /* answers, but not with authority, or with an error */
    SERVING_SILENT,      /* no answer in time, or connections refused */
    SERVING_UNREACHABLE, /* this machine has no route there (no IPv6, say): tells nothing about the server */
};

struct serving {         /* one address over one transport */
    const char *server;  /* name; borrowed from the servers that were given */
    const char *address; /* the same; NULL: the server has no address at all, result is SERVING_SILENT */
    enum { SERVING_IPV4, SERVING_IPV6 } family;
    enum serving_transport { SERVING_UDP, SERVING_TCP } transport;
    enum serving_result result;
    char *why;       /* for results other than OK: what came instead, to stand behind the server's name */
    uint32_t serial; /* SOA, with SERVING_OK */
    int64_t elapsed_ms;
};

struct serving_list {
    struct serving *items; /* in the order of servers and addresses, UDP before TCP */
    size_t count;
};

/* Ask every address for the SOA of `zone` over UDP and over TCP, all side by side, `timeout_ms` each, with one more try
 * over UDP.  Of many addresses of one server only the first are asked.  Errors: ERR_CANCELLED, ERR_INTERNAL. */
enum err_code serving_examine(struct resolver *direct, const char *zone, const struct dns_servers *servers,
                              int64_t timeout_ms, struct serving_list *out, struct err *err) MUST_USE;
void serving_list_done(struct serving_list *list);

/* ------------------------------------------------------------------ what stands at a name */

struct standing {
    char *cname;           /* target; NULL: none */
    struct strlist values; /* TXT values, each once; what is not printable UTF-8 escaped, long ones cut */
    bool is_wildcard;      /* all of it is that of a wildcard, which a record at the name itself displaces */
};

/* CNAME and TXT at `name` as the zone's own servers show them, all of them together.
 * Errors: ERR_DNS (lame), ERR_TIMEOUT, ERR_NETWORK, ERR_CANCELLED. */
enum err_code standing_examine(struct resolver *direct, const char *zone, const char *name,
                               const struct dns_servers *servers, struct standing *out, struct err *err) MUST_USE;
void standing_done(struct standing *standing);

#endif
