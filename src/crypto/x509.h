/* SPDX-License-Identifier: MIT
 *
 * What the files of crypto/ that handle certificates share.  Nobody else includes this.
 */
#ifndef ACME_DME_CRYPTO_X509_H
#define ACME_DME_CRYPTO_X509_H

#include <openssl/x509.h>

#include "crypto/cert.h"

/* Take what we want to know from a certificate.  Errors: ERR_INPUT (its dates make no sense). */
enum err_code cert_of_x509(const X509 *x509, const char *what, struct cert *out, struct err *err) MUST_USE;

/* Common name or organisation of who issued it, safe to print; "" if there is none. */
char *x509_issuer_text(const X509 *x509) MUST_USE;

/* An IP address of a SAN; NULL: it is none. */
char *x509_address_text(const ASN1_OCTET_STRING *address) MUST_USE;

/* The reason of OpenSSL's last error, safe to print; empties the error queue.  `fallback` when there is none. */
void x509_last_error(char *out, size_t size, const char *fallback);

#endif
