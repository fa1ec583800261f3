/* SPDX-License-Identifier: MIT
 *
 * What is said of a server's certificate that does not verify: against a TLS server of our own, with certificates
 * made for the occasion.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "crypto/verify.h"
#include "fixture.h"
#include "http/http.h"
#include "platform/platform.h"
#include "server_fixture.h"
#include "test.h"
#include "util/text.h"

#define DAY_S 86400

/* ------------------------------------------------------------------ certificates */

struct span { /* in seconds from now */
    long from, to;
};

#define GOOD                                                                                                           \
    {                                                                                                                  \
        -10 * DAY_S, 80 * DAY_S                                                                                        \
    }

/* A server: its chain is root <- leaf, or leaf alone. */
struct server_spec {
    struct span root;
    struct span leaf;
    const char *names; /* of the leaf, as OpenSSL writes them: "DNS:a,DNS:b,IP:127.0.0.1"; NULL: none */
    bool is_self_signed;
    bool is_unknown; /* ca_file holds another root */
};

static EVP_PKEY *new_key(void)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    assert_non_null(key);
    return key;
}

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    assert_non_null(extension);
    assert_int_equal(X509_add_ext(cert, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static X509 *new_cert(const char *name, EVP_PKEY *key, struct span when, X509 *issuer, EVP_PKEY *issuer_key)
{
    static long serial = 1;
    X509 *cert = X509_new();
    X509_NAME *subject;

    assert_non_null(cert);
    assert_int_equal(X509_set_version(cert, 2), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), when.from));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), when.to));
    subject = X509_get_subject_name(cert);
    assert_int_equal(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(cert, issuer ? X509_get_subject_name(issuer) : subject), 1);
    assert_int_equal(X509_set_pubkey(cert, key), 1);
    if (!issuer_key)
        add_extension(cert, NID_basic_constraints, "critical,CA:TRUE");
    return cert;
}

static void sign(X509 *cert, EVP_PKEY *key)
{
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
}

static void write_pem(const char *path, X509 *cert)
{
    BIO *pem = BIO_new(BIO_s_mem());
    char *text;

    assert_int_equal(PEM_write_bio_X509(pem, cert), 1);
    assert_int_equal(BIO_write(pem, "", 1), 1);
    assert_true(BIO_get_mem_data(pem, &text) > 0);
    fixture_write(path, text);
    BIO_free(pem);
}

/* The server's context; the root that clients trust is written to `ca_file`. */
static SSL_CTX *make_server(const struct server_spec *spec, const char *ca_file)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    EVP_PKEY *root_key = new_key(), *leaf_key = new_key(), *other_key = new_key();
    X509 *root = new_cert("Test Root", root_key, spec->root, NULL, NULL);
    X509 *other = new_cert("Other Root", other_key, (struct span)GOOD, NULL, NULL);
    X509 *leaf = spec->is_self_signed ? new_cert("localhost", leaf_key, spec->leaf, NULL, leaf_key)
                                      : new_cert("localhost", leaf_key, spec->leaf, root, root_key);

    sign(root, root_key);
    sign(other, other_key);
    if (spec->names)
        add_extension(leaf, NID_subject_alt_name, spec->names);
    sign(leaf, spec->is_self_signed ? leaf_key : root_key);
    write_pem(ca_file, spec->is_unknown || spec->is_self_signed ? other : root);
    assert_int_equal(SSL_CTX_use_certificate(ctx, leaf), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, leaf_key), 1);
    X509_free(root);
    X509_free(other);
    X509_free(leaf);
    EVP_PKEY_free(root_key);
    EVP_PKEY_free(leaf_key);
    EVP_PKEY_free(other_key);
    return ctx;
}

/* ------------------------------------------------------------------ the server */

static void answer(SSL *ssl)
{
    static const char text[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    char request[4096];

    if (SSL_accept(ssl) != 1)
        return;
    while (SSL_read(ssl, request, sizeof request) > 0)
        if (SSL_write(ssl, text, (int)sizeof text - 1) <= 0)
            return;
}

static int serve(struct test_server *self, void *ctx)
{
    platform_socket fd;

    while ((fd = test_server_accept(self, test_server_socket(self, 0))) != PLATFORM_NO_SOCKET) {
        SSL *ssl = SSL_new(ctx);

        if (!ssl || SSL_set_fd(ssl, (int)fd) != 1)
            return 1;
        answer(ssl);
        SSL_free(ssl);
        test_server_hang_up(self, fd);
    }
    return 0;
}

/* ------------------------------------------------------------------ the client */

static int64_t real_ms(UNUSED struct clock *self)
{
    return clock_wall_ms(platform_clock());
}

static int64_t distant_past_ms(UNUSED struct clock *self)
{
    return INT64_C(848779200) * 1000; /* 1996-11-23 */
}

static bool no_sleep(UNUSED struct clock *self, UNUSED int64_t ms)
{
    fail_msg("nothing here sleeps");
    return false;
}

static bool never(UNUSED struct clock *self)
{
    return false;
}

struct fixture {
    struct clock clock;
    char *dir;
    char *ca_file;
    struct http *http;
    SSL_CTX *ctx;
    struct test_server *server;
    int port;
    char url[64];
    struct err err;
};

static void setup(struct fixture *f, const struct server_spec *spec)
{
    uint16_t port = 0;
    platform_socket listening = test_server_bind(SOCK_STREAM, NULL, &port);

    *f = (struct fixture){.clock = {real_ms, real_ms, no_sleep, never, NULL}, .dir = fixture_dir_new()};
    f->ca_file = fixture_path(f->dir, "ca.pem");
    f->ctx = make_server(spec, f->ca_file);
    assert_true(listening != PLATFORM_NO_SOCKET);
    assert_int_equal(listen(listening, 16), 0);
    f->port = port;
    f->server = test_server_start(serve, f->ctx, &listening, 1);
    assert_int_equal(http_curl_new(&(struct http_curl_opts){.ca_file = f->ca_file,
                                                            .clock_advice = "turn its hands",
                                                            .connect_timeout_ms = 5000,
                                                            .clock = &f->clock},
                                   &f->http, &f->err),
                     ERR_OK);
    (void)snprintf(f->url, sizeof f->url, "https://127.0.0.1:%d/", f->port);
}

static void teardown(struct fixture *f)
{
    http_free(f->http);
    assert_true(test_server_stop(f->server));
    SSL_CTX_free(f->ctx);
    free(f->ca_file);
    fixture_dir_free(f->dir);
}

static enum err_code perform(struct fixture *f)
{
    struct http_request request = {.method = "GET", .url = f->url, .timeout_ms = 10000, .max_body = 1000};
    struct http_response response AUTO_HTTP_RESPONSE = {.result = ERR_OK};
    enum err_code code;

    err_init(&f->err);
    code = http_perform(f->http, &request, &response, &f->err);
    assert_int_equal(response.may_have_acted, false);
    return code;
}

static void assert_said(const char *text, const char *want)
{
    if (!strstr(text, want))
        fail_msg("\"%s\" is not in \"%s\"", want, text);
}

static void assert_refused(const struct server_spec *spec, const char *in_msg, const char *in_hint)
{
    struct fixture f;

    setup(&f, spec);
    assert_int_equal(perform(&f), ERR_TLS);
    assert_said(f.err.msg, "no secure connection to \"127.0.0.1:");
    assert_said(f.err.msg, in_msg);
    assert_said(f.err.hint, in_hint);
    assert_int_equal(perform(&f), ERR_TLS); /* the second time is no different */
    assert_said(f.err.msg, in_msg);
    teardown(&f);
}

static bool can_watch(void)
{
    return verify_is_our_library(curl_version_info(CURLVERSION_NOW)->ssl_version);
}

/* ------------------------------------------------------------------ tests */

TEST(a_good_certificate_is_accepted_and_connections_go_on_to_be_reused)
{
    struct fixture f;

    setup(&f, &(struct server_spec){.root = GOOD, .leaf = GOOD, .names = "IP:127.0.0.1"});
    for (int i = 0; i < 3; i++)
        assert_int_equal(perform(&f), ERR_OK);
    teardown(&f);
}

static void iso(char out[CLOCK_HTTP_DATE_MAX], long from_now_s)
{
    clock_format_iso(out, (int64_t)time(NULL) + from_now_s);
    out[strlen("2026-11-23T20")] = '\0'; /* the test may take a while */
}

TEST(of_a_certificate_that_is_not_valid_yet_the_date_is_told_and_what_the_clock_says)
{
    struct server_spec spec = {.root = GOOD, .leaf = {2 * DAY_S, 80 * DAY_S}, .names = "IP:127.0.0.1"};
    char date[CLOCK_HTTP_DATE_MAX];
    AUTO_FREE char *want = NULL;

    iso(date, 2 * DAY_S);
    want = mem_printf("\": its certificate is valid from %s", date);
    assert_refused(&spec, want, "clock is probably behind: set it and keep it right (turn its hands)");
    iso(date, 0);
    mem_free_auto(&want);
    want = mem_printf("Z on, and this machine's clock says %s", date);
    assert_refused(&spec, want, "certificates are checked");
}

TEST(a_clock_of_before_this_program_is_surely_wrong)
{
    struct fixture f;

    setup(&f, &(struct server_spec){.root = GOOD, .leaf = {DAY_S, 80 * DAY_S}, .names = "IP:127.0.0.1"});
    f.clock.wall_ms = distant_past_ms;
    assert_int_equal(perform(&f), ERR_TLS);
    assert_said(f.err.msg, "on, and this machine's clock says 1996-11-23T20:00:00Z");
    assert_said(f.err.hint, "This machine's clock is behind: set it");
    teardown(&f);
}

TEST(of_an_expired_certificate_both_possibilities_are_told_the_likelier_first)
{
    struct server_spec spec = {.root = GOOD, .leaf = {-9 * DAY_S, -3 * DAY_S - 60}, .names = "IP:127.0.0.1"};
    char date[CLOCK_HTTP_DATE_MAX];
    AUTO_FREE char *want = NULL;

    iso(date, -3 * DAY_S - 60);
    want = mem_printf("\": its certificate expired on %s", date);
    assert_refused(&spec, want, "renew the certificate");
    assert_refused(&spec, "Z, 3 days ago by this machine's clock (20", "set it if it is ahead (turn its hands)");
    assert_refused(&spec, "Z): either it was not renewed, or the clock is ahead", "127.0.0.1");
    spec.leaf = (struct span){-800 * DAY_S, -731 * DAY_S};
    assert_refused(&spec, "Z, 2 years ago by this machine's clock (20", "real time");
    assert_refused(&spec, "): probably the clock is ahead, else the certificate was not renewed", "real time");
}

TEST(an_expired_ca_speaks_for_a_clock_that_is_ahead)
{
    const struct server_spec spec = {
        .root = {-90 * DAY_S, -DAY_S - 7300}, .leaf = {-90 * DAY_S, -DAY_S - 7300}, .names = "IP:127.0.0.1"};

    assert_refused(&spec, "\": the certificate of its CA \"Test Root\" expired on 20", "real time");
    assert_refused(&spec, "26 hours ago by this machine's clock", "real time");
    assert_refused(&spec, "): probably the clock is ahead", "real time");
}

TEST(a_ca_that_is_not_trusted_is_named)
{
    const struct server_spec spec = {.root = GOOD, .leaf = GOOD, .names = "IP:127.0.0.1", .is_unknown = true};

    assert_refused(&spec, "\": its certificate comes from \"Test Root\", which this machine does not trust",
                   "/ca.pem\" holds the CA certificate of \"Test Root\"");
}

TEST(a_self_signed_certificate_is_called_so)
{
    const struct server_spec spec = {.root = GOOD, .leaf = GOOD, .names = "IP:127.0.0.1", .is_self_signed = true};

    assert_refused(&spec, "\": its certificate is self-signed by \"localhost\", not issued by a CA",
                   "in the server's place");
}

TEST(a_certificate_of_another_host_says_for_which_it_is)
{
    struct server_spec spec = {.root = GOOD, .leaf = GOOD, .names = "DNS:a.example,DNS:b.example"};

    assert_refused(&spec, "\": its certificate is not for this host but for \"a.example\", \"b.example\"",
                   "host name in the endpoint");
    spec.names = "DNS:a.example,DNS:b.example,IP:192.0.2.1,DNS:*.c.example,DNS:d.example";
    assert_refused(&spec, "\"a.example\", \"b.example\", \"192.0.2.1\" and 2 more", "captive portal");
    spec.names = NULL;
    assert_refused(&spec, "is not for this host but for none that it names", "captive portal");
}

TEST(a_library_is_ours_only_in_the_same_version)
{
    const char *ours = OpenSSL_version(OPENSSL_VERSION_STRING);
    AUTO_FREE char *same = mem_printf("OpenSSL/%s", ours);
    AUTO_FREE char *with_other = mem_printf("OpenSSL/%s (GnuTLS/3.7.9)", ours);
    AUTO_FREE char *other_first = mem_printf("GnuTLS/3.7.9 (OpenSSL/%s)", ours);
    AUTO_FREE char *idle = mem_printf("(OpenSSL/%s) GnuTLS/3.7.9", ours);
    AUTO_FREE char *later = mem_printf("OpenSSL/%s1", ours);

    assert_true(verify_is_our_library(same));
    assert_true(verify_is_our_library(with_other));
    assert_false(verify_is_our_library(other_first));
    assert_false(verify_is_our_library(idle));
    assert_false(verify_is_our_library(later));
    assert_false(verify_is_our_library("LibreSSL/3.8.2"));
    assert_false(verify_is_our_library("OpenSSL/1.1.1w"));
    assert_false(verify_is_our_library(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_certificate_is_accepted_and_connections_go_on_to_be_reused),
        cmocka_unit_test(of_a_certificate_that_is_not_valid_yet_the_date_is_told_and_what_the_clock_says),
        cmocka_unit_test(a_clock_of_before_this_program_is_surely_wrong),
        cmocka_unit_test(of_an_expired_certificate_both_possibilities_are_told_the_likelier_first),
        cmocka_unit_test(an_expired_ca_speaks_for_a_clock_that_is_ahead),
        cmocka_unit_test(a_ca_that_is_not_trusted_is_named),
        cmocka_unit_test(a_self_signed_certificate_is_called_so),
        cmocka_unit_test(a_certificate_of_another_host_says_for_which_it_is),
        cmocka_unit_test(a_library_is_ours_only_in_the_same_version),
    };

    if (!can_watch()) /* another library: its own words are shown, which test_http_curl sees */
        return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
