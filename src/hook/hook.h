/* SPDX-License-Identifier: MIT
 *
 * What an ACME client asks of us: its argv and environment become one hook_request.  The clients' contracts are one
 * table (contract.c), a client a row; nothing here talks to a network or a disk.
 *
 * After the verb nothing is ever an option: TXT values may begin with "-" (1 in 64 does), and no client sends "--".
 */
#ifndef ACME_DME_HOOK_HOOK_H
#define ACME_DME_HOOK_HOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/attrs.h"
#include "util/err.h"
#include "util/mem.h"

enum hook_action {
    HOOK_NOTHING,      /* an event that is not for us: exit with `exit_status`, silently */
    HOOK_PUBLISH,      /* create the records */
    HOOK_WITHDRAW,     /* delete the records; those that are not there are fine */
    HOOK_WITHDRAW_RUN, /* the client's run is over: delete whatever this run left */
    HOOK_SAVE,         /* create, and then delete, what earlier calls of this run left to this one */
};

/* What a client's name argument means; never guessed from the name. */
enum hook_name_kind {
    HOOK_NAME_DOMAIN, /* the identifier: "_acme-challenge." is put in front, "*." is dropped */
    HOOK_NAME_RECORD, /* the TXT record's own name, perhaps a CNAME's target: taken as it is */
};

/* Where a call stands among those that a client makes for one batch of names. */
enum hook_turn {
    HOOK_TURN_ONLY,  /* there is but this one, or the client does not tell: it does what it is asked for */
    HOOK_TURN_LATER, /* others follow: the last one does it for all */
    HOOK_TURN_LAST,
};

/* What tells a batch from others of the same run. */
#define HOOK_BATCH_LEN 16
struct hook_batch {
    char name[HOOK_BATCH_LEN + 1]; /* "": it has none, and is all that the run left */
    int64_t position;              /* how many calls follow */
    bool is_begun;                 /* by this call */
    size_t calls_before;           /* as far as the client tells; 0: it does not */
};

/* When not every server shows the records in time. */
enum hook_on_timeout {
    HOOK_TIMEOUT_ROLL_BACK, /* the client gives up and does not call again for these records */
    HOOK_TIMEOUT_KEEP,      /* the client goes on whatever we say, and calls the clean-up later */
};

struct hook_record {
    enum hook_name_kind kind;
    char *name;  /* as the client gave it, not yet checked */
    char *value; /* TXT value; NULL (only for HOOK_WITHDRAW): all records of ours at that name */
};

struct hook_request {
    const char *client; /* static and short, e.g. "certbot"; a verb for those that name none */
    enum hook_action action;
    struct hook_record *records;
    size_t count;
    enum hook_turn turn;
    struct hook_batch batch; /* unless HOOK_TURN_ONLY */
    enum hook_on_timeout on_timeout;
    int64_t time_limit_ms; /* the client stops waiting for us after this; 0: never */
    int exit_status;       /* for HOOK_NOTHING */
    struct err refusal;    /* what the call ends with when all else went well; code ERR_OK: nothing */
};

void hook_request_done(struct hook_request *request);

typedef const char *hook_env_fn(const char *name); /* getenv()-like; NULL when unset */

struct hook_call {
    const char *program; /* argv[0]: Certify The Web gives no verb, only names that end in -create or -delete */
    int argc;            /* of argv below */
    char *const *argv;   /* from the verb on */
    hook_env_fn *env;
    bool defer;                  /* the caller says that a HOOK_SAVE follows */
    const char *const *commands; /* words that are commands and no verbs: one of them may be meant; may be NULL */
    size_t command_count;
};

/* Is the program called under a name that stands for a verb ("...-create", "-add", "-delete", "-del", with or without
 * ".exe")? */
int hook_program_is_verb(const char *program);

/* Errors: ERR_USAGE (unknown verb, missing, extra or empty arguments, values that can't be TXT values; says what the
 * client would send; `defer` with a verb that does not take it), ERR_INTERNAL. */
enum err_code hook_parse(const struct hook_call *call, struct hook_request *out, struct err *err) MUST_USE;

/* For --help and the man page lint: the i-th contract as text; 0 past the end. */
#define HOOK_VERBS_MAX 4
struct hook_contract_text {
    const char *client;
    const char *verbs[HOOK_VERBS_MAX]; /* or how the program's name ends ("-create"); those that publish come first */
    size_t verb_count;
    const char *usage; /* what follows the verb */
};
int hook_contract_describe(size_t i, struct hook_contract_text *out);

#endif
