/* SPDX-License-Identifier: MIT */
#include "acme/problem.h"

#include <inttypes.h>
#include <string.h>

#include "acme/internal.h"
#include "util/text.h"

#define URN "urn:ietf:params:acme:error:"
#define DETAIL_MAX 400
#define SUBPROBLEMS_SHOWN 5

struct problem_meaning {
    const char *name;
    const char *hint; /* NULL: nothing helps but what the CA says */
};

static const struct problem_meaning meanings[] = {
    [ACME_PROBLEM_ACCOUNT_DOES_NOT_EXIST] =
        {"accountDoesNotExist", "Check that the directory URL is that of the CA where the account was made.  If the CA "
                                "has forgotten it, run \"acme-dme account deactivate\", then \"acme-dme account "
                                "register\"."},
    [ACME_PROBLEM_ALREADY_REPLACED] = {"alreadyReplaced", "The certificate was replaced by another order already."},
    [ACME_PROBLEM_ALREADY_REVOKED] = {"alreadyRevoked", "Nothing is left to do."},
    [ACME_PROBLEM_BAD_CSR] = {"badCSR", "Check the type and size of the certificate's key, and of a CSR of your own "
                                        "that its names are exactly those of the certificate."},
    [ACME_PROBLEM_BAD_NONCE] = {"badNonce", "The CA's servers do not agree on their nonces; try again later."},
    [ACME_PROBLEM_BAD_PUBLIC_KEY] = {"badPublicKey", "Use another key; RSA with 2048 bits and ECDSA P-256 are taken "
                                                     "everywhere."},
    [ACME_PROBLEM_BAD_REVOCATION_REASON] = {"badRevocationReason", "Give another reason, or none."},
    [ACME_PROBLEM_BAD_SIGNATURE_ALGORITHM] = {"badSignatureAlgorithm", "Use an account key of another type; ECDSA "
                                                                       "P-256 is taken everywhere."},
    [ACME_PROBLEM_CAA] = {"caa", "Look at the CAA records of the name and of the domains above it; one of them has to "
                                 "allow this CA (acme-dme check shows them)."},
    [ACME_PROBLEM_COMPOUND] = {"compound", NULL},
    [ACME_PROBLEM_CONNECTION] = {"connection", "The CA could not reach a server of the domain; check that its name "
                                               "servers answer from everywhere (acme-dme check)."},
    [ACME_PROBLEM_DNS] = {"dns", "The CA's resolver got no usable answer; check the delegation, DNSSEC and the name "
                                 "servers of the domain (acme-dme check)."},
    [ACME_PROBLEM_EXTERNAL_ACCOUNT_REQUIRED] = {"externalAccountRequired",
                                                "This CA ties accounts to customers: get a key identifier and an HMAC "
                                                "key for external account binding from it, and put both into the "
                                                "configuration."},
    [ACME_PROBLEM_INCORRECT_RESPONSE] = {"incorrectResponse",
                                         "The CA saw another TXT record than ours; check that nobody else answers this "
                                         "name's challenges, and that all name servers show the same (acme-dme "
                                         "check)."},
    [ACME_PROBLEM_INVALID_CONTACT] = {"invalidContact", "Check the e-mail address of the account."},
    [ACME_PROBLEM_INVALID_PROFILE] = {"invalidProfile", "Choose a profile that the CA's directory lists, or none."},
    [ACME_PROBLEM_MALFORMED] = {"malformed", NULL},
    [ACME_PROBLEM_ORDER_NOT_READY] = {"orderNotReady", NULL},
    [ACME_PROBLEM_RATE_LIMITED] = {"rateLimited", NULL},
    [ACME_PROBLEM_REJECTED_IDENTIFIER] = {"rejectedIdentifier", "The CA issues no certificate for this name; take it "
                                                                "out of the certificate, or use another CA."},
    [ACME_PROBLEM_SERVER_INTERNAL] = {"serverInternal", "The CA has trouble of its own; look at its status page, and "
                                                        "try again later."},
    [ACME_PROBLEM_TLS] = {"tls", NULL},
    [ACME_PROBLEM_UNAUTHORIZED] = {"unauthorized", "The account may not do this: it may have been deactivated, or be "
                                                   "another than the one that began it."},
    [ACME_PROBLEM_UNSUPPORTED_CONTACT] = {"unsupportedContact", "Use an e-mail address as the account's contact."},
    [ACME_PROBLEM_UNSUPPORTED_IDENTIFIER] = {"unsupportedIdentifier",
                                             "The CA issues no certificates for names of this kind, or not for "
                                             "wildcards; take it out of the certificate, or use another CA."},
    [ACME_PROBLEM_USER_ACTION_REQUIRED] = {"userActionRequired", "The CA wants you to do something first, such as "
                                                                 "agreeing to new terms of service; see its web "
                                                                 "site."},
};

static const char unauthorized_validation[] =
    "The CA did not find our TXT record; check that the name servers that the world asks are those that have it, and "
    "that no other client answers this name's challenges (acme-dme check).";

/* The member as text, or NULL; whatever the server sent. */
static const char *member_text(const json_t *json, const char *key)
{
    const char *text = json_string_value(json_object_get(json, key));

    return text && *text ? text : NULL;
}

enum acme_problem_type acme_problem_type_of(const json_t *json)
{
    const char *type = member_text(json, "type");

    if (!type || !text_starts_with(type, URN))
        return ACME_PROBLEM_OTHER;
    for (size_t i = 0; i < ARRAY_LEN(meanings); i++)
        if (meanings[i].name && strcmp(type + strlen(URN), meanings[i].name) == 0)
            return (enum acme_problem_type)i;
    return ACME_PROBLEM_OTHER;
}

/* "<detail> (<type>)" */
static void put_problem(struct buf *out, const json_t *json)
{
    const char *detail = member_text(json, "detail");
    const char *type = member_text(json, "type");
    char shown[DETAIL_MAX];

    if (type && text_starts_with(type, URN))
        type += strlen(URN);
    if (!detail)
        detail = member_text(json, "title");
    text_cut_into(shown, sizeof shown, detail ? detail : "nothing but the type of the problem");
    if (detail || type)
        buf_puts(out, shown);
    else
        buf_puts(out, "an error without type and text");
    if (type) {
        text_cut_into(shown, sizeof shown, type);
        buf_printf(out, " (%s)", shown);
    }
}

static void put_subproblems(struct buf *out, const json_t *subproblems)
{
    size_t count = json_array_size(subproblems);

    for (size_t i = 0; i < count && i < SUBPROBLEMS_SHOWN; i++) {
        const json_t *one = json_array_get(subproblems, i);
        const char *name = member_text(json_object_get(one, "identifier"), "value");

        buf_printf(out, "; ");
        if (name)
            buf_printf(out, "\"%.255s\": ", name);
        put_problem(out, one);
    }
    if (count > SUBPROBLEMS_SHOWN)
        buf_printf(out, "; and %zu more", count - SUBPROBLEMS_SHOWN);
}

/* What the CA's validation ran into, rather than what it does not like about a request. */
static bool is_of_validation(enum acme_problem_type type, enum acme_problem_place place)
{
    switch (type) {
    case ACME_PROBLEM_CAA: /* looked at again when an order is finalized */
        return true;
    case ACME_PROBLEM_NONE:
    case ACME_PROBLEM_OTHER:
    case ACME_PROBLEM_COMPOUND:
    case ACME_PROBLEM_CONNECTION:
    case ACME_PROBLEM_DNS:
    case ACME_PROBLEM_INCORRECT_RESPONSE:
    case ACME_PROBLEM_MALFORMED:
    case ACME_PROBLEM_TLS:
    case ACME_PROBLEM_UNAUTHORIZED:
        return place == ACME_PROBLEM_OF_VALIDATION;
    default:
        return false;
    }
}

static enum err_code code_for(enum acme_problem_type type, long status, enum acme_problem_place place)
{
    if (type == ACME_PROBLEM_RATE_LIMITED)
        return ERR_ACME_LIMIT;
    if (type == ACME_PROBLEM_SERVER_INTERNAL || status >= 500)
        return ERR_SERVER;
    return is_of_validation(type, place) ? ERR_CHALLENGE : ERR_ACME;
}

static void hint_limit(struct err *err, const struct acme_problem_context *context)
{
    char when[CLOCK_HTTP_DATE_MAX];
    int64_t pause_ms = context->retry_after_ms;

    if (pause_ms == ACME_PAUSE_NONE) {
        err_hint(err, "The CA's limit for such requests is used up; wait as long as it says, and ask for fewer "
                      "certificates or names at a time.");
        return;
    }
    /* The next full minute, so that nobody comes too early: "2011-02-12 20:59" */
    clock_format_iso(when, (context->now_ms + pause_ms + 59999) / 1000);
    when[10] = ' ';
    when[16] = '\0';
    err_hint(err, "The CA's limit for such requests is used up; try again after %s UTC.",
             pause_ms < INT64_C(86400000) / 2 ? when + 11 : when);
}

static void hint_action(struct err *err, const struct acme_problem_context *context)
{
    const char *instance = member_text(context->json, "instance");

    if (instance)
        err_hint(err, "Open %s in a browser and do what the CA asks for there; then try again.", instance);
    else if (context->terms_url)
        err_hint(err, "Read the CA's terms of service at %s, agree to them, and try again.", context->terms_url);
    else
        err_hint(err, "%s", meanings[ACME_PROBLEM_USER_ACTION_REQUIRED].hint);
}

/* The type of the only kind of subproblem, as "compound" says nothing itself. */
static enum acme_problem_type telling_type(const json_t *json)
{
    enum acme_problem_type type = acme_problem_type_of(json);
    const json_t *subproblems = json_object_get(json, "subproblems");

    if (type == ACME_PROBLEM_COMPOUND && json_array_size(subproblems) > 0)
        return acme_problem_type_of(json_array_get(subproblems, 0));
    return type;
}

static void put_hint(struct err *err, const struct acme_problem_context *context)
{
    enum acme_problem_type type = telling_type(context->json);

    if (type == ACME_PROBLEM_RATE_LIMITED)
        hint_limit(err, context);
    else if (type == ACME_PROBLEM_USER_ACTION_REQUIRED)
        hint_action(err, context);
    else if (type == ACME_PROBLEM_UNAUTHORIZED && context->place == ACME_PROBLEM_OF_VALIDATION)
        err_hint(err, "%s", unauthorized_validation);
    else if (meanings[type].hint)
        err_hint(err, "%s", meanings[type].hint);
    else if (context->status >= 500)
        err_hint(err, "%s", meanings[ACME_PROBLEM_SERVER_INTERNAL].hint);
}

enum err_code acme_problem_explain(struct err *err, const struct acme_problem_context *context)
{
    struct buf text AUTO_BUF = BUF_INIT(8192);
    enum err_code code = code_for(acme_problem_type_of(context->json), context->status, context->place);

    if (json_is_object(context->json)) {
        put_problem(&text, context->json);
        put_subproblems(&text, json_object_get(context->json, "subproblems"));
        (void)err_set(err, code, "%s: the CA says: %s", context->doing, buf_cstr(&text));
    } else if (context->status) {
        (void)err_set(err, code, "%s: the CA answered with status %ld and no word why", context->doing,
                      context->status);
    } else {
        (void)err_set(err, code, "%s: the CA does not say why", context->doing);
    }
    put_hint(err, context);
    return code;
}

enum err_code acme_problem_set(struct err *err, const json_t *json, long status, enum acme_problem_place place,
                               const char *doing)
{
    return acme_problem_explain(
        err, &(struct acme_problem_context){
                 .json = json, .status = status, .place = place, .doing = doing, .retry_after_ms = ACME_PAUSE_NONE});
}
