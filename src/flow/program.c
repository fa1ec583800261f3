/* SPDX-License-Identifier: MIT */
#include "flow/program.h"

#include <stdlib.h>
#include <string.h>

#include "flow/install.h"
#include "util/text.h"

#define OUTPUT_MAX 65536

const char *program_event_name(enum program_event event)
{
    static const char *const names[] = {"pre", "deploy", "post", "failed"};

    return names[event];
}

/* ------------------------------------------------------------------ environment */

static void add(struct strlist *env, const char *name, const char *value)
{
    strlist_add_take(env, mem_printf("%s=%s", name, value));
}

/* Paths are as the system's programs have them. */
static void add_dir(struct strlist *env, const char *name, const char *dir)
{
    AUTO_FREE char *native = platform_path_native(dir);

    add(env, name, native);
}

static void add_path(struct strlist *env, const char *name, const char *dir, const char *file)
{
    AUTO_FREE char *path = mem_printf("%s/%s", dir, file);

    add_dir(env, name, path);
}

static void describe_several(const struct program_call *call, struct strlist *env)
{
    AUTO_FREE char *names = strlist_join(call->names, "\n");

    add(env, "ACME_DME_EVENT", program_event_name(call->event));
    add(env, "ACME_DME_NAMES", names);
    add_dir(env, "ACME_DME_CERTS", call->dir);
}

static void describe_one(const struct program_call *call, struct strlist *env)
{
    AUTO_FREE char *domains = strlist_join(call->domains, " ");
    char not_after[CLOCK_HTTP_DATE_MAX];

    add_dir(env, "RENEWED_LINEAGE", call->dir);
    add(env, "RENEWED_DOMAINS", domains);
    add(env, "ACME_DME_EVENT", program_event_name(call->event));
    add(env, "ACME_DME_NAME", call->name);
    add(env, "ACME_DME_DOMAINS", domains);
    add(env, "ACME_DME_DIRECTORY", call->directory);
    add_path(env, "ACME_DME_CERT", call->dir, INSTALL_CERT);
    add_path(env, "ACME_DME_CHAIN", call->dir, INSTALL_CHAIN);
    add_path(env, "ACME_DME_FULLCHAIN", call->dir, INSTALL_FULLCHAIN);
    add_path(env, "ACME_DME_KEY", call->dir, INSTALL_KEY);
    if (call->has_combined)
        add_path(env, "ACME_DME_COMBINED", call->dir, INSTALL_COMBINED);
    if (call->has_pfx)
        add_path(env, "ACME_DME_PFX", call->dir, INSTALL_PFX);
    if (call->not_after_s) {
        clock_format_iso(not_after, call->not_after_s);
        add(env, "ACME_DME_NOT_AFTER", not_after);
    }
    if (call->error)
        add(env, "ACME_DME_ERROR", call->error);
}

/* NULL-terminated; borrowed from the list. */
static const char **as_vector(const struct strlist *list)
{
    const char **out = mem_calloc(list->count + 1, sizeof *out);

    for (size_t i = 0; i < list->count; i++)
        out[i] = list->items[i];
    return out;
}

/* ------------------------------------------------------------------ one command */

struct listener {
    struct log *log;
    const char *program;
};

static void hear(void *ctx, const char *line)
{
    const struct listener *listener = ctx;

    log_line(listener->log, LOG_INFO, "%s: %s", listener->program, line);
}

/* The last line that has something in it; it mostly says why.  Yours; NULL: there is none. */
static char *last_line(const struct buf *output)
{
    const char *text = buf_cstr(output);
    size_t end = strlen(text);
    size_t start;

    while (end > 0 && text_is_space(text[end - 1]))
        end--;
    for (start = end; start > 0 && text[start - 1] != '\n'; start--)
        ;
    return end > start ? mem_strndup(text + start, end - start) : NULL;
}

static enum err_code judge(const char *program, const struct platform_program_end *end, struct err *err)
{
    AUTO_FREE char *last = last_line(&end->output);
    AUTO_FREE char *how = end->signal ? mem_printf("was killed by signal %d", end->signal)
                                      : mem_printf("ended with exit status %d", end->exit_status);

    if (!end->signal && end->exit_status == 0)
        return ERR_OK;
    (void)err_set(err, ERR_PROGRAM, "\"%s\" %s%s%s", program, how, last ? ": " : "", last ? last : "");
    err_hint(err, "Run it by hand; its whole output is in the log (-v).");
    return ERR_PROGRAM;
}

static enum err_code run_one(const struct program_runner *runner, const struct strlist *command,
                             const struct strlist *env, struct err *err)
{
    AUTO(platform_program_end_done) struct platform_program_end end = {0};
    AUTO_FREE const char **argv = as_vector(command);
    AUTO_FREE const char **environment = as_vector(env);
    struct listener listener = {runner->log, command->items[0]};
    const struct platform_program program = {.argv = argv,
                                             .environment = environment,
                                             .timeout_ms = runner->timeout_ms,
                                             .max_output = OUTPUT_MAX,
                                             .line = hear,
                                             .ctx = &listener};
    enum err_code code;

    log_line(runner->log, LOG_INFO, "running \"%s\"", argv[0]);
    code = platform_program_run(&program, runner->clock, &end, err);
    if (code == ERR_OK)
        return judge(argv[0], &end, err);
    if (code == ERR_CANCELLED)
        return code;
    if (err)
        err->code = ERR_PROGRAM;
    return ERR_PROGRAM;
}

enum err_code programs_run(const struct program_runner *runner, const struct strlist *const *commands, size_t count,
                           const struct program_call *call, struct err *err)
{
    struct strlist AUTO_STRLIST env = {NULL, 0};
    enum err_code code = ERR_OK;

    if (!count)
        return ERR_OK;
    if (call->names)
        describe_several(call, &env);
    else
        describe_one(call, &env);
    for (size_t i = 0; code == ERR_OK && i < count; i++)
        code = run_one(runner, commands[i], &env, err);
    if (code == ERR_OK)
        return code;
    if (call->names)
        return err_prefix(err, code, "the %s program of %zu certificate%s", program_event_name(call->event),
                          call->names->count, call->names->count == 1 ? "" : "s");
    return err_prefix(err, code, "the %s program of \"%s\"", program_event_name(call->event), call->name);
}
