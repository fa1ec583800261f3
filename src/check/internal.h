/* SPDX-License-Identifier: MIT
 *
 * What the files of check/ share.  Nobody else includes this.
 */
#ifndef ACME_DME_CHECK_INTERNAL_H
#define ACME_DME_CHECK_INTERNAL_H

#include "check/check.h"

/* A zone that was looked at: the next name in it need not look again. */
struct check_zone {
    char *name;
    char *record_name; /* one that challenges are written to */
    const struct challenge_account *account; /* borrowed */
    struct dns_servers api_servers; /* that DNS Made Easy and its vanity names serve it by; may be empty */
    struct dns_servers answering; /* that we ask: with the addresses that are not silent, which would cost time again
                                     with each name */
    bool is_silent;             /* nobody answers for it on port 53 */
};

struct check {
    struct check_opts opts;
    struct check_report *report;
    struct check_zone *zones;
    size_t zone_count;
    struct strlist names;   /* domains that were looked at, normalised */
    struct strlist records; /* names of records that were looked at */
    size_t accounts_good;   /* whose credentials work */
    bool has_answered;      /* the API, to any account */
    bool is_unreachable;    /* the API, for all of them */
    size_t caa_first;       /* who is asked for CAA first: 0, opts.direct; n, opts.doh[n - 1] */
    bool has_no_resolver;   /* none answers anything */
};

/* Add it and tell whether it was there before. */
bool check_is_known(struct strlist *names, const char *name);

/* Is what is left of the key's budget enough to go on asking?  If not, a finding says so.  `account` NULL: of those of
 * all accounts. */
bool check_may_ask(struct check *check, const struct challenge_account *account, const char *step,
                   const char *subject);

/* state.c: would a sweep delete it? */
bool check_is_leftover(const struct check *check, const struct journal_entry *entry);

/* zone.c: what concerns the zone as a whole, once a zone; *out is the check's.  Errors: ERR_CANCELLED. */
enum err_code check_zone(struct check *check, const struct challenge_place *place, struct check_zone **out,
                         struct err *err) MUST_USE;

/* serving.c: servers and serials.  `servers` are all that the world may ask, `ours` those of them that acme-dme asks.
 * Errors: ERR_CANCELLED. */
enum err_code check_serving(struct check *check, const struct dns_servers *servers, const struct dns_servers *ours,
                            struct check_zone *zone, struct err *err) MUST_USE;

/* name.c: what stands at the record's name.  Errors: ERR_CANCELLED. */
enum err_code check_records(struct check *check, const struct challenge_place *place, const struct check_zone *zone,
                            struct err *err) MUST_USE;

/* policy.c: may the CA issue, can it believe the zone?  `domain` as it stands in a certificate.
 * Errors: ERR_CANCELLED. */
enum err_code check_caa(struct check *check, const char *domain, struct err *err) MUST_USE;
enum err_code check_dnssec(struct check *check, const struct challenge_place *place, const struct check_zone *zone,
                           struct err *err) MUST_USE;

/* "0.2 s", "40 s", "12 min", "3 h", "5 days" */
#define CHECK_SPAN_MAX 32
const char *check_span(char out[CHECK_SPAN_MAX], int64_t ms);

#endif
