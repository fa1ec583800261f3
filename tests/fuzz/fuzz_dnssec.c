/* SPDX-License-Identifier: MIT
 *
 * A DNS message as the answer about DS, DNSKEY and SOA of a zone, all in one.
 */
#include <string.h>

#include "dns/dnssec_server.h"
#include "dns/wire.h"
#include "fuzz.h"
#include "util/mem.h"

#define ZONE "example.com"
#define NOW_S 1768435200 /* 2026-01-15, when the signatures of the corpus are valid */

static void check_record(const struct dns_rr *rr)
{
    struct rrset_ds ds;
    struct rrset_key key;
    struct rrset_signature signature;

    if (rrset_ds_parse(rr, &ds))
        FUZZ_CHECK(ds.digest.len > 0 && ds.digest.data + ds.digest.len == rr->rdata + rr->rdata_len);
    if (rrset_key_parse(rr, &key))
        FUZZ_CHECK(key.key.len > 0 && key.key.data + key.key.len == rr->rdata + rr->rdata_len);
    if (rrset_signature_parse(rr, &signature)) {
        FUZZ_CHECK(signature.signature.len > 0 && signature.signer.len <= RRSET_NAME_MAX);
        FUZZ_CHECK(signature.signature.data + signature.signature.len == rr->rdata + rr->rdata_len);
    }
}

static void check_set(const struct dns_answer *answer, enum dns_type type)
{
    struct rrset set;

    if (!rrset_take(answer, ZONE, type, &set))
        return;
    FUZZ_CHECK(set.count <= RRSET_RECORDS_MAX && set.signature_count <= RRSET_SIGNATURES_MAX);
    for (size_t i = 1; i < set.count; i++) {
        const struct dnskey_bytes *a = &set.rdatas[i - 1];
        const struct dnskey_bytes *b = &set.rdatas[i];
        int order = memcmp(a->data, b->data, a->len < b->len ? a->len : b->len);

        FUZZ_CHECK(order < 0 || (order == 0 && a->len < b->len));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_DNS_ANSWER struct dns_answer answer = {0};
    AUTO(dnssec_server_done) struct dnssec_server found = {.why = NULL};
    struct dnssec_trust trust;

    if (dns_answer_parse(data, size, &answer, NULL) != ERR_OK)
        return 0;
    for (size_t i = 0; i < answer.answer_count; i++)
        check_record(&answer.answers[i]);
    check_set(&answer, DNS_DNSKEY);
    check_set(&answer, DNS_SOA);
    dnssec_trust_take(&answer, ZONE, &trust);
    FUZZ_CHECK(trust.count <= trust.seen && trust.count <= DNSSEC_DS_MAX);
    dnssec_server_judge(ZONE, &trust, &answer, &answer, NOW_S, &found);
    FUZZ_CHECK((found.why != NULL) == (found.finding == DNSSEC_SERVER_BAD || found.finding == DNSSEC_SERVER_UNVERIFIABLE));
    FUZZ_CHECK(found.finding != DNSSEC_SERVER_GOOD || (trust.count > 0 && found.expires_s >= NOW_S));
    return 0;
}
