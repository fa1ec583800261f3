/* SPDX-License-Identifier: MIT
 *
 * One row a client.  Where a row differs from what the client's manual says, the client's source was right.
 */
#include "hook/contract.h"

/* win-acme and simple-acme kill a script after 600 s, and Certify The Web stops listening after 120 s (it takes that
 * for success); we end a little earlier, with a message. */
#define WIN_ACME_LIMIT_MS 570000
#define CERTIFY_LIMIT_MS 110000

const struct hook_contract hook_contracts[] = {
    {
        .client = "certbot",
        .publish = "auth",
        .withdraw = {"cleanup"},
        .usage = "(CERTBOT_DOMAIN and CERTBOT_VALIDATION in the environment)",
        .layout = HOOK_LAYOUT_CERTBOT,
        .name_kind = HOOK_NAME_DOMAIN,
        /* certbot ignores our exit status, asks the CA whatever we say, and runs the clean-up afterwards. */
        .on_timeout = HOOK_TIMEOUT_KEEP,
    },
    {
        .client = "lego (exec)",
        .label = "lego",
        .publish = "present",
        .withdraw = {"cleanup"},
        .usage = "FQDN. VALUE",
        .min_args = 2,
        .max_args = 2,
        .name_arg = 1,
        .value_arg = 2,
        .name_kind = HOOK_NAME_RECORD,
    },
    {
        .client = "lego (exec, EXEC_MODE=RAW)",
        .label = "lego",
        .publish = "present",
        .withdraw = {"cleanup"},
        .usage = "-- DOMAIN TOKEN KEYAUTH",
        .min_args = 4,
        .max_args = 4,
        .marker = "--",
        .name_arg = 2,
        .value_arg = 4,
        .name_kind = HOOK_NAME_DOMAIN,
        .value_kind = HOOK_VALUE_KEY_AUTHORIZATION,
    },
    {
        .client = "win-acme, simple-acme",
        .label = "win-acme",
        .publish = "create",
        .withdraw = {"delete"},
        .usage = "IDENTIFIER RECORD VALUE",
        .min_args = 3,
        .max_args = -1,
        .name_arg = 2,
        .value_arg = 3,
        .name_kind = HOOK_NAME_RECORD,
        .time_limit_ms = WIN_ACME_LIMIT_MS,
    },
    {
        .client = "dehydrated",
        .publish = "deploy_challenge",
        .withdraw = {"clean_challenge"},
        .usage = "DOMAIN TOKENFILE VALUE [DOMAIN TOKENFILE VALUE ...]",
        .layout = HOOK_LAYOUT_ARGS_REPEAT,
        .min_args = 3,
        .max_args = 3,
        .name_arg = 1,
        .value_arg = 3,
        /* It calls its hook for http-01 too, which it serves itself: one HOOK, certificates of either kind. */
        .type_env = "CHALLENGETYPE",
        .name_kind = HOOK_NAME_DOMAIN,
    },
    {
        .client = "uacme",
        .publish = "begin",
        .withdraw = {"done", "failed"},
        .usage = "TYPE IDENTIFIER TOKEN VALUE",
        .min_args = 4,
        .max_args = 4,
        .name_arg = 2,
        .value_arg = 4,
        .type_arg = 1,
        .declined_status = 1, /* any non-zero: "not this type, try the next" */
        .name_kind = HOOK_NAME_DOMAIN,
    },
    {
        .client = "acmetool",
        .publish = "challenge-dns-start",
        .withdraw = {"challenge-dns-stop"},
        .usage = "HOSTNAME TARGETFILE VALUE [wildcard]",
        .min_args = 3,
        .max_args = 4,
        .name_arg = 1,
        .value_arg = 3,
        .name_kind = HOOK_NAME_DOMAIN,
    },
    {
        .client = "Apache mod_md",
        .publish = "setup",
        .withdraw = {"teardown"},
        .usage = "DOMAIN VALUE",
        .min_args = 2,
        .max_args = 2,
        .withdraw_min_args = 1, /* MDChallengeDns01Version 1 does not tell the value */
        .name_arg = 1,
        .value_arg = 2,
        .name_kind = HOOK_NAME_DOMAIN,
    },
    {
        .client = "Certify The Web",
        .program_publish = {"-create", "-add"},
        .program_withdraw = {"-delete", "-del"},
        .usage = "DOMAIN RECORD VALUE [ZONEID]",
        .min_args = 3,
        .max_args = -1,
        .name_arg = 2,
        .value_arg = 3,
        .name_kind = HOOK_NAME_RECORD,
        .time_limit_ms = CERTIFY_LIMIT_MS,
    },
    {
        .client = "any, by record name (acme.sh, Posh-ACME)",
        .label = "add-record",
        .can_defer = true,
        .publish = "add-record",
        .withdraw = {"del-record"},
        .usage = "NAME VALUE [NAME VALUE ...]",
        .layout = HOOK_LAYOUT_ARGS_REPEAT,
        .min_args = 2,
        .max_args = 2,
        .name_arg = 1,
        .value_arg = 2,
        .name_kind = HOOK_NAME_RECORD,
    },
    {
        .client = "any, by domain (getssl)",
        .label = "add-domain",
        .can_defer = true,
        .publish = "add-domain",
        .withdraw = {"del-domain"},
        .usage = "DOMAIN VALUE [DOMAIN VALUE ...]",
        .layout = HOOK_LAYOUT_ARGS_REPEAT,
        .min_args = 2,
        .max_args = 2,
        .name_arg = 1,
        .value_arg = 2,
        .name_kind = HOOK_NAME_DOMAIN,
    },
    {
        .client = "any, after calls with --defer (Posh-ACME)",
        .label = "save-records",
        .save = "save-records",
        .usage = "(no arguments)",
        .layout = HOOK_LAYOUT_NONE,
    },
};

const size_t hook_contract_count = ARRAY_LEN(hook_contracts);

const struct hook_event hook_events[] = {
    /* dehydrated ends its whole run when a hook answers anything but 0 to an event it does not know. */
    {"this_hookscript_is_broken__*", HOOK_NOTHING, 0},
    {"startup_hook", HOOK_NOTHING, 0},
    {"generate_csr", HOOK_NOTHING, 0},
    {"sync_cert", HOOK_NOTHING, 0},
    {"deploy_cert", HOOK_NOTHING, 0},
    {"unchanged_cert", HOOK_NOTHING, 0},
    {"deploy_ocsp", HOOK_NOTHING, 0},
    {"invalid_challenge", HOOK_NOTHING, 0},
    {"request_failure", HOOK_NOTHING, 0},
    /* After a failed deploy_challenge this is the only call that still comes. */
    {"exit_hook", HOOK_WITHDRAW_RUN, 0},
    /* acmetool: 0 would mean "I have put this challenge up". */
    {"challenge-http-start", HOOK_NOTHING, 42},
    {"challenge-http-stop", HOOK_NOTHING, 42},
    {"challenge-tls-*", HOOK_NOTHING, 42},
    {"live-updated", HOOK_NOTHING, 42},
};

const size_t hook_event_count = ARRAY_LEN(hook_events);
