/* SPDX-License-Identifier: MIT */
#include "dme/auth.h"

#include <inttypes.h>
#include <string.h>

#include "crypto/digest.h"
#include "dme/error.h"
#include "util/text.h"

/* The API refuses dates that are 30 s off; its own answer takes a while to reach us, and Date has no
 * fractions. */
#define SUSPECT_MS 25000

#define CLOCK_HINT                                                                                                     \
    "Enable time synchronisation on this machine (for example \"timedatectl set-ntp true\"); DNS Made Easy refuses "   \
    "requests that are dated 30 s or more off its own time."

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
bool dme_auth_learn_time(struct dme *dme, const struct http_response *response, int64_t sent_mono_ms)
{
    const char *date = http_response_header(response, "Date");
    int64_t server_s;
    int64_t middle_ms;

    if (!date || !clock_parse_http_date(date, &server_s))
        return false;
    if (http_response_header(response, "Age")) /* some cache's idea of the time, not the server's */
        return false;
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

/* "412 s ahead of" */
static void format_offset(char *out, size_t size, int64_t offset_ms)
{
    (void)snprintf(out, size, "%" PRId64 " s %s", (magnitude(offset_ms) + 500) / 1000,
                   offset_ms < 0 ? "behind" : "ahead of");
}

static void warn_of_clock(struct dme *dme, int64_t signed_off_ms)
{
    char offset[64];
    int64_t clock_off_ms = signed_off_ms;

    (void)dme_clock_offset_ms(dme, &clock_off_ms);
    if (magnitude(clock_off_ms) < 1000) {
        log_line(dme->log, LOG_WARNING,
                 "DNS Made Easy found the date of a request out of step with its own time; signed "
                 "it again with the server's time, continuing");
        return;
    }
    format_offset(offset, sizeof offset, clock_off_ms);
    log_line(dme->log, LOG_WARNING,
             "this machine's clock is %s DNS Made Easy's (enable time synchronisation); signed the request again with "
             "the server's time, continuing",
             offset);
}

static void set_date_error(struct dme *dme, const char *text, struct err *err)
{
    char offset[64] = "out of step with";
    int64_t offset_ms = 0;

    if (dme_clock_offset_ms(dme, &offset_ms) && magnitude(offset_ms) >= 1000)
        format_offset(offset, sizeof offset, offset_ms);
    (void)err_set(err, ERR_AUTH,
                  "DNS Made Easy refused the date of the request: this machine's clock is %s the server's: \"%s\"",
                  offset, text);
    err_hint(err, CLOCK_HINT);
}

/* Known texts of the API and what they mean for the operator. */
static const struct refusal {
    const char *text;
    const char *meaning;
    const char *hint;
} refusals[] = {
    {"API key not found", "DNS Made Easy does not know the API key",
     "Check api_key in the configuration file or DNSMADEEASY_API_KEY in the environment; a key of the sandbox works at "
     "the sandbox only, a key of production at production only."},
    {"Unable to verify HMAC", "DNS Made Easy knows the API key, but the API secret does not belong to it",
     "Check api_secret in the configuration file or DNSMADEEASY_API_SECRET in the environment: it must be the secret "
     "that was issued with this very key, complete and without quotes or white space."},
    {"Missing API key or HMAC", "DNS Made Easy says that the API key or the signature is missing",
     "Check that api_key and api_secret in the configuration file are not empty, and that no proxy on the way to DNS "
     "Made Easy removes the x-dnsme headers."},
    {"Invalid request date header", "DNS Made Easy could not read the date of the request",
     "Check whether a proxy on the way to DNS Made Easy changes request headers; if there is none, please "
     "report this as a bug of acme-dme."},
};

static void set_refusal(long status, const char *text, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        if (!strstr(text, refusals[i].text))
            continue;
        (void)err_set(err, ERR_AUTH, "%s (status %ld: \"%s\")", refusals[i].meaning, status, text);
        err_hint(err, "%s", refusals[i].hint);
        return;
    }
    if (*text)
        (void)err_set(err, ERR_AUTH, "DNS Made Easy refused access (status %ld): \"%s\"", status, text);
    else
        (void)err_set(err, ERR_AUTH, "DNS Made Easy refused access (status %ld) and gave no reason", status);
    err_hint(err, "Check api_key and api_secret in the configuration file, whether they belong to the sandbox or to "
                  "production, and whether the account's plan includes API access.");
}

enum dme_verdict dme_auth_judge(struct dme *dme, const struct dme_retry *retry, long status, const char *text,
                                int64_t signed_ms, bool knows_time, struct err *err)
{
    bool is_about_date = strstr(text, "too far out of sync") != NULL;
    int64_t signed_off_ms = knows_time ? signed_ms - server_now_ms(dme) : 0;
    char said[DME_ERROR_SHOWN_MAX];

    text_cut_into(said, sizeof said, text);
    if (knows_time && !retry->resigned && (is_about_date || magnitude(signed_off_ms) >= SUSPECT_MS)) {
        (void)err_set(err, ERR_AUTH, "DNS Made Easy refused the date of the request (status %ld): \"%s\"", status,
                      said);
        warn_of_clock(dme, signed_off_ms);
        return DME_RESIGN;
    }
    if (is_about_date)
        set_date_error(dme, said, err);
    else
        set_refusal(status, said, err);
    return DME_FINAL;
}
