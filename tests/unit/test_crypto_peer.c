/* SPDX-License-Identifier: MIT
 *
 * Against TLS servers of our own, and against what only looks like one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cert_fixture.h"
#include "crypto/cert.h"
#include "fixture.h"
#include "platform/platform.h"
#include "test.h"

#define TIMEOUT_MS 10000
#define SHORT_MS 400

struct world {
    char *dir;
    char *ca_file;
    struct made_cert root;
    struct made_cert intermediate;
    struct made_cert leaf; /* good: for "localhost" and 127.0.0.1, by the root */
};

static char *write_pem(const struct world *w, const char *name, const struct made_cert *cert)
{
    char *path = fixture_path(w->dir, name);
    char AUTO_FREE *pem = cert_pem(cert);

    fixture_write(path, pem);
    return path;
}

static int setup(void **state)
{
    struct world *w = mem_zalloc(sizeof *w);

    fixture_ignore_sigpipe();
    w->dir = fixture_dir_new();
    w->root = cert_make(&(struct cert_order){.common_name = "Test Root", .is_ca = true});
    w->intermediate = cert_make(
        &(struct cert_order){.common_name = "Test Intermediate", .is_ca = true, .issuer = &w->root});
    w->leaf = cert_make(&(struct cert_order){
        .common_name = "the leaf", .names = "DNS:localhost,IP:127.0.0.1,IP:::1", .issuer = &w->root});
    w->ca_file = write_pem(w, "ca.pem", &w->root);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    made_cert_done(&w->root);
    made_cert_done(&w->intermediate);
    made_cert_done(&w->leaf);
    fixture_dir_free(w->dir);
    free(w->ca_file);
    free(w);
    return 0;
}

/* ------------------------------------------------------------------ asking */

struct asked {
    struct cert_peer peer;
    struct strlist addresses;
    enum err_code rc;
    struct err err;
    int64_t took_ms;
};

static void asked_done(struct asked *a)
{
    cert_peer_done(&a->peer);
    strlist_done(&a->addresses);
}

static struct asked ask_at(const struct world *w, const char *host, const char *port, int64_t timeout_ms,
                           const char *const *addresses)
{
    struct asked a = {.peer = {.host = host, .port = port}};
    const struct cert_peer_opts opts = {w->ca_file, timeout_ms, platform_clock()};
    int64_t start_ms = clock_mono_ms(opts.clock);

    for (size_t i = 0; addresses[i]; i++)
        strlist_add(&a.addresses, addresses[i]);
    a.peer.addresses = &a.addresses;
    a.rc = cert_peers_look(&a.peer, 1, &opts, &a.err);
    a.peer.addresses = NULL;
    a.took_ms = clock_mono_ms(opts.clock) - start_ms;
    return a;
}

static struct asked ask(const struct world *w, const struct cert_server *server, const char *host, int64_t timeout_ms)
{
    const char *const addresses[] = {server->address ? server->address : "127.0.0.1", NULL};

    return ask_at(w, host, server->port, timeout_ms, addresses);
}

static void expect_certificate(const struct asked *a, const char *subject, const char *problem)
{
    if (a->rc != ERR_OK || a->peer.code != ERR_OK)
        fail_msg("%s", a->rc != ERR_OK ? a->err.msg : a->peer.err.msg);
    assert_string_equal(a->peer.cert.subject, subject);
    if (problem && !a->peer.problem)
        fail_msg("it verifies, not: %s", problem);
    else if (problem)
        assert_string_equal(a->peer.problem, problem);
    else if (a->peer.problem)
        fail_msg("%s", a->peer.problem);
}

static void expect_failure(const struct asked *a, enum err_code code, const char *why)
{
    assert_int_equal(a->rc, ERR_OK);
    if (a->peer.code != code || !strstr(a->peer.err.msg, why))
        fail_msg("%s: \"%s\" does not say \"%s\"", err_name(a->peer.code), a->peer.err.msg, why);
    assert_true(strncmp(a->peer.err.msg, "could not get the certificate of \"", 34) == 0);
    assert_null(a->peer.cert.subject);
    assert_null(a->peer.problem);
}

/* Ask a server that has this certificate. */
static struct asked ask_for(const struct world *w, const struct made_cert *cert, const struct made_cert *chain,
                            const char *host)
{
    struct cert_server server = {.kind = SERVER_TLS, .cert = cert, .chain = chain};
    struct asked a;

    assert_true(cert_server_start(&server));
    a = ask(w, &server, host, TIMEOUT_MS);
    assert_true(cert_server_stop(&server));
    return a;
}

/* ------------------------------------------------------------------ certificates */

TEST(a_good_server_shows_a_certificate_that_verifies_and_is_told_nothing)
{
    const struct world *w = *state;
    struct cert_server server = {.kind = SERVER_TLS, .cert = &w->leaf, .expect_sni = "localhost"};
    struct asked AUTO(asked_done) a = {.rc = ERR_INTERNAL};
    struct asked AUTO(asked_done) again = {.rc = ERR_INTERNAL};

    assert_true(cert_server_start(&server));
    a = ask(w, &server, "localhost", TIMEOUT_MS);
    again = ask(w, &server, "LOCALHOST.", TIMEOUT_MS);
    expect_certificate(&a, "the leaf", NULL);
    assert_string_equal(a.peer.cert.issuer, "Test Root");
    expect_failure(&again, ERR_TLS, "the server refused: "); /* SNI is handed on as it was written, but for the dot */
    /* A second connection was served: the first one has ended, and nothing came with it. */
    assert_true(cert_server_stop(&server));
}

TEST(an_address_is_compared_with_the_addresses_and_not_put_into_sni)
{
    const struct world *w = *state;
    struct cert_server server = {.kind = SERVER_TLS, .cert = &w->leaf, .address = "::1"};
    struct asked AUTO(asked_done) v4 = ask_for(w, &w->leaf, NULL, "127.0.0.1");
    struct asked AUTO(asked_done) other = ask_for(w, &w->leaf, NULL, "127.0.0.2");

    expect_certificate(&v4, "the leaf", NULL);
    expect_certificate(&other, "the leaf", "it is not for \"127.0.0.2\" but for localhost, 127.0.0.1, ::1");
    if (cert_server_start(&server)) {
        struct asked AUTO(asked_done) v6 = ask(w, &server, "::1", TIMEOUT_MS);

        expect_certificate(&v6, "the leaf", NULL);
        assert_true(cert_server_stop(&server));
    }
}

TEST(a_certificate_for_other_names_is_reported)
{
    const struct world *w = *state;
    struct made_cert many = cert_make(&(struct cert_order){
        .common_name = "many", .names = "DNS:a.example,DNS:b.example,DNS:c.example,DNS:d.example", .issuer = &w->root});
    struct made_cert none = cert_make(&(struct cert_order){.common_name = "localhost", .issuer = &w->root});
    struct made_cert wild = cert_make(
        &(struct cert_order){.common_name = "wild", .names = "DNS:*.example.com", .issuer = &w->root});
    struct asked AUTO(asked_done) a = ask_for(w, &many, NULL, "localhost");
    struct asked AUTO(asked_done) b = ask_for(w, &none, NULL, "localhost");
    struct asked AUTO(asked_done) c = ask_for(w, &wild, NULL, "www.example.com");
    struct asked AUTO(asked_done) d = ask_for(w, &wild, NULL, "a.b.example.com");

    expect_certificate(&a, "many", "it is not for \"localhost\" but for a.example, b.example, c.example and 1 more");
    /* The common name has not counted for years. */
    expect_certificate(&b, "localhost", "it is not for \"localhost\": it names nothing that it is for");
    expect_certificate(&c, "wild", NULL);
    expect_certificate(&d, "wild", "it is not for \"a.b.example.com\" but for *.example.com");
    made_cert_done(&many);
    made_cert_done(&none);
    made_cert_done(&wild);
}

TEST(an_expired_certificate_and_one_of_tomorrow_are_shown_and_their_dates_are_no_problem)
{
    const struct world *w = *state;
    int64_t now_s = clock_wall_ms(platform_clock()) / 1000;
    struct made_cert old = cert_make(&(struct cert_order){.common_name = "old",
                                                          .names = "DNS:localhost",
                                                          .not_before_s = now_s - 100 * 86400,
                                                          .not_after_s = now_s - 10,
                                                          .issuer = &w->root});
    struct made_cert future = cert_make(&(struct cert_order){
        .common_name = "future", .names = "DNS:localhost", .not_before_s = now_s + 86400, .issuer = &w->root});
    struct made_cert old_and_wrong = cert_make(&(struct cert_order){.common_name = "wrong",
                                                                    .names = "DNS:a.example",
                                                                    .not_before_s = now_s - 100 * 86400,
                                                                    .not_after_s = now_s - 10,
                                                                    .issuer = &w->root});
    struct asked AUTO(asked_done) a = ask_for(w, &old, NULL, "localhost");
    struct asked AUTO(asked_done) b = ask_for(w, &future, NULL, "localhost");
    struct asked AUTO(asked_done) c = ask_for(w, &old_and_wrong, NULL, "localhost");

    expect_certificate(&a, "old", NULL);
    assert_true(a.peer.cert.not_after_s == now_s - 10);
    expect_certificate(&b, "future", NULL);
    expect_certificate(&c, "wrong", "it is not for \"localhost\" but for a.example");
    made_cert_done(&old);
    made_cert_done(&future);
    made_cert_done(&old_and_wrong);
}

TEST(chains_that_do_not_verify_are_reported)
{
    const struct world *w = *state;
    int64_t now_s = clock_wall_ms(platform_clock()) / 1000;
    struct made_cert self = cert_make(&(struct cert_order){.common_name = "self", .names = "DNS:localhost"});
    struct made_cert below = cert_make(
        &(struct cert_order){.common_name = "below", .names = "DNS:localhost", .issuer = &w->intermediate});
    struct made_cert foreign_root = cert_make(&(struct cert_order){.common_name = "Evil\nRoot", .is_ca = true});
    struct made_cert foreign = cert_make(
        &(struct cert_order){.common_name = "foreign", .names = "DNS:localhost", .issuer = &foreign_root});
    struct made_cert old_ca = cert_make(&(struct cert_order){.common_name = "Old CA",
                                                             .is_ca = true,
                                                             .not_before_s = now_s - 100 * 86400,
                                                             .not_after_s = now_s - 86400,
                                                             .issuer = &w->root});
    struct made_cert of_old_ca = cert_make(
        &(struct cert_order){.common_name = "of old", .names = "DNS:localhost", .issuer = &old_ca});
    struct asked AUTO(asked_done) a = ask_for(w, &self, NULL, "localhost");
    struct asked AUTO(asked_done) b = ask_for(w, &below, NULL, "localhost");
    struct asked AUTO(asked_done) c = ask_for(w, &below, &w->intermediate, "localhost");
    struct asked AUTO(asked_done) d = ask_for(w, &foreign, &foreign_root, "localhost");
    struct asked AUTO(asked_done) e = ask_for(w, &of_old_ca, &old_ca, "localhost");

    expect_certificate(&a, "self", "it is self-signed");
    expect_certificate(&b, "below",
                       "its issuer \"Test Intermediate\" is neither trusted nor does the server send its certificate");
    expect_certificate(&c, "below", NULL);
    expect_certificate(&d, "foreign", "its root \"Evil\\x0aRoot\" is not trusted");
    expect_certificate(&e, "of old", "the certificate of its issuer: certificate has expired");
    made_cert_done(&self);
    made_cert_done(&below);
    made_cert_done(&foreign_root);
    made_cert_done(&foreign);
    made_cert_done(&old_ca);
    made_cert_done(&of_old_ca);
}

TEST(a_ca_file_may_hold_the_certificate_itself_or_an_intermediate)
{
    struct world *w = *state;
    struct made_cert self = cert_make(&(struct cert_order){.common_name = "self", .names = "DNS:localhost"});
    struct made_cert below = cert_make(
        &(struct cert_order){.common_name = "below", .names = "DNS:localhost", .issuer = &w->intermediate});
    char AUTO_FREE *good_file = w->ca_file;
    char AUTO_FREE *self_file = write_pem(w, "self.pem", &self);
    char AUTO_FREE *intermediate_file = write_pem(w, "intermediate.pem", &w->intermediate);
    struct asked AUTO(asked_done) a = {.rc = ERR_INTERNAL};
    struct asked AUTO(asked_done) b = {.rc = ERR_INTERNAL};

    w->ca_file = self_file;
    a = ask_for(w, &self, NULL, "localhost");
    w->ca_file = intermediate_file;
    b = ask_for(w, &below, NULL, "localhost");
    w->ca_file = mem_strdup(good_file);
    expect_certificate(&a, "self", NULL);
    expect_certificate(&b, "below", NULL);
    made_cert_done(&self);
    made_cert_done(&below);
}

TEST(a_ca_file_that_can_not_be_read_is_an_error_of_the_whole)
{
    const struct world *w = *state;
    struct strlist addresses = {NULL, 0};
    struct cert_peer peer = {.host = "localhost", .port = "1", .addresses = &addresses};
    char AUTO_FREE *path = fixture_path(w->dir, "none.pem");
    const struct cert_peer_opts opts = {path, TIMEOUT_MS, platform_clock()};
    struct err err;

    assert_int_equal(cert_peers_look(&peer, 1, &opts, &err), ERR_IO);
    assert_non_null(strstr(err.msg, path));
    cert_peer_done(&peer);
}

TEST(servers_that_want_a_certificate_of_ours_have_shown_theirs)
{
    static const enum server_kind kinds[] = {SERVER_TLS12_CLIENT_CERT, SERVER_TLS13_CLIENT_CERT};
    const struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct cert_server server = {.kind = kinds[i], .cert = &w->leaf};
        struct asked AUTO(asked_done) a = {.rc = ERR_INTERNAL};

        assert_true(cert_server_start(&server));
        a = ask(w, &server, "localhost", TIMEOUT_MS);
        expect_certificate(&a, "the leaf", NULL);
        assert_true(cert_server_stop(&server));
    }
}

/* ------------------------------------------------------------------ no certificate */

TEST(servers_without_tls_are_told_apart)
{
    static const struct {
        enum server_kind kind;
        enum err_code code;
        const char *why;
        const char *hint;
    } table[] = {
        {SERVER_GREETING, ERR_TLS, "the server does not speak TLS", "STARTTLS"},
        {SERVER_HTTP, ERR_TLS, "the server does not speak TLS", "STARTTLS"},
        {SERVER_CLOSING, ERR_TLS, "the server closed the connection before it had shown one", ""},
        {SERVER_TLS11, ERR_TLS, "the server refused: ", ""},
    };
    const struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct cert_server server = {.kind = table[i].kind, .cert = &w->leaf};
        struct asked AUTO(asked_done) a = {.rc = ERR_INTERNAL};

        assert_true(cert_server_start(&server));
        a = ask(w, &server, "localhost", TIMEOUT_MS);
        expect_failure(&a, table[i].code, table[i].why);
        assert_non_null(strstr(a.peer.err.hint, table[i].hint));
        assert_true(a.took_ms < TIMEOUT_MS / 2);
        assert_true(cert_server_stop(&server));
    }
}

TEST(silent_and_dripping_servers_have_until_the_time_limit)
{
    static const enum server_kind kinds[] = {SERVER_SILENT, SERVER_DRIPPING};
    const struct world *w = *state;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct cert_server server = {.kind = kinds[i]};
        struct asked AUTO(asked_done) a = {.rc = ERR_INTERNAL};

        assert_true(cert_server_start(&server));
        a = ask(w, &server, "localhost", SHORT_MS);
        expect_failure(&a, ERR_TIMEOUT, "the server took the connection and stayed silent in 1 s");
        assert_true(a.took_ms >= SHORT_MS && a.took_ms < 10 * SHORT_MS);
        assert_true(cert_server_stop(&server));
    }
}

TEST(nobody_there_is_an_error_of_the_network)
{
    static const char *const none[] = {NULL};
    static const char *const nonsense[] = {"no address", NULL};
    const struct world *w = *state;
    struct cert_server gone = {.kind = SERVER_CLOSING};
    struct asked AUTO(asked_done) refused = {.rc = ERR_INTERNAL};
    struct asked AUTO(asked_done) nowhere = ask_at(w, "::1", "443", SHORT_MS, none);
    struct asked AUTO(asked_done) wrong = ask_at(w, "localhost", "443", SHORT_MS, nonsense);

    assert_true(cert_server_start(&gone));
    assert_true(cert_server_stop(&gone));
    refused = ask(w, &gone, "localhost", TIMEOUT_MS);
    expect_failure(&refused, ERR_NETWORK, "Connection refused");
    expect_failure(&nowhere, ERR_NETWORK, "\"[::1]:443\": it has no address");
    expect_failure(&wrong, ERR_NETWORK, "");
}

/* ------------------------------------------------------------------ several */

TEST(addresses_are_tried_until_one_gives_a_certificate)
{
    static const char *const addresses[] = {"127.0.0.3", "127.0.0.2", "127.0.0.1", NULL};
    const struct world *w = *state;
    struct cert_server server = {.kind = SERVER_TLS, .cert = &w->leaf};
    struct asked AUTO(asked_done) a = {.rc = ERR_INTERNAL};

    assert_true(cert_server_start(&server));
    a = ask_at(w, "localhost", server.port, TIMEOUT_MS, addresses); /* nobody is at the port of the others */
    expect_certificate(&a, "the leaf", NULL);
    assert_true(cert_server_stop(&server));
}

TEST(many_servers_are_asked_side_by_side_and_each_keeps_its_own_outcome)
{
    enum { SILENT = 40, COUNT = 48 };
    const struct world *w = *state;
    struct cert_server good = {.kind = SERVER_TLS, .cert = &w->leaf};
    struct cert_server silent = {.kind = SERVER_SILENT};
    struct cert_peer peers[COUNT];
    const struct cert_peer_opts opts = {w->ca_file, 2500, platform_clock()};
    struct strlist AUTO_STRLIST addresses = {NULL, 0};
    int64_t start_ms = clock_mono_ms(opts.clock);

    assert_true(cert_server_start(&good));
    assert_true(cert_server_start(&silent));
    strlist_add(&addresses, "127.0.0.1");
    for (size_t i = 0; i < COUNT; i++)
        peers[i] = (struct cert_peer){
            .host = "localhost", .port = i < SILENT ? silent.port : good.port, .addresses = &addresses};
    assert_int_equal(cert_peers_look(peers, COUNT, &opts, NULL), ERR_OK);
    assert_true(clock_mono_ms(opts.clock) - start_ms < 40000); /* one after the other: 100 s */
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(peers[i].code, i < SILENT ? ERR_TIMEOUT : ERR_OK);
        cert_peer_done(&peers[i]);
    }
    assert_true(cert_server_stop(&good));
    assert_true(cert_server_stop(&silent));
}

struct stopping_clock {
    struct clock base;
    int64_t stop_at_ms;
};

static int64_t stopping_mono_ms(UNUSED struct clock *self)
{
    return clock_mono_ms(platform_clock());
}

static bool stopping_is_cancelled(struct clock *self)
{
    return stopping_mono_ms(self) >= ((const struct stopping_clock *)self)->stop_at_ms;
}

TEST(a_wish_to_stop_ends_the_wait)
{
    const struct world *w = *state;
    struct cert_server server = {.kind = SERVER_SILENT};
    struct strlist AUTO_STRLIST addresses = {NULL, 0};
    struct cert_peer peer = {.host = "localhost", .port = server.port, .addresses = &addresses};
    struct stopping_clock clock = {.base = {.mono_ms = stopping_mono_ms, .is_cancelled = stopping_is_cancelled}};
    const struct cert_peer_opts opts = {w->ca_file, 60000, &clock.base};
    struct err err;

    clock.stop_at_ms = stopping_mono_ms(&clock.base) + 300;
    strlist_add(&addresses, "127.0.0.1");
    assert_true(cert_server_start(&server));
    assert_int_equal(cert_peers_look(&peer, 1, &opts, &err), ERR_CANCELLED);
    assert_true(stopping_mono_ms(&clock.base) < clock.stop_at_ms + 5000);
    cert_peer_done(&peer);
    assert_true(cert_server_stop(&server));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_server_shows_a_certificate_that_verifies_and_is_told_nothing),
        cmocka_unit_test(an_address_is_compared_with_the_addresses_and_not_put_into_sni),
        cmocka_unit_test(a_certificate_for_other_names_is_reported),
        cmocka_unit_test(an_expired_certificate_and_one_of_tomorrow_are_shown_and_their_dates_are_no_problem),
        cmocka_unit_test(chains_that_do_not_verify_are_reported),
        cmocka_unit_test(a_ca_file_may_hold_the_certificate_itself_or_an_intermediate),
        cmocka_unit_test(a_ca_file_that_can_not_be_read_is_an_error_of_the_whole),
        cmocka_unit_test(servers_that_want_a_certificate_of_ours_have_shown_theirs),
        cmocka_unit_test(servers_without_tls_are_told_apart),
        cmocka_unit_test(silent_and_dripping_servers_have_until_the_time_limit),
        cmocka_unit_test(nobody_there_is_an_error_of_the_network),
        cmocka_unit_test(addresses_are_tried_until_one_gives_a_certificate),
        cmocka_unit_test(many_servers_are_asked_side_by_side_and_each_keeps_its_own_outcome),
        cmocka_unit_test(a_wish_to_stop_ends_the_wait),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
