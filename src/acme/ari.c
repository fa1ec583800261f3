/* SPDX-License-Identifier: MIT
 *
 * Renewal information, RFC 9773: unsigned, so that it needs neither nonce nor account.
 */
#include <stdlib.h>
#include <string.h>

#include "acme/internal.h"

#define WHAT "the CA's renewal information"
#define MINUTE_MS INT64_C(60000)
#define SHORTEST_MS MINUTE_MS              /* section 4.3.2: pauses that are out of all reason are clamped */
#define LONGEST_MS (24 * 60 * MINUTE_MS)
#define DEFAULT_MS (6 * 60 * MINUTE_MS)
#define CERT_ID_MAX 512

void acme_renewal_info_done(struct acme_renewal_info *info)
{
    free(info->explanation_url);
    *info = (struct acme_renewal_info){.start_ms = 0};
}

static enum err_code read_moment(const json_t *window, const char *key, int64_t *out_ms, struct err *err)
{
    const char *text;
    enum err_code code = json_want_string(window, key, WHAT, &text, err);

    if (code == ERR_OK && !clock_parse_rfc3339(text, out_ms))
        code = err_set(err, ERR_INPUT, "%s has \"%s\" as \"%s\", which is no time of RFC 3339", WHAT, text, key);
    return code;
}

enum err_code acme_renewal_info_read(const json_t *json, struct acme_renewal_info *out, struct err *err)
{
    struct acme_renewal_info AUTO(acme_renewal_info_done) info = {.next_look_ms = DEFAULT_MS};
    const json_t *window = json_object_get(json, "suggestedWindow");
    enum err_code code = json_want_object(json, WHAT, err);

    if (code == ERR_OK && !json_is_object(window))
        code = err_set(err, ERR_INPUT, "%s has no \"suggestedWindow\"", WHAT);
    if (code == ERR_OK)
        code = read_moment(window, "start", &info.start_ms, err);
    if (code == ERR_OK)
        code = read_moment(window, "end", &info.end_ms, err);
    if (code == ERR_OK && info.end_ms <= info.start_ms)
        code = err_set(err, ERR_INPUT, "%s has a window that ends before it begins", WHAT);
    if (code == ERR_OK)
        code = acme_member_find_text(json, "explanationURL", WHAT, &info.explanation_url, err);
    if (code != ERR_OK)
        return acme_member_error(code, err);
    /* It is shown to people, who may follow it. */
    if (info.explanation_url && !acme_url_is_valid(info.explanation_url, ACME_HTTP_TOO)) {
        free(info.explanation_url);
        info.explanation_url = NULL;
    }
    *out = info;
    info = (struct acme_renewal_info){.start_ms = 0};
    return ERR_OK;
}

static int64_t clamp(int64_t pause_ms)
{
    if (pause_ms == ACME_PAUSE_NONE)
        return DEFAULT_MS;
    return pause_ms < SHORTEST_MS ? SHORTEST_MS : pause_ms > LONGEST_MS ? LONGEST_MS : pause_ms;
}

static void take(struct acme *acme, const struct acme_call *call, struct acme_renewal_info *info,
                 struct acme_result *result)
{
    struct err err;
    enum err_code code = call->result.code;

    *result = call->result;
    if (code == ERR_ACME && call->response.result == ERR_OK && call->response.status == 404)
        result->code = result->err.code = ERR_NOT_FOUND;
    if (code != ERR_OK)
        return;
    code = acme_renewal_info_read(call->json, info, &err);
    acme_result_set(result, code, &err);
    if (code == ERR_OK)
        info->next_look_ms = clamp(acme_retry_after_ms(&call->response, clock_wall_ms(acme->clock)));
}

/* base64url and a dot: nothing that would lead elsewhere. */
static bool is_cert_id(const char *id)
{
    size_t len = strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.");

    return len > 0 && len <= CERT_ID_MAX && id[len] == '\0';
}

static enum err_code ask(struct acme *acme, const char *base, const char *const *cert_ids, size_t count,
                         struct acme_renewal_info *infos, struct acme_result *results, struct err *err)
{
    struct acme_calls calls AUTO_ACME_CALLS = acme_calls_new(count);
    struct strlist AUTO_STRLIST urls = {NULL, 0};
    const char *slash = base[strlen(base) - 1] == '/' ? "" : "/";
    enum err_code code;

    for (size_t i = 0; i < count; i++) {
        strlist_add_take(&urls, mem_printf("%s%s%s", base, slash, is_cert_id(cert_ids[i]) ? cert_ids[i] : ""));
        calls.items[i].kind = ACME_GET;
        calls.items[i].expect = ACME_EXPECT_OBJECT;
        calls.items[i].what = mem_strdup("get renewal information");
    }
    for (size_t i = 0; i < count; i++)
        calls.items[i].url = urls.items[i];
    code = acme_send(acme, calls.items, count, err);
    for (size_t i = 0; i < count; i++)
        take(acme, &calls.items[i], &infos[i], &results[i]);
    return code;
}

enum err_code acme_renewal_infos(struct acme *acme, const char *const *cert_ids, size_t count,
                                 struct acme_renewal_info *infos, struct acme_result *results, struct err *err)
{
    struct err why;
    enum err_code code = acme_open(acme, &why);

    if (code == ERR_OK && !acme->directory.meta.has_renewal_info)
        code = err_set(&why, ERR_NOT_FOUND, "the CA has no renewal information");
    for (size_t i = 0; i < count; i++) {
        infos[i] = (struct acme_renewal_info){.start_ms = 0};
        acme_result_set(&results[i], code, &why);
    }
    if (code == ERR_OK)
        return ask(acme, acme->directory.urls[ACME_RENEWAL_INFO], cert_ids, count, infos, results, err);
    if (code != ERR_CANCELLED && code != ERR_INTERNAL)
        return ERR_OK;
    if (err)
        *err = why;
    return code;
}
