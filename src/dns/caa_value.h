/* SPDX-License-Identifier: MIT
 *
 * Inside dns/ only: the value of the CAA properties "issue" and "issuewild", RFC 8659 section 4.2:
 *
 *     issue-value = *WSP [issuer-domain-name *WSP] [";" *WSP [parameters *WSP]]
 */
#ifndef ACME_DME_DNS_CAA_VALUE_H
#define ACME_DME_DNS_CAA_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "util/attrs.h"

struct caa_parameter {
    char *tag; /* lower case */
    char *value;
};

struct caa_value {
    char *issuer; /* lower case; "": no issuer at all */
    struct caa_parameter *parameters;
    size_t parameter_count;
};

/* False: the text breaks the grammar, and *out is untouched. */
bool caa_value_parse(const char *text, struct caa_value *out) MUST_USE;
void caa_value_done(struct caa_value *value);
#define AUTO_CAA_VALUE AUTO(caa_value_done)

#endif
