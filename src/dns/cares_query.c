/* SPDX-License-Identifier: MIT */
#include "dns/cares_query.h"

#include "dns/cares.h"

#define EDNS_DO 0x8000 /* RFC 3225 */
#define HEADER_LEN 12
#define HEADER_CD 0x10 /* in the fourth octet, RFC 4035 section 3.2.2 */
#define QCLASS_IN 1

#if CARES_HAS_RECORDS
static ares_status_t add_opt(ares_dns_record_t *record, unsigned flags)
{
    ares_dns_rr_t *opt = NULL;
    ares_status_t status = ares_dns_record_rr_add(&opt, record, ARES_SECTION_ADDITIONAL, "", ARES_REC_TYPE_OPT,
                                                  ARES_CLASS_IN, 0);

    if (status == ARES_SUCCESS)
        status = ares_dns_rr_set_u16(opt, ARES_RR_OPT_UDP_SIZE, CARES_EDNS_SIZE);
    if (status == ARES_SUCCESS)
        status = ares_dns_rr_set_u8(opt, ARES_RR_OPT_VERSION, 0);
    if (status == ARES_SUCCESS)
        status = ares_dns_rr_set_u16(opt, ARES_RR_OPT_FLAGS, (unsigned short)(flags & DNS_WANT_DNSSEC ? EDNS_DO : 0));
    return status;
}

ares_status_t cares_query_record(const struct cares_query *q, ares_dns_record_t **out)
{
    unsigned short bits = 0;
    ares_status_t status;

    if (q->wants_recursion)
        bits |= ARES_FLAG_RD;
    if (q->flags & DNS_NO_VALIDATION)
        bits |= ARES_FLAG_CD;
    status = ares_dns_record_create(out, q->id, bits, ARES_OPCODE_QUERY, ARES_RCODE_NOERROR);
    if (status == ARES_SUCCESS)
        status = ares_dns_record_query_add(*out, q->name, (ares_dns_rec_type_t)q->type, ARES_CLASS_IN);
    if (status == ARES_SUCCESS && q->flags)
        status = add_opt(*out, q->flags);
    return status;
}

int cares_query_message(const struct cares_query *q, unsigned char **msg, size_t *len)
{
    ares_dns_record_t *record = NULL;
    ares_status_t status = cares_query_record(q, &record);

    if (status == ARES_SUCCESS)
        status = ares_dns_write(record, msg, len);
    ares_dns_record_destroy(record);
    return (int)status;
}
#else
/* The OPT record, which stands last, has its flags four octets before its end (RFC 6891 section 6.1.3). */
int cares_query_message(const struct cares_query *q, unsigned char **msg, size_t *len)
{
    int built = 0;
    int status = ares_create_query(q->name, QCLASS_IN, q->type, q->id, q->wants_recursion, msg, &built,
                                   q->flags ? CARES_EDNS_SIZE : 0);

    *len = built > 0 ? (size_t)built : 0;
    if (status != ARES_SUCCESS || *len < HEADER_LEN)
        return status;
    if (q->flags & DNS_NO_VALIDATION)
        (*msg)[3] |= HEADER_CD;
    if (q->flags & DNS_WANT_DNSSEC)
        (*msg)[*len - 4] |= EDNS_DO >> 8;
    return status;
}
#endif

enum err_code cares_query_build(const char *name, enum dns_type type, unsigned flags, struct buf *out, struct err *err)
{
    struct cares_query query = {.name = name, .type = (int)type, .wants_recursion = true, .flags = flags};
    unsigned char *msg = NULL;
    size_t len = 0;
    int status = cares_query_message(&query, &msg, &len);

    if (status == ARES_SUCCESS)
        buf_append(out, msg, len);
    ares_free_string(msg);
    if (status == ARES_EBADNAME)
        return err_set(err, ERR_INPUT, "\"%s\" is no name that can be asked for", name);
    if (status != ARES_SUCCESS || !buf_ok(out))
        return err_set(err, ERR_INTERNAL, "could not build a DNS question for \"%s\"", name);
    return ERR_OK;
}
