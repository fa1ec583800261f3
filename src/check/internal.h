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
    struct strlist api_servers; /* names by which DNS Made Easy and its vanity names serve it; may be empty */
    bool is_silent;             /* nobody answers for it on port 53 */
};

struct check {
    struct check_opts opts;
    struct check_report *report;
    struct check_zone *zones;
    size_t zone_count;
    size_t accounts_good; /* whose credentials work */
    bool was_accounts_asked;
};

/* Is what is left of the key's budget enough to go on asking?  If not, a finding says so. */
bool check_may_ask(struct check *check, const struct challenge_account *account, const char *step,
                   const char *subject);

/* zone.c: what concerns the zone as a whole, once a zone; *out is the check's.  Errors: ERR_CANCELLED. */
enum err_code check_zone(struct check *check, const struct challenge_place *place, struct check_zone **out,
                         struct err *err) MUST_USE;

/* serving.c: servers and serials.  Errors: ERR_CANCELLED. */
enum err_code check_serving(struct check *check, const struct dns_servers *servers, struct check_zone *zone,
                            struct err *err) MUST_USE;

/* name.c: what stands at the record's name.  Errors: ERR_CANCELLED. */
enum err_code check_records(struct check *check, const struct challenge_place *place, const struct check_zone *zone,
                            struct err *err) MUST_USE;

/* policy.c: may the CA issue, can it believe the zone?  Errors: ERR_CANCELLED. */
/* `domain` as it stands in a certificate. */
enum err_code check_caa(struct check *check, const char *domain, struct err *err) MUST_USE;
enum err_code check_dnssec(struct check *check, const struct challenge_place *place, struct err *err) MUST_USE;

/* "4 s", "0.2 s", "12 min", "3 h", "5 days" */
#define CHECK_SPAN_MAX 32
const char *check_span(char out[CHECK_SPAN_MAX], int64_t ms);

#endif
