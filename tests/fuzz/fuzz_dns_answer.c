/* SPDX-License-Identifier: MIT
 *
 * A DNS message from the network, and what the propagation wait makes of it.
 */
#include <string.h>

#include "dns/sighting.h"
#include "dns/wire.h"
#include "fuzz.h"

#define SOA_RDATA_MAX (2 * 255 + 20) /* names in full */
#define NAME_TEXT_MAX 1020 /* 255 octets, each as \ddd */

static void check_records(const struct dns_rr *items, size_t count, size_t message_len)
{
    FUZZ_CHECK(count <= message_len / 11); /* the smallest record */
    for (size_t i = 0; i < count; i++) {
        FUZZ_CHECK(items[i].owner && strlen(items[i].owner) <= NAME_TEXT_MAX);
        FUZZ_CHECK(items[i].text && items[i].text[items[i].text_len] == '\0');
        FUZZ_CHECK(items[i].text_len <= message_len || items[i].text_len <= NAME_TEXT_MAX);
        FUZZ_CHECK(items[i].type == DNS_TXT || strlen(items[i].text) == items[i].text_len);
        FUZZ_CHECK(items[i].rdata_len <= (items[i].type == DNS_SOA ? SOA_RDATA_MAX : message_len));
        FUZZ_CHECK(items[i].ttl_s <= INT32_MAX);
    }
}

static void check_sighting(const struct dns_answer *answer)
{
    static const char *const values[] = {"value", "another"};
    const struct propagation_item item = {"_acme-challenge.example.com", values, 2, NULL, "example.com"};
    AUTO(sighting_done) struct sighting seen = {0};
    AUTO_BUF struct buf text = BUF_INIT(4096);

    sighting_update(&seen, answer, &item, SIGHTING_RECURSIVE);
    sighting_update(&seen, answer, &item, SIGHTING_AUTHORITATIVE_ONLY);
    FUZZ_CHECK(seen.kind != SIGHTING_NONE && seen.kind != SIGHTING_SILENT);
    FUZZ_CHECK(seen.kind != SIGHTING_SHOWN || answer->authoritative);
    sighting_describe(&seen, &item, &text);
    FUZZ_CHECK(buf_ok(&text) && text.len > 0);
    FUZZ_CHECK(sighting_cache_s(answer) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_DNS_ANSWER struct dns_answer answer = {0};
    struct err err;

    if (dns_answer_parse(data, size, &answer, &err) != ERR_OK) {
        FUZZ_CHECK(err.code == ERR_DNS && err.msg[0] != '\0');
        return 0;
    }
    FUZZ_CHECK(answer.result == ERR_OK && answer.rcode >= 0 && answer.rcode <= 4095);
    check_records(answer.answers, answer.answer_count, size);
    check_records(answer.authority, answer.authority_count, size);
    check_records(answer.additional, answer.additional_count, size);
    check_sighting(&answer);
    return 0;
}
