/* SPDX-License-Identifier: MIT */
#include "monitor/look.h"

#include <stdlib.h>
#include <string.h>

#include "platform/platform.h"
#include "util/parse.h"
#include "util/text.h"

#define SOURCE_MAX 4400        /* a path */
#define FILE_MAX (1024 * 1024) /* a bundle of all CAs that there are is a quarter of that */

/* ------------------------------------------------------------------ state directory */

static void state_fail(struct monitor_state *state, const struct err *err)
{
    state->kind = MONITOR_STATE_UNKNOWN;
    monitor_verdict_set(&state->access, MONITOR_UNKNOWN, "%s", err->msg);
    if (*err->hint)
        monitor_verdict_hint(&state->access, "%s", err->hint);
}

/* The results change hands. */
static void take_results(struct monitor_report *report, struct result_list *list)
{
    report->results = mem_calloc(list->count, sizeof *report->results);
    report->result_count = list->count;
    for (size_t i = 0; i < list->count; i++) {
        report->results[i].result = list->items[i];
        list->items[i] = (struct result){.name = NULL};
    }
    result_list_done(list);
}

static enum err_code look_at_store(struct store *store, struct monitor_report *report, struct err *err)
{
    struct monitor_state *state = &report->state;
    struct store_examination examination = {.journal_entries = 0};
    struct result_list list = {NULL, 0};
    enum err_code rc = store_examine(store, &examination, err);

    if (rc == ERR_OK)
        rc = result_load(store, &list, err);
    if (rc != ERR_OK)
        return rc;
    state->kind = MONITOR_STATE_KNOWN;
    state->journal_records = examination.journal_entries;
    state->journal_oldest_ms = examination.journal_oldest_ms;
    state->damaged_files = examination.damaged;
    take_results(report, &list);
    return ERR_OK;
}

static void look_at_state(const struct monitor_opts *opts, struct monitor_report *report)
{
    struct err err;

    if (!opts->state_dir)
        return;
    report->state.dir = mem_strdup(opts->state_dir);
    if (!opts->store)
        state_fail(&report->state, opts->state_err);
    else if (look_at_store(opts->store, report, &err) != ERR_OK)
        state_fail(&report->state, &err);
}

/* ------------------------------------------------------------------ certificate files */

struct monitor_certificate *monitor_report_add_certificate(struct monitor_report *report, const char *source)
{
    char safe[SOURCE_MAX];
    struct monitor_certificate *certificate;

    text_escape_into(safe, sizeof safe, source, strlen(source));
    if (!strmap_add(&report->sources, safe, report->certificate_count))
        return NULL;
    report->certificates = mem_grow(report->certificates, report->certificate_count, sizeof *report->certificates);
    certificate = &report->certificates[report->certificate_count++];
    *certificate = (struct monitor_certificate){.source = mem_strdup(safe)};
    return certificate;
}

/* A client would fail with the same certificate or handshake; what we were kept from looking at may be fine. */
static bool is_fault_of_certificate(enum err_code code)
{
    return code == ERR_INPUT || code == ERR_TLS;
}

void monitor_certificate_fail(struct monitor_certificate *certificate, const struct err *err)
{
    certificate->code = err->code;
    monitor_verdict_set(&certificate->verdict, is_fault_of_certificate(err->code) ? MONITOR_CRITICAL : MONITOR_UNKNOWN,
                        "%s", err->msg);
    if (*err->hint)
        monitor_verdict_hint(&certificate->verdict, "%s", err->hint);
}

static void look_at_file(const char *path, struct monitor_report *report)
{
    struct buf AUTO_BUF text = BUF_INIT(FILE_MAX); /* may hold a private key: wiped */
    struct monitor_certificate *certificate = monitor_report_add_certificate(report, path);
    struct err err;

    if (!certificate)
        return;
    err_init(&err);
    certificate->code = platform_file_read(path, &text, NULL, &err);
    if (certificate->code == ERR_OK)
        certificate->code = cert_parse(buf_cstr(&text), text.len, path, &certificate->cert, &err);
    if (certificate->code == ERR_NOT_FOUND && !strchr(path, '/'))
        err_hint(&err, "A server is written as host:port.");
    if (certificate->code != ERR_OK)
        monitor_certificate_fail(certificate, &err);
}

static void add_failure(struct monitor_report *report, const char *source, enum err_code code, const char *why)
{
    struct monitor_certificate *certificate = monitor_report_add_certificate(report, source);
    struct err err;

    if (!certificate)
        return;
    (void)err_set(&err, code, "%s", why);
    monitor_certificate_fail(certificate, &err);
}

void monitor_look_at_files(const char *pattern, struct monitor_report *report)
{
    struct strlist AUTO_STRLIST paths = {NULL, 0};
    struct strlist AUTO_STRLIST unreadable = {NULL, 0};

    platform_file_glob(pattern, &paths, &unreadable);
    for (size_t i = 0; i < paths.count; i++)
        look_at_file(paths.items[i], report);
    if (unreadable.count)
        add_failure(report, pattern, ERR_IO, unreadable.items[0]);
    else if (paths.count == 0)
        add_failure(report, pattern, ERR_NOT_FOUND, "no file has a name like this");
}

/* ------------------------------------------------------------------ whole */

static bool is_server(const char *source)
{
    char AUTO_FREE *host = NULL;
    char AUTO_FREE *port = NULL;

    return parse_host_port(source, &host, &port);
}

static void judge(const struct monitor_rules *rules, struct monitor_report *report)
{
    for (size_t i = 0; i < report->result_count; i++)
        monitor_judge_result(&report->results[i], rules, report->now_ms);
    for (size_t i = 0; i < report->certificate_count; i++)
        if (report->certificates[i].code == ERR_OK)
            monitor_judge_certificate(&report->certificates[i], rules, report->now_ms);
    if (report->state.kind == MONITOR_STATE_KNOWN)
        monitor_judge_state(&report->state, rules, report->now_ms);
}

enum err_code monitor_look(const struct monitor_opts *opts, struct monitor_report *out, struct err *err)
{
    enum err_code rc;

    out->now_ms = clock_wall_ms(opts->clock);
    look_at_state(opts, out);
    for (size_t i = 0; i < opts->certificates->count; i++)
        if (!is_server(opts->certificates->items[i]))
            monitor_look_at_files(opts->certificates->items[i], out);
    rc = monitor_look_at_servers(opts, out, err);
    if (rc == ERR_OK)
        judge(&opts->rules, out);
    return rc;
}
