/* SPDX-License-Identifier: MIT
 *
 * A world for fake_dns that is a table: what each server says to what.
 *
 *     static const struct dns_line lines[] = {
 *         {"192.0.2.1", "example.com", DNS_NS, SAYS_REFERRAL, "ns1.dme.test|ns2.dme.test", NULL},
 *         {"192.0.2.2", NULL, 0, SAYS_SILENT, NULL, NULL},
 *     };
 *     struct dns_script script = {.lines = lines, .count = ARRAY_LEN(lines)};
 *     struct fake_dns *dns = fake_dns_new(&clock, dns_script_world, &script);
 *
 * The first line that fits counts; a question that none fits fails the test, unless it is for an address and to the
 * recursive resolvers, who have none then.
 */
#ifndef ACME_DME_TESTS_UNIT_DNS_SCRIPT_H
#define ACME_DME_TESTS_UNIT_DNS_SCRIPT_H

#include "fake_dns.h"

#define RECURSIVE "" /* the resolvers, in place of a server's address */

enum dns_says {
    SAYS_DATA,        /* with authority */
    SAYS_CACHED,      /* without */
    SAYS_REFERRAL,    /* NS in the authority section */
    SAYS_REFERRAL_AA, /* the same with authority, as some servers do */
    SAYS_NODATA,      /* with authority, and the SOA of `owner` */
    SAYS_NXDOMAIN,    /* the same */
    SAYS_REFUSED,
    SAYS_CODE_23,
    SAYS_NOTHING, /* NOERROR without anything, and without authority */
    SAYS_SILENT,
    SAYS_SILENT_UDP, /* over TCP this line is passed over */
    SAYS_CLOSED,
    SAYS_NO_ROUTE,
    SAYS_GARBAGE,
};

struct dns_line {
    const char *server; /* NULL: any but RECURSIVE */
    const char *name;   /* NULL: any */
    enum dns_type type; /* 0: any */
    enum dns_says says;
    const char *data;  /* texts, "|" between; the serial of a SOA; "name=192.0.2.1" is glue */
    const char *owner; /* NULL: the name that is asked for */
};

struct dns_script {
    const struct dns_line *lines;
    size_t count;
    size_t lost; /* so many questions to servers over UDP get no answer, whatever the lines say */
};

void dns_script_world(void *ctx, const struct dns_question *question, int64_t now_ms, struct fake_dns_reply *reply);

#endif
