/* SPDX-License-Identifier: MIT */
#include "cert_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "fixture.h"
#include "server_fixture.h"
#include "test.h"
#include "util/clock.h"
#include "util/mem.h"

/* ------------------------------------------------------------------ certificates */

static void set_name(X509_NAME *name, const struct cert_order *order)
{
    int len = order->common_name_len ? (int)order->common_name_len : -1;
    int type = order->common_name_type ? order->common_name_type : V_ASN1_UTF8STRING;

    if (order->organisation)
        assert_true(X509_NAME_add_entry_by_NID(name, NID_organizationName, V_ASN1_UTF8STRING,
                                               (const unsigned char *)order->organisation, -1, -1, 0));
    if (order->common_name) {
        /* Made by hand: the library refuses what is no proper text of its type. */
        X509_NAME_ENTRY *entry = X509_NAME_ENTRY_create_by_NID(NULL, NID_commonName, V_ASN1_UTF8STRING,
                                                               (const unsigned char *)"x", 1);
        ASN1_STRING *text = ASN1_STRING_type_new(type);

        assert_true(ASN1_STRING_set(text, order->common_name, len));
        assert_true(X509_NAME_ENTRY_set_data(entry, type, ASN1_STRING_get0_data(text), ASN1_STRING_length(text)));
        assert_true(X509_NAME_add_entry(name, entry, -1, 0));
        ASN1_STRING_free(text);
        X509_NAME_ENTRY_free(entry);
    }
}

/* ASN1_TIME_set() asks the C library, which does not know every date everywhere. */
static void set_date(ASN1_TIME *date, int64_t unix_s)
{
    char iso[CLOCK_HTTP_DATE_MAX];
    char text[16];
    size_t len = 0;

    clock_format_iso(iso, unix_s);
    for (const char *at = iso; *at; at++)
        if (*at >= '0' && *at <= '9')
            text[len++] = *at;
    text[len++] = 'Z';
    text[len] = '\0';
    assert_int_equal(ASN1_TIME_set_string_X509(date, text), 1);
}

static void set_dates(X509 *x509, const struct cert_order *order)
{
    int64_t now = (int64_t)time(NULL);

    set_date(X509_getm_notBefore(x509), order->not_before_s ? order->not_before_s : now - 3600);
    set_date(X509_getm_notAfter(x509), order->not_after_s ? order->not_after_s : now + 90 * 86400 + 3600);
    if (order->raw_not_after) {
        ASN1_TIME *raw = ASN1_STRING_type_new(V_ASN1_GENERALIZEDTIME);

        assert_true(ASN1_STRING_set(raw, order->raw_not_after, -1));
        assert_true(X509_set1_notAfter(x509, raw));
        ASN1_STRING_free(raw);
    }
}

static void add_extension(X509 *x509, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *extension;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, x509, x509, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(extension);
    assert_true(X509_add_ext(x509, extension, -1));
    X509_EXTENSION_free(extension);
}

struct made_cert cert_make(const struct cert_order *order)
{
    struct made_cert made = {X509_new(), EVP_EC_gen("P-256")};
    BIGNUM *serial = NULL;

    assert_true(X509_set_version(made.x509, X509_VERSION_3));
    assert_true(BN_hex2bn(&serial, order->serial_hex ? order->serial_hex : "01a2b3") > 0);
    assert_non_null(BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(made.x509)));
    BN_free(serial);
    set_name(X509_get_subject_name(made.x509), order);
    assert_true(
        X509_set_issuer_name(made.x509, X509_get_subject_name(order->issuer ? order->issuer->x509 : made.x509)));
    set_dates(made.x509, order);
    assert_true(X509_set_pubkey(made.x509, made.key));
    if (order->is_ca)
        add_extension(made.x509, NID_basic_constraints, "critical,CA:TRUE");
    if (order->names)
        add_extension(made.x509, NID_subject_alt_name, order->names);
    assert_true(X509_sign(made.x509, order->issuer ? order->issuer->key : made.key, EVP_sha256()) > 0);
    return made;
}

void made_cert_done(struct made_cert *cert)
{
    X509_free(cert->x509);
    EVP_PKEY_free(cert->key);
    *cert = (struct made_cert){NULL, NULL};
}

static char *take_text(BIO *bio)
{
    char *data;
    long len = BIO_get_mem_data(bio, &data);
    char *text = mem_strndup(data, (size_t)len);

    BIO_free(bio);
    return text;
}

char *cert_pem(const struct made_cert *cert)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_true(PEM_write_bio_X509(bio, cert->x509));
    return take_text(bio);
}

char *cert_pkey_pem(const EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());

    assert_true(PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL));
    return take_text(bio);
}

char *cert_key_pem(const struct made_cert *cert)
{
    return cert_pkey_pem(cert->key);
}

unsigned char *cert_der(const struct made_cert *cert, size_t *out_len)
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert->x509, &der);
    unsigned char *copy;

    assert_true(len > 0);
    copy = malloc((size_t)len);
    memcpy(copy, der, (size_t)len);
    OPENSSL_free(der);
    *out_len = (size_t)len;
    return copy;
}

/* ------------------------------------------------------------------ keys */

int fixture_openssl_is_quiet(UNUSED void **state)
{
    assert_int_equal(ERR_peek_error(), 0);
    return 0;
}

struct key *key_made(enum key_type type)
{
    struct key *key = NULL;
    struct err err;

    if (key_new(type, &key, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    return key;
}

struct key *key_parsed(const char *pem)
{
    struct key *key = NULL;
    struct err err;

    if (key_parse_pem(pem, strlen(pem), "a.pem", &key, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    return key;
}

/* ------------------------------------------------------------------ servers */

static void send_text(platform_socket fd, const char *text)
{
    (void)!send(fd, text, SOCKET_LEN(strlen(text)), MSG_NOSIGNAL);
}

static void read_some(platform_socket fd)
{
    char sink[4096];

    (void)!recv(fd, sink, sizeof sink, 0);
}

static int expect_name(SSL *ssl, UNUSED int *alert, void *arg)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    return name && strcmp(name, arg) == 0 ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static SSL_CTX *server_context(const struct cert_server *s)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    int want = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;

    if (!ctx || !SSL_CTX_use_certificate(ctx, s->cert->x509) || !SSL_CTX_use_PrivateKey(ctx, s->cert->key))
        abort();
    if (s->chain && !SSL_CTX_add1_chain_cert(ctx, s->chain->x509))
        abort();
    if (s->kind == SERVER_TLS12_CLIENT_CERT || s->kind == SERVER_TLS13_CLIENT_CERT)
        SSL_CTX_set_verify(ctx, want, NULL);
    if (s->kind == SERVER_TLS12_CLIENT_CERT)
        (void)SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION);
    if (s->kind == SERVER_TLS11) {
        (void)SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
        (void)SSL_CTX_set_max_proto_version(ctx, TLS1_1_VERSION);
        SSL_CTX_set_security_level(ctx, 0);
    }
    if (s->expect_sni) {
        (void)SSL_CTX_set_tlsext_servername_callback(ctx, expect_name);
        (void)SSL_CTX_set_tlsext_servername_arg(ctx, (void *)(uintptr_t)s->expect_sni);
    }
    return ctx;
}

/* False: the client said something, which it has no reason to. */
static bool serve_tls(SSL_CTX *ctx, platform_socket fd)
{
    SSL *ssl = SSL_new(ctx);
    char byte;
    bool is_quiet;

    (void)SSL_set_fd(ssl, (int)fd);
    is_quiet = SSL_accept(ssl) != 1 || SSL_read(ssl, &byte, 1) <= 0;
    SSL_free(ssl);
    return is_quiet;
}

static void drip(platform_socket fd)
{
    static const char record[] = "\x16\x03\x03\x01\x00";

    for (size_t i = 0; i < 100; i++) {
        if (send(fd, i < 5 ? record + i : "\x02", 1, MSG_NOSIGNAL) != 1)
            return;
        fixture_sleep_ms(50);
    }
}

static bool serve_one(const struct cert_server *s, SSL_CTX *ctx, platform_socket fd)
{
    char sink[4096];

    switch (s->kind) {
    case SERVER_SILENT:
        while (recv(fd, sink, sizeof sink, 0) > 0)
            continue;
        return true;
    case SERVER_CLOSING:
        return true;
    case SERVER_GREETING:
        send_text(fd, "220 mail.example ESMTP\r\n");
        read_some(fd);
        return true;
    case SERVER_HTTP:
        read_some(fd);
        send_text(fd, "HTTP/1.1 400 Bad Request\r\n\r\n");
        return true;
    case SERVER_DRIPPING:
        drip(fd);
        return true;
    default:
        return serve_tls(ctx, fd);
    }
}

static int serve(struct test_server *self, void *context)
{
    const struct cert_server *s = context;
    SSL_CTX *ctx = s->cert ? server_context(s) : NULL;
    platform_socket fd;
    bool is_fine = true;

    while (is_fine && (fd = test_server_accept(self, test_server_socket(self, 0))) != PLATFORM_NO_SOCKET) {
        is_fine = serve_one(s, ctx, fd);
        test_server_hang_up(self, fd);
    }
    SSL_CTX_free(ctx);
    return is_fine ? 0 : 4;
}

bool cert_server_start(struct cert_server *server)
{
    uint16_t port = 0;
    platform_socket listening = test_server_bind(SOCK_STREAM, server->address, &port);

    if (listening == PLATFORM_NO_SOCKET)
        return false;
    assert_int_equal(listen(listening, 128), 0);
    (void)snprintf(server->port, sizeof server->port, "%u", port);
    server->running = test_server_start(serve, server, &listening, 1);
    return true;
}

bool cert_server_stop(struct cert_server *server)
{
    return test_server_stop(server->running);
}
