/* SPDX-License-Identifier: MIT
 *
 * Inside dns/ only: has this machine a way to an address at all?  A server that stays silent and a machine without IPv6
 * look alike from above.
 */
#ifndef ACME_DME_DNS_ROUTE_H
#define ACME_DME_DNS_ROUTE_H

#include <stdbool.h>

/* `address` in the form of cares_address_parse().  Nothing is sent.  False only when the system says that there is no
 * way; when it can't tell, there may be one. */
bool route_exists(const char *address);

#endif
