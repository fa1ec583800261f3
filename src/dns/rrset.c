/* SPDX-License-Identifier: MIT */
#include "dns/rrset.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"
#include "util/buf.h"
#include "util/text.h"

#define CLASS_IN 1
#define LABEL_MAX 63
#define SIGNATURE_FIXED 18      /* octets before the signer's name */
#define SIGNED_MAX (128 * 1024) /* a message's worth of records, each with the owner's name in full */

static uint16_t read_u16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t read_u32(const uint8_t *p)
{
    return (uint32_t)read_u16(p) << 16 | read_u16(p + 2);
}

/* ------------------------------------------------------------------ names */

bool rrset_name_from_text(const char *text, struct rrset_name *out)
{
    struct rrset_name name = {.len = 0};

    while (*text) {
        size_t len = strcspn(text, ".");

        if (len == 0 || len > LABEL_MAX || name.len + len + 2 > RRSET_NAME_MAX)
            return false;
        name.data[name.len++] = (uint8_t)len;
        for (size_t i = 0; i < len; i++)
            name.data[name.len++] = (uint8_t)text_lower(text[i]);
        text += len + (text[len] == '.');
    }
    name.data[name.len++] = 0;
    *out = name;
    return true;
}

bool rrset_name_from_wire(const uint8_t *data, size_t len, struct rrset_name *out, size_t *out_used)
{
    struct rrset_name name = {.len = 0};

    while (name.len < len && data[name.len]) {
        size_t label = data[name.len];

        if (label > LABEL_MAX || label + 1 >= len - name.len || name.len + label + 2 > RRSET_NAME_MAX)
            return false;
        name.data[name.len] = (uint8_t)label;
        for (size_t i = 1; i <= label; i++)
            name.data[name.len + i] = (uint8_t)text_lower((char)data[name.len + i]);
        name.len += label + 1;
    }
    if (name.len >= len)
        return false;
    name.data[name.len++] = 0;
    *out_used = name.len;
    *out = name;
    return true;
}

bool rrset_name_equal(const struct rrset_name *a, const struct rrset_name *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

/* Without the root, as RRSIG counts them (RFC 4034 section 3.1.3). */
static size_t count_labels(const struct rrset_name *name)
{
    size_t count = 0;

    for (size_t i = 0; name->data[i]; i += name->data[i] + 1u)
        count++;
    return count;
}

/* ------------------------------------------------------------------ records */

bool rrset_ds_parse(const struct dns_rr *rr, struct rrset_ds *out)
{
    const uint8_t *d = rr->rdata;

    if (rr->type != DNS_DS || rr->rdata_len < 5)
        return false;
    *out = (struct rrset_ds){read_u16(d), d[2], d[3], {d + 4, rr->rdata_len - 4}};
    return true;
}

/* RFC 4034 appendix B: a sum over the octets taken in pairs. */
static uint16_t key_tag(const uint8_t *rdata, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += i & 1 ? rdata[i] : (uint32_t)rdata[i] << 8;
    return (uint16_t)(sum + (sum >> 16));
}

bool rrset_key_parse(const struct dns_rr *rr, struct rrset_key *out)
{
    const uint8_t *d = rr->rdata;

    if (rr->type != DNS_DNSKEY || rr->rdata_len < 5)
        return false;
    *out = (struct rrset_key){
        .flags = read_u16(d),
        .protocol = d[2],
        .algorithm = d[3],
        .tag = key_tag(d, rr->rdata_len),
        .key = {d + 4, rr->rdata_len - 4},
        .rdata = {d, rr->rdata_len},
    };
    return true;
}

bool rrset_signature_parse(const struct dns_rr *rr, struct rrset_signature *out)
{
    const uint8_t *d = rr->rdata;
    struct rrset_signature s;
    size_t name_len;

    if (rr->type != DNS_RRSIG || rr->rdata_len < SIGNATURE_FIXED ||
        !rrset_name_from_wire(d + SIGNATURE_FIXED, rr->rdata_len - SIGNATURE_FIXED, &s.signer, &name_len) ||
        rr->rdata_len == SIGNATURE_FIXED + name_len)
        return false;
    s.type = read_u16(d);
    s.algorithm = d[2];
    s.labels = d[3];
    s.ttl_s = read_u32(d + 4);
    s.expires = read_u32(d + 8);
    s.begins = read_u32(d + 12);
    s.key_tag = read_u16(d + 16);
    s.fixed = (struct dnskey_bytes){d, SIGNATURE_FIXED};
    s.signature = (struct dnskey_bytes){d + SIGNATURE_FIXED + name_len, rr->rdata_len - SIGNATURE_FIXED - name_len};
    *out = s;
    return true;
}

int64_t rrset_time(uint32_t in_signature, int64_t now_s)
{
    return now_s + (int32_t)(in_signature - (uint32_t)now_s);
}

/* ------------------------------------------------------------------ DS against DNSKEY */

enum { DIGEST_TYPE_SHA1 = 1, DIGEST_TYPE_SHA256 = 2, DIGEST_TYPE_SHA384 = 4 };

bool rrset_digest_is_known(unsigned digest_type)
{
    return digest_type == DIGEST_TYPE_SHA1 || digest_type == DIGEST_TYPE_SHA256 || digest_type == DIGEST_TYPE_SHA384;
}

/* The digest's length; 0: it can't be computed. */
static size_t compute_digest(unsigned type, const struct buf *data, uint8_t out[DIGEST_SHA384_LEN])
{
    const char *bytes = buf_cstr(data);

    switch (type) {
    case DIGEST_TYPE_SHA1:
        return digest_sha1(bytes, data->len, out, NULL) == ERR_OK ? DIGEST_SHA1_LEN : 0;
    case DIGEST_TYPE_SHA256:
        return digest_sha256(bytes, data->len, out, NULL) == ERR_OK ? DIGEST_SHA256_LEN : 0;
    case DIGEST_TYPE_SHA384:
        return digest_sha384(bytes, data->len, out, NULL) == ERR_OK ? DIGEST_SHA384_LEN : 0;
    default:
        return 0;
    }
}

bool rrset_ds_matches(const struct rrset_ds *ds, const struct rrset_name *owner, const struct rrset_key *key)
{
    AUTO_BUF struct buf data = BUF_INIT(SIGNED_MAX);
    uint8_t digest[DIGEST_SHA384_LEN];
    size_t len;

    if (ds->key_tag != key->tag || ds->algorithm != key->algorithm)
        return false;
    buf_append(&data, owner->data, owner->len);
    buf_append(&data, key->rdata.data, key->rdata.len);
    len = compute_digest(ds->digest_type, &data, digest);
    return len > 0 && len == ds->digest.len && memcmp(digest, ds->digest.data, len) == 0;
}

/* ------------------------------------------------------------------ sets */

/* RFC 4034 section 6.3: octet by octet, and the shorter first. */
static int compare_rdata(const void *a, const void *b)
{
    const struct dnskey_bytes *x = a;
    const struct dnskey_bytes *y = b;
    int order = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);

    return order ? order : (x->len > y->len) - (x->len < y->len);
}

static void sort_and_drop_doubles(struct rrset *set)
{
    size_t kept = 0;

    if (set->count == 0)
        return;
    qsort(set->rdatas, set->count, sizeof *set->rdatas, compare_rdata);
    for (size_t i = 1; i < set->count; i++)
        if (compare_rdata(&set->rdatas[kept], &set->rdatas[i]) != 0)
            set->rdatas[++kept] = set->rdatas[i];
    set->count = kept + 1;
}

static void take_signature(const struct dns_rr *rr, struct rrset *set)
{
    struct rrset_signature signature;

    if (set->signature_count < RRSET_SIGNATURES_MAX && rrset_signature_parse(rr, &signature) &&
        signature.type == set->type && rrset_name_equal(&signature.signer, &set->owner))
        set->signatures[set->signature_count++] = signature;
}

bool rrset_take(const struct dns_answer *answer, const char *owner, enum dns_type type, struct rrset *out)
{
    memset(out, 0, sizeof *out);
    out->type = (uint16_t)type;
    if (!rrset_name_from_text(owner, &out->owner))
        return false;
    for (size_t i = 0; i < answer->answer_count; i++) {
        const struct dns_rr *rr = &answer->answers[i];

        if (text_casecmp(rr->owner, owner) != 0)
            continue;
        if (rr->type == DNS_RRSIG)
            take_signature(rr, out);
        if (rr->type != type || !rr->rdata)
            continue;
        if (out->count == RRSET_RECORDS_MAX)
            return false;
        out->rdatas[out->count++] = (struct dnskey_bytes){rr->rdata, rr->rdata_len};
    }
    sort_and_drop_doubles(out);
    return true;
}

static void put_u16(struct buf *buf, unsigned value)
{
    const uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};

    buf_append(buf, bytes, 2);
}

/* RFC 4034 section 3.1.8.1: RRSIG without the signature, and each record with the TTL that the signature names. */
static void put_signed(const struct rrset *set, const struct rrset_signature *signature, struct buf *out)
{
    buf_append(out, signature->fixed.data, signature->fixed.len);
    buf_append(out, signature->signer.data, signature->signer.len);
    for (size_t i = 0; i < set->count; i++) {
        buf_append(out, set->owner.data, set->owner.len);
        put_u16(out, set->type);
        put_u16(out, CLASS_IN);
        put_u16(out, signature->ttl_s >> 16);
        put_u16(out, signature->ttl_s & 0xffff);
        put_u16(out, (unsigned)set->rdatas[i].len);
        buf_append(out, set->rdatas[i].data, set->rdatas[i].len);
    }
}

enum dnskey_verdict rrset_verify(const struct rrset *set, const struct rrset_signature *signature,
                                 const struct rrset_key *key)
{
    AUTO_BUF struct buf data = BUF_INIT(SIGNED_MAX);

    if (signature->labels != count_labels(&set->owner) || signature->key_tag != key->tag ||
        signature->algorithm != key->algorithm)
        return DNSKEY_BAD;
    put_signed(set, signature, &data);
    if (!buf_ok(&data))
        return DNSKEY_BAD;
    return dnskey_verify(key->algorithm, key->key, (struct dnskey_bytes){(const uint8_t *)buf_cstr(&data), data.len},
                         signature->signature);
}
