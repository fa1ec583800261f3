/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "cert_fixture.h"
#include "crypto/chain.h"
#include "test.h"
#include "util/mem.h"

#define DAY_S INT64_C(86400)
#define PEM_MAX (1024u * 1024)

/* A root, an intermediate and a certificate for two names. */
struct set {
    struct made_cert root, middle, leaf;
    struct strlist names;
    struct buf public_der;
};

static void public_of(const struct made_cert *cert, struct buf *out)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(cert->key, &der);

    assert_true(len > 0);
    buf_append(out, der, (size_t)len);
    OPENSSL_free(der);
}

static struct set made_from(struct cert_order leaf)
{
    struct set s = {.public_der = BUF_INIT(4096)};

    s.root = cert_make(&(struct cert_order){.common_name = "Root X1", .is_ca = true});
    s.middle = cert_make(&(struct cert_order){.common_name = "Middle", .is_ca = true, .issuer = &s.root});
    leaf.issuer = &s.middle;
    s.leaf = cert_make(&leaf);
    strlist_add(&s.names, "a.example.com");
    strlist_add(&s.names, "*.b.example.com");
    public_of(&s.leaf, &s.public_der);
    return s;
}

static struct set made(void)
{
    return made_from((struct cert_order){.names = "DNS:*.b.example.com,DNS:a.example.com"});
}

static void set_done(struct set *s)
{
    made_cert_done(&s->root);
    made_cert_done(&s->middle);
    made_cert_done(&s->leaf);
    strlist_done(&s->names);
    buf_done(&s->public_der);
}

static void put(struct buf *text, const struct made_cert *cert)
{
    char AUTO_FREE *pem = cert_pem(cert);

    buf_puts(text, pem);
}

static void put_key(struct buf *text, const struct made_cert *cert)
{
    char AUTO_FREE *pem = cert_key_pem(cert);

    buf_puts(text, pem);
}

static struct chain *parsed(const struct buf *text)
{
    struct chain *chain = NULL;
    struct err err;

    if (chain_parse(buf_cstr(text), text->len, "the answer", &chain, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    assert_int_equal(ERR_peek_error(), 0);
    return chain;
}

static struct chain *usual(const struct set *s)
{
    struct buf AUTO_BUF text = BUF_INIT(PEM_MAX);

    put(&text, &s->leaf);
    put(&text, &s->middle);
    return parsed(&text);
}

static void refused(const void *data, size_t len, const char *why)
{
    struct chain *chain = NULL;
    struct err err;

    err_init(&err);
    assert_int_equal(chain_parse(data, len, "the answer", &chain, &err), ERR_INPUT);
    assert_null(chain);
    if (!strstr(err.msg, "the answer") || !strstr(err.msg, why))
        fail_msg("\"%s\" does not say \"%s\"", err.msg, why);
    assert_int_equal(ERR_peek_error(), 0);
}

static void refused_text(const struct buf *text, const char *why)
{
    refused(buf_cstr(text), text->len, why);
}

/* ------------------------------------------------------------------ reading */

TEST(certificates_are_read_in_their_order_whatever_is_between)
{
    struct set s = made();
    struct buf AUTO_BUF text = BUF_INIT(PEM_MAX);
    struct chain *chain;

    buf_puts(&text, "subject=/CN=a\r\n");
    put(&text, &s.leaf);
    buf_puts(&text, "\n \n");
    put(&text, &s.middle);
    chain = parsed(&text);
    assert_int_equal(chain_len(chain), 2);
    assert_string_equal(chain_cert(chain, 0)->issuer, "Middle");
    assert_string_equal(chain_cert(chain, 1)->subject, "Middle");
    assert_string_equal(chain_root_name(chain), "Root X1");
    chain_free(chain);
    set_done(&s);
}

TEST(line_ends_of_dos_and_a_last_line_without_end_are_read)
{
    struct set s = made();
    struct buf AUTO_BUF unix_text = BUF_INIT(PEM_MAX);
    struct buf AUTO_BUF dos = BUF_INIT(PEM_MAX);
    struct chain *chain;

    put(&unix_text, &s.leaf);
    put(&unix_text, &s.middle);
    for (const char *at = buf_cstr(&unix_text); *at; at++) {
        if (*at == '\n')
            buf_putc(&dos, '\r');
        buf_putc(&dos, *at);
    }
    chain = parsed(&dos);
    assert_int_equal(chain_len(chain), 2);
    chain_free(chain);
    unix_text.data[--unix_text.len] = '\0';
    chain = parsed(&unix_text);
    assert_int_equal(chain_len(chain), 2);
    chain_free(chain);
    set_done(&s);
}

TEST(other_blocks_are_refused_by_name_wherever_they_stand)
{
    struct set s = made();

    for (size_t place = 0; place < 3; place++) {
        struct buf AUTO_BUF text = BUF_INIT(PEM_MAX);

        for (size_t i = 0; i < 3; i++) {
            if (i == place)
                put_key(&text, &s.leaf);
            if (i < 2)
                put(&text, i == 0 ? &s.leaf : &s.middle);
        }
        refused_text(&text, "PRIVATE KEY");
    }
    set_done(&s);
}

TEST(other_blocks_are_refused_whatever_they_are)
{
    static const struct {
        const char *name;
        const char *shown;
    } blocks[] = {
        {"RSA PRIVATE KEY", "\"RSA PRIVATE KEY\""},
        {"EC PARAMETERS", "\"EC PARAMETERS\""},
        {"PUBLIC KEY", "\"PUBLIC KEY\""},
        {"X509 CRL", "\"X509 CRL\""},
        {"CERTIFICATE REQUEST", "\"CERTIFICATE REQUEST\""},
        {"TRUSTED CERTIFICATE", "\"TRUSTED CERTIFICATE\""},
        {"X509 CERTIFICATE", "\"X509 CERTIFICATE\""},
        {"\x1b[2J", "\"\\"},
        {"", "\"\""},
    };
    struct set s = made();

    for (size_t i = 0; i < ARRAY_LEN(blocks); i++) {
        struct buf AUTO_BUF text = BUF_INIT(PEM_MAX);

        put(&text, &s.leaf);
        buf_printf(&text, "-----BEGIN %s-----\r\nAAAA\r\n-----END %s-----\r\n", blocks[i].name, blocks[i].name);
        refused_text(&text, blocks[i].shown);
    }
    set_done(&s);
}

TEST(text_that_is_too_long_is_refused)
{
    size_t len = 4u * 1024 * 1024 + 1;
    char AUTO_FREE *text = mem_calloc(len + 1, 1);

    memset(text, '\n', len);
    refused(text, len, "larger than");
    refused(text, len - 1, "no certificate");
}

TEST(damage_is_told_with_the_number_of_the_certificate)
{
    struct set s = made();
    struct buf AUTO_BUF text = BUF_INIT(PEM_MAX);
    size_t first;

    put(&text, &s.leaf);
    first = text.len;
    put(&text, &s.middle);
    text.data[first + 100] = '!';
    refused_text(&text, "certificate 2");
    buf_clear(&text);
    put(&text, &s.leaf);
    buf_puts(&text, "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n");
    refused_text(&text, "certificate 2");
    buf_clear(&text);
    put(&text, &s.leaf);
    buf_puts(&text, "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n");
    refused_text(&text, "certificate 2");
    buf_clear(&text);
    put(&text, &s.leaf);
    buf_puts(&text, "-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AAB"
                    "BCCDDEEFF\n\nAAAA\n-----END CERTIFICATE-----\n");
    refused_text(&text, "certificate 2"); /* and nobody is asked for a passphrase */
    set_done(&s);
}

TEST(dates_that_make_no_sense_are_refused)
{
    struct made_cert odd = cert_make(&(struct cert_order){.names = "DNS:a.example.com", .raw_not_after = "tomorrow"});
    struct buf AUTO_BUF text = BUF_INIT(PEM_MAX);

    put(&text, &odd);
    /* Newer versions of OpenSSL don't even read it, and say nothing of dates. */
    refused_text(&text, OPENSSL_VERSION_NUMBER < 0x30100000L ? "its dates make no sense" : "could not read");
    made_cert_done(&odd);
}

TEST(a_certificate_that_begins_within_a_line_is_damage)
{
    struct set s = made();
    struct buf AUTO_BUF text = BUF_INIT(PEM_MAX);

    put(&text, &s.leaf);
    buf_puts(&text, "x");
    put(&text, &s.middle);
    refused_text(&text, "certificate 2 of the answer: its lines are damaged");
    set_done(&s);
}

TEST(what_is_no_chain_is_refused)
{
    struct set s = made();
    struct buf AUTO_BUF text = BUF_INIT(PEM_MAX);
    char *at;

    refused("", 0, "no certificate");
    refused(NULL, 0, "no certificate");
    refused("hello\n", 6, "no certificate");
    refused("-----END CERTIFICATE-----\n", 26, "no certificate");
    put(&text, &s.leaf);
    refused(text.data, text.len - 30, "certificate 1"); /* cut */
    at = strstr(text.data, "\nMII");
    assert_non_null(at);
    memcpy(at, "\nAAA", 4);
    refused_text(&text, "certificate 1");
    buf_clear(&text);
    put(&text, &s.leaf);
    text.data[text.len / 2] = '\0';
    refused(text.data, text.len, "NUL");
    text.data[text.len / 2] = '!';
    refused(text.data, text.len, "certificate 1");
    buf_clear(&text);
    buf_puts(&text, "----- nothing\n");
    put(&text, &s.leaf);
    refused_text(&text, "no PEM block");
    set_done(&s);
}

TEST(there_are_no_more_than_twenty)
{
    struct set s = made();
    struct buf AUTO_BUF text = BUF_INIT(PEM_MAX);
    struct chain *chain;

    for (size_t i = 0; i < CHAIN_LEN_MAX; i++)
        put(&text, &s.middle);
    chain = parsed(&text);
    assert_int_equal(chain_len(chain), CHAIN_LEN_MAX);
    chain_free(chain);
    put(&text, &s.middle);
    refused_text(&text, "more than 20");
    set_done(&s);
}

TEST(what_is_written_is_what_was_read)
{
    struct set s = made();
    struct chain *chain = usual(&s);
    struct buf AUTO_BUF all = BUF_INIT(PEM_MAX);
    struct buf AUTO_BUF parts = BUF_INIT(PEM_MAX);
    struct buf AUTO_BUF der = BUF_INIT(PEM_MAX);
    struct buf AUTO_BUF public_der = BUF_INIT(PEM_MAX);
    unsigned char *want;
    size_t len;

    put(&all, &s.leaf);
    put(&all, &s.middle);
    chain_format_pem(chain, 0, 1, &parts);
    chain_format_pem(chain, 1, 99, &parts);
    chain_format_pem(chain, 2, 1, &parts);
    chain_format_pem(chain, 0, 0, &parts);
    assert_string_equal(buf_cstr(&parts), buf_cstr(&all));
    chain_format_der(chain, 1, &der);
    want = cert_der(&s.middle, &len);
    assert_int_equal(der.len, len);
    assert_memory_equal(der.data, want, len);
    free(want);
    chain_public_der(chain, &public_der);
    assert_int_equal(public_der.len, s.public_der.len);
    assert_memory_equal(public_der.data, s.public_der.data, public_der.len);
    chain_free(chain);
    set_done(&s);
}

TEST(what_is_between_certificates_is_not_passed_on)
{
    struct set s = made();
    struct buf AUTO_BUF text = BUF_INIT(PEM_MAX);
    struct buf AUTO_BUF clean = BUF_INIT(PEM_MAX);
    struct buf AUTO_BUF written = BUF_INIT(PEM_MAX);
    struct chain *chain;

    buf_puts(&text, "; rm -rf /\n");
    put(&text, &s.leaf);
    buf_puts(&text, "more");
    chain = parsed(&text);
    put(&clean, &s.leaf);
    chain_format_pem(chain, 0, 99, &written);
    assert_string_equal(buf_cstr(&written), buf_cstr(&clean));
    chain_free(chain);
    set_done(&s);
}

TEST(fingerprints_are_those_of_openssl)
{
    struct set s = made();
    struct chain *chain = usual(&s);
    char print[CHAIN_FINGERPRINT_LEN + 1];
    unsigned char digest[32];
    char want[CHAIN_FINGERPRINT_LEN + 1];

    assert_int_equal(X509_digest(s.middle.x509, EVP_sha256(), digest, NULL), 1);
    for (size_t i = 0; i < sizeof digest; i++)
        (void)snprintf(want + 2 * i, 3, "%02x", digest[i]);
    chain_fingerprint(chain, 1, print);
    assert_string_equal(print, want);
    chain_free(chain);
    set_done(&s);
}

/* ------------------------------------------------------------------ is it what was asked for? */

static enum err_code check(const struct set *s, const struct chain *chain, int64_t now_s, struct err *err)
{
    return chain_check(
        chain,
        &(struct chain_expectation){
            .public_der = s->public_der.data, .public_der_len = s->public_der.len, .names = &s->names, .now_s = now_s},
        err);
}

static void expect_bad(const struct set *s, const char *why)
{
    struct chain *chain = usual(s);
    struct err err;

    err_init(&err);
    assert_int_equal(check(s, chain, time(NULL), &err), ERR_INPUT);
    if (!strstr(err.msg, why))
        fail_msg("\"%s\" does not say \"%s\"", err.msg, why);
    assert_int_equal(ERR_peek_error(), 0);
    chain_free(chain);
}

TEST(the_certificate_that_was_asked_for_is_good)
{
    struct set s = made_from(
        (struct cert_order){.names = "DNS:*.B.example.com,DNS:A.Example.com", .common_name = "a.example.com"});
    struct chain *chain = usual(&s);
    struct err err;

    assert_int_equal(check(&s, chain, time(NULL), &err), ERR_OK);
    chain_free(chain);
    set_done(&s);
}

TEST(another_key_is_refused)
{
    struct set s = made();

    buf_clear(&s.public_der);
    public_of(&s.root, &s.public_der);
    expect_bad(&s, "another key");
    set_done(&s);
}

TEST(names_that_lack_or_were_not_asked_for_are_told)
{
    static const struct {
        const char *names;
        const char *common_name;
        const char *why;
    } cases[] = {
        {"DNS:a.example.com", NULL, "not for \"*.b.example.com\""},
        {"DNS:a.example.com,DNS:*.b.example.com,DNS:c.example.com", NULL, "\"c.example.com\", which was not asked for"},
        {"DNS:a.example.com,DNS:*.b.example.com,IP:192.0.2.1", NULL, "IP address"},
        {"DNS:a.example.com,DNS:*.b.example.com,email:a@example.com", NULL, "a@example.com"},
        {"DNS:a.example.com,DNS:*.b.example.com", "c.example.com", "c.example.com"},
        {"DNS:a.example.com,DNS:*.b.example.com,DNS:c d", NULL, "\"c d\", which was not asked for"},
        {"DNS:a.example.com,DNS:b.example.com", NULL, "not for \"*.b.example.com\""},
        {"DNS:a.example.com", "*.b.example.com", "not for \"*.b.example.com\""}, /* nobody trusts common names */
        {"DNS:c.example.com", NULL, "not for \"a.example.com\", \"*.b.example.com\""},
        {"IP:192.0.2.1", NULL, "the IP address \"192.0.2.1\""},
        {NULL, "a.example.com", "not for \"a.example.com\", \"*.b.example.com\""},
        {NULL, NULL, "not for"},
        /* A common name that is not in the SAN: clients do not look at it. */
        {"DNS:*.b.example.com", "a.example.com", "not for \"a.example.com\""},
        {NULL, "a.example.com", "not for \"a.example.com\", \"*.b.example.com\""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct set s = made_from((struct cert_order){.names = cases[i].names, .common_name = cases[i].common_name});

        expect_bad(&s, cases[i].why);
        set_done(&s);
    }
}

/* Each name is compared with all others: who sends a million must not keep us busy for hours. */
TEST(more_names_than_anybody_asks_for_are_refused)
{
    struct buf AUTO_BUF names = BUF_INIT(64u * 1024);
    struct set s;

    for (size_t i = 0; i <= CERT_NAMES_MAX; i++)
        buf_printf(&names, "%sDNS:n%zu.example.com", i ? "," : "", i);
    s = made_from((struct cert_order){.names = buf_cstr(&names)});
    expect_bad(&s, "more than 1000 names");
    set_done(&s);
}

/* BMPString: two octets a character. */
TEST(a_common_name_of_an_old_type_is_read)
{
    static const char wide[] = "\0a\0.\0e\0x\0a\0m\0p\0l\0e\0.\0c\0o\0m";
    struct set s = made_from((struct cert_order){.names = "DNS:*.b.example.com,DNS:a.example.com",
                                                 .common_name = wide,
                                                 .common_name_len = sizeof wide - 1,
                                                 .common_name_type = V_ASN1_BMPSTRING});
    struct chain *chain = usual(&s);
    struct err err;

    if (check(&s, chain, time(NULL), &err) != ERR_OK)
        fail_msg("%s", err.msg);
    chain_free(chain);
    set_done(&s);
}

TEST(dates_are_looked_at)
{
    int64_t now = time(NULL);
    struct set old = made_from((struct cert_order){.names = "DNS:*.b.example.com,DNS:a.example.com",
                                                   .not_before_s = now - 100 * DAY_S,
                                                   .not_after_s = now - DAY_S});
    struct set young = made_from((struct cert_order){.names = "DNS:*.b.example.com,DNS:a.example.com",
                                                     .not_before_s = now + DAY_S,
                                                     .not_after_s = now + 90 * DAY_S});
    struct chain *chain = usual(&young);
    struct err err;

    expect_bad(&old, "expired");
    expect_bad(&young, "not valid before");
    assert_int_equal(check(&young, chain, now + DAY_S - 3600, &err), ERR_OK); /* clocks differ */
    assert_int_equal(check(&young, chain, now + DAY_S - 3601, &err), ERR_INPUT);
    assert_non_null(strstr(err.hint, "clock"));
    assert_int_equal(check(&young, chain, now + 90 * DAY_S - 1, &err), ERR_OK);
    assert_int_equal(check(&young, chain, now + 90 * DAY_S, &err), ERR_INPUT);
    assert_non_null(strstr(err.msg, "expired"));
    chain_free(chain);
    set_done(&old);
    set_done(&young);
}

TEST(each_must_be_issued_by_the_next_one)
{
    struct set s = made();
    struct set other = made(); /* the same names, other keys */
    struct buf AUTO_BUF text = BUF_INIT(PEM_MAX);
    struct chain *chain;
    struct err err;

    put(&text, &s.leaf);
    put(&text, &other.middle);
    chain = parsed(&text);
    assert_int_equal(check(&s, chain, time(NULL), &err), ERR_INPUT);
    assert_non_null(strstr(err.msg, "chain is broken"));
    assert_int_equal(ERR_peek_error(), 0);
    chain_free(chain);
    buf_clear(&text);
    put(&text, &s.leaf);
    put(&text, &s.root);
    chain = parsed(&text);
    assert_int_equal(check(&s, chain, time(NULL), &err), ERR_INPUT);
    chain_free(chain);
    set_done(&s);
    set_done(&other);
}

static void expect_order(const struct set *s, const struct made_cert *const certs[], size_t count, const char *why)
{
    struct buf AUTO_BUF text = BUF_INIT(PEM_MAX);
    struct chain *chain;
    struct err err;

    err_init(&err);
    for (size_t i = 0; i < count; i++)
        put(&text, certs[i]);
    chain = parsed(&text);
    assert_int_equal(check(s, chain, time(NULL), &err), why ? ERR_INPUT : ERR_OK);
    if (why && !strstr(err.msg, why))
        fail_msg("\"%s\" does not say \"%s\"", err.msg, why);
    assert_int_equal(ERR_peek_error(), 0);
    chain_free(chain);
}

TEST(the_order_counts_and_the_root_may_be_there_or_not)
{
    struct set s = made();

    expect_order(&s, (const struct made_cert *[]){&s.leaf}, 1, NULL);
    expect_order(&s, (const struct made_cert *[]){&s.leaf, &s.middle}, 2, NULL);
    expect_order(&s, (const struct made_cert *[]){&s.leaf, &s.middle, &s.root}, 3, NULL);
    expect_order(&s, (const struct made_cert *[]){&s.middle, &s.leaf}, 2, "another key");
    expect_order(&s, (const struct made_cert *[]){&s.leaf, &s.root, &s.middle}, 3,
                 "\"*.b.example.com\" was not issued by the certificate behind it, \"Root X1\"");
    expect_order(&s, (const struct made_cert *[]){&s.leaf, &s.middle, &s.middle}, 3,
                 "\"Middle\" was not issued by the certificate behind it, \"Middle\"");
    set_done(&s);
}

/* The signature would do: what fails is the name. */
TEST(a_renamed_issuer_breaks_the_chain)
{
    struct set s = made_from((struct cert_order){.names = "DNS:a.example.com,DNS:*.b.example.com"});
    struct made_cert renamed = cert_make(
        &(struct cert_order){.common_name = "Other", .is_ca = true, .issuer = &s.root});

    assert_int_equal(X509_set_pubkey(renamed.x509, s.middle.key), 1);
    assert_true(X509_sign(renamed.x509, s.root.key, EVP_sha256()) > 0);
    expect_order(&s, (const struct made_cert *[]){&s.leaf, &renamed}, 2, "the chain is broken");
    made_cert_done(&renamed);
    set_done(&s);
}

/* ------------------------------------------------------------------ which chain */

TEST(a_chain_is_preferred_by_the_names_of_issuers_and_by_fingerprints)
{
    struct set s = made();
    struct chain *chain = usual(&s);
    char print[CHAIN_FINGERPRINT_LEN + 1];
    struct buf AUTO_BUF colons = BUF_INIT(200);

    assert_true(chain_is_preferred(chain, "root x1"));
    assert_true(chain_is_preferred(chain, "Middle"));
    assert_false(chain_is_preferred(chain, "Root"));
    assert_false(chain_is_preferred(chain, "a.example.com"));
    chain_fingerprint(chain, 1, print);
    assert_true(chain_is_preferred(chain, print));
    for (size_t i = 0; print[i]; i += 2)
        buf_printf(&colons, "%s%c%c", i ? ":" : "", print[i] >= 'a' ? print[i] - 32 : print[i],
                   print[i + 1] >= 'a' ? print[i + 1] - 32 : print[i + 1]);
    assert_true(chain_is_preferred(chain, buf_cstr(&colons)));
    buf_putc(&colons, '0');
    assert_false(chain_is_preferred(chain, buf_cstr(&colons)));
    print[CHAIN_FINGERPRINT_LEN - 1] = '\0';
    assert_false(chain_is_preferred(chain, print));
    assert_false(chain_is_preferred(chain, ""));
    chain_fingerprint(chain, 0, print);
    assert_false(chain_is_preferred(chain, print)); /* the certificate itself leads nowhere */
    chain_free(chain);
    set_done(&s);
}

TEST(a_certificate_alone_leads_to_its_issuer)
{
    struct set s = made();
    struct buf AUTO_BUF text = BUF_INIT(PEM_MAX);
    struct chain *chain;

    put(&text, &s.leaf);
    chain = parsed(&text);
    assert_string_equal(chain_root_name(chain), "Middle");
    assert_true(chain_is_preferred(chain, "MIDDLE"));
    assert_false(chain_is_preferred(chain, "Root X1"));
    chain_free(chain);
    set_done(&s);
}

/* ------------------------------------------------------------------ RFC 9773 */

/* The example of section 4.1. */
static void add_key_identifier(X509 *x509)
{
    static const unsigned char id[] = {0x69, 0x88, 0x5B, 0x6B, 0x87, 0x46, 0x40, 0x41, 0xE1, 0xB3,
                                       0x7B, 0x84, 0x7B, 0xA0, 0xAE, 0x2C, 0xDE, 0x01, 0xC8, 0xD4};
    AUTHORITY_KEYID *akid = AUTHORITY_KEYID_new();

    akid->keyid = ASN1_OCTET_STRING_new();
    assert_int_equal(ASN1_OCTET_STRING_set(akid->keyid, id, sizeof id), 1);
    assert_int_equal(X509_add1_ext_i2d(x509, NID_authority_key_identifier, akid, 0, X509V3_ADD_REPLACE), 1);
    AUTHORITY_KEYID_free(akid);
}

static void expect_id(const char *serial_hex, const char *want)
{
    struct made_cert cert = cert_make(&(struct cert_order){.names = "DNS:a.example.com", .serial_hex = serial_hex});
    struct buf AUTO_BUF text = BUF_INIT(PEM_MAX);
    struct chain *chain;
    char AUTO_FREE *id = NULL;

    add_key_identifier(cert.x509);
    assert_true(X509_sign(cert.x509, cert.key, EVP_sha256()) > 0);
    put(&text, &cert);
    chain = parsed(&text);
    id = chain_ari_id(chain);
    assert_true(!want == !id);
    if (want)
        assert_string_equal(id, want);
    assert_int_equal(ERR_peek_error(), 0);
    chain_free(chain);
    made_cert_done(&cert);
}

TEST(the_id_of_a_certificate_is_that_of_the_rfc)
{
    expect_id("87654321", "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
}

TEST(serial_numbers_of_any_length_are_in_the_id)
{
    expect_id("00", "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AA");
    expect_id("7f", "aYhba4dGQEHhs3uEe6CuLN4ByNQ.fw");
    expect_id("80", "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIA");
    expect_id("ffffffffffffffffffffffffffffffffffffffff", "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AP__________________________");
}

/* RFC 5280 allows 20 octets. */
TEST(a_serial_number_that_is_absurdly_long_gives_no_id)
{
    char hex[2 * 200 + 1];

    memset(hex, '7', sizeof hex - 1);
    hex[sizeof hex - 1] = '\0';
    expect_id(hex, NULL);
}

TEST(without_a_key_identifier_there_is_no_id)
{
    struct made_cert cert = cert_make(&(struct cert_order){.names = "DNS:a.example.com"});
    struct buf AUTO_BUF text = BUF_INIT(PEM_MAX);
    struct chain *chain;

    put(&text, &cert);
    chain = parsed(&text);
    assert_null(chain_ari_id(chain));
    assert_int_equal(ERR_peek_error(), 0);
    chain_free(chain);
    made_cert_done(&cert);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificates_are_read_in_their_order_whatever_is_between),
        cmocka_unit_test(line_ends_of_dos_and_a_last_line_without_end_are_read),
        cmocka_unit_test(other_blocks_are_refused_by_name_wherever_they_stand),
        cmocka_unit_test(other_blocks_are_refused_whatever_they_are),
        cmocka_unit_test(text_that_is_too_long_is_refused),
        cmocka_unit_test(damage_is_told_with_the_number_of_the_certificate),
        cmocka_unit_test(dates_that_make_no_sense_are_refused),
        cmocka_unit_test(a_certificate_that_begins_within_a_line_is_damage),
        cmocka_unit_test(what_is_no_chain_is_refused),
        cmocka_unit_test(there_are_no_more_than_twenty),
        cmocka_unit_test(what_is_written_is_what_was_read),
        cmocka_unit_test(what_is_between_certificates_is_not_passed_on),
        cmocka_unit_test(fingerprints_are_those_of_openssl),
        cmocka_unit_test(the_certificate_that_was_asked_for_is_good),
        cmocka_unit_test(another_key_is_refused),
        cmocka_unit_test(names_that_lack_or_were_not_asked_for_are_told),
        cmocka_unit_test(more_names_than_anybody_asks_for_are_refused),
        cmocka_unit_test(a_common_name_of_an_old_type_is_read),
        cmocka_unit_test(dates_are_looked_at),
        cmocka_unit_test(each_must_be_issued_by_the_next_one),
        cmocka_unit_test(the_order_counts_and_the_root_may_be_there_or_not),
        cmocka_unit_test(a_renamed_issuer_breaks_the_chain),
        cmocka_unit_test(a_chain_is_preferred_by_the_names_of_issuers_and_by_fingerprints),
        cmocka_unit_test(a_certificate_alone_leads_to_its_issuer),
        cmocka_unit_test(the_id_of_a_certificate_is_that_of_the_rfc),
        cmocka_unit_test(serial_numbers_of_any_length_are_in_the_id),
        cmocka_unit_test(a_serial_number_that_is_absurdly_long_gives_no_id),
        cmocka_unit_test(without_a_key_identifier_there_is_no_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
