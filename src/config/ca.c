/* SPDX-License-Identifier: MIT */
#include "config/ca.h"

#include <string.h>

#include "util/attrs.h"

static const char *const names[] = {
    "letsencrypt", "letsencrypt-staging", "zerossl", "google",     "google-test",
    "buypass",     "buypass-test",        "sslcom",  "sslcom-ecc", "actalis",
};

static const char *const urls[] = {
    "https://acme-v02.api.letsencrypt.org/directory",
    "https://acme-staging-v02.api.letsencrypt.org/directory",
    "https://acme.zerossl.com/v2/DV90",
    "https://dv.acme-v02.api.pki.goog/directory",
    "https://dv.acme-v02.test-api.pki.goog/directory",
    "https://api.buypass.com/acme/directory",
    "https://api.test4.buypass.no/acme/directory",
    "https://acme.ssl.com/sslcom-dv-rsa",
    "https://acme.ssl.com/sslcom-dv-ecc",
    "https://acme-api.actalis.com/acme/directory",
};

_Static_assert(ARRAY_LEN(names) == ARRAY_LEN(urls), "every name has a URL");

/* What Let's Encrypt documents is 20 for the test CA, and 250 with bursts of 125 for the other. */
#define STAGING_REQUESTS_PER_S 20
#define PRODUCTION_REQUESTS_PER_S 125

/* https://letsencrypt.org/docs/rate-limits/ and /docs/staging-environment/ */
#define NEW_ORDERS_PER_3H 300
#define STAGING_NEW_ORDERS_PER_3H 1500

const char *config_ca_url(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strcmp(names[i], name) == 0)
            return urls[i];
    }
    return NULL;
}

const char *config_ca_name(const char *url)
{
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        if (strcmp(urls[i], url) == 0)
            return names[i];
    }
    return NULL;
}

const char *const *config_ca_names(size_t *out_count)
{
    *out_count = ARRAY_LEN(names);
    return names;
}

uint32_t config_ca_requests_per_s(const char *url)
{
    const char *name = config_ca_name(url);

    if (!name)
        return 0;
    if (strcmp(name, "letsencrypt-staging") == 0)
        return STAGING_REQUESTS_PER_S;
    return strcmp(name, "letsencrypt") == 0 ? PRODUCTION_REQUESTS_PER_S : 0;
}

uint32_t config_ca_new_orders_per_3h(const char *url)
{
    const char *name = config_ca_name(url);

    if (name && strcmp(name, "letsencrypt") == 0)
        return NEW_ORDERS_PER_3H;
    return name && strcmp(name, "letsencrypt-staging") == 0 ? STAGING_NEW_ORDERS_PER_3H : 0;
}
