/* SPDX-License-Identifier: MIT
 *
 * Inside dns/ only: what one server said when it was asked for the TXT records of one name, judged by whether
 * the wanted values are among them.
 */
#ifndef ACME_DME_DNS_SIGHTING_H
#define ACME_DME_DNS_SIGHTING_H

#include "dns/propagation.h"
#include "util/buf.h"

enum sighting_kind {
    SIGHTING_NONE,         /* not asked, or no answer yet */
    SIGHTING_SILENT,       /* asked, and no answer in time */
    SIGHTING_UNREACHABLE,  /* connection refused, no route, or something that is not DNS */
    SIGHTING_REFUSED,      /* SERVFAIL, REFUSED and the like */
    SIGHTING_NO_AUTHORITY, /* data or a referral, but not as the zone's own server */
    SIGHTING_NO_NAME,      /* NXDOMAIN */
    SIGHTING_NO_TXT,       /* the name is there without TXT */
    SIGHTING_ALIAS,        /* a CNAME stands there */
    SIGHTING_PARTIAL,      /* some or other TXT values */
    SIGHTING_SHOWN,        /* all wanted values */
};

struct sighting {
    enum sighting_kind kind;
    int rcode;    /* SIGHTING_REFUSED */
    size_t shown; /* SIGHTING_PARTIAL: how many of the wanted values */
    char *alias;  /* SIGHTING_ALIAS: its target; owned */
    char *other; /* SIGHTING_PARTIAL: a value that stands there and was not asked for, perhaps cut; NULL: none; owned */
    size_t other_count;
};

/* Whose answers count: only the zone's own servers', or those of a recursive resolver too. */
enum sighting_trust { SIGHTING_AUTHORITATIVE_ONLY, SIGHTING_RECURSIVE };

/* Replace what is in *sighting by what the answer says.  Silence after an answer does not wipe out that
 * answer. */
void sighting_update(struct sighting *sighting, const struct dns_answer *answer, const struct propagation_item *item,
                     enum sighting_trust trust);
void sighting_done(struct sighting *sighting);

/* "has no such name", "shows 1 of 2 values" and so on, to stand behind a server's name. */
void sighting_describe(const struct sighting *sighting, const struct propagation_item *item, struct buf *out);

/* Seconds for which a resolver may repeat this answer from its cache: RFC 2308 section 5 for a negative one,
 * else the smallest TTL. */
int64_t sighting_cache_s(const struct dns_answer *answer);

#endif
