/* SPDX-License-Identifier: MIT
 *
 * The files that servers read: which there are, what is in them, who may read them.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/pkcs12.h>

#include "cert_fixture.h"
#include "fixture.h"
#include "flow/install.h"
#include "store_place.h"
#include "test.h"

struct goods {
    struct place place;
    struct made_cert issuer, cert;
    char *leaf_pem, *issuer_pem;
    struct chain *chain;
    struct key *key;
    struct install_request request;
    struct err err;
};

static void goods_init(struct goods *g)
{
    AUTO_FREE char *text = NULL;
    AUTO_FREE char *key_pem = NULL;

    *g = (struct goods){.chain = NULL};
    place_init(&g->place);
    g->issuer = cert_make(&(struct cert_order){.common_name = "a CA", .is_ca = true});
    g->cert = cert_make(&(struct cert_order){.names = "DNS:www.example.com", .issuer = &g->issuer});
    g->leaf_pem = cert_pem(&g->cert);
    g->issuer_pem = cert_pem(&g->issuer);
    text = mem_printf("%s%s", g->leaf_pem, g->issuer_pem);
    key_pem = cert_key_pem(&g->cert);
    assert_int_equal(chain_parse(text, strlen(text), "the chain", &g->chain, &g->err), ERR_OK);
    assert_int_equal(key_parse_pem(key_pem, strlen(key_pem), "the key", &g->key, &g->err), ERR_OK);
    g->request = (struct install_request){
        .name = "www", .chain = g->chain, .key = g->key, .access = {.key_mode = 0600}, .keep = 5};
}

static void goods_done(struct goods *g)
{
    chain_free(g->chain);
    key_free(g->key);
    free(g->leaf_pem);
    free(g->issuer_pem);
    made_cert_done(&g->cert);
    made_cert_done(&g->issuer);
    place_done(&g->place);
}

static int64_t install(struct goods *g)
{
    err_init(&g->request.err);
    install_certificates(g->place.store, &g->request, 1, &g->place.log);
    if (g->request.err.code != ERR_OK)
        fail_msg("%s", g->request.err.msg);
    return g->request.generation;
}

/* Content of a file of the current generation; NULL: there is none. */
static char *content(const struct goods *g, const char *file)
{
    AUTO_FREE char *dir = certificate_dir(g->place.store, "www");
    AUTO_FREE char *path = fixture_path(dir, file);

    return fixture_read(path);
}

static void assert_content(const struct goods *g, const char *file, const char *want)
{
    AUTO_FREE char *got = content(g, file);

    if (!got)
        fail_msg("there is no \"%s\"", file);
    assert_string_equal(got, want);
}

static void assert_absent(const struct goods *g, const char *file)
{
    AUTO_FREE char *got = content(g, file);

    if (got)
        fail_msg("there is \"%s\"", file);
}

static void expect_mode(const struct goods *g, const char *file, unsigned mode)
{
    AUTO_FREE char *dir = certificate_dir(g->place.store, "www");
    AUTO_FREE char *path = fixture_path(dir, file);

    fixture_expect_mode(path, mode);
}

static char *key_text(const struct goods *g)
{
    struct buf text = BUF_INIT(65536);

    assert_int_equal(key_format_pem(g->key, &text, NULL), ERR_OK);
    return buf_take(&text);
}

/* ------------------------------------------------------------------ tests */

TEST(certificate_chain_and_key_are_a_file_each_and_only_the_key_is_secret)
{
    struct goods g;
    AUTO_FREE char *full = NULL;
    AUTO_FREE char *key = NULL;

    goods_init(&g);
    assert_int_equal(install(&g), 1);
    full = mem_printf("%s%s", g.leaf_pem, g.issuer_pem);
    key = key_text(&g);
    assert_content(&g, INSTALL_CERT, g.leaf_pem);
    assert_content(&g, INSTALL_CHAIN, g.issuer_pem);
    assert_content(&g, INSTALL_FULLCHAIN, full);
    assert_content(&g, INSTALL_KEY, key);
    expect_mode(&g, INSTALL_FULLCHAIN, 0644);
    expect_mode(&g, INSTALL_KEY, 0600);
    assert_absent(&g, INSTALL_COMBINED);
    assert_absent(&g, INSTALL_PFX);
    assert_absent(&g, INSTALL_CERT_DER);
    assert_absent(&g, INSTALL_KEY_DER);
    goods_done(&g);
}

TEST(a_combined_file_has_certificate_chain_and_key_and_is_secret)
{
    struct goods g;
    AUTO_FREE char *want = NULL;
    AUTO_FREE char *key = NULL;

    goods_init(&g);
    g.request.combined = true;
    (void)install(&g);
    key = key_text(&g);
    want = mem_printf("%s%s%s", g.leaf_pem, g.issuer_pem, key);
    assert_content(&g, INSTALL_COMBINED, want);
    expect_mode(&g, INSTALL_COMBINED, 0600);
    goods_done(&g);
}

static PKCS12 *read_pfx(struct goods *g)
{
    AUTO_FREE char *dir = certificate_dir(g->place.store, "www");
    AUTO_FREE char *path = fixture_path(dir, INSTALL_PFX);
    BIO *file = BIO_new_file(path, "rb");
    PKCS12 *pfx;

    assert_non_null(file);
    pfx = d2i_PKCS12_bio(file, NULL);
    BIO_free(file);
    assert_non_null(pfx);
    return pfx;
}

TEST(a_pkcs12_file_opens_with_its_password_only)
{
    struct goods g;
    AUTO_SECRET struct secret *password = secret_new("swordfish", 9);
    PKCS12 *pfx;

    goods_init(&g);
    g.request.pfx = true;
    g.request.pfx_password = password;
    (void)install(&g);
    pfx = read_pfx(&g);
    assert_int_equal(PKCS12_verify_mac(pfx, "swordfish", -1), 1);
    assert_int_equal(PKCS12_verify_mac(pfx, "sword", -1), 0);
    PKCS12_free(pfx);
    expect_mode(&g, INSTALL_PFX, 0600);
    goods_done(&g);
}

TEST(der_files_hold_what_the_pem_files_hold)
{
    struct goods g;
    struct buf read = BUF_INIT(65536);
    struct buf key = BUF_INIT(65536);
    unsigned char *der;
    size_t len;

    goods_init(&g);
    g.request.der = true;
    (void)install(&g);
    der = cert_der(&g.cert, &len);
    assert_int_equal(certificate_read(g.place.store, "www", INSTALL_CERT_DER, &read, &g.err), ERR_OK);
    assert_int_equal(read.len, len);
    assert_memory_equal(read.data, der, len);
    free(der);
    buf_done(&read);
    read = BUF_INIT(65536);
    assert_int_equal(key_format_der(g.key, &key, &g.err), ERR_OK);
    assert_int_equal(certificate_read(g.place.store, "www", INSTALL_KEY_DER, &read, &g.err), ERR_OK);
    assert_int_equal(read.len, key.len);
    assert_memory_equal(read.data, key.data, key.len);
    expect_mode(&g, INSTALL_KEY_DER, 0600);
    buf_done(&read);
    buf_done(&key);
    goods_done(&g);
}

TEST(without_a_key_of_ours_there_is_no_file_that_would_hold_it)
{
    struct goods g;

    goods_init(&g);
    g.request.key = NULL;
    g.request.combined = g.request.der = g.request.pfx = true;
    (void)install(&g);
    assert_content(&g, INSTALL_CERT, g.leaf_pem);
    assert_absent(&g, INSTALL_KEY);
    assert_absent(&g, INSTALL_COMBINED);
    assert_absent(&g, INSTALL_KEY_DER);
    assert_absent(&g, INSTALL_PFX);
    goods_done(&g);
}

TEST(old_generations_go_and_the_newest_is_read)
{
    struct goods g;
    AUTO_FREE char *archive = NULL;

    goods_init(&g);
    g.request.keep = 2;
    for (int64_t i = 1; i <= 4; i++)
        assert_int_equal(install(&g), i);
    archive = fixture_path(g.place.dir, "archive/www");
    assert_int_equal(fixture_count(archive), 2);
    assert_content(&g, INSTALL_CERT, g.leaf_pem);
    goods_done(&g);
}

TEST(what_can_not_be_made_switches_nothing)
{
    struct goods g;
    AUTO_KEY struct key *other = NULL;

    goods_init(&g);
    assert_int_equal(install(&g), 1);
    assert_int_equal(key_new(KEY_ECDSA_P256, &other, &g.err), ERR_OK);
    g.request.key = other;
    g.request.pfx = true; /* which refuses a key of another certificate */
    g.request.generation = 77;
    install_certificates(g.place.store, &g.request, 1, &g.place.log);
    assert_int_equal(g.request.err.code, ERR_INPUT);
    assert_int_equal(g.request.generation, 77);
    assert_absent(&g, INSTALL_PFX);
    g.request.key = g.key;
    assert_int_equal(install(&g), 2);
    goods_done(&g);
}

#define MANY 205 /* more than are written together */

/* Every third can't be made, one was refused before. */
TEST(of_many_those_that_can_not_be_made_keep_no_other)
{
    struct goods g;
    AUTO_KEY struct key *other = NULL;
    AUTO_FREE struct install_request *requests = mem_calloc(MANY, sizeof *requests);
    struct strlist AUTO_STRLIST names = {NULL, 0};

    goods_init(&g);
    assert_int_equal(key_new(KEY_ECDSA_P256, &other, &g.err), ERR_OK);
    for (size_t i = 0; i < MANY; i++) {
        strlist_add_take(&names, mem_printf("of-many-%zu", i));
        requests[i] = g.request;
        requests[i].name = names.items[i];
        requests[i].pfx = i % 3 == 0;
        requests[i].key = i % 3 == 0 ? other : g.key;
    }
    (void)err_set(&requests[1].err, ERR_UNSAFE, "everybody can read its password");
    install_certificates(g.place.store, requests, MANY, &g.place.log);
    for (size_t i = 0; i < MANY; i++) {
        AUTO_FREE char *dir = certificate_dir(g.place.store, names.items[i]);

        assert_int_equal(requests[i].err.code, i == 1 ? ERR_UNSAFE : i % 3 == 0 ? ERR_INPUT : ERR_OK);
        assert_int_equal(requests[i].generation, requests[i].err.code == ERR_OK);
        assert_int_equal(platform_file_exists(dir), requests[i].err.code == ERR_OK);
    }
    goods_done(&g);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificate_chain_and_key_are_a_file_each_and_only_the_key_is_secret),
        cmocka_unit_test(a_combined_file_has_certificate_chain_and_key_and_is_secret),
        cmocka_unit_test(a_pkcs12_file_opens_with_its_password_only),
        cmocka_unit_test(der_files_hold_what_the_pem_files_hold),
        cmocka_unit_test(without_a_key_of_ours_there_is_no_file_that_would_hold_it),
        cmocka_unit_test(old_generations_go_and_the_newest_is_read),
        cmocka_unit_test(what_can_not_be_made_switches_nothing),
        cmocka_unit_test(of_many_those_that_can_not_be_made_keep_no_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
