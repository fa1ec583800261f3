/* SPDX-License-Identifier: MIT
 *
 * What is in a chain, for the files of crypto/ that work with it.  Nobody else includes this.
 */
#ifndef ACME_DME_CRYPTO_CHAIN_OSSL_H
#define ACME_DME_CRYPTO_CHAIN_OSSL_H

#include <openssl/x509.h>

#include "crypto/chain.h"

#define CHAIN_TEXT_MAX (4u * 1024 * 1024)

struct chain_item {
    X509 *x509;
    struct cert cert;
};

struct chain {
    struct chain_item items[CHAIN_LEN_MAX];
    size_t count;
};

/* Is the certificate for the key of this SubjectPublicKeyInfo? */
bool chain_has_key(const struct chain *chain, const void *public_der, size_t len);

#endif
