/* SPDX-License-Identifier: MIT
 *
 * The CAs that have a short name: "letsencrypt" instead of the URL of its ACME directory.
 */
#ifndef ACME_DME_CONFIG_CA_H
#define ACME_DME_CONFIG_CA_H

#include <stddef.h>
#include <stdint.h>

/* The URL of a short name, NULL if there is no such name; static, as all text here. */
const char *config_ca_url(const char *name);

/* The short name of a URL, NULL if it has none. */
const char *config_ca_name(const char *url);

/* All short names. */
const char *const *config_ca_names(size_t *out_count);

/* How many requests a second the CA of a URL takes without slowing down those who ask more; 0: not known. */
uint32_t config_ca_requests_per_s(const char *url);

/* How many new orders the CA of a URL takes of one account in three hours; 0: not known. */
uint32_t config_ca_new_orders_per_3h(const char *url);

#endif
