/* SPDX-License-Identifier: MIT
 *
 * From a certificate and its key to the files that servers read.
 */
#ifndef ACME_DME_FLOW_INSTALL_H
#define ACME_DME_FLOW_INSTALL_H

#include "crypto/chain.h"
#include "crypto/key.h"
#include "crypto/pfx.h"
#include "store/certs.h"

#define INSTALL_CERT "cert.pem"
#define INSTALL_CHAIN "chain.pem"
#define INSTALL_FULLCHAIN "fullchain.pem"
#define INSTALL_KEY "privkey.pem"
#define INSTALL_COMBINED "combined.pem" /* certificate, chain and key, as haproxy reads them */
#define INSTALL_PFX "certificate.pfx"
#define INSTALL_CERT_DER "cert.der"
#define INSTALL_KEY_DER "privkey.der"

struct install_request { /* all borrowed */
    struct store *store;
    const char *name;
    const struct chain *chain;
    const struct key *key; /* NULL: the operator has it (CSR): no file with it, nor combined.pem, nor a PKCS#12 file */
    struct certificate_access access;
    bool combined;
    bool der;
    bool pfx;
    enum pfx_algorithms pfx_algorithms;
    const struct secret *pfx_password; /* NULL: empty */
    size_t keep; /* generations */
};

/* Write a new generation, switch to it, and prune old ones (a failure to prune is a warning).
 * Errors: those of certificate_install() and pfx_new(). */
enum err_code install_certificate(const struct install_request *request, struct log *log, int64_t *out_generation,
                                  struct err *err) MUST_USE;

#endif
