/* SPDX-License-Identifier: MIT
 *
 * Certificates, read only: when they are valid, for which names, from whom (RFC 5280); those of files, and those that
 * servers show.
 */
#ifndef ACME_DME_CRYPTO_CERT_H
#define ACME_DME_CRYPTO_CERT_H

#include <stddef.h>
#include <stdint.h>

#include "util/attrs.h"
#include "util/clock.h"
#include "util/err.h"
#include "util/mem.h"

struct cert {             /* all texts are safe to print */
    int64_t not_before_s; /* Unix time */
    int64_t not_after_s;
    char *subject;        /* common name, or the first name of the SAN, or the organisation; "" if there is none */
    char *issuer;         /* common name, or organisation; "" if there is none */
    char *serial;         /* hexadecimal, lower case */
    struct strlist names; /* DNS names and IP addresses of the SAN, the first CERT_NAMES_MAX */
};

#define CERT_NAMES_MAX 1000

void cert_done(struct cert *cert);
#define AUTO_CERT AUTO(cert_done)

/* The first certificate of a PEM text (keys and text in front are passed over, what follows is not looked at), or a DER
 * one.  `what` names it in errors.  Errors: ERR_INPUT. */
enum err_code cert_parse(const void *data, size_t len, const char *what, struct cert *out, struct err *err) MUST_USE;

/* ------------------------------------------------------------------ of servers */

/* A server to look at, and what came of it. */
struct cert_peer {
    const char *host;                /* borrowed; for SNI, and for the comparison with the certificate's names */
    const char *port;                /* borrowed; decimal */
    const struct strlist *addresses; /* borrowed; numeric, tried in turn until one gives a certificate */

    enum err_code
        code; /* ERR_OK: there is a certificate; ERR_NETWORK, ERR_TIMEOUT, ERR_TLS, ERR_CANCELLED, and `err` */
    struct err err;
    struct cert cert;
    char *problem; /* why chain or name do not verify, the dates of the certificate itself apart; NULL: they do */
};

void cert_peer_done(struct cert_peer *peer); /* leaves what is borrowed */

struct cert_peer_opts {
    const char *ca_file; /* CAs to trust, PEM; NULL: those of the system */
    int64_t timeout_ms;  /* for each server */
    struct clock *clock;
};

/* Connect to all side by side, shake hands, take the servers' certificates, and leave: nothing is sent after the
 * handshake, so a chain that does not verify is reported and not refused.
 * Errors: ERR_IO (ca_file can't be read), ERR_CANCELLED, ERR_INTERNAL; what befell a single server is in its `code`. */
enum err_code cert_peers_look(struct cert_peer *peers, size_t count, const struct cert_peer_opts *opts,
                              struct err *err) MUST_USE;

#endif
