/* SPDX-License-Identifier: MIT
 *
 * A member that does not apply is null rather than absent, so that a program may ask for it without looking first.
 */
#include "json/json.h"
#include "monitor/format.h"

/* Every value is taken over, NULL (no memory) included: an object that lacks members is noticed at the end. */
struct members {
    json_t *object;
    bool is_whole;
};

static struct members begin(void)
{
    json_t *object = json_object();

    return (struct members){object, object != NULL};
}

static void add(struct members *m, const char *key, json_t *take)
{
    if (json_object_set_new(m->object, key, take) != 0)
        m->is_whole = false;
}

static json_t *end(struct members *m)
{
    if (m->is_whole)
        return m->object;
    json_decref(m->object);
    return NULL;
}

static json_t *text_or_null(const char *text)
{
    return text && *text ? json_string(text) : json_null();
}

static json_t *time_of(int64_t unix_s)
{
    char text[CLOCK_HTTP_DATE_MAX];

    clock_format_iso(text, unix_s);
    return json_string(text);
}

static json_t *time_or_null(int64_t ms)
{
    return ms ? time_of(ms / 1000) : json_null();
}

static void add_verdict(struct members *m, const struct monitor_verdict *verdict)
{
    add(m, "level", json_string(monitor_level_name(verdict->level)));
    add(m, "text", json_string(verdict->text));
    add(m, "hint", text_or_null(verdict->hint));
}

static json_t *verdict_object(const struct monitor_verdict *verdict)
{
    struct members m = begin();

    add_verdict(&m, verdict);
    return end(&m);
}

static json_t *state_object(const struct monitor_state *state)
{
    struct members m = begin();

    add(&m, "directory", text_or_null(state->dir));
    add(&m, "readable", json_boolean(state->kind == MONITOR_STATE_KNOWN));
    if (state->kind == MONITOR_STATE_UNKNOWN)
        add(&m, "error", verdict_object(&state->access));
    else
        add(&m, "error", json_null());
    if (state->kind == MONITOR_STATE_KNOWN) {
        struct members journal = begin();

        add_verdict(&journal, &state->journal);
        add(&journal, "records", json_integer((json_int_t)state->journal_records));
        add(&journal, "oldest", time_or_null(state->journal_oldest_ms));
        add(&m, "journal", end(&journal));
        add(&m, "damaged_files", json_integer((json_int_t)state->damaged_files));
    } else {
        add(&m, "journal", json_null());
        add(&m, "damaged_files", json_null());
    }
    return end(&m);
}

static json_t *result_object(const struct monitor_result *r)
{
    const struct result *result = &r->result;
    struct members m = begin();

    add(&m, "kind", json_string(result->kind == RESULT_HOOK ? "hook" : "renewal"));
    add(&m, "name", json_string(result->name));
    add(&m, "client", text_or_null(result->client));
    add(&m, "action", json_string(result->action));
    add_verdict(&m, &r->verdict);
    add(&m, "success", json_boolean(result->code == ERR_OK));
    add(&m, "error_code", result->code == ERR_OK ? json_null() : json_string(err_name(result->code)));
    add(&m, "error", result->code == ERR_OK ? json_null() : json_string(result->error));
    add(&m, "time", time_or_null(result->at_ms));
    add(&m, "took_ms", json_integer(result->took_ms));
    add(&m, "last_success", time_or_null(result->success_ms));
    add(&m, "last_failure", time_or_null(result->failure_ms));
    add(&m, "failing_since", time_or_null(result->failing_ms));
    add(&m, "failures", json_integer(result->failures));
    return end(&m);
}

static json_t *names_array(const struct strlist *names)
{
    json_t *array = json_array();

    for (size_t i = 0; i < names->count; i++)
        if (json_array_append_new(array, json_string(names->items[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static void add_certificate(struct members *m, const struct monitor_certificate *c, int64_t now_ms)
{
    const struct cert *cert = &c->cert;

    add(m, "subject", json_string(cert->subject));
    add(m, "issuer", json_string(cert->issuer));
    add(m, "serial", json_string(cert->serial));
    add(m, "names", names_array(&cert->names));
    add(m, "not_before", time_of(cert->not_before_s));
    add(m, "not_after", time_of(cert->not_after_s));
    add(m, "seconds_left", json_integer(cert->not_after_s - now_ms / 1000));
    add(m, "warning_from", time_of(c->warn_s));
    add(m, "critical_from", time_of(c->critical_s));
    /* The chain of a file is not looked at. */
    add(m, "verified", c->is_server ? json_boolean(!c->problem) : json_null());
    add(m, "problem", text_or_null(c->problem));
}

static json_t *certificate_object(const struct monitor_certificate *c, int64_t now_ms)
{
    static const char *const keys[] = {"subject",       "issuer",    "serial",       "names",
                                       "not_before",    "not_after", "seconds_left", "warning_from",
                                       "critical_from", "verified",  "problem"};
    struct members m = begin();

    add(&m, "source", json_string(c->source));
    add(&m, "type", json_string(c->is_server ? "server" : "file"));
    add_verdict(&m, &c->verdict);
    add(&m, "readable", json_boolean(c->code == ERR_OK));
    add(&m, "error_code", c->code == ERR_OK ? json_null() : json_string(err_name(c->code)));
    if (c->code == ERR_OK)
        add_certificate(&m, c, now_ms);
    for (size_t i = 0; c->code != ERR_OK && i < ARRAY_LEN(keys); i++)
        add(&m, keys[i], json_null());
    return end(&m);
}

static json_t *array_of(const struct monitor_report *report, json_t *(*item)(const struct monitor_report *, size_t),
                        size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(array, item(report, i)) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

static json_t *result_item(const struct monitor_report *report, size_t i)
{
    return result_object(&report->results[i]);
}

static json_t *certificate_item(const struct monitor_report *report, size_t i)
{
    return certificate_object(&report->certificates[i], report->now_ms);
}

void monitor_format_json(const struct monitor_report *report, struct buf *out)
{
    struct members m = begin();
    json_t AUTO_JSON *json = NULL;

    add(&m, "version", json_integer(MONITOR_JSON_VERSION));
    add(&m, "time", time_of(report->now_ms / 1000));
    add(&m, "level", json_string(monitor_level_name(monitor_report_worst(report))));
    add(&m, "state", state_object(&report->state));
    add(&m, "results", array_of(report, result_item, report->result_count));
    add(&m, "certificates", array_of(report, certificate_item, report->certificate_count));
    json = end(&m);
    json_write(json, out);
    buf_putc(out, '\n');
}
