/* SPDX-License-Identifier: MIT
 *
 * Certificates made to order, odd ones included, and TLS servers that show them.
 */
#ifndef ACME_DME_TESTS_UNIT_CERT_FIXTURE_H
#define ACME_DME_TESTS_UNIT_CERT_FIXTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/x509.h>

#include "crypto/key.h"
#include "util/attrs.h"

/* What a certificate is to say; members that are 0 have an everyday value. */
struct cert_order {
    const char *common_name; /* NULL: none */
    size_t common_name_len;  /* 0: strlen() */
    int common_name_type;    /* V_ASN1_...; 0: UTF8String */
    const char *organisation;
    const char *names;         /* as in openssl.cnf: "DNS:a.example,IP:192.0.2.1"; NULL: no SAN */
    int64_t not_before_s;      /* 0: an hour ago */
    int64_t not_after_s;       /* 0: in 90 days and an hour */
    const char *raw_not_after; /* the text of a GeneralizedTime, whatever it says */
    const char *serial_hex;    /* NULL: "01a2b3" */
    bool is_ca;
    const struct made_cert *issuer; /* NULL: signs itself */
};

struct made_cert {
    X509 *x509;
    EVP_PKEY *key;
};

struct made_cert cert_make(const struct cert_order *order);
void made_cert_done(struct made_cert *cert);

/* The texts; yours. */
char *cert_pem(const struct made_cert *cert) MUST_USE;
char *cert_key_pem(const struct made_cert *cert) MUST_USE;
char *cert_pkey_pem(const EVP_PKEY *key) MUST_USE;
unsigned char *cert_der(const struct made_cert *cert, size_t *out_len) MUST_USE;

/* ------------------------------------------------------------------ keys */

/* The test fails when it can't be had. */
struct key *key_made(enum key_type type) MUST_USE;
struct key *key_parsed(const char *pem) MUST_USE;

/* A teardown: nothing is left in OpenSSL's error queue. */
int fixture_openssl_is_quiet(void **state);

/* ------------------------------------------------------------------ servers */

enum server_kind {
    SERVER_TLS,               /* shakes hands, and dies of anything that is sent behind it */
    SERVER_TLS12_CLIENT_CERT, /* wants a certificate of the client, TLS 1.2 */
    SERVER_TLS13_CLIENT_CERT,
    SERVER_TLS11,    /* knows nothing newer */
    SERVER_SILENT,   /* takes connections and says nothing */
    SERVER_CLOSING,  /* closes at once */
    SERVER_GREETING, /* "220 ..." */
    SERVER_HTTP,     /* waits for a request and calls it bad */
    SERVER_DRIPPING, /* one byte of a TLS record now and then */
};

struct cert_server {
    enum server_kind kind;
    const struct made_cert *cert;
    const struct made_cert *chain; /* sent with it; NULL: none */
    const char *expect_sni;        /* the connection is closed when another name comes; NULL: any */
    const char *address;           /* NULL: 127.0.0.1 */
    char port[8];                  /* set by cert_server_start() */
    struct test_server *running;
};

/* False: this machine has no such address. */
bool cert_server_start(struct cert_server *server);
/* True: it saw nothing that it should not. */
bool cert_server_stop(struct cert_server *server);

#endif
