/* SPDX-License-Identifier: MIT
 *
 * Certificates, read only: when they are valid, for which names, from whom (RFC 5280).
 */
#ifndef ACME_DME_CRYPTO_CERT_H
#define ACME_DME_CRYPTO_CERT_H

#include <stdint.h>

#include "util/err.h"
#include "util/mem.h"

struct cert {
    int64_t not_before_s; /* Unix time */
    int64_t not_after_s;
    char *subject;        /* common name, or the first name of the SAN; safe to print */
    char *issuer;         /* common name, or organisation */
    char *serial;         /* hexadecimal, lower case */
    struct strlist names; /* DNS names and IP addresses of the SAN */
};

void cert_done(struct cert *cert);
#define AUTO_CERT AUTO(cert_done)

/* The first certificate of a PEM text (others, keys and text around are passed over), or a DER one.  `what` names it.
 * Errors: ERR_INPUT. */
enum err_code cert_parse(const void *data, size_t len, const char *what, struct cert *out, struct err *err) MUST_USE;

/* ------------------------------------------------------------------ of a server */

struct cert_peer {
    struct cert cert;
    char *problem; /* why the chain or the name does not verify, other than by date; NULL: it does */
};

void cert_peer_done(struct cert_peer *peer);

/* Connect to "host:port" ("[v6]:port" too), shake hands, take the server's certificate, and leave: nothing is sent, so
 * a chain that does not verify is reported and not refused.  `ca_file` NULL: the system's CAs.
 * Errors: ERR_INPUT (no host:port), ERR_NETWORK, ERR_TIMEOUT, ERR_TLS. */
enum err_code cert_fetch(const char *host_port, const char *ca_file, int64_t timeout_ms, struct cert_peer *out,
                         struct err *err) MUST_USE;

#endif
