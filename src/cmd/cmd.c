/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

#include <stdio.h>
#include <string.h>

#include "cmd/exit.h"
#include "cmd/logging.h"
#include "platform/platform.h"

/* ------------------------------------------------------------------ our own commands */

typedef enum err_code command_fn(const struct opts *opts, struct err *err);
/* One that has exit statuses of its own. */
typedef enum err_code status_fn(const struct opts *opts, int *out_status, struct err *err);

static enum err_code run_help(UNUSED const struct opts *opts, UNUSED struct err *err)
{
    cmd_help();
    return ERR_OK;
}

static enum err_code run_version(UNUSED const struct opts *opts, UNUSED struct err *err)
{
    cmd_version();
    return ERR_OK;
}

static const struct command {
    const char *name;
    command_fn *run;
    size_t words_max;          /* arguments that it takes */
    status_fn *run_for_status; /* instead of `run` */
    int rest_max;              /* with more behind it it is a client's verb of the same name; 0: there is none */
} commands[] = {
    {"check", cmd_check, SIZE_MAX, NULL, 0},
    {"issue", cmd_issue, 0, NULL, 0},
    {"renew", cmd_renew, SIZE_MAX, NULL, 0},
    {"revoke", cmd_revoke, 1, NULL, 0},
    {"account", cmd_account, 2, NULL, 0},
    {"list", cmd_list, 0, NULL, 0},
    {"show", cmd_show, 1, NULL, 0},
    {"delete", cmd_delete, 1, NULL, 2}, /* simple-acme, win-acme: DOMAIN RECORD VALUE */
    {"sweep", cmd_sweep, 0, NULL, 0},
    {"reset", cmd_reset, 0, NULL, 0},
    {"status", NULL, 0, cmd_status, 0},
    {"help", run_help, 0, NULL, 0},
    {"version", run_version, 0, NULL, 0},
};

/* `rest` words are behind the name. */
static const struct command *find_command(const char *name, int rest)
{
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].rest_max && rest > commands[i].rest_max ? NULL : &commands[i];
    return NULL;
}

/* ------------------------------------------------------------------ dispatch */

static enum err_code run_command(const struct command *command, int argc, char *const *argv, int index,
                                 struct opts *opts, int *status, struct err *err)
{
    enum err_code code = opts_parse_rest(argc, argv, index, opts, err);

    if (code != ERR_OK)
        return code;
    if (opts->action != OPTS_RUN)
        return opts->action == OPTS_HELP ? run_help(opts, err) : run_version(opts, err);
    code = opts_check_command(opts, command->name, err);
    if (code != ERR_OK)
        return code;
    if (opts->word_count > command->words_max)
        return err_set(err, ERR_USAGE, "\"%s\" takes no argument \"%s\"", command->name,
                       opts->words[command->words_max]);
    return command->run_for_status ? command->run_for_status(opts, status, err) : command->run(opts, err);
}

static enum err_code run_verb(const struct hook_call *call, const struct opts *opts, int *status, struct err *err)
{
    enum err_code code = opts_check_command(opts, "hook", err);

    return code == ERR_OK ? cmd_hook(call, opts, status, err) : code;
}

static enum err_code dispatch(int argc, char **argv, struct opts *opts, int *status, struct err *err)
{
    struct hook_call call = {.program = argc ? argv[0] : "acme-dme", .env = platform_env};
    const char *names[ARRAY_LEN(commands)];
    const struct command *command;
    enum err_code code;
    int index = 1;

    if (hook_program_is_verb(call.program)) {
        call.argc = argc - 1;
        call.argv = argv + 1;
        return run_verb(&call, opts, status, err);
    }
    code = opts_parse(argc, argv, &index, opts, err);
    if (code != ERR_OK)
        return code;
    if (opts->action != OPTS_RUN)
        return opts->action == OPTS_HELP ? run_help(opts, err) : run_version(opts, err);
    if (index >= argc) {
        code = err_set(err, ERR_USAGE, "no verb was given");
        err_hint(err, "Run \"acme-dme --help\" for what there is.");
        return code;
    }
    command = find_command(argv[index], argc - index - 1);
    if (command)
        return run_command(command, argc, argv, index + 1, opts, status, err);
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        names[i] = commands[i].name;
    call.argc = argc - index;
    call.argv = argv + index;
    call.commands = names;
    call.command_count = ARRAY_LEN(commands);
    call.defer = opts->defer;
    return run_verb(&call, opts, status, err);
}

int cmd_main(int argc, char **argv)
{
    AUTO(logging_done) struct log log = {.out = stderr};
    AUTO(opts_done) struct opts opts = {.action = OPTS_RUN, .log = &log};
    struct err err;
    int status = EXIT_STATUS_OK;
    enum err_code code;

    err_init(&err);
    code = platform_start(&err);
    logging_start(&log);
    if (code == ERR_OK)
        code = dispatch(argc, argv, &opts, &status, &err);
    if (code == ERR_OK && (fflush(stdout) != 0 || ferror(stdout)))
        code = err_set(&err, ERR_IO, "could not write to standard output");
    if (code == ERR_OK) {
        if (log.is_set_up)
            log_line(&log, LOG_INFO, "done");
        return status;
    }
    if (cmd_status_is_plugin(argc, argv))
        return cmd_status_unknown(&err);
    logging_set_up_early(&log, &opts);
    log_final_error(&log, &err, (int)exit_status_for(code));
    return (int)exit_status_for(code);
}
