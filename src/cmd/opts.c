/* SPDX-License-Identifier: MIT */
#include "cmd/opts.h"

#include <stdlib.h>
#include <string.h>

#include "config/schema.h"
#include "util/text.h"

enum row_index {
    ROW_CONFIG,
    ROW_ACCOUNT,
    ROW_NO_WAIT,
    ROW_DEFER,
    ROW_DRY_RUN,
    ROW_DOMAIN,
    ROW_NAME,
    ROW_IMPORT_FROM,
    ROW_FORCE,
    ROW_JITTER,
    ROW_STAGING,
    ROW_CERT,
    ROW_REASON,
    ROW_WRITE,
    ROW_STRICT,
    ROW_JSON,
    ROW_NAGIOS,
    ROW_PROMETHEUS,
    ROW_STATE,
    ROW_VERBOSE,
    ROW_QUIET,
    ROW_HELP,
    ROW_VERSION,
};

const struct opts_row opts_rows[] = {
    [ROW_CONFIG] = {"--config", 'c', "FILE", "read this configuration file", NULL},
    [ROW_ACCOUNT] = {"--account", 'a', "NAME", "use this account of the configuration for everything", NULL},
    [ROW_NO_WAIT] = {"--no-wait", 0, NULL, "publish and do not wait for the name servers", "hook"},
    [ROW_DEFER] = {"--defer", 0, NULL, "add-record and the like: leave it to \"save-records\", in one batch", "hook"},
    [ROW_DRY_RUN] = {"--dry-run", 'n', NULL,
                     "sweep, reset: list, change nothing; issue, renew: a full run with a test CA, install nothing",
                     "sweep reset issue renew"},
    [ROW_DOMAIN] = {"--domain", 'd', "NAME", "issue: a name of the certificate; may be repeated", "issue"},
    [ROW_NAME] = {"--name", 0, "NAME", "issue: what the certificate is called; else its first domain", "issue"},
    [ROW_IMPORT_FROM] = {"--import-from", 0, "CLIENT:PATH", "issue: names and key type of another client's certificate",
                         "issue"},
    [ROW_FORCE] = {"--force", 0, NULL, "issue, renew: even if the certificate is not due", "issue renew"},
    [ROW_JITTER] = {"--jitter", 0, "DURATION", "renew: wait a random time up to this first, but not on a terminal",
                    "renew"},
    [ROW_STAGING] = {"--staging", 0, NULL, "use the CA's staging directory", "issue renew revoke account"},
    [ROW_CERT] = {"--cert", 0, "FILE", "revoke: this certificate", "revoke"},
    [ROW_REASON] = {"--reason", 0, "REASON", "revoke: keyCompromise, superseded, ...", "revoke"},
    [ROW_WRITE] = {"--write", 0, NULL, "check: create a TXT record, time each name server, delete it", "check"},
    [ROW_STRICT] = {"--strict", 0, NULL, "check, status: exit with 1 when there are warnings", "check status"},
    [ROW_JSON] = {"--json", 0, NULL, "one JSON document instead of lines",
                  "check status issue renew revoke account list show"},
    [ROW_NAGIOS] = {"--nagios", 0, NULL, "status: as a plugin of Nagios, Icinga and others", "status"},
    [ROW_PROMETHEUS] = {"--prometheus", 0, "FILE", "status: write metrics for Prometheus' node_exporter", "status"},
    [ROW_STATE] = {"--state", 0, NULL, "reset: the state directory", "reset"},
    [ROW_VERBOSE] = {"--verbose", 'v', NULL, "show each step and each setting's source; twice: each request and answer",
                     NULL},
    [ROW_QUIET] = {"--quiet", 'q', NULL,
                   "no warnings and no progress, errors only; check, status: only what is not in order", NULL},
    [ROW_HELP] = {"--help", 'h', NULL, "show this help", NULL},
    [ROW_VERSION] = {"--version", 'V', NULL, "show the version", NULL},
};

const size_t opts_row_count = ARRAY_LEN(opts_rows);

void opts_done(struct opts *opts)
{
    free(opts->overrides);
    strlist_done(&opts->domains);
    free(opts->words);
    *opts = (struct opts){.action = OPTS_RUN};
}

/* Where the value of a row goes, if it goes into one field. */
static const struct target {
    enum { TARGET_OTHER, TARGET_TEXT, TARGET_FLAG } kind;
    size_t offset; /* in struct opts */
} targets[] = {
/* clang-format off */
#define TEXT(field) {TARGET_TEXT, offsetof(struct opts, field)}
#define FLAG(field) {TARGET_FLAG, offsetof(struct opts, field)}
    /* clang-format on */
    [ROW_CONFIG] = TEXT(config_file),
    [ROW_ACCOUNT] = TEXT(account),
    [ROW_NO_WAIT] = FLAG(no_wait),
    [ROW_DEFER] = FLAG(defer),
    [ROW_DRY_RUN] = FLAG(dry_run),
    [ROW_NAME] = TEXT(name),
    [ROW_IMPORT_FROM] = TEXT(import_from),
    [ROW_FORCE] = FLAG(force),
    [ROW_JITTER] = TEXT(jitter),
    [ROW_STAGING] = FLAG(staging),
    [ROW_CERT] = TEXT(cert),
    [ROW_REASON] = TEXT(reason),
    [ROW_WRITE] = FLAG(write),
    [ROW_STRICT] = FLAG(strict),
    [ROW_JSON] = FLAG(json),
    [ROW_NAGIOS] = FLAG(nagios),
    [ROW_PROMETHEUS] = TEXT(prometheus),
    [ROW_STATE] = FLAG(state),
    [ROW_QUIET] = FLAG(quiet),
    [ROW_VERSION] = {TARGET_OTHER, 0},
#undef TEXT
#undef FLAG
};

static void apply_row(struct opts *opts, size_t row, const char *value)
{
    char *field = (char *)opts + targets[row].offset;

    if (targets[row].kind == TARGET_TEXT)
        memcpy(field, &value, sizeof value);
    else if (targets[row].kind == TARGET_FLAG)
        *(bool *)field = true;
    else if (row == ROW_DOMAIN)
        strlist_add(&opts->domains, value);
    else if (row == ROW_VERBOSE)
        opts->verbosity++;
    else
        opts->action = row == ROW_HELP ? OPTS_HELP : OPTS_VERSION;
}

static void add_override(struct opts *opts, const char *key, const char *value)
{
    opts->overrides = mem_grow(opts->overrides, opts->override_count, sizeof *opts->overrides);
    opts->overrides[opts->override_count++] = (struct config_override){.key = key, .value = value};
}

static enum err_code refuse_option(const char *word, struct err *err)
{
    AUTO_FREE const char **names = NULL;
    size_t key_count;
    const struct config_key *keys = config_keys(&key_count);
    size_t n = 0;
    const char *nearest;
    enum err_code code;

    names = mem_calloc(key_count + opts_row_count, sizeof *names);
    for (size_t i = 0; i < opts_row_count; i++)
        names[n++] = opts_rows[i].name;
    for (size_t i = 0; i < key_count; i++)
        if (keys[i].option)
            names[n++] = keys[i].option;
    code = err_set(err, ERR_USAGE, "there is no option \"%s\"", word);
    nearest = text_nearest(word, names, n);
    if (nearest)
        err_hint(err, "Did you mean %s?", nearest);
    else
        err_hint(err, "Run \"acme-dme --help\" for the options.");
    return code;
}

/* Where words come from: "--name=value" carries its own value, else the next word is it. */
struct words {
    int argc;
    char *const *argv;
    int *index;
    const char *attached;
};

static enum err_code take_value(struct words *w, const char *name, const char **out, struct err *err)
{
    if (w->attached) {
        *out = w->attached;
        return ERR_OK;
    }
    if (*w->index >= w->argc)
        return err_set(err, ERR_USAGE, "option %s needs a value", name);
    *out = w->argv[(*w->index)++];
    return ERR_OK;
}

static enum err_code use_row(size_t i, struct words *w, struct opts *opts, struct err *err)
{
    const char *value = NULL;
    enum err_code code = ERR_OK;

    if (opts_rows[i].value)
        code = take_value(w, opts_rows[i].name, &value, err);
    else if (w->attached)
        code = err_set(err, ERR_USAGE, "option %s takes no value", opts_rows[i].name);
    if (code != ERR_OK)
        return code;
    opts->given |= UINT64_C(1) << i;
    apply_row(opts, i, value);
    return ERR_OK;
}

static enum err_code parse_long(const char *word, struct words *w, struct opts *opts, struct err *err)
{
    size_t len = strcspn(word, "=");
    AUTO_FREE char *name = mem_strndup(word, len);
    const struct config_key *key;
    const char *value = NULL;
    enum err_code code;

    w->attached = word[len] ? word + len + 1 : NULL;
    for (size_t i = 0; i < opts_row_count; i++)
        if (strcmp(name, opts_rows[i].name) == 0)
            return use_row(i, w, opts, err);
    key = config_key_find_option(name);
    if (!key)
        return refuse_option(name, err);
    if (key->type == CONFIG_TYPE_BOOL && !w->attached)
        value = "true";
    else if ((code = take_value(w, key->option, &value, err)) != ERR_OK)
        return code;
    add_override(opts, key->path, value);
    return ERR_OK;
}

/* "-vv", "-c FILE", "-cFILE" */
static enum err_code parse_letters(const char *word, struct words *w, struct opts *opts, struct err *err)
{
    for (const char *p = word + 1; *p; p++) {
        size_t i = 0;
        enum err_code code;

        while (i < opts_row_count && opts_rows[i].letter != *p)
            i++;
        if (i == opts_row_count)
            return refuse_option(word, err);
        w->attached = opts_rows[i].value && p[1] ? p + 1 : NULL;
        code = use_row(i, w, opts, err);
        if (code != ERR_OK || w->attached)
            return code;
    }
    return ERR_OK;
}

enum err_code opts_parse(int argc, char *const *argv, int *index, struct opts *opts, struct err *err)
{
    struct words w = {.argc = argc, .argv = argv, .index = index};
    enum err_code first = ERR_OK;

    while (*index < argc && argv[*index][0] == '-' && argv[*index][1]) {
        const char *word = argv[(*index)++];
        enum err_code code;

        if (strcmp(word, "--") == 0)
            break;
        code = word[1] == '-' ? parse_long(word, &w, opts, first == ERR_OK ? err : NULL)
                              : parse_letters(word, &w, opts, first == ERR_OK ? err : NULL);
        if (first == ERR_OK) /* go on: what is behind the mistake may say where errors are logged to */
            first = code;
    }
    return first;
}

static void add_word(struct opts *opts, const char *word)
{
    opts->words = mem_grow(opts->words, opts->word_count, sizeof *opts->words);
    opts->words[opts->word_count++] = word;
}

enum err_code opts_parse_rest(int argc, char *const *argv, int index, struct opts *opts, struct err *err)
{
    enum err_code first = ERR_OK;

    while (index < argc) {
        int before = index;
        enum err_code code = opts_parse(argc, argv, &index, opts, first == ERR_OK ? err : NULL);

        first = first == ERR_OK ? code : first;
        if (index > before && strcmp(argv[index - 1], "--") == 0)
            break;
        if (index < argc)
            add_word(opts, argv[index++]);
    }
    while (index < argc)
        add_word(opts, argv[index++]);
    return first;
}

/* ------------------------------------------------------------------ which command takes what */

static bool is_among(const char *word, const char *words)
{
    size_t len = strlen(word);

    for (const char *at = strstr(words, word); at; at = strstr(at + 1, word))
        if ((at == words || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

static enum err_code check(const char *option, const char *commands, const char *command, struct err *err)
{
    if (!commands || is_among(command, commands))
        return ERR_OK;
    return strcmp(commands, "hook") == 0
               ? err_set(err, ERR_USAGE, "option %s is for the verbs of ACME clients only", option)
               : err_set(err, ERR_USAGE, "option %s is for: %s", option, commands);
}

enum err_code opts_check_command(const struct opts *opts, const char *command, struct err *err)
{
    enum err_code code = ERR_OK;

    for (size_t i = 0; i < opts_row_count && code == ERR_OK; i++)
        if (opts->given & UINT64_C(1) << i)
            code = check(opts_rows[i].name, opts_rows[i].commands, command, err);
    for (size_t i = 0; i < opts->override_count && code == ERR_OK; i++) {
        const struct config_key *key = config_key_find(opts->overrides[i].key);

        if (key)
            code = check(key->option, key->commands, command, err);
    }
    return code;
}
