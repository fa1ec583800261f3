/* SPDX-License-Identifier: MIT
 *
 * Domain names as text: checked, lower case, without the trailing dot.
 */
#ifndef ACME_DME_DNS_NAME_H
#define ACME_DME_DNS_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "util/attrs.h"
#include "util/err.h"

#define DNS_NAME_MAX 253 /* octets of text without the trailing dot: 255 on the wire, RFC 1035 section 2.3.4 */

/* Check and normalise a name from outside: one trailing dot dropped, lower case, labels of 1-63 octets of letters,
 * digits, "-" and "_" (the latter as the names of RFC 8555 and friends begin with it), 253 octets in all; non-ASCII
 * names become A-labels (IDNA 2008, when built with libidn2).  "*." in front is refused unless the caller strips it.
 * Errors: ERR_INPUT, naming what is wrong and where. */
enum err_code name_normalise(const char *in, char **out, struct err *err) MUST_USE;

/* Is the text an IP address (RFC 8738: a CA proves these by other means), or as good as one? */
bool name_is_address(const char *text);

/* Is `name` equal to `zone` or below it?  Both normalised.  "notexample.com" is not below "example.com". */
bool name_is_within(const char *name, const char *zone);

/* The part of `name` in front of `zone`: "" at the apex, "a.b" for "a.b.example.com".  Requires name_is_within(). */
char *name_relative(const char *name, const char *zone) MUST_USE;

/* The name without its first label, borrowed; NULL when there is only one. */
const char *name_parent(const char *name);

#endif
