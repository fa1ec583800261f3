/* SPDX-License-Identifier: MIT
 *
 * IP addresses and URLs as text: are they well-formed?  Pure functions; nothing is resolved.
 */
#ifndef ACME_DME_CONFIG_ADDRESS_H
#define ACME_DME_CONFIG_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

/* Four decimal numbers without leading zeros; RFC 4291 section 2.2, without a zone. */
bool config_is_ipv4(const char *text, size_t len);
bool config_is_ipv6(const char *text, size_t len);

/* "192.0.2.1", "192.0.2.1:53", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:53" */
bool config_is_address(const char *text);

/* A name of DNS: labels of letters, digits, "-" and "_", 1 to 63 each, 253 in all; a trailing dot is fine. */
bool config_is_dns_name(const char *text);

/* What is wrong with a URL, as the end of a sentence that begins with "must be an https URL", e.g. "without a
 * user name"; NULL when nothing is: "https://host[:port][/path]", or http when the host is this machine
 * (localhost, 127.0.0.0/8,
 * ::1), where nobody can listen in. */
const char *config_url_fault(const char *url);

#endif
