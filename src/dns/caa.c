/* SPDX-License-Identifier: MIT
 *
 * RFC 8659 section 3: the records that count for a name are those of the nearest name upwards, itself included and the
 * root excluded, that has any.  Where the resolver fails on the way there, records might be hidden, and a CA must not
 * issue.  All names on the way are asked at once, as a CA does it too.
 *
 * Section 5.3: an unknown critical property forbids.  For a wildcard the issuewild properties count if there are any,
 * else, and for all other names, the issue properties.  None of them: no restriction.  Else one of them must name the
 * CA, and each parameter of RFC 8657 in that property must fit.  Parameters that nobody knows are the CA's own business
 * and taken to fit.  A malformed value names nobody.
 */
#include "dns/caa.h"

#include <stdlib.h>
#include <string.h>

#include "dns/caa_value.h"
#include "dns/name.h"
#include "dns/wire.h"
#include "util/buf.h"
#include "util/text.h"

#define QUESTION_MS 5000
#define LEVELS_MAX 127 /* labels that fit into 253 octets */
#define ALIASES_MAX 16
#define OTHERS_MAX 65536
#define OTHERS_SHOWN 4
#define WHY_MAX 131072 /* a whole message could stand in it; what is shown is cut */

/* Bit 0 of RFC 8659, the highest.  So many have taken that for the value 1 that Let's Encrypt honours it as well. */
#define FLAGS_CRITICAL (128 | 1)

/* ------------------------------------------------------------------ looking them up */

static void record_done(struct caa_record *record)
{
    free(record->tag);
    free(record->value);
}

void caa_set_done(struct caa_set *set)
{
    for (size_t i = 0; i < set->count; i++)
        record_done(&set->items[i]);
    free(set->items);
    free(set->owner);
    *set = (struct caa_set){.owner = NULL};
}

/* A NUL is kept as an octet that no tag or value may have either. */
static char *copy_text(const uint8_t *data, size_t len)
{
    char *copy = mem_calloc(len + 1, 1);

    for (size_t i = 0; i < len; i++)
        copy[i] = (char)(data[i] ? data[i] : 1);
    return copy;
}

/* RFC 8659 section 4.1: flags, length of the tag, tag, value. */
static bool add_record(const struct dns_rr *rr, struct caa_set *out)
{
    struct caa_record record = {.flags = 0};
    size_t tag_len;

    if (rr->rdata_len < 3)
        return false;
    tag_len = rr->rdata[1];
    if (tag_len == 0 || tag_len > rr->rdata_len - 2)
        return false;
    record.flags = rr->rdata[0];
    record.tag = copy_text(rr->rdata + 2, tag_len);
    text_lower_inplace(record.tag);
    record.value = copy_text(rr->rdata + 2 + tag_len, rr->rdata_len - 2 - tag_len);
    out->items = mem_grow(out->items, out->count, sizeof record);
    out->items[out->count++] = record;
    return true;
}

/* The end of the chain of CNAMEs that begins at `name`; borrowed. */
static const char *follow_aliases(const struct dns_answer *answer, const char *name)
{
    for (size_t step = 0; step < ALIASES_MAX; step++) {
        const char *target = NULL;

        for (size_t i = 0; i < answer->answer_count && !target; i++)
            if (answer->answers[i].type == DNS_CNAME && text_casecmp(answer->answers[i].owner, name) == 0)
                target = answer->answers[i].text;
        if (!target)
            break;
        name = target;
    }
    return name;
}

/* The set of one name; it stays empty when there is none.  Errors: as in caa_find(). */
static enum err_code take_answer(const struct dns_answer *answer, const char *name, struct caa_set *out,
                                 struct err *err)
{
    const char *owner;

    if (answer->result != ERR_OK) {
        if (err)
            *err = answer->err;
        return err_prefix(err, answer->result, "can't tell which CAs may issue");
    }
    if (answer->rcode != DNS_NOERROR && answer->rcode != DNS_NXDOMAIN)
        return err_set(err, ERR_DNS, "can't tell which CAs may issue: asked for CAA at \"%s\", the resolver says %s",
                       name, dns_rcode_name(answer->rcode));
    owner = follow_aliases(answer, name);
    for (size_t i = 0; i < answer->answer_count; i++) {
        const struct dns_rr *rr = &answer->answers[i];

        if (rr->type != DNS_CAA || text_casecmp(rr->owner, owner) != 0)
            continue;
        if (!add_record(rr, out))
            return err_set(err, ERR_DNS, "can't tell which CAs may issue: a CAA record at \"%s\" is malformed", owner);
    }
    if (out->count)
        out->owner = mem_strdup(owner);
    return ERR_OK;
}

static enum err_code pick_set(const struct dns_question *questions, const struct dns_answer *answers, size_t count,
                              struct caa_set *out, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        AUTO_CAA_SET struct caa_set set = {.owner = NULL};
        enum err_code code = take_answer(&answers[i], questions[i].name, &set, err);

        if (code != ERR_OK)
            return code;
        if (set.count) {
            *out = set;
            set = (struct caa_set){.owner = NULL};
            return ERR_OK;
        }
    }
    *out = (struct caa_set){.owner = NULL};
    return ERR_OK;
}

enum err_code caa_find(struct resolver *resolver, const char *domain, struct caa_set *out, struct err *err)
{
    struct dns_question questions[LEVELS_MAX];
    AUTO_FREE struct dns_answer *answers = mem_calloc(LEVELS_MAX, sizeof *answers);
    size_t count = 0;
    enum err_code code;

    for (const char *name = domain; name && count < LEVELS_MAX; name = name_parent(name))
        questions[count++] = (struct dns_question){.name = name, .type = DNS_CAA, .timeout_ms = QUESTION_MS};
    code = resolver_ask_all(resolver, questions, count, answers, err);
    if (code != ERR_OK)
        return code;
    code = pick_set(questions, answers, count, out, err);
    for (size_t i = 0; i < count; i++)
        dns_answer_done(&answers[i]);
    return code;
}

/* ------------------------------------------------------------------ judging */

static bool is_known_tag(const char *tag)
{
    /* RFC 8659, RFC 9495, CA/Browser Forum's Baseline Requirements appendix A: none but the first two limits issuance
     * of what we ask for. */
    static const char *const known[] = {"issue", "issuewild", "iodef", "issuemail", "contactemail", "contactphone"};

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(tag, known[i]) == 0)
            return true;
    return false;
}

static bool is_issuer(const struct caa_request *request, const char *domain)
{
    for (size_t i = 0; i < request->issuer_count; i++)
        if (text_casecmp(request->issuers[i], domain) == 0)
            return true;
    return false;
}

/* RFC 8657 section 4: labels of letters, digits and "-", "," between; a malformed list allows nothing. */
static bool lists_method(const char *list, const char *method)
{
    size_t want = strlen(method);
    bool found = false;

    while (true) {
        size_t len = strcspn(list, ",");

        if (len == 0)
            return false;
        for (size_t i = 0; i < len; i++)
            if (!text_is_digit(list[i]) && !(text_lower(list[i]) >= 'a' && text_lower(list[i]) <= 'z') &&
                list[i] != '-')
                return false;
        found = found || (len == want && memcmp(list, method, len) == 0);
        if (!list[len])
            return found;
        list += len + 1;
    }
}

/* What the parameters of a property that names the CA make of it; *out_text becomes a predicate. */
static enum caa_verdict judge_parameters(const struct caa_value *value, const char *tag,
                                         const struct caa_request *request, char **out_text)
{
    const char *account = NULL;
    const char *methods = NULL;

    for (size_t i = 0; i < value->parameter_count; i++) {
        const struct caa_parameter *p = &value->parameters[i];
        const char **place = strcmp(p->tag, "validationmethods") == 0 ? &methods
                             : strcmp(p->tag, "accounturi") == 0      ? &account
                                                                      : NULL;
        if (place && *place) { /* RFC 8657 section 3 */
            *out_text = mem_printf("has several parameters \"%s\" for \"%s\", which nobody can meet", p->tag,
                                   value->issuer);
            return CAA_FORBIDDEN;
        }
        if (place)
            *place = p->value;
    }
    if (methods && !lists_method(methods, request->method)) {
        *out_text = mem_printf("allows \"%s\" only with validationmethods=%s, and not with %s", value->issuer, methods,
                               request->method);
        return CAA_FORBIDDEN;
    }
    if (!account || (request->account_uri && strcmp(account, request->account_uri) == 0)) {
        *out_text = mem_printf("allows \"%s\" for %s", value->issuer, tag);
        return CAA_PERMITTED;
    }
    *out_text = mem_printf("allows \"%s\" only for the account %s", value->issuer, account);
    return request->account_uri ? CAA_FORBIDDEN : CAA_PERMITTED_IF_ACCOUNT;
}

/* What the properties of one tag come to. */
struct ruling {
    const char *tag;
    enum caa_verdict verdict;
    char *ours;        /* predicate of the property that names the CA and helps most; NULL: none does */
    char *malformed;   /* the first such value, borrowed; NULL: none */
    struct buf others; /* quoted, each once, ", " between */
    size_t other_count;
};

static void ruling_done(struct ruling *ruling)
{
    free(ruling->ours);
    buf_done(&ruling->others);
}

static void add_other(const char *issuer, struct ruling *out)
{
    AUTO_FREE char *quoted = mem_printf("\"%s\"", issuer);

    if (strstr(buf_cstr(&out->others), quoted))
        return;
    if (out->other_count++ < OTHERS_SHOWN)
        buf_printf(&out->others, "%s%s", out->others.len ? ", " : "", quoted);
}

static void put_others(const struct ruling *ruling, struct buf *why)
{
    buf_printf(why, "names only %s", buf_cstr(&ruling->others));
    if (ruling->other_count > OTHERS_SHOWN)
        buf_printf(why, " and %zu more", ruling->other_count - OTHERS_SHOWN);
    buf_printf(why, " for %s", ruling->tag);
}

static void judge_property(char *text, const struct caa_request *request, struct ruling *out)
{
    AUTO_CAA_VALUE struct caa_value value = {.issuer = NULL};
    AUTO_FREE char *predicate = NULL;
    enum caa_verdict verdict;

    if (!caa_value_parse(text, &value)) {
        out->malformed = out->malformed ? out->malformed : text;
        return;
    }
    if (!is_issuer(request, value.issuer)) {
        if (*value.issuer)
            add_other(value.issuer, out);
        return;
    }
    verdict = judge_parameters(&value, out->tag, request, &predicate);
    if (out->ours && verdict >= out->verdict)
        return;
    free(out->ours);
    out->ours = predicate;
    predicate = NULL;
    out->verdict = verdict;
}

static size_t count_tag(const struct caa_set *set, const char *tag)
{
    size_t count = 0;

    for (size_t i = 0; i < set->count; i++)
        count += strcmp(set->items[i].tag, tag) == 0;
    return count;
}

static enum caa_verdict judge_tag(const struct caa_set *set, const char *tag, const struct caa_request *request,
                                  struct buf *why)
{
    AUTO(ruling_done) struct ruling ruling = {.tag = tag, .verdict = CAA_FORBIDDEN, .others = BUF_INIT(OTHERS_MAX)};

    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->items[i].tag, tag) == 0)
            judge_property(set->items[i].value, request, &ruling);
    if (ruling.ours)
        buf_puts(why, ruling.ours);
    else if (ruling.other_count)
        put_others(&ruling, why);
    else if (ruling.malformed)
        buf_printf(why, "has a malformed value for %s: \"%s\"", tag, ruling.malformed);
    else
        buf_printf(why, "allows no CA at all (%s \";\")", tag);
    return ruling.verdict;
}

static enum caa_verdict judge_set(const struct caa_set *set, const struct caa_request *request, struct buf *why)
{
    bool has_own_rule = request->kind == CAA_WILDCARD && count_tag(set, "issuewild") > 0;
    const char *tag = has_own_rule ? "issuewild" : "issue";

    for (size_t i = 0; i < set->count; i++) {
        if ((set->items[i].flags & FLAGS_CRITICAL) && !is_known_tag(set->items[i].tag)) {
            buf_printf(why, "has the critical property \"%s\", which CAs do not know", set->items[i].tag);
            return CAA_FORBIDDEN;
        }
    }
    if (count_tag(set, tag) == 0) {
        buf_printf(why, "limits no CA for %s", request->kind == CAA_WILDCARD ? "wildcards" : "this name");
        return CAA_PERMITTED;
    }
    return judge_tag(set, tag, request, why);
}

enum caa_verdict caa_judge(const struct caa_set *set, const struct caa_request *request, char *why, size_t why_size)
{
    AUTO_BUF struct buf text = BUF_INIT(WHY_MAX);
    enum caa_verdict verdict;

    if (set->count == 0) {
        text_cut_into(why, why_size, "");
        return CAA_PERMITTED;
    }
    buf_printf(&text, "CAA at \"%s\" ", set->owner);
    verdict = judge_set(set, request, &text);
    text_escape_into(why, why_size, buf_cstr(&text), text.len);
    return verdict;
}

/* ------------------------------------------------------------------ who is who */

static const char *const letsencrypt[] = {"letsencrypt.org", NULL};
/* Sectigo issues for ZeroSSL, and knows itself by all of these. */
static const char *const zerossl[] = {"sectigo.com",   "comodo.com",         "comodoca.com",
                                      "usertrust.com", "trust-provider.com", NULL};
static const char *const google[] = {"pki.goog", NULL};
static const char *const buypass[] = {"buypass.com", "buypass.no", NULL};
static const char *const sslcom[] = {"ssl.com", NULL};
static const char *const actalis[] = {"actalis.it", NULL};

static const char *const names[] = {
    "letsencrypt", "letsencrypt-staging", "zerossl", "google", "google-test", "buypass", "sslcom", "actalis"};
static const char *const *const issuers[] = {letsencrypt, letsencrypt, zerossl, google,
                                             google,      buypass,     sslcom,  actalis};

_Static_assert(ARRAY_LEN(names) == ARRAY_LEN(issuers), "one row for each name");

const char *const *caa_issuers_of(const char *ca)
{
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(names[i], ca) == 0)
            return issuers[i];
    return NULL;
}

const char *const *caa_ca_names(size_t *out_count)
{
    *out_count = ARRAY_LEN(names);
    return names;
}
