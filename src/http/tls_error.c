/* SPDX-License-Identifier: MIT
 *
 * The server's certificate did not verify: which one, why, and what to do.  Whether a certificate expired or this
 * machine's clock is ahead can't be told from here for sure, as no answer was read that could tell the time; so the
 * likelier of the two is named first.
 */
#include <inttypes.h>
#include <string.h>

#include "http/curl_error.h"
#include "platform/platform.h"
#include "util/buf.h"

#define TEXT_MAX 2048
#define NAMES_SHOWN 3
#define DAY_S 86400
#define FORGOTTEN_S (30 * DAY_S)      /* servers of many users are not left expired for so long */
#define WRITTEN_S INT64_C(1767225600) /* 2026-01-01: no clock that is right shows an earlier time */

struct tls_error {
    const struct curl_failure *failure;
    const struct verify_finding *finding;
    int64_t now_s;
    struct buf cause;
    struct buf remedy;
};

static void put_time(struct buf *out, int64_t unix_s)
{
    char text[CLOCK_HTTP_DATE_MAX];

    clock_format_iso(text, unix_s);
    buf_puts(out, text);
}

/* "3 days" */
static void put_about(struct buf *out, int64_t s)
{
    static const struct {
        int64_t s;
        const char *name;
    } units[] = {{365 * DAY_S, "years"}, {DAY_S, "days"}, {3600, "hours"}, {60, "minutes"}, {1, "seconds"}};
    size_t i = 0;

    while (i + 1 < ARRAY_LEN(units) && s < 2 * units[i].s)
        i++;
    buf_printf(out, "%" PRId64 " %s", s / units[i].s, units[i].name);
}

/* "its certificate", "the certificate of its CA "R1"" */
static void put_subject(struct tls_error *e)
{
    if (e->finding->is_of_ca)
        buf_printf(&e->cause, "the certificate of its CA \"%s\"", e->finding->cert.subject);
    else
        buf_puts(&e->cause, "its certificate");
}

static void put_how_to_set_clock(struct tls_error *e)
{
    if (e->failure->clock_advice)
        buf_printf(&e->remedy, " (%s)", e->failure->clock_advice);
}

static void explain_not_yet_valid(struct tls_error *e)
{
    put_subject(e);
    buf_puts(&e->cause, " is valid from ");
    put_time(&e->cause, e->finding->cert.not_before_s);
    buf_puts(&e->cause, " on, and this machine's clock says ");
    put_time(&e->cause, e->now_s);
    buf_printf(&e->remedy, "This machine's clock is %sbehind: set it and keep it right",
               e->now_s < WRITTEN_S ? "" : "probably ");
    put_how_to_set_clock(e);
    buf_puts(&e->remedy, "; certificates are checked whatever the clock says.");
}

static void explain_expired(struct tls_error *e)
{
    int64_t ago_s = e->now_s - e->finding->cert.not_after_s;

    put_subject(e);
    buf_puts(&e->cause, " expired on ");
    put_time(&e->cause, e->finding->cert.not_after_s);
    buf_puts(&e->cause, ", ");
    put_about(&e->cause, ago_s);
    buf_puts(&e->cause, " ago by this machine's clock (");
    put_time(&e->cause, e->now_s);
    buf_puts(&e->cause, ago_s > FORGOTTEN_S || e->finding->is_of_ca
                            ? "): probably the clock is ahead, else the certificate was not renewed"
                            : "): either it was not renewed, or the clock is ahead");
    buf_puts(&e->remedy, "Compare this machine's clock with the real time and set it if it is ahead");
    put_how_to_set_clock(e);
    buf_printf(&e->remedy, "; if it is right, whoever runs \"%s\" has to renew the certificate.", e->failure->host);
}

static void explain_unknown_ca(struct tls_error *e)
{
    buf_printf(&e->cause, "its certificate comes from \"%s\", which this machine does not trust",
               e->finding->cert.issuer);
    if (e->failure->ca_file)
        buf_printf(&e->remedy, "Check that ca_file \"%s\" holds the CA certificate of \"%s\".", e->failure->ca_file,
                   e->finding->cert.issuer);
    else
        buf_printf(&e->remedy,
                   "If \"%s\" is your own CA or a proxy that inspects TLS, name its CA certificate with ca_file; if it "
                   "is a public CA, install or update the system's CA certificates (%s); "
                   "else somebody may be listening in.",
                   e->finding->cert.issuer, platform_cas_advice());
}

static void explain_self_signed(struct tls_error *e)
{
    buf_printf(&e->cause, "its certificate is self-signed by \"%s\", not issued by a CA", e->finding->cert.subject);
    buf_printf(&e->remedy,
               "Something else answers in the server's place: check the endpoint, this machine's name servers and "
               "%s, and proxies; if \"%s\" is meant, name its certificate with ca_file.",
               platform_hosts_place(), e->finding->cert.subject);
}

static void put_names(struct buf *out, const struct strlist *names)
{
    for (size_t i = 0; i < names->count && i < NAMES_SHOWN; i++)
        buf_printf(out, "%s\"%s\"", i ? ", " : "", names->items[i]);
    if (names->count > NAMES_SHOWN)
        buf_printf(out, " and %zu more", names->count - NAMES_SHOWN);
}

/* The chain is good, so it is the name that is not. */
static void explain_wrong_host(struct tls_error *e)
{
    buf_puts(&e->cause, "its certificate is not for this host but for ");
    if (e->finding->cert.names.count)
        put_names(&e->cause, &e->finding->cert.names);
    else
        buf_puts(&e->cause, "none that it names");
    buf_printf(&e->remedy,
               "Check the host name in the endpoint, what this machine's name servers and %s say of it, "
               "and whether a proxy or captive portal answers in its place.",
               platform_hosts_place());
}

static void explain_other(struct tls_error *e)
{
    put_subject(e);
    buf_printf(&e->cause, " does not verify: %s", e->finding->reason);
}

static void explain(struct tls_error *e)
{
    switch (e->finding->fault) {
    case VERIFY_GOOD:
        explain_wrong_host(e);
        break;
    case VERIFY_NOT_YET_VALID:
        explain_not_yet_valid(e);
        break;
    case VERIFY_EXPIRED:
        explain_expired(e);
        break;
    case VERIFY_UNKNOWN_CA:
        explain_unknown_ca(e);
        break;
    case VERIFY_SELF_SIGNED:
        explain_self_signed(e);
        break;
    case VERIFY_OTHER:
        explain_other(e);
        break;
    }
}

static void tls_error_done(struct tls_error *e)
{
    buf_done(&e->cause);
    buf_done(&e->remedy);
}

bool tls_error_explain(const struct curl_failure *failure, struct err *err)
{
    struct verify_finding AUTO(verify_finding_done) finding = {.fault = VERIFY_GOOD};
    struct tls_error AUTO(tls_error_done) e = {
        .failure = failure,
        .finding = &finding,
        .now_s = failure->now_ms / 1000,
        .cause = BUF_INIT(TEXT_MAX),
        .remedy = BUF_INIT(TEXT_MAX),
    };

    if (failure->code != CURLE_PEER_FAILED_VERIFICATION || !curl_watch_read(failure->watch, &finding))
        return false;
    if (finding.fault == VERIFY_GOOD && !strstr(failure->text, "name")) /* libcurl minds something else */
        return false;
    explain(&e);
    (void)err_set(err, ERR_TLS, "no secure connection to \"%s\": %s", failure->host, buf_cstr(&e.cause));
    err_hint(err, "%s", buf_cstr(&e.remedy));
    return true;
}
