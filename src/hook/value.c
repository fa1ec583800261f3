/* SPDX-License-Identifier: MIT */
#include "hook/value.h"

#include <string.h>

#include "crypto/digest.h"

/* One character-string of a TXT record, RFC 1035 section 3.3.  A dns-01 value has 43; others are allowed, since later
 * challenge types have longer ones. */
#define VALUE_MAX 255
#define KEY_AUTHORIZATION_MAX 4096

static enum err_code check_text(const char *given, size_t max, const char *what, struct err *err)
{
    size_t len = strlen(given);

    if (len == 0)
        return err_set(err, ERR_USAGE, "the %s is empty", what);
    if (len > max)
        return err_set(err, ERR_USAGE, "the %s has %zu characters, more than the %zu that are possible", what, len,
                       max);
    for (size_t i = 0; i < len; i++)
        if (given[i] <= ' ' || given[i] > '~' || given[i] == '"' || given[i] == '\\')
            return err_set(err, ERR_USAGE,
                           "the %s has a character at position %zu that does not belong into a challenge", what,
                           i + 1);
    return ERR_OK;
}

enum err_code hook_value_make(enum hook_value_kind kind, const char *given, char **out, struct err *err)
{
    char digest[DIGEST_B64URL_SHA256_LEN + 1];
    enum err_code code;

    if (kind == HOOK_VALUE_DIGEST) {
        code = check_text(given, VALUE_MAX, "TXT value", err);
        if (code == ERR_OK)
            *out = mem_strdup(given);
        return code;
    }
    code = check_text(given, KEY_AUTHORIZATION_MAX, "key authorization", err);
    if (code == ERR_OK && !strchr(given, '.')) {
        code = err_set(err, ERR_USAGE, "the key authorization has no \".\" between token and thumbprint");
        err_hint(err, "lego sends it as the last argument when EXEC_MODE is RAW.");
    }
    if (code == ERR_OK)
        code = digest_sha256_b64url(given, strlen(given), digest, err);
    if (code == ERR_OK)
        *out = mem_strdup(digest);
    return code;
}

void hook_request_add(struct hook_request *request, enum hook_name_kind kind, const char *name, char *value_take)
{
    request->records = mem_grow(request->records, request->count, sizeof *request->records);
    request->records[request->count++] =
        (struct hook_record){.kind = kind, .name = mem_strdup(name), .value = value_take};
}
