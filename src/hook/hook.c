/* SPDX-License-Identifier: MIT */
#include "hook/hook.h"

#include <stdlib.h>
#include <string.h>

#include "hook/contract.h"
#include "hook/value.h"
#include "util/buf.h"
#include "util/text.h"

/* ------------------------------------------------------------------ finding the row */

/* A row together with the side of it that was called. */
struct match {
    const struct hook_contract *contract;
    enum hook_action action;
};

static int equals_any(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (words[i] && strcmp(word, words[i]) == 0)
            return 1;
    return 0;
}

static enum hook_action verb_action(const struct hook_contract *c, const char *verb)
{
    if (c->publish && strcmp(verb, c->publish) == 0)
        return HOOK_PUBLISH;
    if (c->save && strcmp(verb, c->save) == 0)
        return HOOK_SAVE;
    return equals_any(verb, c->withdraw, HOOK_WITHDRAW_VERBS) ? HOOK_WITHDRAW : HOOK_NOTHING;
}

/* The program's name without directory and ".exe", in lower case: Windows does not tell "A" from "a". */
static char *program_stem(const char *program)
{
    const char *base = program;
    size_t len;
    char *stem;

    for (const char *p = program; *p; p++)
        if (*p == '/' || *p == '\\')
            base = p + 1;
    len = strlen(base);
    if (len > 4 && text_casecmp(base + len - 4, ".exe") == 0)
        len -= 4;
    stem = mem_strndup(base, len);
    text_lower_inplace(stem);
    return stem;
}

static enum hook_action program_action(const struct hook_contract *c, const char *stem)
{
    for (size_t i = 0; i < ARRAY_LEN(c->program_publish); i++) {
        if (c->program_publish[i] && text_ends_with(stem, c->program_publish[i]))
            return HOOK_PUBLISH;
        if (c->program_withdraw[i] && text_ends_with(stem, c->program_withdraw[i]))
            return HOOK_WITHDRAW;
    }
    return HOOK_NOTHING;
}

static int match_program(const char *program, struct match *out)
{
    AUTO_FREE char *stem = program_stem(program);

    for (size_t i = 0; i < hook_contract_count; i++) {
        enum hook_action action = program_action(&hook_contracts[i], stem);
        if (action != HOOK_NOTHING) {
            *out = (struct match){&hook_contracts[i], action};
            return 1;
        }
    }
    return 0;
}

int hook_program_is_verb(const char *program)
{
    struct match ignored;

    return program && match_program(program, &ignored);
}

static int args_fit(const struct match *m, char *const *args, int count)
{
    const struct hook_contract *c = m->contract;
    int min = m->action == HOOK_WITHDRAW && c->withdraw_min_args ? c->withdraw_min_args : c->min_args;

    if (count < min || (c->marker && strcmp(args[0], c->marker) != 0))
        return 0;
    if (c->layout == HOOK_LAYOUT_ARGS_REPEAT)
        return count % c->max_args == 0;
    return c->max_args < 0 || count <= c->max_args;
}

static enum err_code refuse_args(const char *verb, int args, struct err *err)
{
    AUTO_BUF struct buf expected = BUF_INIT(ERR_HINT_MAX);
    enum err_code code;

    for (size_t i = 0; i < hook_contract_count; i++) {
        const struct hook_contract *c = &hook_contracts[i];
        if (verb_action(c, verb) != HOOK_NOTHING)
            buf_printf(&expected, "%s\"%s %s\" [%s]", expected.len ? " or " : "", verb, c->usage, c->client);
    }
    code = err_set(err, ERR_USAGE, "\"%s\" with %d argument%s is not what a client sends", verb, args,
                   args == 1 ? "" : "s");
    err_hint(err, "Expected is %s.", buf_cstr(&expected));
    return code;
}

/* Several clients share a verb: the number of arguments tells them apart, never the environment, which leaks from one
 * client into another (a deploy hook of certbot that runs lego hands CERTBOT_* on). */
static enum err_code match_verb(const struct hook_call *call, struct match *out, struct err *err)
{
    const char *verb = call->argv[0];
    int args = call->argc - 1;
    int known = 0;

    for (size_t i = 0; i < hook_contract_count; i++) {
        struct match m = {&hook_contracts[i], verb_action(&hook_contracts[i], verb)};
        if (m.action == HOOK_NOTHING)
            continue;
        known = 1;
        if (args_fit(&m, call->argv + 1, args)) {
            *out = m;
            return ERR_OK;
        }
    }
    return known ? refuse_args(verb, args, err) : ERR_NOT_FOUND;
}

/* ------------------------------------------------------------------ events that are not ours */

static int event_matches(const char *pattern, const char *verb)
{
    size_t len = strlen(pattern);

    if (pattern[len - 1] == '*')
        return strncmp(verb, pattern, len - 1) == 0;
    return strcmp(verb, pattern) == 0;
}

static enum err_code refuse_verb(const struct hook_call *call, struct err *err)
{
    const char *verb = call->argv[0];
    AUTO_FREE const char **verbs = mem_calloc(call->command_count + hook_contract_count * (2 + HOOK_WITHDRAW_VERBS),
                                              sizeof *verbs);
    size_t n = 0;
    const char *nearest;
    enum err_code code = err_set(err, ERR_USAGE, "\"%s\" is no command and no client's verb", verb);

    while (n < call->command_count) {
        verbs[n] = call->commands[n];
        n++;
    }
    for (size_t i = 0; i < hook_contract_count; i++) {
        const struct hook_contract *c = &hook_contracts[i];
        if (c->publish)
            verbs[n++] = c->publish;
        if (c->save)
            verbs[n++] = c->save;
        for (size_t j = 0; j < HOOK_WITHDRAW_VERBS; j++)
            if (c->withdraw[j])
                verbs[n++] = c->withdraw[j];
    }
    nearest = text_nearest(verb, verbs, n);
    if (nearest)
        err_hint(err, "Did you mean \"%s\"?", nearest);
    else
        err_hint(err, "Run \"acme-dme --help\" for the verbs of each client.");
    return code;
}

static enum err_code parse_event(const struct hook_call *call, struct hook_request *out, struct err *err)
{
    const char *verb = call->argv[0];

    for (size_t i = 0; i < hook_event_count; i++) {
        if (event_matches(hook_events[i].verb, verb)) {
            out->action = hook_events[i].action;
            out->exit_status = hook_events[i].exit_status;
            return ERR_OK;
        }
    }
    /* Events that later versions may bring: who calls shows in the environment. */
    if (call->env("ACME_STATE_DIR")) {
        out->exit_status = 42;
        return ERR_OK;
    }
    if (call->env("ALPNCERTDIR") && call->env("COMMAND"))
        return ERR_OK;
    return refuse_verb(call, err);
}

/* ------------------------------------------------------------------ taking the arguments apart */

static enum err_code take_args(const struct match *m, char *const *args, int count, struct hook_request *out,
                               struct err *err)
{
    const struct hook_contract *c = m->contract;
    char *value = NULL;

    if (c->value_arg <= count) {
        enum err_code code = hook_value_make(c->value_kind, args[c->value_arg - 1], &value, err);
        if (code != ERR_OK)
            return err_prefix(err, code, "argument %d", c->value_arg);
    }
    if (!args[c->name_arg - 1][0]) {
        free(value);
        return err_set(err, ERR_USAGE, "argument %d, the name, is empty", c->name_arg);
    }
    hook_request_add(out, c->name_kind, args[c->name_arg - 1], value);
    return ERR_OK;
}

static enum err_code take_all_args(const struct match *m, char *const *args, int count, struct hook_request *out,
                                   struct err *err)
{
    int step = m->contract->layout == HOOK_LAYOUT_ARGS_REPEAT ? m->contract->max_args : count;

    for (int i = 0; i < count; i += step) {
        enum err_code code = take_args(m, args + i, step, out, err);
        if (code != ERR_OK)
            return code;
    }
    return ERR_OK;
}

/* Is another challenge than dns-01 at work?  Clients that do not tell are taken to mean ours. */
static int is_declined(const struct match *m, const struct hook_call *call, char *const *args)
{
    const char *type = m->contract->type_arg   ? args[m->contract->type_arg - 1]
                       : m->contract->type_env ? call->env(m->contract->type_env)
                                               : NULL;

    return type && *type && strcmp(type, "dns-01") != 0;
}

static enum err_code refuse_defer(const struct hook_call *call, struct err *err)
{
    AUTO_BUF struct buf takers = BUF_INIT(ERR_HINT_MAX);
    enum err_code code = err_set(err, ERR_USAGE, "option --defer is not for \"%s\"",
                                 call->argc ? call->argv[0] : call->program);

    for (size_t i = 0; i < hook_contract_count; i++) {
        const struct hook_contract *c = &hook_contracts[i];
        if (c->can_defer)
            buf_printf(&takers, "%s\"%s\", \"%s\"", takers.len ? ", " : "", c->publish, c->withdraw[0]);
    }
    err_hint(err, "It is for %s; clients that say which call is the last need no option.", buf_cstr(&takers));
    return code;
}

static enum err_code parse_match(const struct match *m, const struct hook_call *call, char *const *args, int count,
                                 struct hook_request *out, struct err *err)
{
    const struct hook_contract *contract = m->contract;

    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a match has a contract */
    out->client = contract->label ? contract->label : contract->client;
    out->action = m->action;
    out->on_timeout = m->contract->on_timeout;
    out->time_limit_ms = m->contract->time_limit_ms;
    if (m->action == HOOK_SAVE)
        out->turn = HOOK_TURN_LAST;
    if (call->defer && contract->can_defer)
        out->turn = HOOK_TURN_LATER;
    else if (call->defer)
        return refuse_defer(call, err);
    if (m->contract->layout == HOOK_LAYOUT_CERTBOT)
        return hook_certbot_read(call, out, err);
    if (is_declined(m, call, args)) {
        out->action = HOOK_NOTHING;
        out->exit_status = m->action == HOOK_PUBLISH ? m->contract->declined_status : 0;
        return ERR_OK;
    }
    return take_all_args(m, args, count, out, err);
}

enum err_code hook_parse(const struct hook_call *call, struct hook_request *out, struct err *err)
{
    AUTO(hook_request_done) struct hook_request request = {.client = "", .action = HOOK_NOTHING};
    struct match m = {NULL, HOOK_NOTHING};
    enum err_code code;

    if (call->program && match_program(call->program, &m)) {
        if (!args_fit(&m, call->argv, call->argc)) {
            code = err_set(err, ERR_USAGE, "%d argument%s not what Certify The Web sends", call->argc,
                           call->argc == 1 ? " is" : "s are");
            err_hint(err, "Expected is \"%s\".", m.contract->usage);
        } else {
            code = parse_match(&m, call, call->argv, call->argc, &request, err);
        }
    } else {
        code = match_verb(call, &m, err);
        if (code == ERR_OK)
            code = parse_match(&m, call, call->argv + 1, call->argc - 1, &request, err);
        else if (code == ERR_NOT_FOUND)
            code = parse_event(call, &request, err);
    }
    if (code == ERR_OK) {
        *out = request;
        request = (struct hook_request){.client = ""};
    }
    return code;
}

void hook_request_done(struct hook_request *request)
{
    for (size_t i = 0; i < request->count; i++) {
        free(request->records[i].name);
        free(request->records[i].value);
    }
    free(request->records);
    *request = (struct hook_request){.client = ""};
}

static void list_verb(struct hook_contract_text *text, const char *verb)
{
    if (verb)
        text->verbs[text->verb_count++] = verb;
}

int hook_contract_describe(size_t i, struct hook_contract_text *out)
{
    const struct hook_contract *c;

    if (i >= hook_contract_count)
        return 0;
    c = &hook_contracts[i];
    *out = (struct hook_contract_text){.client = c->client, .usage = c->usage};
    list_verb(out, c->publish);
    list_verb(out, c->save);
    for (size_t j = 0; j < ARRAY_LEN(c->program_publish); j++)
        list_verb(out, c->program_publish[j]);
    for (size_t j = 0; j < HOOK_WITHDRAW_VERBS; j++)
        list_verb(out, c->withdraw[j]);
    for (size_t j = 0; j < ARRAY_LEN(c->program_withdraw); j++)
        list_verb(out, c->program_withdraw[j]);
    return 1;
}
