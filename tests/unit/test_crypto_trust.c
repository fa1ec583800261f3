/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <openssl/ssl.h>

#include "cert_fixture.h"
#include "crypto/trust.h"
#include "test.h"
#include "util/mem.h"

struct world {
    struct made_cert root;
    struct made_cert other_root;
    struct made_cert leaf; /* of the root */
};

static int setup(void **state)
{
    struct world *w = mem_zalloc(sizeof *w);

    w->root = cert_make(&(struct cert_order){.common_name = "Root", .is_ca = true});
    w->other_root = cert_make(&(struct cert_order){.common_name = "Other Root", .is_ca = true});
    w->leaf = cert_make(&(struct cert_order){.common_name = "leaf", .names = "DNS:localhost", .issuer = &w->root});
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    made_cert_done(&w->root);
    made_cert_done(&w->other_root);
    made_cert_done(&w->leaf);
    free(w);
    return fixture_openssl_is_quiet(state);
}

static size_t add(struct trust *trust, const struct made_cert *cert)
{
    size_t len = 0;
    unsigned char *der = cert_der(cert, &len);
    size_t count = trust_add(trust, der, len);

    free(der);
    return count;
}

static void refuse(struct trust *trust, const struct made_cert *cert)
{
    size_t len = 0;
    unsigned char *der = cert_der(cert, &len);

    trust_refuse(trust, der, len);
    free(der);
}

/* Would a TLS connection with this context take the certificate?  As OpenSSL chooses the store. */
static bool is_taken(SSL_CTX *ctx, const struct made_cert *cert)
{
    X509_STORE *store = NULL;
    X509_STORE_CTX *look = X509_STORE_CTX_new();
    bool is_good;

    assert_true(SSL_CTX_get0_verify_cert_store(ctx, &store));
    assert_non_null(store);
    assert_true(X509_STORE_CTX_init(look, store, cert->x509, NULL));
    is_good = X509_verify_cert(look) == 1;
    X509_STORE_CTX_free(look);
    return is_good;
}

static bool trusts(const struct trust *trust, const struct made_cert *cert)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    bool is_good;

    assert_int_equal(trust_set(trust, ctx, NULL), ERR_OK);
    is_good = is_taken(ctx, cert);
    SSL_CTX_free(ctx);
    return is_good;
}

/* ------------------------------------------------------------------ tests */

static void what_was_added_is_trusted_and_nothing_else(void **state)
{
    const struct world *w = *state;
    struct trust AUTO_TRUST *trust = trust_new();
    struct trust AUTO_TRUST *other = trust_new();

    assert_false(trusts(trust, &w->leaf));
    assert_int_equal(add(trust, &w->root), 1);
    assert_int_equal(add(other, &w->other_root), 1);
    assert_true(trusts(trust, &w->leaf));
    assert_false(trusts(other, &w->leaf));
}

static void a_certificate_that_is_refused_is_not_trusted_however_it_comes(void **state)
{
    const struct world *w = *state;
    struct trust AUTO_TRUST *trust = trust_new();
    char AUTO_FREE *pem = cert_pem(&w->root);

    refuse(trust, &w->other_root);
    refuse(trust, &w->root);
    assert_int_equal(add(trust, &w->root), 0);
    assert_int_equal(trust_add_pem(trust, pem, strlen(pem)), 0);
    assert_false(trusts(trust, &w->leaf));
}

static void a_bundle_may_have_comments_keys_and_damage_in_it(void **state)
{
    const struct world *w = *state;
    struct trust AUTO_TRUST *trust = trust_new();
    char AUTO_FREE *first = cert_pem(&w->other_root);
    char AUTO_FREE *key = cert_key_pem(&w->leaf);
    char AUTO_FREE *second = cert_pem(&w->root);
    char AUTO_FREE *bundle = mem_printf(
        "# of 2026\n%s%s-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n%s", first, key, second);

    assert_int_equal(trust_add_pem(trust, bundle, strlen(bundle)), 2);
    assert_true(trusts(trust, &w->leaf));
}

static void what_else_a_context_trusts_does_not_count(void **state)
{
    const struct world *w = *state;
    struct trust AUTO_TRUST *trust = trust_new();
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    assert_int_equal(add(trust, &w->other_root), 1);
    assert_int_equal(trust_set(trust, ctx, NULL), ERR_OK);
    assert_true(X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), w->root.x509));
    assert_false(is_taken(ctx, &w->leaf));
    SSL_CTX_free(ctx);
}

static void connections_outlive_the_object(void **state)
{
    const struct world *w = *state;
    struct trust *trust = trust_new();
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    assert_int_equal(add(trust, &w->root), 1);
    assert_int_equal(trust_set(trust, ctx, NULL), ERR_OK);
    trust_free(trust);
    assert_true(is_taken(ctx, &w->leaf));
    SSL_CTX_free(ctx);
}

static void the_systems_is_found_out_where_openssl_does_not_know_it(UNUSED void **state)
{
    struct trust AUTO_TRUST *trust = trust_of_system();
    char AUTO_FREE *text = trust ? trust_describe(trust) : NULL;

    assert_int_equal(trust_is_ours(), trust != NULL);
    assert_true(!text || strstr(text, "of the system's certificate stores"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_added_is_trusted_and_nothing_else, setup, teardown),
        cmocka_unit_test_setup_teardown(a_certificate_that_is_refused_is_not_trusted_however_it_comes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bundle_may_have_comments_keys_and_damage_in_it, setup, teardown),
        cmocka_unit_test_setup_teardown(what_else_a_context_trusts_does_not_count, setup, teardown),
        cmocka_unit_test_setup_teardown(connections_outlive_the_object, setup, teardown),
        cmocka_unit_test(the_systems_is_found_out_where_openssl_does_not_know_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
