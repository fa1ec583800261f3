/* SPDX-License-Identifier: MIT
 *
 * OpenSSL and libcurl were built for the system and know where it has its CA certificates.
 */
#include "platform/platform.h"

char *platform_trust_bundle(void)
{
    return NULL;
}

bool platform_trust_each(UNUSED platform_trust_fn *fn, UNUSED void *ctx)
{
    return false;
}
