/* SPDX-License-Identifier: MIT
 *
 * Is a zone's DNSSEC such that a CA, which validates, can believe its answers?  Looked at from two sides: the chain
 * itself (DS at the parent against DNSKEY and its signature at the zone's own servers: RFC 4034, RFC 4509), so that the
 * message can say what is broken; and what validating resolvers say of it.
 */
#ifndef ACME_DME_DNS_DNSSEC_H
#define ACME_DME_DNS_DNSSEC_H

#include "dns/authority.h"

enum dnssec_state {
    DNSSEC_UNSIGNED, /* nothing to validate: no DS at the parent (why: NULL), none that counts, or a zone above that is
                        not signed itself (why tells) */
    DNSSEC_SECURE,   /* the chain holds together; if a validating resolver could be asked, it agrees (why: NULL), or one
                        agrees where another refuses (why tells) */
    DNSSEC_BROKEN,   /* validating resolvers, and so CAs, refuse the zone */
    DNSSEC_UNKNOWN,  /* could not be found out */
};

struct dnssec_view {
    enum dnssec_state state;
    char *why;          /* a sentence part, e.g. "the parent has a DS record, and the zone is not signed"; or NULL */
    int64_t expires_s;  /* Unix time at which the keys or the SOA lose their last good signature; 0: none seen */
    bool was_validated; /* a validating resolver was asked and agreed */
};

struct dnssec_request {
    const char *zone;
    const struct dns_servers *servers; /* the zone's own */
    struct resolver *direct;
    struct resolver *const *doh; /* likely to validate: asked in order where `direct` does not; may be none */
    size_t doh_count;
    int64_t now_s; /* Unix time, the right one, not necessarily this machine's */
};

/* *out is set on success.  Errors: ERR_CANCELLED; all else is DNSSEC_UNKNOWN with its reason. */
enum err_code dnssec_examine(const struct dnssec_request *request, struct dnssec_view *out, struct err *err) MUST_USE;
void dnssec_view_done(struct dnssec_view *view);

#endif
