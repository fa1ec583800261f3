/* SPDX-License-Identifier: MIT */
#include "crypto/chain.h"

#include <openssl/err.h>

#include "crypto/chain_ossl.h"
#include "crypto/ossl.h"
#include "crypto/san.h"
#include "platform/platform.h"

#define SKEW_S 3600 /* CAs date back by an hour; a clock that is behind ours may do the reverse */
#define LISTED_MAX 400

/* ------------------------------------------------------------------ names */

/* Those of `a` that `b` has not, as a text; yours, NULL: there is none. */
static char *list_missing(const struct strlist *a, const struct strlist *b)
{
    struct buf AUTO_BUF text = BUF_INIT(LISTED_MAX);

    for (size_t i = 0; i < a->count; i++)
        if (!strlist_has_nocase(b, a->items[i]))
            buf_printf(&text, "%s\"%s\"", text.len ? ", " : "", a->items[i]);
    return text.len || text.overflow ? buf_take(&text) : NULL;
}

static enum err_code refuse_extra(const char *name, struct err *err)
{
    return err_set(err, ERR_INPUT, "the certificate is for %s, which was not asked for", name);
}

/* Clients look at the SAN only, so a common name counts for nothing, and yet must not say anything else. */
static enum err_code check_common_names(const X509 *x509, const struct strlist *wanted, struct err *err)
{
    AUTO_STRLIST struct strlist names = {NULL, 0};
    AUTO_FREE char *odd = san_add_common_names(X509_get_subject_name(x509), &names);
    AUTO_FREE char *extra = odd ? NULL : list_missing(&names, wanted);

    return odd || extra ? refuse_extra(odd ? odd : extra, err) : ERR_OK;
}

static enum err_code check_names(const X509 *x509, const struct strlist *wanted, struct err *err)
{
    GENERAL_NAMES AUTO(san_free) *sans = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);
    AUTO_STRLIST struct strlist names = {NULL, 0};
    AUTO_FREE char *odd = NULL;
    AUTO_FREE char *missing = NULL;
    AUTO_FREE char *extra = NULL;

    ERR_clear_error();
    odd = san_add(sans, &names);
    if (odd)
        return refuse_extra(odd, err);
    missing = list_missing(wanted, &names);
    if (missing)
        return err_set(err, ERR_INPUT, "the certificate is not for %s", missing);
    extra = list_missing(&names, wanted);
    return extra ? refuse_extra(extra, err) : check_common_names(x509, wanted, err);
}

/* ------------------------------------------------------------------ the rest */

static enum err_code check_key(const struct chain *chain, const struct chain_expectation *want, struct err *err)
{
    if (chain_has_key(chain, want->public_der, want->public_der_len))
        return ERR_OK;
    return err_set(err, ERR_INPUT, "the certificate is for another key than the one it was asked for with");
}

static enum err_code check_dates(const struct cert *cert, int64_t now_s, struct err *err)
{
    char when[CLOCK_HTTP_DATE_MAX];

    if (cert->not_after_s <= now_s) {
        clock_format_iso(when, cert->not_after_s);
        (void)err_set(err, ERR_INPUT, "the certificate has expired at %s", when);
    } else if (cert->not_before_s > now_s + SKEW_S) {
        clock_format_iso(when, cert->not_before_s);
        (void)err_set(err, ERR_INPUT, "the certificate is not valid before %s", when);
    } else {
        return ERR_OK;
    }
    err_hint(err, "Make sure that this machine's clock is right (%s).", platform_clock_advice());
    return ERR_INPUT;
}

/* Is each issued by the next one?  Names and signatures; whether that one may issue is the business of who relies on
 * it. */
static enum err_code check_links(const struct chain *chain, struct err *err)
{
    for (size_t i = 0; i + 1 < chain->count; i++) {
        X509 *issued = chain->items[i].x509;
        X509 *issuer = chain->items[i + 1].x509;
        EVP_PKEY *key = X509_get0_pubkey(issuer);
        bool is_good = X509_NAME_cmp(X509_get_issuer_name(issued), X509_get_subject_name(issuer)) == 0 && key &&
                       X509_verify(issued, key) == 1;

        ERR_clear_error();
        if (!is_good)
            return err_set(err, ERR_INPUT,
                           "the chain is broken: \"%s\" was not issued by the certificate behind it, \"%s\"",
                           chain->items[i].cert.subject, chain->items[i + 1].cert.subject);
    }
    return ERR_OK;
}

enum err_code chain_check(const struct chain *chain, const struct chain_expectation *want, struct err *err)
{
    enum err_code code = check_key(chain, want, err);

    if (code == ERR_OK)
        code = check_names(chain->items[0].x509, want->names, err);
    if (code == ERR_OK)
        code = check_dates(&chain->items[0].cert, want->now_s, err);
    return code == ERR_OK ? check_links(chain, err) : code;
}
