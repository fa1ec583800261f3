/* SPDX-License-Identifier: MIT */
#include "dns/trace.h"

#include <inttypes.h>
#include <string.h>

#include "dns/wire.h"
#include "util/buf.h"
#include "util/text.h"

#define RECORDS_MAX 8
#define TEXT_MAX 64 /* a challenge's value has 43 characters; what else stands in TXT may be long */
#define LINE_MAX_BYTES 2048

/* Escaped here already, as a NUL byte would end the line. */
static void put_text(struct buf *out, const struct dns_rr *rr)
{
    char safe[4 * TEXT_MAX + 1];
    size_t len = rr->text_len > TEXT_MAX ? TEXT_MAX : rr->text_len;

    text_escape_into(safe, sizeof safe, rr->text, len);
    buf_printf(out, " \"%s\"%s", safe, len < rr->text_len ? "..." : "");
}

/* Numbers for what has no name here, as in RFC 3597 section 5. */
static void put_type(struct buf *out, uint16_t type)
{
    const char *name = dns_type_name((enum dns_type)type);

    if (strcmp(name, "?") == 0)
        buf_printf(out, "TYPE%u", type);
    else
        buf_puts(out, name);
}

static void put_rcode(struct buf *out, int rcode)
{
    const char *name = dns_rcode_name(rcode);

    if (strcmp(name, "?") == 0)
        buf_printf(out, "RCODE%d", rcode);
    else
        buf_puts(out, name);
}

static void put_record(struct buf *out, const struct dns_rr *rr)
{
    put_type(out, rr->type);
    if (rr->type == DNS_SOA)
        buf_printf(out, " serial %" PRIu32, rr->soa_serial);
    else if (rr->type == DNS_TXT)
        put_text(out, rr);
    else if (rr->text && *rr->text)
        buf_printf(out, " %s", rr->text);
}

/* `prefix` stands in front of the first one.  SOA alone, of the authority section, tells which version of the zone
 * denies a name. */
static void put_records(struct buf *out, const char *prefix, const struct dns_rr *rrs, size_t count)
{
    for (size_t i = 0; i < count && i < RECORDS_MAX; i++) {
        buf_puts(out, i ? ", " : prefix);
        put_record(out, &rrs[i]);
    }
    if (count > RECORDS_MAX)
        buf_printf(out, " and %zu more", count - RECORDS_MAX);
}

static const char *way_of(const struct dns_trace *about)
{
    return about->transport == DNS_TCP ? " over TCP" : "";
}

void dns_trace_question(struct log *log, const struct dns_trace *about)
{
    const struct log_field fields[] = {
        {"server", about->server, 0},
        {"type", dns_type_name(about->type), 0},
        {"name", about->name, 0},
    };

    log_event(log, LOG_DEBUG, fields, ARRAY_LEN(fields), "dns: > %s %s \"%s\"%s%s%s", about->server,
              dns_type_name(about->type), about->name, way_of(about), about->flags & DNS_WANT_DNSSEC ? " DO" : "",
              about->flags & DNS_NO_VALIDATION ? " CD" : "");
}

static void trace_failure(struct log *log, const struct dns_trace *about, const struct dns_answer *answer)
{
    const struct log_field fields[] = {
        {"server", about->server, 0},           {"type", dns_type_name(about->type), 0}, {"name", about->name, 0},
        {"error", err_name(answer->result), 0}, {"ms", NULL, answer->elapsed_ms},
    };

    log_event(log, LOG_DEBUG, fields, ARRAY_LEN(fields), "dns: < %s %s \"%s\"%s: failed after %" PRId64 " ms: %s",
              about->server, dns_type_name(about->type), about->name, way_of(about), answer->elapsed_ms,
              answer->err.msg);
}

void dns_trace_answer(struct log *log, const struct dns_trace *about, const struct dns_answer *answer)
{
    struct buf AUTO_BUF records = BUF_INIT(LINE_MAX_BYTES);
    struct buf AUTO_BUF rcode = BUF_INIT(20);

    if (!log_wants(log, LOG_DEBUG))
        return;
    if (answer->result != ERR_OK) {
        trace_failure(log, about, answer);
        return;
    }
    put_rcode(&rcode, answer->rcode);
    const struct log_field fields[] = {
        {"server", about->server, 0},   {"type", dns_type_name(about->type), 0}, {"name", about->name, 0},
        {"rcode", buf_cstr(&rcode), 0}, {"ms", NULL, answer->elapsed_ms},
    };
    put_records(&records, ": ", answer->answers, answer->answer_count);
    if (answer->answer_count == 0)
        put_records(&records, "; authority: ", answer->authority, answer->authority_count);
    log_event(log, LOG_DEBUG, fields, ARRAY_LEN(fields),
              "dns: < %s %s \"%s\"%s: %s%s%s, %zu answer%s in %" PRId64 " ms%s", about->server,
              dns_type_name(about->type), about->name, way_of(about), buf_cstr(&rcode),
              answer->authoritative ? " authoritative" : "", answer->authenticated ? " authenticated" : "",
              answer->answer_count, answer->answer_count == 1 ? "" : "s", answer->elapsed_ms, buf_cstr(&records));
}
