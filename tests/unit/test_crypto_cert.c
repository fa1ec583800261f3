/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "cert_fixture.h"
#include "crypto/cert.h"
#include "test.h"
#include "util/buf.h"
#include "util/text.h"

static struct cert parsed(const struct cert_order *order)
{
    struct made_cert made = cert_make(order);
    char AUTO_FREE *pem = cert_pem(&made);
    struct cert cert;
    struct err err;

    if (cert_parse(pem, strlen(pem), "a.pem", &cert, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    made_cert_done(&made);
    return cert;
}

static void expect_refused(const void *data, size_t len, const char *why)
{
    struct cert cert = {.subject = NULL};
    struct err err;

    assert_int_equal(cert_parse(data, len, "a.pem", &cert, &err), ERR_INPUT);
    assert_null(cert.subject);
    if (!strstr(err.msg, "\"a.pem\"") || !strstr(err.msg, why))
        fail_msg("\"%s\" does not say \"%s\"", err.msg, why);
}

static char *joined(const char *a, const char *b, const char *c)
{
    return mem_printf("%s%s%s", a, b, c);
}

/* ------------------------------------------------------------------ what is read */

TEST(a_certificate_tells_names_dates_issuer_and_serial)
{
    struct made_cert ca = cert_make(&(struct cert_order){.common_name = "Test CA", .is_ca = true});
    struct cert AUTO_CERT cert = parsed(&(struct cert_order){
        .common_name = "www.example.com",
        .names = "DNS:www.example.com,DNS:*.example.net,IP:192.0.2.7,IP:2001:db8:0:0:0:0:0:1,email:a@example.com",
        .not_before_s = 1700000000,
        .not_after_s = 1707776000,
        .serial_hex = "0A0BFF00",
        .issuer = &ca});

    assert_string_equal(cert.subject, "www.example.com");
    assert_string_equal(cert.issuer, "Test CA");
    assert_string_equal(cert.serial, "0a0bff00");
    assert_int_equal(cert.not_before_s, 1700000000);
    assert_int_equal(cert.not_after_s, 1707776000);
    assert_int_equal(cert.names.count, 4);
    assert_string_equal(cert.names.items[0], "www.example.com");
    assert_string_equal(cert.names.items[1], "*.example.net");
    assert_string_equal(cert.names.items[2], "192.0.2.7");
    assert_string_equal(cert.names.items[3], "2001:db8::1");
    made_cert_done(&ca);
}

TEST(without_a_common_name_the_first_other_name_is_the_subject_and_then_the_organisation)
{
    struct cert AUTO_CERT by_name = parsed(&(struct cert_order){.names = "DNS:a.example,DNS:b.example"});
    struct cert AUTO_CERT by_organisation = parsed(&(struct cert_order){.organisation = "Example Ltd"});
    struct cert AUTO_CERT by_nothing = parsed(&(struct cert_order){.serial_hex = "00"});

    assert_string_equal(by_name.subject, "a.example");
    assert_string_equal(by_name.issuer, "");
    assert_string_equal(by_organisation.subject, "Example Ltd");
    assert_string_equal(by_organisation.issuer, "Example Ltd");
    assert_int_equal(by_organisation.names.count, 0);
    assert_string_equal(by_nothing.subject, "");
    assert_string_equal(by_nothing.issuer, "");
    assert_string_equal(by_nothing.serial, "00");
}

TEST(dates_far_away_are_read)
{
    struct cert AUTO_CERT last = parsed(&(struct cert_order){.raw_not_after = "99991231235959Z"});
    struct cert AUTO_CERT old = parsed(&(struct cert_order){.not_before_s = -86400 * 365 * 19, .not_after_s = -1});

    assert_true(last.not_after_s == INT64_C(253402300799));
    assert_true(old.not_before_s == INT64_C(-599184000));
    assert_true(old.not_after_s == -1);
}

TEST(dates_that_make_no_sense_are_refused)
{
    static const char *const dates[] = {
        "", "2024", "20241301000000Z", "2024010100000", "99999999999999999999Z", "now", "2024\n0101000000Z"};

    for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
        struct made_cert made = cert_make(&(struct cert_order){.raw_not_after = dates[i]});
        char AUTO_FREE *pem = cert_pem(&made);
        struct cert cert;
        enum err_code rc = cert_parse(pem, strlen(pem), "a.pem", &cert, NULL);

        /* Later versions of the library refuse the whole certificate. */
        if (rc != ERR_INPUT)
            fail_msg("\"%s\" is taken", dates[i]);
        made_cert_done(&made);
    }
}

/* ------------------------------------------------------------------ where it is read from */

TEST(the_first_certificate_of_a_bundle_is_taken_whatever_stands_around)
{
    struct made_cert first = cert_make(&(struct cert_order){.common_name = "first"});
    struct made_cert second = cert_make(&(struct cert_order){.common_name = "second"});
    char AUTO_FREE *key = cert_key_pem(&first);
    char AUTO_FREE *one = cert_pem(&first);
    char AUTO_FREE *two = cert_pem(&second);
    char AUTO_FREE *crlf = mem_calloc(2 * strlen(one) + 1, 1);
    const char *const fronts[] = {"",
                                  key,
                                  "\xef\xbb\xbf",
                                  "Bag Attributes\n    friendlyName: x\n---- dashes\n",
                                  "-----BEGIN EC PRIVATE KEY-----\nthis is no base64 at all\n",
                                  "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"};

    for (size_t i = 0; i < ARRAY_LEN(fronts); i++) {
        char AUTO_FREE *text = joined(fronts[i], one, two);
        struct cert AUTO_CERT cert = {.subject = NULL};

        assert_int_equal(cert_parse(text, strlen(text), "a.pem", &cert, NULL), ERR_OK);
        assert_string_equal(cert.subject, "first");
    }
    for (size_t i = 0, n = 0; one[i]; i++) {
        if (one[i] == '\n')
            crlf[n++] = '\r';
        crlf[n++] = one[i];
    }
    {
        struct cert AUTO_CERT cert = {.subject = NULL};

        assert_int_equal(cert_parse(crlf, strlen(crlf), "a.pem", &cert, NULL), ERR_OK);
        assert_string_equal(cert.subject, "first");
    }
    made_cert_done(&first);
    made_cert_done(&second);
}

TEST(der_is_read_if_it_is_all_there_is)
{
    struct made_cert made = cert_make(&(struct cert_order){.common_name = "der"});
    size_t len;
    unsigned char AUTO_FREE *der = cert_der(&made, &len);
    unsigned char AUTO_FREE *more = mem_calloc(len + 1, 1);
    struct cert AUTO_CERT cert = {.subject = NULL};

    assert_int_equal(cert_parse(der, len, "a.der", &cert, NULL), ERR_OK);
    assert_string_equal(cert.subject, "der");
    memcpy(more, der, len);
    expect_refused(more, len + 1, "no certificate");
    for (size_t cut = 0; cut < len; cut += 7)
        expect_refused(der, cut, "no certificate");
    made_cert_done(&made);
}

TEST(what_is_no_certificate_is_refused)
{
    static const char *const texts[] = {"",
                                        "\n",
                                        "hello",
                                        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                                        "-----BEGIN CERTIFICATE",
                                        "----------------------------------------",
                                        "%PDF-1.4"};
    static const char *const broken[] = {
        "-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nAAAA\n",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
        "-----BEGIN CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        /* A password would be asked for on the terminal. */
        ("-----BEGIN CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,"
         "00112233445566778899AABBCCDDEEFF\n\nAAAAAAAAAAAAAAAAAAAAAA==\n-----END CERTIFICATE-----\n")};
    size_t size = 3 * 1024 * 1024;
    char AUTO_FREE *huge = mem_calloc(size, 1);

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        expect_refused(texts[i], strlen(texts[i]), "there is no certificate");
    for (size_t i = 0; i < ARRAY_LEN(broken); i++)
        expect_refused(broken[i], strlen(broken[i]), "could not read the certificate");
    expect_refused(huge, size, "no certificate");
    memset(huge, '-', size);
    expect_refused(huge, size, "no certificate");
    memset(huge, '0', size);
    expect_refused(huge, size, "no certificate");
    expect_refused(NULL, 0, "no certificate");
}

/* ------------------------------------------------------------------ hostile ones */

static void expect_safe(const char *text)
{
    assert_true(text_is_utf8(text, strlen(text)));
    assert_true(strlen(text) < 300);
    for (; *text; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            fail_msg("a control character");
}

TEST(texts_are_made_safe_to_print)
{
    static const struct {
        const char *text;
        size_t len;
        int type;
        const char *want; /* NULL: anything safe */
    } table[] = {
        {"evil\n\033[2J\x7f", 10, 0, "evil\\x0a\\x1b[2J\\x7f"},
        {"good.example\0.evil.example", 26, 0, "good.example\\x00.evil.example"},
        {"\xe2\x80\xaegro.elpmaxe", 14, 0, "\\xe2\\x80\\xaegro.elpmaxe"},
        {"b\xc3\xbc"
         "cher",
         7, 0,
         "b\xc3\xbc"
         "cher"},
        {"b\xfc"
         "cher",
         6, V_ASN1_T61STRING, NULL},
        {"\0a\0b\x20\xac", 6, V_ASN1_BMPSTRING, "ab\xe2\x82\xac"},
        {"\" } 1\nmetric{a=\"", 17, 0, NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        struct cert AUTO_CERT cert = parsed(&(struct cert_order){
            .common_name = table[i].text, .common_name_len = table[i].len, .common_name_type = table[i].type});

        expect_safe(cert.subject);
        expect_safe(cert.issuer);
        if (table[i].want)
            assert_string_equal(cert.subject, table[i].want);
    }
}

static unsigned char *find_bytes(unsigned char *in, size_t len, const char *what, size_t what_len)
{
    for (size_t i = 0; i + what_len <= len; i++)
        if (memcmp(in + i, what, what_len) == 0)
            return in + i;
    return NULL;
}

/* The certificate with other bytes in a place; what comes of it is refused, or safe. */
static void expect_refused_or_safe(const struct cert_order *order, const char *place, const char *bytes, size_t len)
{
    struct made_cert made = cert_make(order);
    size_t der_len;
    unsigned char AUTO_FREE *der = cert_der(&made, &der_len);
    struct cert AUTO_CERT cert = {.subject = NULL};
    unsigned char *at;
    size_t found = 0;

    while ((at = find_bytes(der, der_len, place, len)) != NULL) {
        memcpy(at, bytes, len);
        found++;
    }
    assert_true(found > 0);
    if (cert_parse(der, der_len, "a.der", &cert, NULL) == ERR_OK) {
        expect_safe(cert.subject);
        expect_safe(cert.issuer);
        for (size_t i = 0; i < cert.names.count; i++)
            expect_safe(cert.names.items[i]);
    }
    made_cert_done(&made);
}

TEST(texts_that_break_their_own_encoding_are_refused_or_made_safe)
{
    static const char *const bytes[] = {"\xff\xfe\xff\xfe\xff\xfe\xff\xfe", "\xd8\x00\xd8\x00\xd8\x00\xd8\x00",
                                        "\x00\x11\xff\xff\x7f\xff\xff\xff", "\xc0\x80\xc0\x80\xc0\x80\xc0\x80",
                                        "\x80\x9b\r\n\x1b[2J"};
    static const int types[] = {V_ASN1_UTF8STRING, V_ASN1_PRINTABLESTRING, V_ASN1_T61STRING,
                                V_ASN1_IA5STRING,  V_ASN1_BMPSTRING,       V_ASN1_UNIVERSALSTRING};

    for (size_t t = 0; t < ARRAY_LEN(types); t++)
        for (size_t i = 0; i < ARRAY_LEN(bytes); i++) {
            const char *place = types[t] == V_ASN1_BMPSTRING         ? "\0P\0L\0A\0C" /* proper in its encoding */
                                : types[t] == V_ASN1_UNIVERSALSTRING ? "\0\0\0P\0\0\0L"
                                                                     : "PLACE-42";
            const struct cert_order order = {.common_name = place, .common_name_len = 8, .common_name_type = types[t]};

            expect_refused_or_safe(&order, place, bytes[i], 8);
        }
}

TEST(hostile_alternative_names_are_made_safe_to_print)
{
    static const char bytes[][18] = {"a\n\033]0;x\a.example", "good.example\0.ex.t", "\xff\xfe\x80\x81\x9b.example..",
                                     "\" } 1\nup{a=\"b\" ..."};

    for (size_t i = 0; i < ARRAY_LEN(bytes); i++)
        expect_refused_or_safe(&(struct cert_order){.names = "DNS:placeholder.example.t"}, "placeholder.examp",
                               bytes[i], 17);
}

TEST(what_is_absurdly_long_is_cut)
{
    struct buf AUTO_BUF names = BUF_INIT(1024 * 1024);
    char AUTO_FREE *long_name = mem_calloc(20001, 1);
    char AUTO_FREE *long_serial = mem_calloc(4001, 1);

    memset(long_name, 'n', 20000);
    memset(long_serial, '7', 4000);
    for (int i = 0; i < 3000; i++)
        buf_printf(&names, "%sDNS:n%d.example", i ? "," : "", i);
    {
        struct cert AUTO_CERT cert = parsed(
            &(struct cert_order){.common_name = long_name, .names = buf_cstr(&names), .serial_hex = long_serial});

        expect_safe(cert.subject);
        assert_true(text_ends_with(cert.subject, "..."));
        assert_int_equal(cert.names.count, CERT_NAMES_MAX);
        assert_int_equal(strlen(cert.serial), 128);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_tells_names_dates_issuer_and_serial),
        cmocka_unit_test(without_a_common_name_the_first_other_name_is_the_subject_and_then_the_organisation),
        cmocka_unit_test(dates_far_away_are_read),
        cmocka_unit_test(dates_that_make_no_sense_are_refused),
        cmocka_unit_test(the_first_certificate_of_a_bundle_is_taken_whatever_stands_around),
        cmocka_unit_test(der_is_read_if_it_is_all_there_is),
        cmocka_unit_test(what_is_no_certificate_is_refused),
        cmocka_unit_test(texts_are_made_safe_to_print),
        cmocka_unit_test(texts_that_break_their_own_encoding_are_refused_or_made_safe),
        cmocka_unit_test(hostile_alternative_names_are_made_safe_to_print),
        cmocka_unit_test(what_is_absurdly_long_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
