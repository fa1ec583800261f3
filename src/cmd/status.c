/* SPDX-License-Identifier: MIT
 *
 * "acme-dme status": how did the last calls end, and how long are certificates valid?  For people, cron and monitoring
 * systems; it only reads, and needs no credentials.
 */
#include "cmd/cmd.h"

#include <stdio.h>
#include <string.h>

#include "cmd/exit.h"
#include "flow/install.h"
#include "monitor/format.h"
#include "monitor/look.h"
#include "platform/platform.h"
#include "util/text.h"

#define TEMP_MAX_AGE_MS (INT64_C(60) * 60 * 1000)

/* ------------------------------------------------------------------ looking */

static struct monitor_share share_of(const struct config_share *from)
{
    return (struct monitor_share){from->numerator, from->denominator, from->ms};
}

/* Thresholds of one kind that are the wrong way round are a mistake; of two kinds it depends on the certificate. */
static enum err_code check_thresholds(const struct config *config, struct err *err)
{
    const struct config_share *warn = &config->warn;
    const struct config_share *critical = &config->critical;
    bool is_wrong = warn->denominator && critical->denominator
                        ? (uint64_t)critical->numerator * warn->denominator >
                              (uint64_t)warn->numerator * critical->denominator
                        : !warn->denominator && !critical->denominator && critical->ms > warn->ms;

    if (!is_wrong)
        return ERR_OK;
    (void)err_set(err, ERR_CONFIG,
                  "\"monitor.critical\" is more than \"monitor.warn\": no certificate would be a warning");
    err_hint(err, "What is left of a lifetime passes \"monitor.warn\" first, so that has to be the larger one.");
    return ERR_CONFIG;
}

/* What can't be opened is a finding, not the end. */
static void open_state(struct app *app, char **out_dir, struct err *why)
{
    const struct config *config = app->config;

    if (config->journal == CONFIG_JOURNAL_NONE)
        return;
    *out_dir = app_state_dir(app);
    if (store_open_readonly(*out_dir, app->clock, app->log, &app->store, why) != ERR_OK)
        app->store = NULL;
}

/* A link whose switching was cut short is put right by looking at it. */
static void look_at_links(struct store *store)
{
    struct strlist AUTO_STRLIST names = {NULL, 0};

    if (!store || certificate_names(store, &names, NULL) != ERR_OK)
        return;
    for (size_t i = 0; i < names.count; i++) {
        AUTO_FREE char *link = certificate_dir(store, names.items[i]);
        AUTO_FREE char *target = NULL;

        (void)!platform_link_read(link, &target, NULL);
    }
}

/* Those of the configuration, and those that the standalone client has, but for a link that is being switched. */
static void list_sources(const struct config *config, const char *state_dir, struct strlist *out)
{
    AUTO_FREE char *certs = state_dir ? mem_printf("%s/certs", state_dir) : NULL;
    struct strlist AUTO_STRLIST names = {NULL, 0};

    for (size_t i = 0; i < config->certificates.count; i++)
        strlist_add(out, config->certificates.items[i]);
    if (!certs || platform_dir_list(certs, &names, NULL) != ERR_OK)
        return;
    for (size_t i = 0; i < names.count; i++)
        if (!platform_is_temp_name(names.items[i]))
            strlist_add_take(out, mem_printf("%s/%s/" INSTALL_CERT, certs, names.items[i]));
}

static enum err_code look(struct app *app, struct monitor_report *report, struct err *err)
{
    const struct config *config = app->config;
    AUTO_FREE char *dir = NULL;
    struct strlist AUTO_STRLIST sources = {NULL, 0};
    struct err why;
    struct monitor_opts opts = {
        .state_err = &why,
        .certificates = &sources,
        .ca_file = config->certificate_ca_file,
        .timeout_ms = config->certificate_timeout_ms,
        .rules = {.warn = share_of(&config->warn),
                  .critical = share_of(&config->critical),
                  .failing_for_ms = config->failing_for_ms,
                  .sweep_after_ms = config->sweep_after_ms},
        .clock = app->clock,
    };

    err_init(&why);
    open_state(app, &dir, &why);
    opts.store = app->store;
    opts.state_dir = dir;
    look_at_links(app->store);
    list_sources(config, dir, &sources);
    return monitor_look(&opts, report, err);
}

/* ------------------------------------------------------------------ telling */

static enum err_code put(const struct buf *text, struct err *err)
{
    if (!buf_ok(text))
        return err_set(err, ERR_INTERNAL, "could not write the report: it is too large");
    if (fwrite(buf_cstr(text), 1, text->len, stdout) != text->len)
        return err_set(err, ERR_IO, "could not write to standard output");
    return ERR_OK;
}

static void sweep_beside(const char *path, int64_t now_ms)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *dir = slash ? mem_strndup(path, (size_t)(slash - path) + 1) : mem_strdup(".");

    platform_dir_sweep(dir, now_ms, TEMP_MAX_AGE_MS);
}

/* It is replaced: a device like /dev/stdout, a pipe or a link would be gone for everybody. */
static enum err_code check_replaceable(const char *path, struct err *err)
{
    struct platform_path_info info;

    if (platform_path_look(path, &info, NULL) != ERR_OK || info.kind == PLATFORM_PATH_FILE)
        return ERR_OK;
    (void)err_set(err, ERR_IO, "could not write \"%s\": it is not a regular file, which could be replaced", path);
    err_hint(err, "Name a file that ends in \".prom\"; with \"--prometheus -\" the metrics go to standard output.");
    return ERR_IO;
}

static enum err_code write_prometheus(const struct app *app, const struct monitor_report *report, const char *file,
                                      struct err *err)
{
    AUTO_BUF struct buf text = BUF_INIT(MONITOR_TEXT_MAX);
    AUTO_FREE char *path = platform_path_inside(file);
    enum err_code code;

    monitor_format_prometheus(report, &text);
    if (strcmp(path, "-") == 0 || !buf_ok(&text))
        return put(&text, err);
    code = check_replaceable(path, err);
    if (code != ERR_OK)
        return code;
    if (!text_ends_with(path, ".prom"))
        log_line(app->log, LOG_WARNING, "\"%s\": node_exporter reads files that end in \".prom\" alone, continuing",
                 path);
    sweep_beside(path, report->now_ms);
    return platform_files_write(
        &(struct platform_file_write){.path = path, .data = buf_cstr(&text), .len = text.len, .is_public = true}, 1,
        PLATFORM_REPLACE_LAZILY, err);
}

static enum err_code print(const struct opts *opts, const struct monitor_report *report, struct err *err)
{
    AUTO_BUF struct buf text = BUF_INIT(MONITOR_TEXT_MAX);

    if (opts->nagios)
        monitor_format_nagios(report, &text);
    else if (opts->json)
        monitor_format_json(report, &text);
    else if (!opts->prometheus)
        monitor_format_table(report, opts->quiet ? MONITOR_NOT_OK : MONITOR_ALL, &text);
    return put(&text, err);
}

/* A job that writes a file for Prometheus has done it, whatever is in it; the alerts are Prometheus'. */
static int status_of(const struct opts *opts, enum monitor_level level)
{
    if (opts->nagios)
        return monitor_nagios_status(level);
    if (opts->prometheus && !opts->json)
        return EXIT_STATUS_OK;
    if (level == MONITOR_CRITICAL || level == MONITOR_UNKNOWN)
        return EXIT_STATUS_ATTENTION;
    return level == MONITOR_WARNING && opts->strict ? EXIT_STATUS_INTERNAL : EXIT_STATUS_OK;
}

/* ------------------------------------------------------------------ whole */

bool cmd_status_is_plugin(int argc, char *const *argv)
{
    bool is_status = false;
    bool is_plugin = false;

    for (int i = 1; i < argc; i++) {
        is_status = is_status || strcmp(argv[i], "status") == 0;
        is_plugin = is_plugin || strcmp(argv[i], "--nagios") == 0;
    }
    return is_status && is_plugin;
}

int cmd_status_unknown(const struct err *err)
{
    AUTO_BUF struct buf text = BUF_INIT(MONITOR_TEXT_MAX);

    monitor_format_nagios_unknown(err, &text);
    (void)fputs(buf_cstr(&text), stdout);
    return monitor_nagios_status(MONITOR_UNKNOWN);
}

/* One document goes to one place. */
static enum err_code check_outputs(const struct opts *opts, struct err *err)
{
    if (opts->nagios && opts->json)
        return err_set(err, ERR_USAGE, "options --nagios and --json are two ways to say the same: give one of them");
    if (opts->prometheus && !*opts->prometheus)
        return err_set(err, ERR_USAGE, "option --prometheus needs the name of a file");
    if (opts->prometheus && strcmp(opts->prometheus, "-") == 0 && (opts->nagios || opts->json))
        return err_set(err, ERR_USAGE, "option --prometheus - writes to standard output, and so does %s: name a file",
                       opts->nagios ? "--nagios" : "--json");
    return ERR_OK;
}

enum err_code cmd_status(const struct opts *opts, int *out_status, struct err *err)
{
    AUTO_APP struct app app = {0};
    AUTO_MONITOR_REPORT struct monitor_report report = {0};
    const struct app_request request = {.opts = opts, .need = CONFIG_WITHOUT_CREDENTIALS};
    enum err_code code = check_outputs(opts, err);

    if (code != ERR_OK)
        return code;
    app_start(&app, opts);
    code = app_configure(&app, &request, err);
    if (code == ERR_OK)
        code = check_thresholds(app.config, err);
    if (code == ERR_OK)
        code = look(&app, &report, err);
    if (code == ERR_OK && opts->prometheus)
        code = write_prometheus(&app, &report, opts->prometheus, err);
    if (code == ERR_OK)
        code = print(opts, &report, err);
    if (code == ERR_OK)
        *out_status = status_of(opts, monitor_report_worst(&report));
    return code;
}
