/* SPDX-License-Identifier: MIT
 *
 * The same status stands for a wrong clock, a wrong key, a wrong secret, headers that got lost, and proxies that have
 * their own mind.  What the API says tells them apart; where the credentials were read, their shape, the endpoint and
 * the measured offset of the clock say what to do about it.  Secrets are named by origin and fingerprint.
 */
#include "dme/refusal.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/digest.h"
#include "dme/auth.h"
#include "dme/error.h"
#include "util/text.h"

#define PART_MAX 4096 /* what is too long is cut by err_set() and err_hint() */
#define ORIGIN_SHOWN_MAX 160
#define CLOCK_GOOD_MS 5000

#define PANEL "DNS Made Easy's control panel, under Config, Account Information"

/* ------------------------------------------------------------------ the clock */

void dme_refusal_offset(int64_t offset_ms, struct buf *out)
{
    char span[CLOCK_SPAN_MAX];

    clock_format_span(span, offset_ms);
    buf_printf(out, "%s %s DNS Made Easy's", span, offset_ms < 0 ? "behind" : "ahead of");
}

bool dme_refusal_is_zone_offset(int64_t offset_ms)
{
    const int64_t quarter_ms = 900000, slack_ms = 60000;
    int64_t magnitude = offset_ms < 0 ? -offset_ms : offset_ms;
    int64_t rest = magnitude % quarter_ms;

    return magnitude >= 2 * quarter_ms - slack_ms && magnitude <= 14 * 4 * quarter_ms + slack_ms &&
           (rest <= slack_ms || rest >= quarter_ms - slack_ms);
}

static void put_clock_remedy(const struct dme *dme, struct buf *out)
{
    int64_t offset_ms;

    buf_puts(out, "Set this machine's clock and keep it right");
    if (dme->clock_advice)
        buf_printf(out, " (%s)", dme->clock_advice);
    buf_puts(out, "; DNS Made Easy refuses requests that are dated 30 s or more off its own time.");
    if (dme_clock_offset_ms(dme, &offset_ms) && dme_refusal_is_zone_offset(offset_ms))
        buf_puts(out, " The offset looks like a time zone's: is the hardware clock set to local time, or daylight "
                      "saving time to the clock instead of the time zone?");
}

static bool is_clock_good(int64_t offset_ms)
{
    return offset_ms < CLOCK_GOOD_MS && offset_ms > -CLOCK_GOOD_MS;
}

static void explain_date(const struct dme *dme, const char *said, const struct dme_refusal *r, bool was_resigned,
                         struct err *err)
{
    struct buf cause AUTO_BUF = BUF_INIT(PART_MAX);
    struct buf remedy AUTO_BUF = BUF_INIT(PART_MAX);
    int64_t offset_ms = 0;

    if (!dme_clock_offset_ms(dme, &offset_ms)) {
        buf_puts(&cause, ", and its own time could not be measured, as its answer has no usable Date header");
        buf_puts(&remedy, "Does a proxy on the way remove that header? ");
        put_clock_remedy(dme, &remedy);
    } else if (is_clock_good(offset_ms)) {
        buf_puts(&cause, ", though this machine's clock agrees with the time in its answers");
        buf_puts(&remedy, "The clock is not to blame: try again later; if it stays so, check whether a proxy on the "
                          "way holds requests up or changes their headers.");
    } else {
        buf_puts(&cause, was_resigned ? ", signed with its own time, too" : "");
        buf_puts(&cause, ": this machine's clock is ");
        dme_refusal_offset(offset_ms, &cause);
        put_clock_remedy(dme, &remedy);
    }
    (void)err_set(err, ERR_AUTH, "DNS Made Easy refused the date of the request%s (status %ld: \"%s\")",
                  buf_cstr(&cause), r->status, said);
    err_hint(err, "%s", buf_cstr(&remedy));
}

/* Of a refusal that is not about the date: rule the clock out, or say that it can't be. */
static void put_clock_remark(const struct dme *dme, struct buf *out)
{
    int64_t offset_ms;

    if (!dme_clock_offset_ms(dme, &offset_ms))
        buf_puts(out, " Check this machine's clock too: the answer has no Date header to compare it with.");
    else if (is_clock_good(offset_ms))
        buf_puts(out, " The clock is not to blame: it agrees with DNS Made Easy's.");
}

/* ------------------------------------------------------------------ the credentials */

/* " (from /etc/acme-dme/acme-dme.yaml:3:12, fingerprint 1a2b3c4d)" */
static void put_identity(struct buf *out, const char *origin, const struct secret *value)
{
    char shown[ORIGIN_SHOWN_MAX];
    char fingerprint[9];

    text_cut_into(shown, sizeof shown, origin ? origin : "");
    buf_puts(out, " (");
    if (origin)
        buf_printf(out, "from %s, ", shown);
    if (digest_fingerprint(value, fingerprint, NULL) == ERR_OK)
        buf_printf(out, "fingerprint %s", fingerprint);
    buf_putc(out, ')');
}

static void put_shape(const struct dme *dme, struct buf *out)
{
    struct buf remark AUTO_BUF = BUF_INIT(512);

    if (dme_credentials_remark(dme->api_key, dme->api_secret, &remark))
        buf_printf(out, ": %s", buf_cstr(&remark));
}

static void put_hidden(const struct dme *dme, struct buf *out)
{
    char shown[ORIGIN_SHOWN_MAX];

    if (!dme->hidden_origin)
        return;
    text_cut_into(shown, sizeof shown, dme->hidden_origin);
    buf_printf(out, "It hides a different one (%s); if that is the right one, unset the environment variable. ", shown);
}

static void put_key_cause(const struct dme *dme, struct buf *out)
{
    buf_puts(out, "DNS Made Easy does not know the API key");
    put_identity(out, dme->key_origin, dme->api_key);
    put_shape(dme, out);
}

static void put_key_remedy(const struct dme *dme, struct buf *out)
{
    put_hidden(dme, out);
    buf_printf(out,
               "Compare this api_key%s with the one in " PANEL
               ": it may be mistyped, revoked, or swapped with the secret",
               dme->key_origin ? "" : " (of the configuration file, or DNSMADEEASY_API_KEY)");
    if (dme_is_at(dme, DME_ENDPOINT_PRODUCTION))
        buf_puts(out, "; a key of the sandbox works with \"sandbox: true\" only.");
    else if (dme_is_at(dme, DME_ENDPOINT_SANDBOX))
        buf_puts(out, "; this is the sandbox, where a key of production does not work: leave \"sandbox: true\" out.");
    else
        buf_printf(out, "; keys of production and sandbox differ, and this is \"%s\".", dme->base);
}

static void put_secret_cause(const struct dme *dme, struct buf *out)
{
    buf_puts(out, "DNS Made Easy knows the API key");
    put_identity(out, dme->key_origin, dme->api_key);
    buf_puts(out, ", but the API secret");
    put_identity(out, dme->secret_origin, dme->api_secret);
    buf_puts(out, " does not belong to it");
    put_shape(dme, out);
}

static void put_secret_remedy(const struct dme *dme, struct buf *out)
{
    put_hidden(dme, out);
    buf_printf(
        out,
        "Put the api_secret that was issued with this very api_key into %s, complete and without quotes or white "
        "space (" PANEL "); if it works elsewhere, compare the fingerprints that \"-v\" shows.",
        dme->secret_origin ? "its place" : "the configuration file or DNSMADEEASY_API_SECRET");
    put_clock_remark(dme, out);
}

static void put_missing_cause(const struct dme *dme, struct buf *out)
{
    buf_puts(out, "DNS Made Easy says that the API key or the signature is missing, and both were sent");
    put_shape(dme, out);
}

static void put_missing_remedy(const struct dme *dme, struct buf *out)
{
    buf_printf(out,
               "Look for a proxy between this machine and \"%s\" that removes the x-dnsme headers (environment "
               "variables https_proxy and all_proxy, or one that needs no setting).",
               dme->base);
}

static void put_unreadable_date_cause(UNUSED const struct dme *dme, struct buf *out)
{
    buf_puts(out, "DNS Made Easy could not read the date of the request");
}

static void put_unreadable_date_remedy(UNUSED const struct dme *dme, struct buf *out)
{
    buf_puts(out, "Check whether a proxy on the way to DNS Made Easy changes request headers; if there is none, please "
                  "report this as a bug of acme-dme.");
}

static void put_unknown_cause(const struct dme *dme, struct buf *out)
{
    buf_puts(out, "DNS Made Easy refused access with the API key");
    put_identity(out, dme->key_origin, dme->api_key);
    put_shape(dme, out);
}

static void put_unknown_remedy(const struct dme *dme, struct buf *out)
{
    put_hidden(dme, out);
    buf_printf(out,
               "Check in " PANEL ", that the key is still valid, that it belongs to this endpoint (\"%s\"), and that "
               "the account's plan includes API access.",
               dme->base);
    put_clock_remark(dme, out);
}

/* Known texts of the API and what they mean; the last row is for all others. */
static const struct meaning {
    const char *text;
    enum dme_key_verdict key;
    void (*cause)(const struct dme *dme, struct buf *out);
    void (*remedy)(const struct dme *dme, struct buf *out);
} meanings[] = {
    {"API key not found", DME_KEY_NOT_FOUND, put_key_cause, put_key_remedy},
    {"Unable to verify HMAC", DME_KEY_FOUND, put_secret_cause, put_secret_remedy},
    {"Missing API key or HMAC", DME_KEY_UNDECIDED, put_missing_cause, put_missing_remedy},
    {"Invalid request date header", DME_KEY_UNDECIDED, put_unreadable_date_cause, put_unreadable_date_remedy},
    {"", DME_KEY_UNDECIDED, put_unknown_cause, put_unknown_remedy},
};

static const struct meaning *meaning_of(const char *text)
{
    const struct meaning *m = meanings;

    while (!strstr(text, m->text))
        m++;
    return m;
}

/* ------------------------------------------------------------------ who said it */

static void explain_foreign(const struct dme *dme, const char *said, const struct dme_refusal *r, struct err *err)
{
    char server[64];

    text_cut_into(server, sizeof server, r->server ? r->server : "");
    (void)err_set(err, ERR_AUTH,
                  "something on the way refused the request, not DNS Made Easy's API (status %ld%s%s%s%s%s%s)",
                  r->status, *server ? ", server \"" : "", server, *server ? "\"" : "", *said ? ": \"" : "", said,
                  *said ? "\"" : "");
    err_hint(err,
             "The answer has none of the API's headers: look for a proxy, firewall or content filter between this "
             "machine and \"%s\" (environment variables https_proxy and all_proxy), and whether DNS Made Easy blocks "
             "this machine's address; API key and secret were not looked at.",
             dme->base);
}

bool dme_refusal_is_about_date(const struct dme_refusal *refusal)
{
    return strstr(refusal->text, "too far out of sync") != NULL;
}

enum dme_key_verdict dme_refusal_key_verdict(const struct dme_refusal *refusal)
{
    return meaning_of(refusal->text)->key;
}

void dme_refusal_explain(const struct dme *dme, const struct dme_refusal *refusal, bool was_resigned, struct err *err)
{
    struct buf cause AUTO_BUF = BUF_INIT(PART_MAX);
    struct buf remedy AUTO_BUF = BUF_INIT(PART_MAX);
    const struct meaning *meaning = meaning_of(refusal->text);
    char said[DME_ERROR_SHOWN_MAX];

    text_cut_into(said, sizeof said, refusal->text);
    if (dme_refusal_is_about_date(refusal)) {
        explain_date(dme, said, refusal, was_resigned, err);
        return;
    }
    if (refusal->is_foreign && !*meaning->text) {
        explain_foreign(dme, said, refusal, err);
        return;
    }
    meaning->cause(dme, &cause);
    meaning->remedy(dme, &remedy);
    if (*said)
        (void)err_set(err, ERR_AUTH, "%s (status %ld: \"%s\")", buf_cstr(&cause), refusal->status, said);
    else
        (void)err_set(err, ERR_AUTH, "%s and gave no reason (status %ld)", buf_cstr(&cause), refusal->status);
    err_hint(err, "%s", buf_cstr(&remedy));
}
