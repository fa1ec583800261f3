/* SPDX-License-Identifier: MIT */
#include "flow/renewal.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/random.h"

#define HOUR_MS (INT64_C(3600) * 1000)
#define AFTER_FAILURE_MS HOUR_MS       /* RFC 9773 section 4.3.3: temporary errors */
#define AFTER_REFUSAL_MS (6 * HOUR_MS) /* ... long-term errors */
#define LAST_RESORT 10                 /* with a tenth of the lifetime left no window is waited for any more */

/* ------------------------------------------------------------------ deciding */

static int64_t lifetime_ms(const struct certificate_record *record)
{
    return (record->not_after_s - record->not_before_s) * 1000;
}

static int64_t by_rule_ms(const struct certificate_record *record, const struct renewal_rule *rule)
{
    int64_t left = rule->denominator ? lifetime_ms(record) / rule->denominator * rule->numerator : rule->ms;

    return record->not_after_s * 1000 - left;
}

static bool has_window(const struct certificate_record *record, const struct renewal_rule *rule)
{
    return !rule->ignore_window && record->drawn_ms > 0;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t renewal_moment_ms(const struct certificate_record *record, const struct renewal_rule *rule)
{
    int64_t moment;

    if (!record->generation || record->revoked_ms)
        return 0;
    if (!has_window(record, rule))
        return by_rule_ms(record, rule);
    moment = sooner(record->drawn_ms, record->not_after_s * 1000 - lifetime_ms(record) / LAST_RESORT);
    return rule->is_given ? sooner(moment, by_rule_ms(record, rule)) : moment;
}

enum renewal_reason renewal_decide(const struct certificate_record *record, const struct renewal_rule *rule,
                                   int64_t now_ms)
{
    if (!record->generation)
        return RENEWAL_MISSING;
    if (record->revoked_ms)
        return RENEWAL_REVOKED;
    if (now_ms >= record->not_after_s * 1000)
        return RENEWAL_EXPIRED;
    if (now_ms < renewal_moment_ms(record, rule))
        return RENEWAL_NOT_DUE;
    return has_window(record, rule) && now_ms >= record->drawn_ms ? RENEWAL_WINDOW : RENEWAL_LIFETIME;
}

const char *renewal_reason_text(enum renewal_reason reason)
{
    static const char *const texts[] = {
        [RENEWAL_NOT_DUE] = "it is not due",     [RENEWAL_MISSING] = "there is none yet",
        [RENEWAL_EXPIRED] = "it has expired",    [RENEWAL_REVOKED] = "it was revoked",
        [RENEWAL_WINDOW] = "the CA suggests it", [RENEWAL_LIFETIME] = "little is left of its lifetime",
    };

    return texts[reason];
}

/* ------------------------------------------------------------------ asking */

static bool is_to_be_asked(const struct acme *acme, const struct certificate_record *record, int64_t now_ms)
{
    return record->generation && *record->ari_id && !record->revoked_ms && now_ms < record->not_after_s * 1000 &&
           now_ms >= record->next_look_ms && strcmp(record->directory, acme_directory_url(acme)) == 0;
}

/* RFC 9773 section 4.2: uniformly random within the window. */
static enum err_code draw(const struct acme_renewal_info *info, int64_t *out, struct err *err)
{
    uint64_t random;
    enum err_code code = random_bytes(&random, sizeof random, err);

    if (code == ERR_OK)
        *out = info->start_ms + (int64_t)(random % (uint64_t)(info->end_ms - info->start_ms));
    return code;
}

/* A moment is drawn once for a window: drawing at each look would favour early ones. */
static enum err_code take_info(struct certificate_record *record, struct acme_renewal_info *info, int64_t now_ms,
                               struct err *err)
{
    enum err_code code = ERR_OK;

    record->next_look_ms = now_ms + info->next_look_ms;
    free(record->explanation_url);
    record->explanation_url = info->explanation_url ? info->explanation_url : mem_strdup("");
    info->explanation_url = NULL;
    if (record->window_start_ms == info->start_ms && record->window_end_ms == info->end_ms && record->drawn_ms)
        return ERR_OK;
    code = draw(info, &record->drawn_ms, err);
    record->window_start_ms = info->start_ms;
    record->window_end_ms = info->end_ms;
    return code;
}

static void take_failure(struct certificate_record *record, const struct acme_result *result, int64_t now_ms,
                         struct log *log)
{
    record->next_look_ms = now_ms + (acme_result_is_temporary(result) ? AFTER_FAILURE_MS : AFTER_REFUSAL_MS);
    log_line(log, LOG_INFO, "%s: no renewal information: %s", record->name, result->err.msg);
}

static enum err_code ask(struct acme *acme, struct certificate_record *const *records, const char *const *ids,
                         size_t count, int64_t now_ms, struct log *log, struct err *err)
{
    AUTO_FREE struct acme_renewal_info *infos = mem_calloc(count, sizeof *infos);
    AUTO_FREE struct acme_result *results = mem_calloc(count, sizeof *results);
    enum err_code code = acme_renewal_infos(acme, ids, count, infos, results, err);

    for (size_t i = 0; i < count && code == ERR_OK; i++) {
        if (results[i].code == ERR_OK)
            code = take_info(records[i], &infos[i], now_ms, err);
        else
            take_failure(records[i], &results[i], now_ms, log);
    }
    for (size_t i = 0; i < count; i++)
        acme_renewal_info_done(&infos[i]);
    return code;
}

enum err_code renewal_look(struct acme *acme, struct certificate_record *const *records, size_t count, int64_t now_ms,
                           bool *changed, struct log *log, struct err *err)
{
    AUTO_FREE struct certificate_record **asked = mem_calloc(count, sizeof *asked);
    AUTO_FREE const char **ids = mem_calloc(count, sizeof *ids);
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        changed[i] = is_to_be_asked(acme, records[i], now_ms);
        if (!changed[i])
            continue;
        asked[n] = records[i];
        ids[n++] = records[i]->ari_id;
    }
    return n ? ask(acme, asked, ids, n, now_ms, log, err) : ERR_OK;
}
