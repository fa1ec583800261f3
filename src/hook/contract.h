/* SPDX-License-Identifier: MIT
 *
 * The contracts of the ACME clients as data.  Internal to hook/.
 */
#ifndef ACME_DME_HOOK_CONTRACT_H
#define ACME_DME_HOOK_CONTRACT_H

#include <stdbool.h>

#include "hook/hook.h"

#define HOOK_WITHDRAW_VERBS 2

/* How the records are found in what the client gives. */
enum hook_layout {
    HOOK_LAYOUT_ARGS,        /* one record, in fixed places of argv */
    HOOK_LAYOUT_ARGS_REPEAT, /* groups of `max_args` arguments, a record each */
    HOOK_LAYOUT_CERTBOT,     /* environment variables */
    HOOK_LAYOUT_NONE,        /* none are given */
};

enum hook_value_kind {
    HOOK_VALUE_DIGEST,            /* the TXT value itself */
    HOOK_VALUE_KEY_AUTHORIZATION, /* RFC 8555 section 8.1: the TXT value is its digest */
};

struct hook_contract {
    const char *client;                        /* as --help and the man page call it */
    const char *label;                         /* short, for logs and results; NULL: `client` */
    const char *publish;                       /* verb; also a suffix of the program's name if `by_program` */
    const char *withdraw[HOOK_WITHDRAW_VERBS]; /* verbs */
    const char *save;                          /* verb that does what the others left */
    const char *program_publish[2];            /* suffixes of argv[0] instead of a verb */
    const char *program_withdraw[2];
    const char *usage; /* names of the arguments behind the verb, for messages and --help */
    enum hook_layout layout;
    int min_args, max_args;  /* behind the verb; max_args < 0: more are ignored */
    int withdraw_min_args;   /* if fewer will do */
    int name_arg, value_arg; /* places behind the verb, from 1 */
    const char *marker;      /* must stand in place 1 */
    int type_arg;            /* place of the challenge type, 0: none; what is not dns-01 is declined */
    const char *type_env;    /* variable that has it, where no argument does */
    int declined_status;     /* exit status that declines a publish */
    bool can_defer;          /* a caller of its own making may say that HOOK_SAVE follows */
    enum hook_name_kind name_kind;
    enum hook_value_kind value_kind;
    enum hook_on_timeout on_timeout;
    int64_t time_limit_ms;
};

extern const struct hook_contract hook_contracts[];
extern const size_t hook_contract_count;

/* Events of clients that are never for us. */
struct hook_event {
    const char *verb; /* exact; or a prefix when it ends in "*" */
    enum hook_action action;
    int exit_status;
};
extern const struct hook_event hook_events[];
extern const size_t hook_event_count;

#endif
