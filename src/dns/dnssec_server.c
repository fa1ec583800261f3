/* SPDX-License-Identifier: MIT
 *
 * RFC 4035 section 5: a DS record names a key by tag and digest; that key signs the set of all keys; any of these signs
 * the zone's records, of which the SOA stands for the rest.  A signature counts between its dates only.
 *
 * Tags may collide, and a hostile zone can make all of them do so: the number of signatures that are computed for one
 * set is limited, as validators limit it.
 */
#include "dns/dnssec_server.h"

#include <stdlib.h>
#include <string.h>

#include "util/buf.h"
#include "util/clock.h"
#include "util/text.h"

#define KEYS_MAX 32
#define VERIFY_MAX 16
#define PROTOCOL_DNSSEC 3
#define DIGEST_SHA1 1

/* ------------------------------------------------------------------ DS */

static bool counts(const struct rrset_ds *ds)
{
    return dnskey_is_known(ds->algorithm) && rrset_digest_is_known(ds->digest_type);
}

static void drop_sha1(struct dnssec_trust *trust)
{
    size_t kept = 0;
    bool has_better = false;

    for (size_t i = 0; i < trust->count; i++)
        has_better = has_better || trust->ds[i].digest_type != DIGEST_SHA1;
    for (size_t i = 0; i < trust->count; i++)
        if (!has_better || trust->ds[i].digest_type != DIGEST_SHA1)
            trust->ds[kept++] = trust->ds[i];
    trust->count = kept;
}

void dnssec_trust_take(const struct dns_answer *answer, const char *zone, struct dnssec_trust *out)
{
    *out = (struct dnssec_trust){.count = 0};
    for (size_t i = 0; i < answer->answer_count; i++) {
        const struct dns_rr *rr = &answer->answers[i];
        struct rrset_ds ds;

        if (rr->type != DNS_DS || text_casecmp(rr->owner, zone) != 0)
            continue;
        out->seen++;
        if (out->count < DNSSEC_DS_MAX && rrset_ds_parse(rr, &ds) && counts(&ds))
            out->ds[out->count++] = ds;
    }
    drop_sha1(out);
}

static bool is_tag_before(const struct dnssec_trust *trust, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (trust->ds[i].key_tag == trust->ds[n].key_tag)
            return true;
    return false;
}

char *dnssec_trust_describe(const struct dnssec_trust *trust)
{
    AUTO_BUF struct buf text = BUF_INIT(1024);
    size_t tags = 0;

    for (size_t i = 0; i < trust->count; i++) {
        if (is_tag_before(trust, i))
            continue;
        buf_printf(&text, "%s%u", tags ? ", " : "", (unsigned)trust->ds[i].key_tag);
        tags++;
    }
    return mem_printf("key tag%s %s", tags == 1 ? "" : "s", buf_cstr(&text));
}

/* ------------------------------------------------------------------ keys and signatures */

struct keys {
    struct rrset_key items[KEYS_MAX];
    size_t count;
};

/* Keys that may sign the zone's records. */
static void take_keys(const struct rrset *set, const struct dns_answer *answer, const char *zone, struct keys *out)
{
    out->count = 0;
    for (size_t i = 0; set->count && i < answer->answer_count && out->count < KEYS_MAX; i++) {
        const struct dns_rr *rr = &answer->answers[i];
        struct rrset_key key;

        if (text_casecmp(rr->owner, zone) == 0 && rrset_key_parse(rr, &key) && (key.flags & RRSET_KEY_ZONE) &&
            !(key.flags & RRSET_KEY_REVOKED) && key.protocol == PROTOCOL_DNSSEC)
            out->items[out->count++] = key;
    }
}

/* Those that the parent names. */
static void take_trusted(const struct keys *keys, const struct rrset_name *owner, const struct dnssec_trust *trust,
                         struct keys *out)
{
    out->count = 0;
    for (size_t k = 0; k < keys->count; k++) {
        bool is_named = false;

        for (size_t d = 0; d < trust->count && !is_named; d++)
            is_named = rrset_ds_matches(&trust->ds[d], owner, &keys->items[k]);
        if (is_named)
            out->items[out->count++] = keys->items[k];
    }
}

/* From bad to good: the best of a set's signatures tells of the set. */
enum quality { NOT_SIGNED, OTHER_KEYS, DOES_NOT_VERIFY, TOO_EARLY, EXPIRED, UNSUPPORTED, GOOD };

struct verdict {
    enum quality quality;
    int64_t when_s; /* GOOD, EXPIRED: the latest end; TOO_EARLY: the beginning */
    unsigned algorithm;
};

static enum quality judge_signature(const struct rrset *set, const struct rrset_signature *signature,
                                    const struct keys *keys, int64_t now_s, size_t *left)
{
    enum quality best = OTHER_KEYS;

    for (size_t i = 0; i < keys->count; i++) {
        const struct rrset_key *key = &keys->items[i];
        enum quality quality = DOES_NOT_VERIFY;

        if (key->tag != signature->key_tag || key->algorithm != signature->algorithm)
            continue;
        if (now_s > rrset_time(signature->expires, now_s))
            return EXPIRED;
        if (now_s < rrset_time(signature->begins, now_s))
            return TOO_EARLY;
        if (*left > 0) {
            enum dnskey_verdict verdict = rrset_verify(set, signature, key);

            --*left;
            quality = verdict == DNSKEY_GOOD ? GOOD : verdict == DNSKEY_UNSUPPORTED ? UNSUPPORTED : DOES_NOT_VERIFY;
        }
        best = quality > best ? quality : best;
    }
    return best;
}

static struct verdict judge_set(const struct rrset *set, const struct keys *keys, int64_t now_s)
{
    struct verdict best = {.quality = NOT_SIGNED};
    size_t left = VERIFY_MAX;

    for (size_t i = 0; i < set->signature_count; i++) {
        const struct rrset_signature *signature = &set->signatures[i];
        enum quality quality = judge_signature(set, signature, keys, now_s, &left);
        int64_t when_s = rrset_time(quality == TOO_EARLY ? signature->begins : signature->expires, now_s);

        if (quality > best.quality || (quality == best.quality && when_s > best.when_s))
            best = (struct verdict){quality, when_s, signature->algorithm};
    }
    return best;
}

/* ------------------------------------------------------------------ a server */

void dnssec_server_done(struct dnssec_server *server)
{
    free(server->why);
    *server = (struct dnssec_server){.why = NULL};
}

static bool is_usable(const struct dns_answer *answer)
{
    return answer->result == ERR_OK && answer->rcode == DNS_NOERROR && answer->authoritative;
}

struct subject {
    const char *name;
    const char *verb;
    const char *signers;
};

/* What is wrong with a set, as a sentence part; NULL: nothing. */
static char *describe(const struct verdict *verdict, const struct subject *of)
{
    char date[CLOCK_HTTP_DATE_MAX];

    clock_format_iso(date, verdict->when_s);
    switch (verdict->quality) {
    case NOT_SIGNED:
        return mem_printf("%s %s not signed", of->name, of->verb);
    case OTHER_KEYS:
        return mem_printf("%s %s not signed by %s", of->name, of->verb, of->signers);
    case DOES_NOT_VERIFY:
        return mem_printf("the signature over %s does not verify", of->name);
    case TOO_EARLY:
        return mem_printf("the signature over %s is not valid before %s", of->name, date);
    case EXPIRED:
        return mem_printf("the signature over %s expired on %s", of->name, date);
    case UNSUPPORTED:
        return mem_printf("this machine's OpenSSL does not verify signatures of algorithm %u", verdict->algorithm);
    default:
        return NULL;
    }
}

/* Take a verdict into the judgement of the server; false: it is final. */
static bool conclude(const struct verdict *verdict, const struct subject *of, struct dnssec_server *out)
{
    if (verdict->quality == GOOD) {
        if (!out->expires_s || verdict->when_s < out->expires_s)
            out->expires_s = verdict->when_s;
        out->finding = DNSSEC_SERVER_GOOD;
        return true;
    }
    out->finding = verdict->quality == UNSUPPORTED ? DNSSEC_SERVER_UNVERIFIABLE : DNSSEC_SERVER_BAD;
    out->why = describe(verdict, of);
    return false;
}

static void judge_soa(const char *zone, const struct dns_answer *answer, const struct keys *keys, int64_t now_s,
                      struct dnssec_server *out)
{
    static const struct subject subject = {"the zone's SOA record", "is", "any of the zone's keys"};
    struct rrset set;
    struct verdict verdict;

    /* A server that serves keys and no SOA is lame in a way that others look into. */
    if (!is_usable(answer) || !rrset_take(answer, zone, DNS_SOA, &set) || set.count == 0)
        return;
    verdict = judge_set(&set, keys, now_s);
    (void)conclude(&verdict, &subject, out);
}

void dnssec_server_judge(const char *zone, const struct dnssec_trust *trust, const struct dns_answer *keys_answer,
                         const struct dns_answer *soa_answer, int64_t now_s, struct dnssec_server *out)
{
    static const struct subject subject = {"the zone's keys", "are", "a key that the parent's DS names"};
    struct rrset set;
    struct keys keys, trusted;
    struct verdict verdict;
    AUTO_FREE char *tags = dnssec_trust_describe(trust);

    *out = (struct dnssec_server){.finding = DNSSEC_SERVER_UNUSABLE};
    if (!is_usable(keys_answer) || !rrset_take(keys_answer, zone, DNS_DNSKEY, &set))
        return;
    if (set.count == 0) {
        out->finding = DNSSEC_SERVER_NO_KEYS;
        return;
    }
    take_keys(&set, keys_answer, zone, &keys);
    take_trusted(&keys, &set.owner, trust, &trusted);
    if (trusted.count == 0) {
        out->finding = DNSSEC_SERVER_BAD;
        out->why = mem_printf("no DNSKEY of the zone matches the parent's DS (%s)", tags);
        return;
    }
    verdict = judge_set(&set, &trusted, now_s);
    if (conclude(&verdict, &subject, out))
        judge_soa(zone, soa_answer, &keys, now_s, out);
}
