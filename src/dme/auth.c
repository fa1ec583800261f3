/* SPDX-License-Identifier: MIT */
#include "dme/auth.h"

#include <string.h>

#include "crypto/digest.h"

/* The API refuses dates that are 30 s off; its own answer takes a while to reach us, and Date has no
 * fractions. */
#define SUSPECT_MS 25000

static int64_t server_now_ms(const struct dme *dme)
{
    return dme->has_server_time ? clock_mono_ms(dme->clock) + dme->server_minus_mono_ms : clock_wall_ms(dme->clock);
}

bool dme_clock_offset_ms(const struct dme *dme, int64_t *out)
{
    if (!dme->has_server_time)
        return false;
    *out = clock_wall_ms(dme->clock) - server_now_ms(dme);
    return true;
}

enum dme_key_verdict dme_key_verdict(const struct dme *dme)
{
    return dme->key_verdict;
}

static void add_secret_header(struct http_request *request, const char *name, const struct secret *value)
{
    http_request_add_header(request, name, secret_bytes(value));
}

enum err_code dme_auth_sign(struct dme *dme, struct http_request *request, int64_t *out_signed_ms, struct err *err)
{
    int64_t now_ms = server_now_ms(dme);
    char date[CLOCK_HTTP_DATE_MAX];
    char hmac[DIGEST_SHA1_HEX_LEN + 1];
    enum err_code code;

    clock_format_http_date(date, now_ms / 1000);
    code = digest_hmac_sha1_hex(dme->api_secret, date, strlen(date), hmac, err);
    if (code != ERR_OK)
        return code;
    add_secret_header(request, "x-dnsme-apiKey", dme->api_key);
    http_request_add_header(request, "x-dnsme-requestDate", date);
    http_request_add_header(request, "x-dnsme-hmac", hmac);
    secret_wipe(hmac, sizeof hmac);
    *out_signed_ms = now_ms;
    return ERR_OK;
}

/* Date names a whole second, so the best guess is its middle; the server wrote it somewhere between our
 * sending and the first byte of the answer, so the best guess is the middle again. */
bool dme_auth_learn_time(struct dme *dme, const struct http_response *response, int64_t sent_mono_ms, bool is_from_api)
{
    const char *date = http_response_header(response, "Date");
    int64_t server_s;
    int64_t middle_ms;

    if (!date || !clock_parse_http_date(date, &server_s))
        return false;
    if (http_response_header(response, "Age")) /* some cache's idea of the time, not the server's */
        return false;
    if (dme->has_api_time && !is_from_api)
        return false;
    dme->has_api_time |= is_from_api;
    middle_ms = sent_mono_ms + (response->mono_answered_ms - sent_mono_ms) / 2;
    dme->server_minus_mono_ms = server_s * 1000 + 500 - middle_ms;
    dme->has_server_time = true;
    return true;
}

/* ------------------------------------------------------------------ 401 and 403 */

static int64_t magnitude(int64_t n)
{
    return n < 0 ? -n : n;
}

static void warn_of_clock(struct dme *dme, int64_t signed_off_ms)
{
    struct buf offset AUTO_BUF = BUF_INIT(256);
    int64_t clock_off_ms = signed_off_ms;

    (void)dme_clock_offset_ms(dme, &clock_off_ms);
    if (magnitude(clock_off_ms) < 1000) {
        log_line(dme->log, LOG_WARNING,
                 "DNS Made Easy found the date of a request out of step with its own time; signed "
                 "it again with the server's time, continuing");
        return;
    }
    dme_refusal_offset(clock_off_ms, &offset);
    log_line(dme->log, LOG_WARNING,
             "this machine's clock is %s%s; set it (%s); signed the request again with the "
             "server's time, continuing",
             buf_cstr(&offset),
             dme_refusal_is_zone_offset(clock_off_ms) ? ", as if a time zone's time were taken for UTC" : "",
             dme->clock_advice ? dme->clock_advice : "and enable time synchronisation");
}

enum dme_verdict dme_auth_judge(struct dme *dme, const struct dme_retry *retry, const struct dme_refusal *refusal,
                                struct err *err)
{
    int64_t signed_off_ms = refusal->knows_time ? refusal->signed_ms - server_now_ms(dme) : 0;

    if (refusal->knows_time && !retry->resigned &&
        (dme_refusal_is_about_date(refusal) || magnitude(signed_off_ms) >= SUSPECT_MS)) {
        (void)err_set(err, ERR_AUTH, "DNS Made Easy refused the date of the request (status %ld)", refusal->status);
        warn_of_clock(dme, signed_off_ms);
        return DME_RESIGN;
    }
    dme->key_verdict = dme_refusal_key_verdict(refusal);
    dme_refusal_explain(dme, refusal, retry->resigned, err);
    return DME_FINAL;
}
