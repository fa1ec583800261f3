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
    const char *name;
    const struct chain *chain;
    const struct key *key; /* NULL: the operator has it (CSR): no file with it, nor combined.pem, nor a PKCS#12 file */
    struct certificate_access access;
    bool combined;
    bool der;
    bool pfx;
    enum pfx_algorithms pfx_algorithms;
    const struct secret *pfx_password; /* NULL: empty */
    size_t keep;                       /* generations */

    int64_t generation; /* out */
    struct err err; /* out: ERR_OK, or those of certificate_install_all() and pfx_new(); one that is set before keeps
                       the request from being done */
};

/* Write new generations, switch to them, and prune old ones (a failure to prune is a warning). */
void install_certificates(struct store *store, struct install_request *requests, size_t count, struct log *log);

#endif
