/* SPDX-License-Identifier: MIT
 *
 * The names in certificates and CSRs, as the files of crypto/ that compare them want them.  Nobody else includes this.
 */
#ifndef ACME_DME_CRYPTO_SAN_H
#define ACME_DME_CRYPTO_SAN_H

#include <openssl/x509v3.h>

#include "util/attrs.h"
#include "util/mem.h"

/* For AUTO(). */
void san_free(GENERAL_NAMES **names);

/* Add the DNS names, lower case, each once.  A name of another kind, one that no host can have, or one too many
 * (CERT_NAMES_MAX) ends it: it is returned, described, yours; NULL: there is none. */
char *san_add(const GENERAL_NAMES *names, struct strlist *out) MUST_USE;
/* Add the common names of a subject likewise. */
char *san_add_common_names(const X509_NAME *subject, struct strlist *out) MUST_USE;

#endif
