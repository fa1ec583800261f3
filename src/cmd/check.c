/* SPDX-License-Identifier: MIT
 *
 * "acme-dme check [DOMAIN...]": what would an issuance run into?
 */
#include "cmd/cmd.h"

#include <stdio.h>
#include <string.h>

#include "check/check.h"
#include "crypto/trust.h"
#include "dns/caa.h"
#include "platform/platform.h"
#include "store/certs.h"
#include "util/text.h"

/* Whoever watches wants to see an end of it. */
#define API_GIVE_UP_MS 20000

/* ------------------------------------------------------------------ printing */

enum style { STYLE_PLAIN, STYLE_COLOUR };

struct printer {
    const struct opts *opts;
    struct progress *progress; /* the live line, which must not stand where ours begin */
    enum style style;
    size_t counts[4]; /* by level */
};

static void print_level(const struct printer *printer, enum check_level level)
{
    static const char *const words[] = {"ok", "skip", "warn", "FAIL"};
    static const char *const colours[] = {"\033[32m", "\033[2m", "\033[33m", "\033[1;31m"};

    if (printer->style == STYLE_COLOUR)
        (void)printf("%s%-4s\033[0m", colours[level], words[level]);
    else
        (void)printf("%-4s", words[level]);
}

static void print_finding(void *ctx, const struct check_finding *finding)
{
    struct printer *printer = ctx;
    bool is_bad = finding->level == CHECK_WARN || finding->level == CHECK_FAIL;

    printer->counts[finding->level]++;
    if (printer->opts->json || (printer->opts->quiet && !is_bad))
        return;
    progress_clear(printer->progress);
    print_level(printer, finding->level);
    (void)printf("  %-11s  %s%s%s\n", finding->step, finding->subject, *finding->subject ? ": " : "", finding->text);
    if (*finding->hint)
        (void)printf("      hint: %s\n", finding->hint);
    (void)fflush(stdout);
}

static void print_end(const struct printer *printer, const struct check_report *report)
{
    const size_t *counts = printer->counts;

    progress_clear(printer->progress);
    if (printer->opts->json) {
        AUTO_FREE char *json = check_report_json(report);

        (void)puts(json);
        return;
    }
    if (printer->opts->quiet)
        return;
    (void)printf("%zu ok, %zu warning%s, %zu failure%s", counts[CHECK_OK], counts[CHECK_WARN],
                 counts[CHECK_WARN] == 1 ? "" : "s", counts[CHECK_FAIL], counts[CHECK_FAIL] == 1 ? "" : "s");
    if (counts[CHECK_SKIPPED])
        (void)printf(", %zu skipped", counts[CHECK_SKIPPED]);
    (void)puts("");
}

/* ------------------------------------------------------------------ what to look at */

static void add_list(struct strlist *out, const struct strlist *words)
{
    for (size_t i = 0; i < words->count; i++)
        strlist_add_once(out, words->items[i]);
}

/* Names of the certificates that the standalone client has, or is to have. */
static void add_certificates(const struct app *app, struct strlist *out)
{
    AUTO(certificate_list_done) struct certificate_list stored = {NULL, 0};

    if (app->store && certificate_list(app->store, &stored, NULL) == ERR_OK)
        for (size_t i = 0; i < stored.count; i++)
            add_list(out, &stored.items[i].domains);
    for (size_t i = 0; i < app->config->managed_count; i++)
        add_list(out, &app->config->managed[i].domains);
}

/* Without arguments: what hooks were called for, our own certificates, and the zones that the configuration names. */
static void choose_domains(const struct app *app, const struct opts *opts, struct strlist *out)
{
    AUTO(result_list_done) struct result_list results = {NULL, 0};

    for (size_t i = 0; i < opts->word_count; i++)
        strlist_add_once(out, opts->words[i]);
    if (opts->word_count)
        return;
    if (app->store && result_load(app->store, &results, NULL) != ERR_OK)
        results = (struct result_list){NULL, 0}; /* the state directory has a finding of its own */
    for (size_t i = 0; i < results.count; i++)
        if (results.items[i].kind == RESULT_HOOK)
            strlist_add_once(out, results.items[i].name);
    add_certificates(app, out);
    for (size_t i = 0; i < app->config->account_count; i++)
        add_list(out, &app->config->accounts[i].zones);
}

/* The ACME account that CAA records may name: the configured one, else that of the standalone client; yours. */
static char *find_account_uri(const struct app *app)
{
    AUTO(account_record_done) struct account_record record = {.url = NULL};

    if (app->config->check_account_uri || !app->store)
        return mem_strdup(app->config->check_account_uri);
    if (account_record_load(app->store, app->config->acme.directory, &record, NULL) != ERR_OK || !*record.url)
        return NULL;
    return mem_strdup(record.url);
}

/* A short name, or a domain as it stands in CAA records; NULL, with a finding, when it is neither. */
static const char *const *choose_issuers(const struct config *config, const char **own, struct check_report *report)
{
    size_t count;
    const char *const *names = caa_ca_names(&count);
    const char *const *issuers = caa_issuers_of(config->check_ca);
    const char *nearest;

    if (issuers)
        return issuers;
    if (strchr(config->check_ca, '.')) {
        own[0] = config->check_ca;
        own[1] = NULL;
        return own;
    }
    check_add(report, CHECK_FAIL, "config", "", "there is no CA \"%s\" (check.ca)", config->check_ca);
    check_code(report, ERR_CONFIG);
    nearest = text_nearest(config->check_ca, names, count);
    if (nearest)
        check_hint(report, "Did you mean \"%s\"?", nearest);
    else
        check_hint(report, "Give \"check.ca\" or --ca a known name, or the domain that the CA asks for in CAA records, "
                           "\"letsencrypt.org\" say.");
    return NULL;
}

/* ------------------------------------------------------------------ the program's parts */

static void report_config(const struct app *app, struct check_report *report)
{
    if (app->config->file)
        check_add(report, CHECK_OK, "config", app->config->file,
                  "no mistakes in it, and others can't read its secrets");
    else
        check_add(report, CHECK_OK, "config", "",
                  "there is no file; all comes from the environment and the command line");
}

static void report_lines(const struct strlist *lines, enum check_level level, enum err_code code,
                         struct check_report *report)
{
    for (size_t i = 0; i < lines->count; i++) {
        check_add(report, level, "config", "", "%s", lines->items[i]);
        check_code(report, code);
    }
}

/* With their length and fingerprint, so that two servers can be compared. */
static void report_sources(const struct app *app, struct check_report *report)
{
    AUTO_STRLIST struct strlist lines = {0};

    config_explain(app->config, CONFIG_EXPLAIN_GIVEN, &lines);
    for (size_t i = 0; i < lines.count; i++)
        if (strstr(lines.items[i], ".api_key: ") || strstr(lines.items[i], ".api_secret: "))
            check_add(report, CHECK_OK, "sources", "", "%s", lines.items[i]);
}

/* Where OpenSSL knows whom the system trusts there is nothing to tell. */
static void report_trust(const struct app *app, struct check_report *report)
{
    AUTO_TRUST struct trust *trust = trust_of_system();
    AUTO_FREE char *text = trust ? trust_describe(trust) : NULL;

    if (!trust)
        return;
    if (app->config->ca_file)
        check_add(report, CHECK_OK, "trust", "", "DNS Made Easy has to show a certificate of a CA of \"%s\"",
                  app->config->ca_file);
    check_add(report, trust_count(trust) ? CHECK_OK : CHECK_FAIL, "trust", "",
              "%s have to show a certificate of one of the %s", app->config->ca_file ? "all other servers" : "servers",
              text);
    if (trust_count(trust))
        return;
    check_code(report, ERR_TLS);
    check_hint(report, "Get newer CA certificates (%s).", platform_cas_advice());
}

/* Errors: ERR_CANCELLED. */
static enum err_code open_state(struct app *app, struct check_report *report, struct err *err)
{
    struct err why;
    enum err_code code;

    if (app->config->journal == CONFIG_JOURNAL_NONE) {
        check_add(report, CHECK_WARN, "state", "", "\"journal: none\": records of killed runs stay for ever");
        check_hint(report,
                   "Take \"journal: none\" out of the configuration, unless this machine can't write anywhere.");
        return ERR_OK;
    }
    err_init(&why);
    code = app_open_store(app, &why);
    if (code == ERR_CANCELLED)
        return err_set(err, code, "%s", why.msg);
    if (code != ERR_OK)
        check_add_error(report, CHECK_FAIL, "state", "", &why);
    return ERR_OK;
}

/* When there is more than one mistake, the error only sums them up. */
static void report_mistakes(const struct app *app, const struct err *why, struct check_report *report)
{
    report_lines(&app->problems, CHECK_FAIL, why->code, report);
    if (!app->problems.count)
        check_add_error(report, CHECK_FAIL, "config", "", why);
    else if (*why->hint)
        check_hint(report, "%s", why->hint);
}

/* Everything that must be there to look any further; what fails becomes a finding.  *out_is_open: go on.
 * Errors: ERR_CANCELLED. */
static enum err_code open_parts(struct app *app, const struct app_request *request, struct check_report *report,
                                bool *out_is_open, struct err *err)
{
    struct err why;
    enum err_code code;

    *out_is_open = false;
    err_init(&why);
    app_start(app, request->opts);
    code = app_configure(app, request, &why);
    report_lines(&app->warnings, CHECK_WARN, ERR_OK, report);
    if (code != ERR_OK) {
        report_mistakes(app, &why, report);
        return ERR_OK;
    }
    report_config(app, report);
    report_sources(app, report);
    report_trust(app, report);
    if (request->opts->verbosity == 0 && app->log->level > LOG_ERROR)
        app->log->level = LOG_ERROR; /* what the parts would warn of is a finding here */
    code = open_state(app, report, err);
    if (code != ERR_OK)
        return code;
    code = app_connect(app, request, &why);
    if (code != ERR_OK)
        check_add_error(report, CHECK_FAIL, "config", "", &why);
    *out_is_open = code == ERR_OK;
    return ERR_OK;
}

/* ------------------------------------------------------------------ the examination */

static enum err_code look_at_domains(struct check *check, const struct opts *opts, const struct strlist *domains,
                                     struct err *err)
{
    enum err_code code = ERR_OK;

    for (size_t i = 0; code == ERR_OK && i < domains->count; i++)
        code = check_domain(check, domains->items[i], err);
    if (code != ERR_OK || !opts->write)
        return code;
    if (!opts->quiet && opts->log->level < LOG_WARNING)
        opts->log->level = LOG_WARNING; /* a record that could not be deleted, say */
    return check_write(check, err);
}

static enum err_code examine(struct app *app, const struct opts *opts, struct check_report *report, struct err *err)
{
    AUTO_STRLIST struct strlist domains = {0};
    const char *own[2];
    AUTO_FREE char *account_uri = find_account_uri(app);
    const struct check_opts check_opts = {
        .challenge = app->challenge,
        .accounts = app->accounts,
        .account_count = app->account_count,
        .store = app->store,
        .direct = app->direct,
        .doh = app->doh,
        .doh_count = app->doh_count,
        .ca_issuers = choose_issuers(app->config, own, report),
        .ca = app->config->check_ca,
        .account_uri = account_uri,
        .clock_advice = platform_clock_advice(),
        .has_doh_fallback = app->config->doh != CONFIG_DOH_NEVER,
        .follows_cname = app->config->follow_cname,
        .sweep_after_ms = app->config->sweep_after_ms,
        .settle_ms = app->config->settle_ms,
        .timeout_ms = app->config->propagation_timeout_ms,
        .clock = app->clock,
        .log = app->log,
    };
    AUTO(check_free_auto) struct check *check = check_new(&check_opts, report);
    enum err_code code = check_state(check, err);

    if (code == ERR_OK)
        code = check_accounts(check, err);
    choose_domains(app, opts, &domains);
    if (code == ERR_OK && !domains.count) {
        check_add(report, CHECK_SKIPPED, "name", "", "no domain was given, and no earlier call or \"zones\" names one");
        check_hint(report, "Name the domains of your certificates: acme-dme check example.com *.example.com");
    }
    return code == ERR_OK ? look_at_domains(check, opts, &domains, err) : code;
}

static enum err_code conclude(const struct check_report *report, const struct printer *printer, struct err *err)
{
    size_t failures = printer->counts[CHECK_FAIL];
    size_t warnings = printer->counts[CHECK_WARN];
    enum err_code code;

    (void)check_worst(report, &code);
    if (code != ERR_OK)
        return err_set(err, code, "%zu of %zu steps failed", failures, report->count);
    if (warnings && printer->opts->strict)
        return err_set(err, ERR_DECLINED, "%zu warning%s, and --strict takes none", warnings, warnings == 1 ? "" : "s");
    return ERR_OK;
}

enum err_code cmd_check(const struct opts *opts, struct err *err)
{
    AUTO_APP struct app app = {0};
    bool is_coloured = platform_stdout_is_terminal() && !platform_env("NO_COLOR");
    struct printer printer = {
        .opts = opts, .progress = &app.progress, .style = is_coloured ? STYLE_COLOUR : STYLE_PLAIN};
    AUTO_CHECK_REPORT struct check_report report = {.on_finding = print_finding, .ctx = &printer};
    const struct app_request request = {
        .opts = opts, .findings = APP_FINDINGS_KEPT, .time_limit_ms = API_GIVE_UP_MS * APP_CALLS_IN_TIME_LIMIT};
    bool is_open;
    enum err_code code = open_parts(&app, &request, &report, &is_open, err);

    if (code == ERR_OK && is_open)
        code = examine(&app, opts, &report, err);
    check_report_flush(&report);
    if (code != ERR_OK)
        return code;
    print_end(&printer, &report);
    return conclude(&report, &printer, err);
}
