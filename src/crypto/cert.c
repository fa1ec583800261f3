/* SPDX-License-Identifier: MIT
 *
 * Certificates come from anywhere, and so do the texts in them: every one is made safe to print, and what is absurdly
 * long is cut.
 */
#include "crypto/cert.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "crypto/ossl.h"
#include "crypto/san.h"
#include "crypto/x509.h"
#include "platform/socket.h"
#include "util/text.h"

#define TEXT_MAX 256        /* of a name, escaped; RFC 5280 allows 64 characters for a common name, DNS 253 */
#define SERIAL_BYTES_MAX 64 /* RFC 5280 section 4.1.2.2 allows 20 */

void cert_done(struct cert *cert)
{
    free(cert->subject);
    free(cert->issuer);
    free(cert->serial);
    strlist_done(&cert->names);
    *cert = (struct cert){.subject = NULL};
}

void x509_last_error(char *out, size_t size, const char *fallback)
{
    unsigned long code = ERR_peek_last_error();
    const char *reason = code ? ERR_reason_error_string(code) : NULL;

    if (!reason)
        reason = fallback;
    text_escape_into(out, size, reason, strlen(reason));
    ERR_clear_error();
}

/* ------------------------------------------------------------------ texts */

static char *safe_text(const void *data, size_t len)
{
    char text[TEXT_MAX];

    text_escape_into(text, sizeof text, data, len);
    return mem_strdup(text);
}

/* An ASN.1 string of whatever type; NULL when it can't be read or is empty. */
static char *text_of_string(const ASN1_STRING *string)
{
    unsigned char AUTO(ossl_free_bytes) *utf8 = NULL;
    int len = string ? ASN1_STRING_to_UTF8(&utf8, string) : 0;

    return len > 0 ? safe_text(utf8, (size_t)len) : NULL;
}

/* The last one of a kind: the most specific, in the order in which names are written.  NULL if there is none. */
static char *text_of_name(const X509_NAME *name, int nid)
{
    int at = -1;

    for (int i = -1; (i = X509_NAME_get_index_by_NID(name, nid, i)) >= 0;)
        at = i;
    return at < 0 ? NULL : text_of_string(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
}

char *x509_address_text(const ASN1_OCTET_STRING *address)
{
    char text[INET6_ADDRSTRLEN];
    int len = ASN1_STRING_length(address);

    if ((len != 4 && len != 16) ||
        !inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(address), text, sizeof text))
        return NULL;
    return mem_strdup(text);
}

static void add_alternative_names(const X509 *x509, struct strlist *out)
{
    GENERAL_NAMES AUTO(san_free) *names = X509_get_ext_d2i(x509, NID_subject_alt_name, NULL, NULL);

    for (int i = 0; i < sk_GENERAL_NAME_num(names) && out->count < CERT_NAMES_MAX; i++) {
        int type;
        const void *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);
        char *text = type == GEN_DNS ? text_of_string(value) : type == GEN_IPADD ? x509_address_text(value) : NULL;

        if (text)
            strlist_add_take(out, text);
    }
}

static char *text_of_subject(const X509 *x509, const struct strlist *names)
{
    const X509_NAME *name = X509_get_subject_name(x509);
    char *text = text_of_name(name, NID_commonName);

    if (!text && names->count)
        text = mem_strdup(names->items[0]);
    if (!text)
        text = text_of_name(name, NID_organizationName);
    return text ? text : mem_strdup("");
}

char *x509_issuer_text(const X509 *x509)
{
    const X509_NAME *name = X509_get_issuer_name(x509);
    char *text = text_of_name(name, NID_commonName);

    if (!text)
        text = text_of_name(name, NID_organizationName);
    return text ? text : mem_strdup("");
}

static char *text_of_serial(const X509 *x509)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x509);
    int len = ASN1_STRING_length(serial);
    char text[2 * SERIAL_BYTES_MAX + 1];

    text_hex_into(text, ASN1_STRING_get0_data(serial), (size_t)(len < SERIAL_BYTES_MAX ? len : SERIAL_BYTES_MAX));
    return mem_strdup(*text ? text : "0");
}

/* ------------------------------------------------------------------ dates */

static void free_time(ASN1_TIME **time)
{
    ASN1_TIME_free(*time);
}

/* Unix time, without the detour by `struct tm` and time zones. */
static bool seconds_of(const ASN1_TIME *time, int64_t *out)
{
    ASN1_TIME AUTO(free_time) *epoch = ASN1_TIME_set(NULL, 0);
    int days;
    int seconds;

    /* ASN1_TIME_check() keeps NULL and nonsense from meaning "now". */
    if (!epoch || !time || !ASN1_TIME_check(time) || !ASN1_TIME_diff(&days, &seconds, epoch, time))
        return false;
    *out = (int64_t)days * 86400 + seconds;
    return true;
}

/* ------------------------------------------------------------------ whole */

enum err_code cert_of_x509(const X509 *x509, const char *what, struct cert *out, struct err *err)
{
    struct cert cert = {.subject = NULL};

    if (!seconds_of(X509_get0_notBefore(x509), &cert.not_before_s) ||
        !seconds_of(X509_get0_notAfter(x509), &cert.not_after_s)) {
        ERR_clear_error();
        return err_set(err, ERR_INPUT, "could not read the certificate of \"%s\": its dates make no sense", what);
    }
    add_alternative_names(x509, &cert.names);
    cert.subject = text_of_subject(x509, &cert.names);
    cert.issuer = x509_issuer_text(x509);
    cert.serial = text_of_serial(x509);
    ERR_clear_error(); /* of texts that could not be read */
    *out = cert;
    return ERR_OK;
}

/* Where the first certificate begins, so that keys and damage in front of it are not even decoded; `len` if there is
 * none. */
static size_t find_pem(const char *text, size_t len)
{
    static const char *const marks[] = {"-----BEGIN CERTIFICATE-----", "-----BEGIN X509 CERTIFICATE-----",
                                        "-----BEGIN TRUSTED CERTIFICATE-----"};

    for (size_t at = 0; at < len; at++) {
        const char *dash = memchr(text + at, '-', len - at);

        if (!dash)
            break;
        at = (size_t)(dash - text);
        for (size_t i = 0; i < ARRAY_LEN(marks); i++)
            if (strlen(marks[i]) <= len - at && memcmp(dash, marks[i], strlen(marks[i])) == 0)
                return at;
    }
    return len;
}

static X509 *parse_pem(const char *text, size_t len)
{
    BIO AUTO(ossl_free_bio) *bio = BIO_new_mem_buf(text, (int)len);

    return bio ? PEM_read_bio_X509_AUX(bio, NULL, ossl_no_password, NULL) : NULL;
}

static X509 *parse_der(const unsigned char *data, size_t len)
{
    const unsigned char *end = data;
    X509 *x509 = d2i_X509(NULL, &end, (long)len);

    if (x509 && end != data + len) {
        X509_free(x509);
        return NULL;
    }
    return x509;
}

enum err_code cert_parse(const void *data, size_t len, const char *what, struct cert *out, struct err *err)
{
    X509 AUTO(ossl_free_x509) *x509 = NULL;
    size_t begin;
    char reason[120];

    if (len > INT_MAX)
        return err_set(err, ERR_INPUT, "could not read a certificate from \"%s\": it is too large", what);
    begin = find_pem(data, len);
    x509 = begin < len ? parse_pem((const char *)data + begin, len - begin) : parse_der(data, len);
    if (x509)
        return cert_of_x509(x509, what, out, err);
    x509_last_error(reason, sizeof reason, "it has more behind it");
    if (begin < len)
        return err_set(err, ERR_INPUT, "could not read the certificate in \"%s\": %s", what, reason);
    (void)err_set(err, ERR_INPUT, "there is no certificate in \"%s\"", what);
    err_hint(err, "Certificates are read in PEM (\"-----BEGIN CERTIFICATE-----\") and in DER.");
    return ERR_INPUT;
}
