/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "dns/wire.h"
#include "dns_message.h"
#include "test.h"

static struct message m;

static struct dns_answer parsed(void)
{
    struct dns_answer answer = {0};
    struct err err;

    if (dns_answer_parse(m.data, m.len, &answer, &err) != ERR_OK)
        fail_msg("%s", err.msg);
    assert_int_equal(answer.result, ERR_OK);
    return answer;
}

static void expect_malformed(void)
{
    struct dns_answer answer = {.rcode = 4711};
    struct err err = {0};
    /* a copy of exactly this length, so that the sanitizer sees a read behind it */
    uint8_t *exact = malloc(m.len ? m.len : 1);

    assert_non_null(exact);
    memcpy(exact, m.data, m.len);
    assert_int_equal(dns_answer_parse(exact, m.len, &answer, &err), ERR_DNS);
    assert_int_equal(err.code, ERR_DNS);
    assert_non_null(strstr(err.msg, "malformed"));
    assert_int_equal(answer.rcode, 4711); /* failure leaves outputs alone */
    assert_null(answer.answers);
    free(exact);
}

static void begin(void)
{
    message_begin(&m, 1, MESSAGE_RESPONSE | MESSAGE_AUTHORITATIVE);
    message_question(&m, "x.example.com", DNS_TXT);
}

TEST(every_type_is_taken_apart)
{
    AUTO_DNS_ANSWER struct dns_answer a = {0};
    static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};

    begin();
    message_rr(&m, MESSAGE_ANSWER, "x.example.com", DNS_A, 60, "\xc0\x00\x02\x01", 4);
    message_rr(&m, MESSAGE_ANSWER, "X.Example.com", DNS_AAAA, 60, v6, 16);
    message_rr_name(&m, MESSAGE_ANSWER, "x.example.com", DNS_CNAME, "Target.Example.NET");
    message_rr(&m, MESSAGE_ANSWER, "x.example.com", DNS_CAA, 60, "\0\005issueca", 9);
    message_rr_soa(&m, MESSAGE_AUTHORITY, "example.com", 900, 180);
    message_rr_name(&m, MESSAGE_AUTHORITY, "example.com", DNS_NS, "ns1.example.net");
    message_rr(&m, MESSAGE_ADDITIONAL, "ns1.example.net", DNS_A, 60, "\xc0\x00\x02\x02", 4);
    a = parsed();
    assert_true(a.authoritative);
    assert_int_equal(a.rcode, DNS_NOERROR);
    assert_int_equal(a.answer_count, 4);
    assert_string_equal(a.answers[0].text, "192.0.2.1");
    assert_int_equal(a.answers[0].ttl_s, 60);
    assert_string_equal(a.answers[1].text, "2001:db8::1");
    assert_string_equal(a.answers[1].owner, "x.example.com");
    assert_string_equal(a.answers[2].text, "target.example.net");
    assert_string_equal(a.answers[3].text, "");
    assert_int_equal(a.answers[3].rdata_len, 9);
    assert_memory_equal(a.answers[3].rdata, "\0\005issueca", 9);
    assert_int_equal(a.authority_count, 2);
    assert_string_equal(a.authority[0].text, "ns1.example.net");
    assert_int_equal(a.authority[0].soa_serial, 2024010101);
    assert_int_equal(a.authority[0].soa_minimum_s, 180);
    assert_int_equal(a.authority[0].ttl_s, 900);
    assert_string_equal(a.authority[1].text, "ns1.example.net");
    assert_int_equal(a.additional_count, 1);
    assert_string_equal(a.additional[0].text, "192.0.2.2");
}

/* RFC 4034 section 6.2: names in full and in lower case. */
TEST(an_soa_record_keeps_its_canonical_form)
{
    AUTO_DNS_ANSWER struct dns_answer a = {0};
    static const char sent[] = "\003Ns1\300\016"            /* what follows "x" in the question's name */
                               "\013Host.Master\003a\\b\002\007\300\300\016" /* octets that text escapes */
                               "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5";
    static const char kept[] = "\003ns1\007example\003com\0"
                               "\013host.master\003a\\b\002\007\300\007example\003com\0"
                               "\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5";

    begin();
    message_rr(&m, MESSAGE_ANSWER, "example.com", DNS_SOA, 60, sent, sizeof sent - 1);
    message_rr_name(&m, MESSAGE_ANSWER, "example.com", DNS_NS, "ns1.example.com");
    a = parsed();
    assert_int_equal(a.answers[0].soa_serial, 1);
    assert_int_equal(a.answers[0].rdata_len, sizeof kept - 1);
    assert_memory_equal(a.answers[0].rdata, kept, sizeof kept - 1);
    assert_null(a.answers[1].rdata);
    assert_int_equal(a.answers[1].rdata_len, 0);
}

TEST(an_soa_of_the_root_has_a_canonical_form_too)
{
    AUTO_DNS_ANSWER struct dns_answer a = {0};
    static const char rdata[22] = {0, 0, [21] = 5};

    begin();
    message_rr(&m, MESSAGE_ANSWER, "", DNS_SOA, 60, rdata, sizeof rdata);
    a = parsed();
    assert_int_equal(a.answers[0].rdata_len, sizeof rdata);
    assert_memory_equal(a.answers[0].rdata, rdata, sizeof rdata);
}

TEST(ad_is_read)
{
    AUTO_DNS_ANSWER struct dns_answer with = {0};
    AUTO_DNS_ANSWER struct dns_answer without = {0};

    message_begin(&m, 1, MESSAGE_RESPONSE | MESSAGE_AUTHENTICATED);
    with = parsed();
    assert_true(with.authenticated);
    assert_false(with.authoritative);
    message_begin(&m, 1, 0xffff & ~MESSAGE_AUTHENTICATED);
    without = parsed();
    assert_false(without.authenticated);
}

TEST(strings_of_one_txt_record_are_joined)
{
    AUTO_DNS_ANSWER struct dns_answer a = {0};

    begin();
    message_rr(&m, MESSAGE_ANSWER, "x.example.com", DNS_TXT, 60, "\003abc\000\002de", 8);
    message_rr(&m, MESSAGE_ANSWER, "x.example.com", DNS_TXT, 60, "\003a\0b", 4);
    message_rr(&m, MESSAGE_ANSWER, "x.example.com", DNS_TXT, 60, "\000", 1);
    a = parsed();
    assert_string_equal(a.answers[0].text, "abcde");
    assert_int_equal(a.answers[0].text_len, 5);
    assert_int_equal(a.answers[1].text_len, 3);
    assert_memory_equal(a.answers[1].text, "a\0b", 4);
    assert_string_equal(a.answers[2].text, "");
}

TEST(the_longest_txt_record_is_read_whole)
{
    AUTO_DNS_ANSWER struct dns_answer a = {0};
    static uint8_t rdata[65280];

    for (size_t i = 0; i < sizeof rdata; i += 256) {
        memset(rdata + i, 'y', 256);
        rdata[i] = 255;
    }
    begin();
    message_rr(&m, MESSAGE_ANSWER, "x.example.com", DNS_TXT, 60, rdata, sizeof rdata);
    a = parsed();
    assert_int_equal(a.answers[0].text_len, sizeof rdata / 256 * 255);
}

TEST(txt_strings_that_overrun_their_record_are_refused)
{
    static const struct {
        const char *rdata;
        size_t len;
    } bad[] = {{"\004abc", 4}, {"\003abc\001", 5}, {"\377", 1}, {"", 0}, {"\001a\002b", 4}};

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        begin();
        message_rr(&m, MESSAGE_ANSWER, "x.example.com", DNS_TXT, 60, bad[i].rdata, bad[i].len);
        message_rr_txt(&m, "x.example.com", 60, "something behind it");
        expect_malformed();
    }
}

TEST(compressed_names_are_followed)
{
    AUTO_DNS_ANSWER struct dns_answer a = {0};

    begin();
    message_put(&m, "\xc0\x0c", 2); /* the question's name */
    message_put_u16(&m, DNS_CNAME);
    message_put_u16(&m, 1);
    message_put_u32(&m, 5);
    message_put_u16(&m, 4);
    message_put(&m, "\001y\xc0\x0e", 4); /* y. and the question's name without its first label */
    message_count(&m, MESSAGE_ANSWER, 1);
    a = parsed();
    assert_string_equal(a.answers[0].owner, "x.example.com");
    assert_string_equal(a.answers[0].text, "y.example.com");
}

TEST(compression_loops_and_wild_pointers_are_refused)
{
    static const char *const pointers[] = {"\xc0\x1f" /* itself */, "\xc0\xff", "\xff\xff", "\xc0"};

    for (size_t i = 0; i < ARRAY_LEN(pointers); i++) {
        begin();
        assert_int_equal(m.len, 0x1f);
        message_put(&m, pointers[i], strlen(pointers[i]));
        message_put_u16(&m, DNS_A);
        message_put_u16(&m, 1);
        message_put_u32(&m, 5);
        message_put_u16(&m, 4);
        message_put_u32(&m, 0);
        message_count(&m, MESSAGE_ANSWER, 1);
        expect_malformed();
    }
}

TEST(two_pointers_that_point_at_each_other_are_refused)
{
    begin();
    message_put(&m, "\xc0\x21\xc0\x1f", 4);
    message_put_u32(&m, 0);
    message_put_u32(&m, 0);
    message_count(&m, MESSAGE_ANSWER, 1);
    expect_malformed();
}

TEST(names_of_more_than_255_octets_are_refused)
{
    begin();
    for (int i = 0; i < 5; i++)
        message_put(&m, "\077aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 64);
    message_put_name(&m, "");
    message_put_u16(&m, DNS_A);
    message_put_u16(&m, 1);
    message_put_u32(&m, 5);
    message_put_u16(&m, 4);
    message_put_u32(&m, 0);
    message_count(&m, MESSAGE_ANSWER, 1);
    expect_malformed();
}

TEST(a_name_of_255_octets_is_read)
{
    AUTO_DNS_ANSWER struct dns_answer a = {0};
    char name[256];

    memset(name, 'a', sizeof name);
    for (size_t i = 63; i < 253; i += 64)
        name[i] = '.';
    name[253] = '\0';
    begin();
    message_rr(&m, MESSAGE_ANSWER, name, DNS_A, 5, "\0\0\0\0", 4);
    a = parsed();
    assert_string_equal(a.answers[0].owner, name);
}

TEST(a_record_length_that_lies_is_refused)
{
    static const struct {
        uint16_t type;
        unsigned said;
        const char *rdata;
        size_t len;
    } bad[] = {
        {DNS_A, 5, "\1\2\3\4\5", 5},
        {DNS_A, 3, "\1\2\3", 3},
        {DNS_A, 0, "", 0},
        {DNS_AAAA, 4, "\1\2\3\4", 4},
        {DNS_A, 400, "\1\2\3\4", 4},
        {DNS_A, 65535, "\1\2\3\4", 4},
        {DNS_NS, 4, "\001a\000x", 4},
        {DNS_NS, 1, "\001a\000", 3},
        {DNS_CNAME, 0, "", 0},
        {DNS_SOA, 3, "\001a\000", 3},
        {DNS_SOA, 25, "\001a\000\001b\000\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0", 25},
        {DNS_CAA, 10, "\0\005issue", 7},
    };

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        begin();
        message_put_name(&m, "x.example.com");
        message_put_u16(&m, bad[i].type);
        message_put_u16(&m, 1);
        message_put_u32(&m, 5);
        message_put_u16(&m, bad[i].said);
        message_put(&m, bad[i].rdata, bad[i].len);
        message_count(&m, MESSAGE_ANSWER, 1);
        expect_malformed();
    }
}

TEST(a_message_cut_anywhere_is_refused_or_complete)
{
    size_t whole;

    begin();
    message_rr_txt(&m, "x.example.com", 60, "value");
    message_rr_soa(&m, MESSAGE_AUTHORITY, "example.com", 900, 180);
    message_rr(&m, MESSAGE_ADDITIONAL, "ns1.example.net", DNS_A, 60, "\xc0\x00\x02\x02", 4);
    whole = m.len;
    for (m.len = 0; m.len < whole; m.len++)
        expect_malformed();
    for (size_t i = 0; i < whole; i++) { /* no bit flip may harm either; what it means is another matter */
        for (unsigned bit = 0; bit < 8; bit++) {
            struct dns_answer a = {0};

            m.data[i] ^= (uint8_t)(1u << bit);
            if (dns_answer_parse(m.data, whole, &a, NULL) == ERR_OK)
                dns_answer_done(&a);
            m.data[i] ^= (uint8_t)(1u << bit);
        }
    }
}

TEST(counts_that_promise_more_than_there_is_are_refused)
{
    for (enum message_section s = MESSAGE_ANSWER; s <= MESSAGE_ADDITIONAL; s++) {
        begin();
        message_rr_txt(&m, "x.example.com", 60, "value");
        message_count(&m, s, 65535);
        expect_malformed();
    }
}

TEST(a_query_is_no_answer)
{
    message_begin(&m, 1, MESSAGE_RD);
    message_question(&m, "x.example.com", DNS_TXT);
    expect_malformed();
}

TEST(response_codes_come_through_extended_ones_too)
{
    struct dns_answer a;

    message_begin(&m, 1, MESSAGE_RESPONSE | DNS_REFUSED);
    a = parsed();
    assert_int_equal(a.rcode, DNS_REFUSED);
    assert_false(a.authoritative);
    dns_answer_done(&a);
    message_begin(&m, 1, MESSAGE_RESPONSE | 7);
    message_opt(&m, 0x01000000); /* BADCOOKIE, RFC 7873 */
    a = parsed();
    assert_int_equal(a.rcode, 23);
    assert_int_equal(a.additional_count, 0);
    dns_answer_done(&a);
    message_begin(&m, 1, MESSAGE_RESPONSE);
    message_opt(&m, 0xff000000); /* the top bit of a TTL that is none */
    a = parsed();
    assert_int_equal(a.rcode, 4080);
    dns_answer_done(&a);
}

TEST(records_of_other_classes_are_left_out)
{
    AUTO_DNS_ANSWER struct dns_answer a = {0};

    begin();
    message_put_name(&m, "x.example.com");
    message_put_u16(&m, DNS_TXT);
    message_put_u16(&m, 3); /* CHAOS */
    message_put_u32(&m, 5);
    message_put_u16(&m, 2);
    message_put(&m, "\001a", 2);
    message_count(&m, MESSAGE_ANSWER, 1);
    a = parsed();
    assert_int_equal(a.answer_count, 0);
}

TEST(a_ttl_with_the_top_bit_counts_as_zero)
{
    AUTO_DNS_ANSWER struct dns_answer a = {0};

    begin();
    message_rr_txt(&m, "x.example.com", 0x80000001u, "v");
    a = parsed();
    assert_int_equal(a.answers[0].ttl_s, 0);
}

TEST(odd_bytes_in_names_stay_printable)
{
    AUTO_DNS_ANSWER struct dns_answer a = {0};

    begin();
    message_put(&m, "\004a.\0\x1b\000", 6);
    message_put_u16(&m, DNS_A);
    message_put_u16(&m, 1);
    message_put_u32(&m, 5);
    message_put_u16(&m, 4);
    message_put_u32(&m, 0);
    message_count(&m, MESSAGE_ANSWER, 1);
    a = parsed();
    for (const char *p = a.answers[0].owner; *p; p++)
        assert_true(*p > ' ' && *p < 0x7f);
    assert_true(strlen(a.answers[0].owner) >= 4);
}

TEST(thousands_of_records_are_read)
{
    AUTO_DNS_ANSWER struct dns_answer a = {0};

    begin();
    for (int i = 0; i < 4000; i++)
        message_rr(&m, MESSAGE_ANSWER, "", DNS_A, 5, "\1\2\3\4", 4);
    a = parsed();
    assert_int_equal(a.answer_count, 4000);
    assert_string_equal(a.answers[3999].text, "1.2.3.4");
}

TEST(only_plain_dotted_names_can_be_asked_for)
{
    char long_label[80];
    char long_name[300];

    memset(long_label, 'a', 64);
    long_label[64] = '\0';
    memset(long_name, 'a', 299);
    for (size_t i = 20; i < 299; i += 20)
        long_name[i] = '.';
    long_name[299] = '\0';
    assert_true(dns_name_can_be_asked("_acme-challenge.example.com"));
    assert_true(dns_name_can_be_asked("com"));
    assert_false(dns_name_can_be_asked(""));
    assert_false(dns_name_can_be_asked("."));
    assert_false(dns_name_can_be_asked("a..b"));
    assert_false(dns_name_can_be_asked("a."));
    assert_false(dns_name_can_be_asked("a\\.b"));
    assert_false(dns_name_can_be_asked("a b"));
    assert_false(dns_name_can_be_asked("b\xc3\xbc"));
    assert_false(dns_name_can_be_asked(long_label));
    assert_false(dns_name_can_be_asked(long_name));
    long_name[253] = '\0';
    assert_true(dns_name_can_be_asked(long_name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_taken_apart),
        cmocka_unit_test(an_soa_record_keeps_its_canonical_form),
        cmocka_unit_test(an_soa_of_the_root_has_a_canonical_form_too),
        cmocka_unit_test(ad_is_read),
        cmocka_unit_test(strings_of_one_txt_record_are_joined),
        cmocka_unit_test(the_longest_txt_record_is_read_whole),
        cmocka_unit_test(txt_strings_that_overrun_their_record_are_refused),
        cmocka_unit_test(compressed_names_are_followed),
        cmocka_unit_test(compression_loops_and_wild_pointers_are_refused),
        cmocka_unit_test(two_pointers_that_point_at_each_other_are_refused),
        cmocka_unit_test(names_of_more_than_255_octets_are_refused),
        cmocka_unit_test(a_name_of_255_octets_is_read),
        cmocka_unit_test(a_record_length_that_lies_is_refused),
        cmocka_unit_test(a_message_cut_anywhere_is_refused_or_complete),
        cmocka_unit_test(counts_that_promise_more_than_there_is_are_refused),
        cmocka_unit_test(a_query_is_no_answer),
        cmocka_unit_test(response_codes_come_through_extended_ones_too),
        cmocka_unit_test(records_of_other_classes_are_left_out),
        cmocka_unit_test(a_ttl_with_the_top_bit_counts_as_zero),
        cmocka_unit_test(odd_bytes_in_names_stay_printable),
        cmocka_unit_test(thousands_of_records_are_read),
        cmocka_unit_test(only_plain_dotted_names_can_be_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
