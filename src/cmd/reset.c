/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

#include <stdio.h>
#include <string.h>

#include "util/text.h"

/* How many of what became of what. */
struct tally {
    const struct opts *opts;
    size_t counts[STORE_ITEM_UNKNOWN + 1][STORE_DROPPED + 1];
};

static const char *outcome_text(enum store_reset_outcome outcome, const struct opts *opts)
{
    switch (outcome) {
    case STORE_KEPT:
        return opts->dry_run ? "would keep" : "kept";
    case STORE_SET_ASIDE:
        return opts->dry_run ? "would set aside" : "set aside";
    case STORE_DROPPED:
        return opts->dry_run ? "would drop" : "dropped";
    }
    return "";
}

static void print_file(void *ctx, const struct store_reset_report *report)
{
    struct tally *tally = ctx;
    char line[1024];
    AUTO_FREE char *text = mem_printf("%s %s: %s", outcome_text(report->outcome, tally->opts), report->file,
                                      report->why);

    tally->counts[report->item][report->outcome]++;
    text_escape_into(line, sizeof line, text, strlen(text)); /* names of files that others made */
    if (!tally->opts->quiet)
        (void)puts(line);
}

/* "3 results" with `before` in front, or nothing. */
static void add_count(struct buf *out, const char *before, size_t count, const char *one, const char *many)
{
    if (count == 0)
        return;
    buf_puts(out, out->len > 0 ? ", " : before);
    buf_printf(out, "%zu %s", count, count == 1 ? one : many);
}

static size_t count_of(const struct tally *tally, enum store_reset_outcome outcome)
{
    size_t sum = 0;

    for (size_t item = 0; item < ARRAY_LEN(tally->counts); item++)
        sum += tally->counts[item][outcome];
    return sum;
}

static void print_sum(const struct tally *tally, const char *dir, enum err_code code)
{
    AUTO_BUF struct buf dropped = BUF_INIT(1024);
    size_t entries = tally->counts[STORE_ITEM_JOURNAL][STORE_KEPT];
    size_t set_aside = count_of(tally, STORE_SET_ASIDE);
    size_t unknown = tally->counts[STORE_ITEM_UNKNOWN][STORE_KEPT];

    if (entries > 0)
        (void)printf("%s %zu journal %s (records that may still exist; run \"acme-dme sweep\")\n",
                     outcome_text(STORE_KEPT, tally->opts), entries, entries == 1 ? "entry" : "entries");
    if (set_aside > 0)
        (void)printf("%s %zu damaged %s, in \"%s/damaged\"\n", outcome_text(STORE_SET_ASIDE, tally->opts), set_aside,
                     set_aside == 1 ? "file" : "files", dir);
    add_count(&dropped, "", tally->counts[STORE_ITEM_ZONE][STORE_DROPPED], "remembered zone", "remembered zones");
    add_count(&dropped, "", tally->counts[STORE_ITEM_RESULT][STORE_DROPPED], "result", "results");
    add_count(&dropped, "", tally->counts[STORE_ITEM_BUDGET][STORE_DROPPED], "request count", "request counts");
    add_count(&dropped, "", tally->counts[STORE_ITEM_TEMPORARY][STORE_DROPPED], "temporary file", "temporary files");
    if (dropped.len > 0)
        (void)printf("%s %s\n", outcome_text(STORE_DROPPED, tally->opts), buf_cstr(&dropped));
    if (unknown > 0)
        (void)printf("%s %zu %s not known to acme-dme %s\n", outcome_text(STORE_KEPT, tally->opts), unknown,
                     unknown == 1 ? "file or directory that is" : "files or directories that are", PACKAGE_VERSION);
    if (code == ERR_OK && entries + set_aside + dropped.len + unknown == 0)
        (void)printf("\"%s\" is in order: nothing to do\n", dir);
}

static enum err_code reset_state(struct app *app, const struct opts *opts, struct err *err)
{
    AUTO_FREE char *dir = app_state_dir(app);
    struct tally tally = {.opts = opts};
    const struct store_reset_opts reset_opts = {
        .clock = app->clock,
        .log = app->log,
        .mode = opts->dry_run ? STORE_RESET_DRY_RUN : STORE_RESET,
        .report = print_file,
        .ctx = &tally,
    };
    enum err_code code = store_reset(dir, &reset_opts, err);

    if (code == ERR_NOT_FOUND) {
        (void)printf("there is no state directory \"%s\", so there is nothing to do\n", dir);
        return ERR_OK;
    }
    if (!opts->quiet)
        print_sum(&tally, dir, code);
    return code;
}

enum err_code cmd_reset(const struct opts *opts, struct err *err)
{
    AUTO_APP struct app app = {0};
    const struct app_request request = {.opts = opts, .need = CONFIG_WITHOUT_CREDENTIALS};
    enum err_code code;

    if (!opts->state) {
        code = err_set(err, ERR_USAGE, "\"reset\" does not reset everything: say what");
        err_hint(err, "\"acme-dme reset --state\" brings the state directory into order: damaged files are set aside, "
                      "what comes again by itself is dropped, the journal, keys and certificates stay.");
        return code;
    }
    app_start(&app, opts);
    code = app_configure(&app, &request, err);
    return code == ERR_OK ? reset_state(&app, opts, err) : code;
}
