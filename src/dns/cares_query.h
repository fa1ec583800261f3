/* SPDX-License-Identifier: MIT
 *
 * Inside the border to c-ares only (cares.h): questions that c-ares does not put together by itself, since they have DO
 * or CD set, and questions that others send.
 */
#ifndef ACME_DME_DNS_CARES_QUERY_H
#define ACME_DME_DNS_CARES_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ares.h>

#include "util/attrs.h"

#define CARES_HAS_RECORDS (ARES_VERSION >= 0x011c00) /* 1.28.0 */
#define CARES_EDNS_SIZE 1232 /* fits the smallest IPv6 packet: no fragments, which are dropped or forged */

struct cares_query {
    const char *name;
    int type;
    uint16_t id;
    bool wants_recursion;
    unsigned flags; /* of enum dns_flag; any: an OPT record is added */
};

#if CARES_HAS_RECORDS
/* *out is to be destroyed, after a failure too; NULL is possible then. */
ares_status_t cares_query_record(const struct cares_query *query, ares_dns_record_t **out) MUST_USE;
#endif
/* The message, to be freed with ares_free_string(), and a status of c-ares. */
int cares_query_message(const struct cares_query *query, unsigned char **msg, size_t *len) MUST_USE;

#endif
