/* SPDX-License-Identifier: MIT
 *
 * Inside dns/ only: one question to all servers of a zone, for those who want to know what each of them says, and words
 * for what is wrong with an answer.
 */
#ifndef ACME_DME_DNS_CENSUS_H
#define ACME_DME_DNS_CENSUS_H

#include "dns/authority.h"

struct census {
    struct dns_answer *answers;
    const char **addresses; /* answers[i] is that of addresses[i]; borrowed from the servers */
    size_t count;
};

/* Ask the first address of every server, then the second of each, and so on as far as 32 go, side by side; if nobody
 * answers over UDP, all again over TCP.  Errors: ERR_CANCELLED, ERR_INTERNAL. */
enum err_code census_take(struct resolver *direct, const struct dns_servers *servers, const char *name,
                          enum dns_type type, struct census *out, struct err *err) MUST_USE;
void census_done(struct census *census);
#define AUTO_CENSUS AUTO(census_done)

/* Does it come from a server of the zone, with data or a denial? */
bool census_is_useful(const struct dns_answer *answer);

/* What is wrong with an answer that is not useful, to stand behind a server's name: "answers REFUSED". */
char *census_fault(const struct dns_answer *answer) MUST_USE;

/* When no answer was of use: ERR_TIMEOUT or ERR_NETWORK when nobody answered, else ERR_DNS; with an example of what is
 * wrong.  `zone` is the one whose servers were asked. */
enum err_code census_fail(const struct census *census, const char *zone, const char *name, struct err *err) MUST_USE;

#endif
