/* SPDX-License-Identifier: MIT
 *
 * acme-dme list, show, delete: what there is.  Nothing is asked of any CA.
 */
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/plan.h"
#include "cmd/workspace.h"
#include "config/ca.h"
#include "json/json.h"

#define DAY_MS (INT64_C(24) * 3600 * 1000)
#define DOCUMENT_MAX (64u * 1024 * 1024)
#define LOCK_WAIT_MS 10000

static const char *ca_text(const char *directory)
{
    const char *name = config_ca_name(directory);

    return name ? name : directory;
}

/* ------------------------------------------------------------------ texts */

static char *time_text(int64_t ms)
{
    char text[CLOCK_HTTP_DATE_MAX];

    if (!ms)
        return mem_strdup("now");
    clock_format_iso(text, ms / 1000);
    return mem_strdup(text);
}

static char *left_text(const struct certificate_record *record, int64_t now_ms)
{
    int64_t left_ms = record->not_after_s * 1000 - now_ms;

    if (!record->generation)
        return mem_strdup("not issued yet");
    if (record->revoked_ms)
        return mem_strdup("revoked");
    if (left_ms <= 0)
        return mem_strdup("expired");
    return left_ms < 2 * DAY_MS ? mem_printf("%lld h left", (long long)(left_ms * 24 / DAY_MS))
                                : mem_printf("%lld days left", (long long)(left_ms / DAY_MS));
}

/* ------------------------------------------------------------------ JSON */

static void set_text(json_t *object, const char *key, const char *text)
{
    (void)json_object_set_new(object, key, text && *text ? json_string(text) : json_null());
}

static void set_time(json_t *object, const char *key, int64_t ms)
{
    AUTO_FREE char *text = ms ? time_text(ms) : NULL;

    set_text(object, key, text);
}

static json_t *settings_json(const struct plan *plan, const struct config *config)
{
    json_t *object = json_object();
    size_t count;
    const char *const *names = config_certificate_setting_names(&count);

    for (size_t i = 0; i < count; i++) {
        AUTO_FREE char *value = config_certificate_format(&plan->settings, names[i]);
        AUTO_FREE char *where = plan_where(plan, config, names[i]);
        json_t *item;

        if (!value || !*value)
            continue;
        item = json_object();
        set_text(item, "value", value);
        set_text(item, "from", where);
        (void)json_object_set_new(object, names[i], item);
    }
    return object;
}

static json_t *plan_json(const struct workspace *space, const struct plan *plan)
{
    const struct certificate_record *record = &plan->record;
    const struct renewal_rule rule = plan_rule(plan, space->app.config);
    AUTO_FREE char *dir = certificate_dir(space->app.store, plan->name);
    json_t *object = json_object();

    set_text(object, "name", plan->name);
    (void)json_object_set_new(object, "domains", json_strings(&plan->domains));
    set_text(object, "directory", plan->directory);
    set_text(object, "path", record->generation ? dir : NULL);
    set_time(object, "issued", record->issued_ms);
    set_time(object, "not_before", record->not_before_s * 1000);
    set_time(object, "not_after", record->not_after_s * 1000);
    set_time(object, "renewal", record->generation ? renewal_moment_ms(record, &rule) : 0);
    set_time(object, "revoked", record->revoked_ms);
    set_text(object, "ari_id", record->ari_id);
    set_time(object, "window_start", record->window_start_ms);
    set_time(object, "window_end", record->window_end_ms);
    set_text(object, "window_explanation", record->explanation_url);
    (void)json_object_set_new(object, "deploy_pending", json_boolean(record->deploy_pending));
    (void)json_object_set_new(object, "settings", settings_json(plan, space->app.config));
    return object;
}

/* ------------------------------------------------------------------ list */

static void print_row(const struct workspace *space, const struct plan *plan)
{
    const struct renewal_rule rule = plan_rule(plan, space->app.config);
    AUTO_FREE char *left = left_text(&plan->record, clock_wall_ms(space->app.clock));
    AUTO_FREE char *moment = time_text(renewal_moment_ms(&plan->record, &rule));
    AUTO_FREE char *domains = strlist_join(&plan->domains, " ");

    (void)printf("%-30s %-15s renewal %-21s %s\n", plan->name, left, moment, domains);
}

enum err_code cmd_list(const struct opts *opts, struct err *err)
{
    AUTO_WORKSPACE struct workspace space = {.client_count = 0};
    struct strlist AUTO_STRLIST names = {NULL, 0};
    AUTO_JSON json_t *document = json_object();
    json_t *array = json_array();
    enum err_code code = workspace_open(&space, opts, CONFIG_WITHOUT_CREDENTIALS, err);

    (void)json_object_set_new(document, "certificates", array);
    if (code == ERR_OK)
        code = workspace_list(&space, &names, err);
    for (size_t i = 0; code == ERR_OK && i < names.count; i++) {
        AUTO(plan_done) struct plan plan = {.managed = SIZE_MAX};
        struct err why;
        enum err_code made = plan_make_named(&space.app, opts, names.items[i], &plan, &why);

        if (made == ERR_NOT_FOUND) /* its record was damaged, which has been said */
            continue;
        if (made != ERR_OK)
            log_line(space.app.log, LOG_WARNING, "certificate \"%s\": %s, continuing", names.items[i], why.msg);
        else if (opts->json)
            (void)json_array_append_new(array, plan_json(&space, &plan));
        else
            print_row(&space, &plan);
    }
    return code == ERR_OK && opts->json ? cmd_print_document(document, DOCUMENT_MAX, err) : code;
}

/* ------------------------------------------------------------------ show */

static void print_settings(const struct workspace *space, const struct plan *plan)
{
    size_t count;
    const char *const *names = config_certificate_setting_names(&count);

    for (size_t i = 0; i < count; i++) {
        AUTO_FREE char *value = config_certificate_format(&plan->settings, names[i]);
        AUTO_FREE char *where = plan_where(plan, space->app.config, names[i]);

        if (value && *value)
            (void)printf("  %s: %s (%s)\n", names[i], value, where);
    }
    for (size_t i = 0; i < plan->overridden.count; i++)
        (void)printf("  note: %s\n", plan->overridden.items[i]);
}

static void print_window(const struct certificate_record *record)
{
    AUTO_FREE char *start = time_text(record->window_start_ms);
    AUTO_FREE char *end = time_text(record->window_end_ms);

    if (!record->window_start_ms)
        return;
    (void)printf("  the CA suggests renewal from %s to %s%s%s\n", start, end, *record->explanation_url ? ", see " : "",
                 record->explanation_url);
}

static void print_plan(const struct workspace *space, const struct plan *plan)
{
    const struct certificate_record *record = &plan->record;
    const struct renewal_rule rule = plan_rule(plan, space->app.config);
    AUTO_FREE char *dir = certificate_dir(space->app.store, plan->name);
    AUTO_FREE char *left = left_text(record, clock_wall_ms(space->app.clock));
    AUTO_FREE char *until = time_text(record->not_after_s * 1000);
    AUTO_FREE char *moment = time_text(renewal_moment_ms(record, &rule));
    AUTO_FREE char *domains = strlist_join(&plan->domains, " ");

    (void)printf("%s\n  domains: %s\n  CA: %s\n  status: %s\n", plan->name, domains, ca_text(plan->directory), left);
    if (record->generation)
        (void)printf("  valid until: %s\n  renewal: %s\n  files: %s\n", until, moment, dir);
    print_window(record);
    if (record->deploy_pending)
        (void)printf("  its deploy program has not succeeded yet\n");
    print_settings(space, plan);
}

enum err_code cmd_show(const struct opts *opts, struct err *err)
{
    AUTO_WORKSPACE struct workspace space = {.client_count = 0};
    AUTO(plan_done) struct plan plan = {.managed = SIZE_MAX};
    AUTO_JSON json_t *document = NULL;
    enum err_code code;

    if (opts->word_count != 1)
        return err_set(err, ERR_USAGE, "\"show\" needs the name of one certificate");
    code = workspace_open(&space, opts, CONFIG_WITHOUT_CREDENTIALS, err);
    if (code == ERR_OK)
        code = plan_make_named(&space.app, opts, opts->words[0], &plan, err);
    if (code == ERR_NOT_FOUND && err)
        err->code = ERR_USAGE;
    if (code != ERR_OK)
        return code == ERR_NOT_FOUND ? ERR_USAGE : code;
    if (!opts->json) {
        print_plan(&space, &plan);
        return ERR_OK;
    }
    document = plan_json(&space, &plan);
    return cmd_print_document(document, DOCUMENT_MAX, err);
}

/* ------------------------------------------------------------------ delete */

enum err_code cmd_delete(const struct opts *opts, struct err *err)
{
    AUTO_WORKSPACE struct workspace space = {.client_count = 0};
    AUTO(platform_lock_free_auto) struct platform_lock *lock = NULL;
    const char *name = opts->word_count ? opts->words[0] : "";
    enum err_code code;

    if (opts->word_count != 1) {
        (void)err_set(err, ERR_USAGE, "\"delete\" needs the name of one certificate");
        err_hint(err, "simple-acme and win-acme call \"delete\" with a domain, a record and a value.");
        return ERR_USAGE;
    }
    if (!certificate_name_is_good(name))
        return err_set(err, ERR_USAGE, "\"%s\" can't be the name of a certificate", name);
    code = workspace_open(&space, opts, CONFIG_WITHOUT_CREDENTIALS, err);
    if (code == ERR_OK)
        code = certificate_lock(space.app.store, name, LOCK_WAIT_MS, &lock, err);
    if (code == ERR_OK)
        code = certificate_delete(space.app.store, name, err);
    if (code == ERR_NOT_FOUND) {
        code = err_set(err, ERR_USAGE, "there is no certificate \"%s\"", name);
        err_hint(err, "\"acme-dme list\" shows those there are.");
    }
    if (code == ERR_OK)
        code = result_forget(space.app.store, RESULT_CERTIFICATE, name, err);
    if (code != ERR_OK || opts->quiet)
        return code;
    (void)printf("%s: deleted here; it stays valid until it expires or is revoked\n", name);
    return ERR_OK;
}
