/* SPDX-License-Identifier: MIT
 *
 * Renewal information, RFC 9773.
 */
#include <stdlib.h>
#include <string.h>

#include "acme/internal.h"
#include "crypto/b64url.h"
#include "util/text.h"

#define WHAT "the CA's renewal information"
#define LOOK_DEFAULT_MS (INT64_C(6) * 3600 * 1000)
#define LOOK_SHORTEST_MS (INT64_C(60) * 1000)
#define LOOK_LONGEST_MS (INT64_C(24) * 3600 * 1000)

void acme_renewal_info_done(struct acme_renewal_info *info)
{
    free(info->explanation_url);
    *info = (struct acme_renewal_info){.start_ms = 0};
}

static enum err_code read_time(const json_t *window, const char *key, int64_t *out_ms, struct err *err)
{
    const char *what = "\"suggestedWindow\" of " WHAT;
    const char *text;
    enum err_code code = json_want_string(window, key, what, &text, err);

    if (code == ERR_OK && !clock_parse_rfc3339(text, out_ms))
        code = err_set(err, ERR_INPUT, "%s has \"%.100s\" as \"%s\", which is no time of RFC 3339", what, text, key);
    return code;
}

enum err_code acme_renewal_info_read(const json_t *json, struct acme_renewal_info *out, struct err *err)
{
    struct acme_renewal_info info AUTO(acme_renewal_info_done) = {.next_look_ms = LOOK_DEFAULT_MS};
    const json_t *window = json_object_get(json, "suggestedWindow");
    enum err_code code = json_want_object(window, "\"suggestedWindow\" of " WHAT, err);

    if (code == ERR_OK)
        code = read_time(window, "start", &info.start_ms, err);
    if (code == ERR_OK)
        code = read_time(window, "end", &info.end_ms, err);
    if (code == ERR_OK && info.end_ms <= info.start_ms) /* RFC 9773 section 4.2: as if there were none */
        code = err_set(err, ERR_INPUT, "%s has a window that ends before it begins", WHAT);
    if (code == ERR_OK) /* for people only, so any text will do */
        code = acme_member_find_text(json, "explanationURL", WHAT, &info.explanation_url, err);
    if (code != ERR_OK)
        return acme_member_error(code, err);
    *out = info;
    info = (struct acme_renewal_info){.start_ms = 0};
    return ERR_OK;
}

/* "<base64url>.<base64url>" */
static bool is_cert_id(const char *id)
{
    return id[strspn(id, B64URL_ALPHABET ".")] == '\0' && *id && strlen(id) <= 256;
}

static int64_t next_look_ms(int64_t asked_ms)
{
    if (asked_ms == ACME_PAUSE_NONE)
        return LOOK_DEFAULT_MS;
    if (asked_ms < LOOK_SHORTEST_MS)
        return LOOK_SHORTEST_MS;
    return asked_ms > LOOK_LONGEST_MS ? LOOK_LONGEST_MS : asked_ms;
}

static void take_info(const struct acme *acme, const struct acme_call *call, struct acme_renewal_info *info,
                      struct acme_result *result)
{
    struct err err = call->result.err;
    enum err_code code = call->result.code;

    *result = call->result;
    if (code == ERR_ACME && call->response.status == 404)
        code = err_set(&err, ERR_NOT_FOUND, "the CA at \"%s\" has no renewal information for the certificate",
                       acme->directory_url);
    if (code == ERR_OK) {
        code = acme_renewal_info_read(call->json, info, &err);
        if (code != ERR_OK)
            (void)err_prefix(&err, code, "could not %s", call->what);
    }
    acme_result_set(result, code, &err);
    if (code == ERR_OK)
        info->next_look_ms = next_look_ms(acme_retry_after_ms(&call->response, clock_wall_ms(acme->clock)));
}

static enum err_code fetch(struct acme *acme, const char *const *cert_ids, size_t count,
                           struct acme_renewal_info *infos, struct acme_result *results, struct err *err)
{
    struct acme_calls calls AUTO_ACME_CALLS = acme_calls_new(count);
    struct strlist urls AUTO_STRLIST = {.count = 0};
    const char *base = acme->directory.urls[ACME_RENEWAL_INFO];
    const char *between = text_ends_with(base, "/") ? "" : "/";
    enum err_code code;

    for (size_t i = 0; i < count; i++) {
        struct acme_call *call = &calls.items[i];

        call->kind = ACME_GET;
        call->expect = ACME_EXPECT_OBJECT;
        strlist_add_take(&urls,
                         is_cert_id(cert_ids[i]) ? mem_printf("%s%s%s", base, between, cert_ids[i]) : mem_strdup(""));
        call->url = urls.items[i];
        call->what = mem_strdup("ask the CA when to renew the certificate");
        if (!*call->url)
            acme_call_refuse(call, "its identifier is none");
    }
    code = acme_send(acme, calls.items, count, err);
    for (size_t i = 0; i < count; i++)
        take_info(acme, &calls.items[i], &infos[i], &results[i]);
    return code;
}

enum err_code acme_renewal_infos(struct acme *acme, const char *const *cert_ids, size_t count,
                                 struct acme_renewal_info *infos, struct acme_result *results, struct err *err)
{
    struct err why;
    enum err_code code = acme_open(acme, &why);

    if (code == ERR_OK && !acme->directory.meta.has_renewal_info)
        code = err_set(&why, ERR_NOT_FOUND, "the CA at \"%s\" has no renewal information", acme->directory_url);
    for (size_t i = 0; i < count; i++) {
        infos[i] = (struct acme_renewal_info){.start_ms = 0};
        acme_result_init(&results[i]);
        if (code != ERR_OK)
            acme_result_set(&results[i], code, &why);
    }
    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    if (code == ERR_OK)
        code = fetch(acme, cert_ids, count, infos, results, &why);
    if (code != ERR_OK && err)
        *err = why;
    return code;
}
