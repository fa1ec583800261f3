/* SPDX-License-Identifier: MIT
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/: base units, one HELP and TYPE in front of all samples
 * of a metric, and labels that together are different for each.
 */
#include <inttypes.h>

#include "monitor/format.h"

static void begin(struct buf *out, const char *name, const char *help)
{
    buf_printf(out, "# HELP acme_dme_%s %s\n# TYPE acme_dme_%s gauge\n", name, help, name);
}

static void put_label(struct buf *out, const char *between, const char *name, const char *value)
{
    buf_printf(out, "%s%s=\"", between, name);
    for (; *value; value++) {
        if (*value == '\\' || *value == '"')
            buf_putc(out, '\\');
        if (*value == '\n')
            buf_puts(out, "\\n");
        else
            buf_putc(out, *value);
    }
    buf_putc(out, '"');
}

static void put_plain(struct buf *out, const char *name, const char *help, int64_t value)
{
    begin(out, name, help);
    buf_printf(out, "acme_dme_%s %" PRId64 "\n", name, value);
}

/* ------------------------------------------------------------------ results */

static int64_t last_success(const struct result *r)
{
    return r->success_ms / 1000;
}

static int64_t last_run(const struct result *r)
{
    return r->at_ms / 1000;
}

static int64_t is_success(const struct result *r)
{
    return r->code == ERR_OK;
}

static int64_t failures(const struct result *r)
{
    return r->failures;
}

static int64_t failing_since(const struct result *r)
{
    return r->failing_ms / 1000;
}

static const struct {
    const char *name;
    const char *help;
    int64_t (*value)(const struct result *r);
} of_results[] = {
    {"last_success_timestamp_seconds", "When the last call that succeeded ended; 0 if none did.", last_success},
    {"last_run_timestamp_seconds", "When the last call ended.", last_run},
    {"last_run_success", "Whether the last call succeeded.", is_success},
    {"failures", "Calls that failed in a row, up to now.", failures},
    {"failing_since_timestamp_seconds", "When the first of these failed; 0 if the last call succeeded.", failing_since},
};

static void put_results_of(const struct monitor_report *report, enum result_kind kind, const char *prefix,
                           struct buf *out)
{
    size_t count = 0;

    for (size_t i = 0; i < report->result_count; i++)
        count += report->results[i].result.kind == kind;
    for (size_t m = 0; count && m < ARRAY_LEN(of_results); m++) {
        char AUTO_FREE *name = mem_printf("%s_%s", prefix, of_results[m].name);

        begin(out, name, of_results[m].help);
        for (size_t i = 0; i < report->result_count; i++) {
            const struct result *r = &report->results[i].result;

            if (r->kind != kind)
                continue;
            buf_printf(out, "acme_dme_%s{", name);
            put_label(out, "", "name", r->name);
            put_label(out, ",", "client", r->client);
            put_label(out, ",", "action", r->action);
            buf_printf(out, "} %" PRId64 "\n", of_results[m].value(r));
        }
    }
}

/* ------------------------------------------------------------------ certificates */

static int64_t not_before(const struct monitor_certificate *c)
{
    return c->cert.not_before_s;
}

static int64_t not_after(const struct monitor_certificate *c)
{
    return c->cert.not_after_s;
}

static int64_t is_verified(const struct monitor_certificate *c)
{
    return !c->problem;
}

static const struct {
    const char *name;
    const char *help;
    int64_t (*value)(const struct monitor_certificate *c);
    bool servers_only;
} of_certificates[] = {
    {"certificate_not_before_timestamp_seconds", "When the certificate becomes valid.", not_before, false},
    {"certificate_not_after_timestamp_seconds", "When the certificate expires.", not_after, false},
    {"certificate_verified", "Whether chain and name of a server's certificate verify, its dates apart.", is_verified,
     true},
};

static void put_certificates(const struct monitor_report *report, size_t metric, struct buf *out)
{
    const char *name = of_certificates[metric].name;
    bool has_begun = false;

    for (size_t i = 0; i < report->certificate_count; i++) {
        const struct monitor_certificate *c = &report->certificates[i];

        if (c->code != ERR_OK || (of_certificates[metric].servers_only && !c->is_server))
            continue;
        if (!has_begun)
            begin(out, name, of_certificates[metric].help);
        has_begun = true;
        buf_printf(out, "acme_dme_%s{", name);
        put_label(out, "", "source", c->source);
        put_label(out, ",", "subject", c->cert.subject);
        buf_printf(out, "} %" PRId64 "\n", of_certificates[metric].value(c));
    }
}

static void put_readable(const struct monitor_report *report, struct buf *out)
{
    if (report->certificate_count)
        begin(out, "certificate_readable", "Whether there was a certificate to look at.");
    for (size_t i = 0; i < report->certificate_count; i++) {
        const struct monitor_certificate *c = &report->certificates[i];

        buf_puts(out, "acme_dme_certificate_readable{");
        put_label(out, "", "source", c->source);
        buf_printf(out, "} %d\n", c->code == ERR_OK);
    }
}

/* ------------------------------------------------------------------ whole */

static void put_state(const struct monitor_state *state, struct buf *out)
{
    if (state->kind == MONITOR_STATE_NONE)
        return;
    put_plain(out, "state_readable", "Whether the state directory could be looked at.",
              state->kind == MONITOR_STATE_KNOWN);
    if (state->kind != MONITOR_STATE_KNOWN)
        return;
    put_plain(out, "journal_records", "TXT records of ours that may be published.", (int64_t)state->journal_records);
    put_plain(out, "journal_oldest_timestamp_seconds", "When the oldest of them was made; 0 if there is none.",
              state->journal_oldest_ms / 1000);
    put_plain(out, "state_damaged_files", "Files of the state directory that could not be understood.",
              (int64_t)state->damaged_files);
}

void monitor_format_prometheus(const struct monitor_report *report, struct buf *out)
{
    put_results_of(report, RESULT_HOOK, "hook", out);
    put_results_of(report, RESULT_CERTIFICATE, "renewal", out);
    put_readable(report, out);
    for (size_t i = 0; i < ARRAY_LEN(of_certificates); i++)
        put_certificates(report, i, out);
    put_state(&report->state, out);
    put_plain(out, "status_timestamp_seconds", "When acme-dme status looked.", report->now_ms / 1000);
}
