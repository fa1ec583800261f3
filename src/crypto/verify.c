/* SPDX-License-Identifier: MIT */
#include "crypto/verify.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "crypto/x509.h"
#include "util/text.h"

struct verify_watch {
    X509 *at_fault; /* or the server's own; NULL: nothing was verified yet */
    int error;
    int depth;
};

bool verify_is_our_library(const char *version)
{
    const char *ours = OpenSSL_version(OPENSSL_VERSION_STRING);
    size_t len = strlen(ours);

    /* Behind it another library may be named, which is there but not in use. */
    return text_starts_with(version, "OpenSSL/") && strncmp(version + 8, ours, len) == 0 &&
           (version[8 + len] == '\0' || version[8 + len] == ' ');
}

/* In place of X509_verify_cert(), which does the work: that is what OpenSSL does without such a function. */
static int verify_and_note(X509_STORE_CTX *store, void *user)
{
    struct verify_watch *watch = user;
    int verdict = X509_verify_cert(store);
    X509 *cert = verdict > 0 ? NULL : X509_STORE_CTX_get_current_cert(store);

    watch->depth = cert ? X509_STORE_CTX_get_error_depth(store) : 0;
    watch->error = verdict > 0 ? X509_V_OK : X509_STORE_CTX_get_error(store);
    if (!cert)
        cert = X509_STORE_CTX_get0_cert(store);
    X509_free(watch->at_fault);
    watch->at_fault = cert && X509_up_ref(cert) ? cert : NULL;
    return verdict > 0 ? 1 : 0;
}

struct verify_watch *verify_watch_new(void *ssl_ctx)
{
    struct verify_watch *watch = mem_zalloc(sizeof *watch);

    SSL_CTX_set_cert_verify_callback(ssl_ctx, verify_and_note, watch);
    return watch;
}

void verify_watch_free(struct verify_watch *watch)
{
    if (!watch)
        return;
    X509_free(watch->at_fault);
    free(watch);
}

void verify_finding_done(struct verify_finding *finding)
{
    cert_done(&finding->cert);
}

static enum verify_fault fault_of(int error)
{
    switch (error) {
    case X509_V_OK:
        return VERIFY_GOOD;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return VERIFY_NOT_YET_VALID;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return VERIFY_EXPIRED;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return VERIFY_SELF_SIGNED;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
        return VERIFY_UNKNOWN_CA;
    default:
        return VERIFY_OTHER;
    }
}

bool verify_watch_read(const struct verify_watch *watch, struct verify_finding *out)
{
    struct verify_finding finding = {
        .fault = fault_of(watch->error),
        .reason = X509_verify_cert_error_string(watch->error),
        .is_of_ca = watch->depth > 0,
    };

    if (!watch->at_fault || cert_of_x509(watch->at_fault, "the server's certificate", &finding.cert, NULL) != ERR_OK)
        return false;
    *out = finding;
    return true;
}
