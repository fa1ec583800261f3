/* SPDX-License-Identifier: MIT
 *
 * One parser for messages from UDP, TCP and HTTPS, whatever the version of c-ares.  c-ares expands the names,
 * which is where compression loops and overruns would hurt; the rest is fixed-size fields, each checked
 * against the end of the message before it is read.
 */
#include "dns/wire.h"

#include <stdlib.h>
#include <string.h>

#include <ares.h>

#include "dns/name.h"
#include "util/buf.h"
#include "util/text.h"

#define HEADER_LEN 12
#define MESSAGE_MAX 65535
#define NAME_WIRE_MAX 255
#define LABEL_MAX 63
#define SOA_NUMBERS_LEN 20
#define CLASS_IN 1
#define TYPE_OPT 41 /* RFC 6891 */

#define FLAG_RESPONSE 0x8000u
#define FLAG_AUTHORITATIVE 0x0400u
#define FLAG_AUTHENTICATED 0x0020u
#define RCODE_MASK 0x000fu

struct cursor {
    const uint8_t *msg;
    size_t len;
    size_t pos;
};

struct section {
    struct dns_rr *items;
    size_t count;
};

/* What stands in front of RDATA. */
struct rr_head {
    char *owner;
    uint16_t type;
    uint16_t class;
    uint32_t ttl_s;
    size_t rdata_len;
};

static bool take_u16(struct cursor *c, uint16_t *out)
{
    if (c->len - c->pos < 2)
        return false;
    *out = (uint16_t)(c->msg[c->pos] << 8 | c->msg[c->pos + 1]);
    c->pos += 2;
    return true;
}

static bool take_u32(struct cursor *c, uint32_t *out)
{
    uint16_t high, low;

    if (!take_u16(c, &high) || !take_u16(c, &low))
        return false;
    *out = (uint32_t)high << 16 | low;
    return true;
}

/* Length on the wire of a name in presentation form ("\." and "\065" are one octet each). */
static size_t wire_len(const char *name)
{
    size_t len = *name ? 2 : 1;

    for (; *name; name++, len++)
        if (*name == '\\' && name[1])
            name += text_is_digit(name[1]) && name[2] && name[3] ? 3 : 1;
    return len;
}

/* Old c-ares expands names of any length; more than 255 octets would let a short message grow without
 * measure. */
static bool take_name(struct cursor *c, char **out)
{
    char *expanded = NULL;
    long used = 0;
    bool fits;

    if (c->pos >= c->len)
        return false;
    if (ares_expand_name(c->msg + c->pos, c->msg, (int)c->len, &expanded, &used) != ARES_SUCCESS)
        return false;
    fits = used > 0 && (size_t)used <= c->len - c->pos && wire_len(expanded) <= NAME_WIRE_MAX;
    if (fits) {
        c->pos += (size_t)used;
        text_lower_inplace(expanded);
        *out = mem_strdup(expanded);
    }
    ares_free_string(expanded);
    return fits;
}

static bool parse_address(const uint8_t *rdata, size_t len, struct dns_rr *rr)
{
    char text[64];
    bool is_v4 = rr->type == DNS_A;

    if (len != (is_v4 ? 4 : 16) || !ares_inet_ntop(is_v4 ? AF_INET : AF_INET6, rdata, text, sizeof text))
        return false;
    rr->text = mem_strdup(text);
    return true;
}

/* RFC 1035 section 3.3.14: one or more character-strings, which together are the value. */
static bool parse_txt(const uint8_t *rdata, size_t len, struct dns_rr *rr)
{
    size_t joined = 0;

    rr->text = mem_calloc(len + 1, 1);
    for (size_t i = 0; i < len; i += 1u + rdata[i]) {
        if (rdata[i] >= len - i)
            return false;
        memcpy(rr->text + joined, rdata + i + 1, rdata[i]);
        joined += rdata[i];
    }
    rr->text[joined] = '\0';
    rr->text_len = joined;
    return len > 0;
}

/* One octet of a name in presentation form; false at a broken escape. */
static bool take_octet(const char **text, char *out)
{
    const char *p = *text;

    if (*p != '\\') {
        *out = *p;
        *text = p + 1;
    } else if (text_is_digit(p[1]) && text_is_digit(p[2]) && text_is_digit(p[3])) {
        *out = (char)((p[1] - '0') * 100 + (p[2] - '0') * 10 + (p[3] - '0'));
        *text = p + 4;
    } else if (p[1]) {
        *out = p[1];
        *text = p + 2;
    } else {
        return false;
    }
    return true;
}

static bool put_name(struct buf *out, const char *name)
{
    while (*name) {
        char label[LABEL_MAX];
        size_t len = 0;

        while (*name && *name != '.')
            if (len == LABEL_MAX || !take_octet(&name, &label[len++]))
                return false;
        if (len == 0)
            return false;
        buf_putc(out, (char)len);
        buf_append(out, label, len);
        name += *name == '.';
    }
    buf_append(out, "", 1);
    return buf_ok(out);
}

/* The canonical form of RFC 4034 section 6.2, which signatures are over. */
static void keep_soa(const char *rname, const struct cursor *numbers, struct dns_rr *rr)
{
    AUTO_BUF struct buf rdata = BUF_INIT(2 * NAME_WIRE_MAX + SOA_NUMBERS_LEN);

    if (!put_name(&rdata, rr->text) || !put_name(&rdata, rname))
        return;
    buf_append(&rdata, numbers->msg + numbers->pos, SOA_NUMBERS_LEN);
    rr->rdata_len = rdata.len;
    rr->rdata = (uint8_t *)buf_take(&rdata);
}

static bool parse_soa(struct cursor *rdata, struct dns_rr *rr)
{
    AUTO_FREE char *rname = NULL;
    struct cursor numbers;
    uint32_t refresh, retry, expire;

    if (!take_name(rdata, &rr->text) || !take_name(rdata, &rname))
        return false;
    numbers = *rdata;
    if (!take_u32(rdata, &rr->soa_serial) || !take_u32(rdata, &refresh) || !take_u32(rdata, &retry) ||
        !take_u32(rdata, &expire) || !take_u32(rdata, &rr->soa_minimum_s))
        return false;
    keep_soa(rname, &numbers, rr);
    return true;
}

static bool parse_rdata(const struct cursor *c, size_t rdata_len, struct dns_rr *rr)
{
    const uint8_t *rdata = c->msg + c->pos;
    /* Names in RDATA may point anywhere before, but what is read must end where RDLENGTH says. */
    struct cursor inner = {c->msg, c->len, c->pos};

    switch (rr->type) {
    case DNS_A:
    case DNS_AAAA:
        return parse_address(rdata, rdata_len, rr);
    case DNS_NS:
    case DNS_CNAME:
        return take_name(&inner, &rr->text) && inner.pos == c->pos + rdata_len;
    case DNS_SOA:
        return parse_soa(&inner, rr) && inner.pos == c->pos + rdata_len;
    case DNS_TXT:
        return parse_txt(rdata, rdata_len, rr);
    default:
        rr->rdata = mem_calloc(rdata_len, 1);
        rr->rdata_len = rdata_len;
        if (rdata_len)
            memcpy(rr->rdata, rdata, rdata_len);
        return true;
    }
}

static void rr_done(struct dns_rr *rr)
{
    free(rr->owner);
    free(rr->text);
    free(rr->rdata);
}

static void section_done(struct section *section)
{
    for (size_t i = 0; i < section->count; i++)
        rr_done(&section->items[i]);
    free(section->items);
    *section = (struct section){NULL, 0};
}

static bool section_add(struct section *section, const struct cursor *c, struct rr_head *head)
{
    struct dns_rr rr = {.owner = head->owner, .type = head->type, .ttl_s = head->ttl_s};

    if (rr.ttl_s > INT32_MAX) /* RFC 2181 section 8 */
        rr.ttl_s = 0;
    head->owner = NULL;
    if (!parse_rdata(c, head->rdata_len, &rr)) {
        rr_done(&rr);
        return false;
    }
    if (!rr.text)
        rr.text = mem_strdup("");
    if (rr.type != DNS_TXT)
        rr.text_len = strlen(rr.text);
    section->items = mem_grow(section->items, section->count, sizeof rr);
    section->items[section->count++] = rr;
    return true;
}

static bool take_head(struct cursor *c, struct rr_head *head)
{
    uint16_t rdata_len;

    if (!take_name(c, &head->owner) || !take_u16(c, &head->type) || !take_u16(c, &head->class) ||
        !take_u32(c, &head->ttl_s) || !take_u16(c, &rdata_len) || rdata_len > c->len - c->pos)
        return false;
    head->rdata_len = rdata_len;
    return true;
}

/* `opt_ttl` gets the TTL of an OPT record, which holds the upper bits of the response code. */
static bool parse_section(struct cursor *c, size_t count, struct section *out, uint32_t *opt_ttl)
{
    for (size_t i = 0; i < count; i++) {
        struct rr_head head = {0};
        bool ok = take_head(c, &head);

        if (ok && head.type == TYPE_OPT)
            *opt_ttl = head.ttl_s;
        else if (ok && head.class == CLASS_IN)
            ok = section_add(out, c, &head);
        free(head.owner);
        if (!ok)
            return false;
        c->pos += head.rdata_len;
    }
    return true;
}

static bool skip_questions(struct cursor *c, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        AUTO_FREE char *name = NULL;
        uint32_t type_and_class;

        if (!take_name(c, &name) || !take_u32(c, &type_and_class))
            return false;
    }
    return true;
}

enum err_code dns_answer_parse(const uint8_t *msg, size_t len, struct dns_answer *out, struct err *err)
{
    struct cursor c = {msg, len, 0};
    AUTO(section_done) struct section answers = {NULL, 0};
    AUTO(section_done) struct section authority = {NULL, 0};
    AUTO(section_done) struct section additional = {NULL, 0};
    uint16_t id, flags, counts[4];
    uint32_t opt_ttl = 0;

    if (len < HEADER_LEN || len > MESSAGE_MAX)
        return err_set(err, ERR_DNS, "malformed DNS message: %zu octets", len);
    if (!take_u16(&c, &id) || !take_u16(&c, &flags) || !take_u16(&c, &counts[0]) || !take_u16(&c, &counts[1]) ||
        !take_u16(&c, &counts[2]) || !take_u16(&c, &counts[3]))
        return err_set(err, ERR_DNS, "malformed DNS message: no header");
    if (!(flags & FLAG_RESPONSE))
        return err_set(err, ERR_DNS, "malformed DNS message: a query came as answer");
    if (!skip_questions(&c, counts[0]) || !parse_section(&c, counts[1], &answers, &opt_ttl) ||
        !parse_section(&c, counts[2], &authority, &opt_ttl) || !parse_section(&c, counts[3], &additional, &opt_ttl))
        return err_set(err, ERR_DNS, "malformed DNS message: octet %zu of %zu", c.pos, len);
    *out = (struct dns_answer){
        .result = ERR_OK,
        .rcode = (int)((opt_ttl >> 24) << 4 | (flags & RCODE_MASK)),
        .authoritative = (flags & FLAG_AUTHORITATIVE) != 0,
        .authenticated = (flags & FLAG_AUTHENTICATED) != 0,
        .answers = answers.items,
        .answer_count = answers.count,
        .authority = authority.items,
        .authority_count = authority.count,
        .additional = additional.items,
        .additional_count = additional.count,
    };
    answers = authority = additional = (struct section){NULL, 0};
    return ERR_OK;
}

void dns_answer_done(struct dns_answer *answer)
{
    struct section sections[] = {
        {answer->answers, answer->answer_count},
        {answer->authority, answer->authority_count},
        {answer->additional, answer->additional_count},
    };

    for (size_t i = 0; i < ARRAY_LEN(sections); i++)
        section_done(&sections[i]);
    *answer = (struct dns_answer){0};
}

/* ------------------------------------------------------------------ the queue */

struct answer_node {
    struct answer_node *next;
    struct dns_answer answer;
};

void answer_queue_put_take(struct answer_queue *queue, struct dns_answer *answer_take)
{
    struct answer_node *node = mem_zalloc(sizeof *node);

    node->answer = *answer_take;
    *answer_take = (struct dns_answer){0};
    if (queue->last)
        queue->last->next = node;
    else
        queue->first = node;
    queue->last = node;
}

bool answer_queue_get(struct answer_queue *queue, struct dns_answer *out)
{
    struct answer_node *node = queue->first;

    if (!node)
        return false;
    *out = node->answer;
    queue->first = node->next;
    if (!queue->first)
        queue->last = NULL;
    free(node);
    return true;
}

void answer_queue_done(struct answer_queue *queue)
{
    struct dns_answer answer;

    while (answer_queue_get(queue, &answer))
        dns_answer_done(&answer);
}

/* ------------------------------------------------------------------ names of things */

bool dns_name_can_be_asked(const char *name)
{
    size_t label_len = 0;
    size_t i;

    for (i = 0; i <= DNS_NAME_MAX && name[i]; i++) {
        if (name[i] <= ' ' || name[i] > '~' || name[i] == '\\')
            return false;
        label_len = name[i] == '.' ? 0 : label_len + 1;
        if (label_len > 63 || (label_len == 0 && (i == 0 || name[i - 1] == '.')))
            return false;
    }
    return i > 0 && i <= DNS_NAME_MAX && label_len > 0;
}

const char *dns_type_name(enum dns_type type)
{
    switch (type) {
    case DNS_A:
        return "A";
    case DNS_NS:
        return "NS";
    case DNS_CNAME:
        return "CNAME";
    case DNS_SOA:
        return "SOA";
    case DNS_TXT:
        return "TXT";
    case DNS_AAAA:
        return "AAAA";
    case DNS_DS:
        return "DS";
    case DNS_RRSIG:
        return "RRSIG";
    case DNS_DNSKEY:
        return "DNSKEY";
    case DNS_CAA:
        return "CAA";
    default:
        return "?";
    }
}

const char *dns_rcode_name(int rcode)
{
    static const char *const names[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"};

    return rcode >= 0 && (size_t)rcode < ARRAY_LEN(names) ? names[rcode] : "?";
}
