/* SPDX-License-Identifier: MIT */
#include "cert_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "test.h"

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

static void set_dates(X509 *x509, const struct cert_order *order)
{
    time_t now = time(NULL);

    assert_non_null(ASN1_TIME_set(X509_getm_notBefore(x509), order->not_before_s ? order->not_before_s : now - 3600));
    assert_non_null(
        ASN1_TIME_set(X509_getm_notAfter(x509), order->not_after_s ? order->not_after_s : now + 90 * 86400 + 3600));
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
    char *text = strndup(data, (size_t)len);

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

/* ------------------------------------------------------------------ servers, in their own process */

static void send_text(int fd, const char *text)
{
    (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

static void read_some(int fd)
{
    char sink[4096];

    (void)!read(fd, sink, sizeof sink);
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
        _exit(3);
    if (s->chain && !SSL_CTX_add1_chain_cert(ctx, s->chain->x509))
        _exit(3);
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

static void serve_tls(SSL_CTX *ctx, int fd)
{
    SSL *ssl = SSL_new(ctx);
    char byte;

    (void)SSL_set_fd(ssl, fd);
    /* The client has nothing to say to us. */
    if (SSL_accept(ssl) == 1 && SSL_read(ssl, &byte, 1) > 0)
        _exit(4);
    SSL_free(ssl);
}

static void drip(int fd)
{
    static const char record[] = "\x16\x03\x03\x01\x00";

    for (size_t i = 0; i < 100; i++) {
        const struct timespec pause = {0, 50000000};

        if (send(fd, i < 5 ? record + i : "\x02", 1, MSG_NOSIGNAL) != 1)
            return;
        (void)nanosleep(&pause, NULL);
    }
}

static void serve_one(const struct cert_server *s, SSL_CTX *ctx, int fd)
{
    switch (s->kind) {
    case SERVER_SILENT:
        for (;;)
            (void)pause(); /* the connection stays open */
    case SERVER_CLOSING:
        break;
    case SERVER_GREETING:
        send_text(fd, "220 mail.example ESMTP\r\n");
        read_some(fd);
        break;
    case SERVER_HTTP:
        read_some(fd);
        send_text(fd, "HTTP/1.1 400 Bad Request\r\n\r\n");
        break;
    case SERVER_DRIPPING:
        drip(fd);
        break;
    default:
        serve_tls(ctx, fd);
        break;
    }
}

NORETURN static void run_server(const struct cert_server *s, int listening)
{
    SSL_CTX *ctx = s->cert ? server_context(s) : NULL;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails does not stop us */
    for (;;) {
        int fd = accept(listening, NULL, NULL);

        if (fd < 0)
            _exit(5);
        serve_one(s, ctx, fd);
        (void)close(fd);
    }
}

static int listen_at(const char *address, char port[8])
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    bool is_v6 = strchr(address, ':') != NULL;
    struct sockaddr *any = is_v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
    socklen_t len = is_v6 ? sizeof v6 : sizeof v4;
    int fd = socket(any->sa_family, SOCK_STREAM, 0);

    if (fd < 0)
        return -1;
    assert_int_equal(inet_pton(any->sa_family, address, is_v6 ? (void *)&v6.sin6_addr : (void *)&v4.sin_addr), 1);
    if (bind(fd, any, len) != 0 || listen(fd, 128) != 0 || getsockname(fd, any, &len) != 0) {
        (void)close(fd);
        return -1;
    }
    (void)snprintf(port, 8, "%u", ntohs(is_v6 ? v6.sin6_port : v4.sin_port));
    return fd;
}

bool cert_server_start(struct cert_server *server)
{
    int listening = listen_at(server->address ? server->address : "127.0.0.1", server->port);

    if (listening < 0)
        return false;
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0)
        run_server(server, listening);
    (void)close(listening);
    return true;
}

bool cert_server_stop(struct cert_server *server)
{
    int status;

    assert_int_equal(kill(server->pid, SIGKILL), 0);
    assert_int_equal(waitpid(server->pid, &status, 0), server->pid);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}
