/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "acme/internal.h"
#include "util/text.h"

static void set_pace(struct acme_pace *pace, uint32_t requests_per_s, int64_t now_ms)
{
    pace->slots = requests_per_s < ACME_SLOTS_MAX ? requests_per_s : ACME_SLOTS_MAX;
    if (pace->slots == 0)
        return;
    pace->period_ms = ((int64_t)pace->slots * 1000 + requests_per_s - 1) / requests_per_s;
    for (size_t i = 0; i < pace->slots; i++)
        pace->sent_ms[i] = now_ms - pace->period_ms;
}

struct acme *acme_new(const struct acme_opts *opts)
{
    struct acme *acme = mem_zalloc(sizeof *acme);

    acme->directory_url = mem_strdup(opts->directory);
    acme->scheme = text_ncasecmp(opts->directory, "http://", 7) == 0 ? ACME_HTTP_TOO : ACME_HTTPS_ONLY;
    acme->http = opts->http;
    acme->clock = opts->clock;
    acme->log = opts->log;
    acme->request_timeout_ms = opts->request_timeout_ms;
    acme->give_up_after_ms = opts->give_up_after_ms;
    set_pace(&acme->pace, opts->requests_per_s, clock_mono_ms(opts->clock));
    acme->seed = (uint64_t)(uintptr_t)acme ^ (uint64_t)clock_mono_ms(opts->clock);
    return acme;
}

void acme_free(struct acme *acme)
{
    if (!acme)
        return;
    free(acme->directory_url);
    acme_directory_done(&acme->directory);
    acme_nonces_done(&acme->nonces);
    key_free(acme->key);
    free(acme->account_url);
    free(acme);
}

const char *acme_directory_url(const struct acme *acme)
{
    return acme->directory_url;
}

static enum err_code fetch_directory(struct acme *acme, struct err *err)
{
    struct acme_call call AUTO_ACME_CALL = {
        .kind = ACME_GET,
        .expect = ACME_EXPECT_OBJECT,
        .url = acme->directory_url,
        .what = mem_printf("read the directory of the CA at \"%s\"", acme->directory_url),
    };
    enum err_code code;

    if (!acme_url_is_valid(acme->directory_url, ACME_HTTP_TOO)) {
        code = err_set(err, ERR_CONFIG, "\"%s\" is no URL of a CA's directory", acme->directory_url);
        err_hint(err, "Give the https URL of the CA's ACME directory, such as "
                      "https://acme-v02.api.letsencrypt.org/directory.");
        return code;
    }
    code = acme_send_one(acme, &call, err);
    if (code == ERR_OK)
        code = acme_directory_read(call.json, acme->scheme, &acme->directory, err);
    acme->has_directory = code == ERR_OK;
    return code;
}

enum err_code acme_open(struct acme *acme, struct err *err)
{
    return acme->has_directory ? ERR_OK : fetch_directory(acme, err);
}

enum err_code acme_meta(struct acme *acme, const struct acme_meta **out, struct err *err)
{
    enum err_code code = acme_open(acme, err);

    if (code == ERR_OK)
        *out = &acme->directory.meta;
    return code;
}

size_t acme_request_count(const struct acme *acme)
{
    return acme->request_count;
}

void acme_use_account(struct acme *acme, const struct key *key, const char *account_url)
{
    struct key *old_key = acme->key;
    char *old_url = acme->account_url; /* the new ones may be these */

    acme->key = key_dup(key);
    acme->account_url = mem_strdup(account_url);
    key_free(old_key);
    free(old_url);
}

enum err_code acme_account_want(const struct acme *acme, struct err *err)
{
    return acme->key && acme->account_url
               ? ERR_OK
               : err_set(err, ERR_INTERNAL, "no account with the CA at \"%s\" is in use", acme->directory_url);
}

enum err_code acme_ready(struct acme *acme, struct err *err)
{
    enum err_code code = acme_account_want(acme, err);

    return code == ERR_OK ? acme_open(acme, err) : code;
}

void acme_result_init(struct acme_result *result)
{
    *result = (struct acme_result){.code = ERR_OK};
}

bool acme_result_is_temporary(const struct acme_result *result)
{
    return result->code == ERR_NETWORK || result->code == ERR_TIMEOUT || result->code == ERR_TLS ||
           result->code == ERR_SERVER;
}

void acme_result_set(struct acme_result *result, enum err_code code, const struct err *err)
{
    result->code = code;
    if (code == ERR_OK)
        err_init(&result->err);
    else
        result->err = *err;
}

void acme_result_take_problem(struct acme_result *result, const json_t *error, const char *doing)
{
    result->code = acme_problem_set(&result->err, error, 0, ACME_PROBLEM_OF_VALIDATION, doing);
    result->problem = error ? acme_problem_type_of(error) : ACME_PROBLEM_NONE;
}

char *acme_names_describe(const struct strlist *names)
{
    if (names->count == 0)
        return mem_strdup("no name");
    if (names->count == 1)
        return mem_printf("\"%s\"", names->items[0]);
    return mem_printf("\"%s\" and %zu more name%s", names->items[0], names->count - 1, names->count == 2 ? "" : "s");
}
