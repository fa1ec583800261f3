/* SPDX-License-Identifier: MIT
 *
 * May the CA issue for the name (CAA), and can it believe the zone's answers (DNSSEC)?
 */
#include <string.h>

#include "check/internal.h"
#include "dns/caa.h"
#include "dns/dnssec.h"
#include "dns/name.h"
#include "util/text.h"

#define WHY_MAX 512
#define PROBE_MS 2000
#define EXPIRES_SOON_S (INT64_C(3) * 86400)

/* ------------------------------------------------------------------ CAA */

static size_t count_issuers(const char *const *issuers)
{
    size_t count = 0;

    while (issuers && issuers[count])
        count++;
    return count;
}

static bool has_tag(const struct caa_set *set, const char *tag)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->items[i].tag, tag) == 0)
            return true;
    return false;
}

static void advise_caa(struct check *check, const char *domain, const struct caa_set *set)
{
    bool is_wild = text_starts_with(domain, "*.") && has_tag(set, "issuewild");

    check_hint(check->report,
               "Have the CAA records at \"%s\" permit it (0 %s \"%s\"); if another CA is meant, name it with "
               "\"check.ca\" or --ca.",
               set->owner, is_wild ? "issuewild" : "issue", check->opts.ca_issuers[0]);
}

static void report_caa(struct check *check, const char *domain, const struct caa_set *set, enum caa_verdict verdict,
                       const char *why)
{
    const struct check_opts *opts = &check->opts;

    if (verdict == CAA_FORBIDDEN) {
        check_add(check->report, CHECK_FAIL, "caa", domain, "\"%s\" may not issue: %s", opts->ca, why);
        check_code(check->report, ERR_DNS);
        advise_caa(check, domain, set);
    } else if (verdict == CAA_PERMITTED_IF_ACCOUNT) {
        check_add(check->report, CHECK_WARN, "caa", domain, "\"%s\" may issue for one account only: %s", opts->ca, why);
        check_hint(check->report, "Compare it with the URI of your ACME account; with \"check.account_uri\" or "
                                  "--account-uri acme-dme does.");
    } else if (!set->owner) {
        check_add(check->report, CHECK_OK, "caa", domain, "no CAA record restricts who may issue");
    } else {
        check_add(check->report, CHECK_OK, "caa", domain, "the CAA records at \"%s\" permit \"%s\"", set->owner,
                  opts->ca);
    }
}

static void report_caa_failure(struct check *check, const char *domain, enum err_code code, const struct err *why)
{
    /* RFC 8659 section 3: a CA must not issue where the look-up fails */
    check_add_error(check->report, code == ERR_DNS ? CHECK_FAIL : CHECK_WARN, "caa", domain, why);
    if (*why->hint)
        return;
    if (code == ERR_DNS)
        check_hint(check->report, "A CA that can't look CAA records up must not issue: see what the other lines say of "
                                  "the zone's name servers and DNSSEC.");
    else
        check_hint(check->report, "See whether this machine's resolvers answer at all; if they do, the zone's name "
                                  "servers may be too slow for a CA, too.");
}

/* Two resolvers do not agree; a CA has resolvers of its own. */
static void report_caa_doubt(struct check *check, const char *domain, const struct err *why)
{
    check_add(check->report, CHECK_WARN, "caa", domain, "%s, while DNS over HTTPS gets an answer that permits it",
              why->msg);
    check_hint(check->report, "Either this machine's resolver is at fault, or the zone's name servers do not answer "
                              "everybody: a CA that can't look CAA records up must not issue.");
}

static bool is_unanswered(enum err_code code)
{
    return code == ERR_TIMEOUT || code == ERR_NETWORK;
}

static struct resolver *caa_resolver(const struct check *check, size_t i)
{
    return i ? check->opts.doh[i - 1] : check->opts.direct;
}

/* Where resolvers can't be asked on port 53, DNS over HTTPS may do; and where one fails, another may get an answer:
 * *err is then the failure, else clear.  Who was silent is asked last from then on. */
static enum err_code find_caa(struct check *check, const char *name, struct caa_set *out, struct err *err)
{
    size_t count = check->opts.doh_count + 1;
    size_t first = check->caa_first;
    enum err_code result = ERR_OK;
    bool is_silence = true;

    for (size_t n = 0; n < count; n++) {
        size_t i = (first + n) % count;
        struct err later;
        enum err_code code;

        err_init(&later);
        code = caa_find(caa_resolver(check, i), name, out, &later);
        if (is_silence && !is_unanswered(code))
            check->caa_first = i;
        is_silence &= is_unanswered(code);
        if (code == ERR_OK) {
            if (is_unanswered(result))
                err_init(err);
            return code;
        }
        if (code == ERR_CANCELLED || n == 0 || (is_unanswered(result) && !is_unanswered(code))) {
            *err = later;
            result = code;
        }
        if (code == ERR_CANCELLED)
            return code;
    }
    return result;
}

/* Are resolvers silent about that name, or about everything?  Each of them knows the top-level domain.
 * Errors: ERR_CANCELLED. */
static enum err_code look_for_resolver(struct check *check, const char *name, struct err *err)
{
    const char *top = name;

    while (name_parent(top))
        top = name_parent(top);
    for (size_t i = 0; i <= check->opts.doh_count; i++) {
        const struct dns_question question = {.name = top, .type = DNS_SOA, .timeout_ms = PROBE_MS};
        AUTO_DNS_ANSWER struct dns_answer answer = {.rcode = 0};
        struct err why;
        enum err_code code = resolver_ask(caa_resolver(check, i), &question, &answer, &why);

        if (code == ERR_CANCELLED)
            return err_set(err, code, "%s", why.msg);
        if (!is_unanswered(code))
            return ERR_OK;
    }
    check->has_no_resolver = true;
    return ERR_OK;
}

enum err_code check_caa(struct check *check, const char *domain, struct err *err)
{
    AUTO_CAA_SET struct caa_set set = {.owner = NULL};
    bool is_wildcard = text_starts_with(domain, "*.");
    const char *name = is_wildcard ? domain + 2 : domain;
    const struct caa_request request = {
        .issuers = check->opts.ca_issuers,
        .issuer_count = count_issuers(check->opts.ca_issuers),
        .kind = is_wildcard ? CAA_WILDCARD : CAA_NAME,
        .method = "dns-01",
        .account_uri = check->opts.account_uri,
    };
    char why[WHY_MAX] = "";
    struct err failed;
    enum caa_verdict verdict;
    enum err_code code;

    if (!check->opts.ca_issuers) {
        check_add(check->report, CHECK_SKIPPED, "caa", domain, "it is not known how the CA calls itself");
        return ERR_OK;
    }
    if (check->has_no_resolver) {
        check_add(check->report, CHECK_SKIPPED, "caa", domain, "no resolver answers this machine");
        return ERR_OK;
    }
    check_report_flush(check->report);
    err_init(&failed);
    code = find_caa(check, name, &set, &failed);
    if (code == ERR_CANCELLED)
        return err_set(err, code, "%s", failed.msg);
    if (code != ERR_OK) {
        report_caa_failure(check, domain, code, &failed);
        return is_unanswered(code) ? look_for_resolver(check, name, err) : ERR_OK;
    }
    verdict = caa_judge(&set, &request, why, sizeof why);
    if (verdict == CAA_PERMITTED && failed.code == ERR_DNS)
        report_caa_doubt(check, domain, &failed);
    else
        report_caa(check, domain, &set, verdict, why);
    return ERR_OK;
}

/* ------------------------------------------------------------------ DNSSEC */

static int64_t true_now_s(const struct check *check, const struct challenge_place *place)
{
    int64_t offset_ms = 0;

    if (!place->account->dme || !dme_clock_offset_ms(place->account->dme, &offset_ms))
        offset_ms = 0;
    return (clock_wall_ms(check->opts.clock) - offset_ms) / 1000;
}

static void report_secure(struct check *check, const char *zone, const struct dnssec_view *view, int64_t now_s)
{
    char until[CLOCK_HTTP_DATE_MAX] = "";
    bool is_soon = view->expires_s && view->expires_s - now_s < EXPIRES_SOON_S;

    if (view->expires_s)
        clock_format_iso(until, view->expires_s);
    check_add(check->report, is_soon || view->why ? CHECK_WARN : CHECK_OK, "dnssec", zone,
              "signed, and the chain of trust holds%s%s%s%s", view->expires_s ? "; the first signature expires " : "",
              until, view->why ? "; " : "", view->why ? view->why : "");
    if (view->why)
        check_hint(check->report, "Look at that resolver's clock and at its trust anchors: a CA has resolvers of its "
                                  "own, but here signed zones may seem not to be there.");
    else if (is_soon)
        check_hint(check->report,
                   "See that whoever signs the zone renews its signatures before that: a CA can't validate "
                   "names in it afterwards.");
    if (view->expires_s)
        check_measure(check->report, "expires_s", view->expires_s);
    check_measure(check->report, "was_validated", view->was_validated);
}

static void report_dnssec(struct check *check, const char *zone, const struct dnssec_view *view, int64_t now_s)
{
    switch (view->state) {
    case DNSSEC_UNSIGNED:
        if (view->why)
            check_add(check->report, CHECK_OK, "dnssec", zone, "nothing to validate: %s", view->why);
        else
            check_add(check->report, CHECK_OK, "dnssec", zone, "not signed, and the zone above does not say otherwise");
        break;
    case DNSSEC_SECURE:
        report_secure(check, zone, view, now_s);
        break;
    case DNSSEC_BROKEN:
        check_add(check->report, CHECK_FAIL, "dnssec", zone, "%s: CAs validate, and so refuse",
                  view->why ? view->why : "its signatures can't be believed");
        check_code(check->report, ERR_DNS);
        check_hint(check->report, "Make keys, signatures and the DS record at the registrar fit, or have the DS record "
                                  "taken out there.");
        break;
    case DNSSEC_UNKNOWN:
        check_add(check->report, CHECK_SKIPPED, "dnssec", zone, "could not be found out%s%s", view->why ? ": " : "",
                  view->why ? view->why : "");
        break;
    }
}

enum err_code check_dnssec(struct check *check, const struct challenge_place *place, const struct check_zone *zone,
                           struct err *err)
{
    AUTO(dnssec_view_done) struct dnssec_view view = {.state = DNSSEC_UNKNOWN};
    const struct dnssec_request request = {
        .zone = place->zone,
        .servers = &zone->answering,
        .direct = check->opts.direct,
        .doh = check->opts.doh,
        .doh_count = check->opts.doh_count,
        .now_s = true_now_s(check, place),
    };
    enum err_code code;

    if (check->has_no_resolver) {
        check_add(check->report, CHECK_SKIPPED, "dnssec", place->zone, "no resolver answers this machine");
        return ERR_OK;
    }
    check_report_flush(check->report);
    code = dnssec_examine(&request, &view, err);
    if (code == ERR_OK)
        report_dnssec(check, place->zone, &view, request.now_s);
    return code;
}
