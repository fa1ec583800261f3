/* SPDX-License-Identifier: MIT */
#include "crypto/san.h"

#include <string.h>

#include <openssl/err.h>

#include "crypto/cert.h"
#include "crypto/ossl.h"
#include "crypto/x509.h"
#include "util/text.h"

#define DNS_NAME_MAX 253 /* RFC 1035 section 2.3.4 */
#define LABEL_MAX 63
#define SHOWN_MAX 300

void san_free(GENERAL_NAMES **names)
{
    GENERAL_NAMES_free(*names);
}

static char *describe(const char *kind, const void *text, size_t len)
{
    char shown[SHOWN_MAX];

    text_escape_into(shown, sizeof shown, text, len);
    return mem_printf("%s \"%s\"", kind, shown);
}

static char *describe_string(const char *kind, const ASN1_STRING *string)
{
    return describe(kind, ASN1_STRING_get0_data(string), (size_t)ASN1_STRING_length(string));
}

static bool is_label(const char *label, size_t len)
{
    if (len == 0 || len > LABEL_MAX || label[0] == '-' || label[len - 1] == '-')
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = text_lower(label[i]);

        if (!(c >= 'a' && c <= 'z') && !text_is_digit(c) && c != '-' && c != '_')
            return false;
    }
    return true;
}

static bool is_number(const char *label, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!text_is_digit(label[i]))
            return false;
    return true;
}

/* Labels with "." between and perhaps "*." in front.  One whose last label is a number is an IP address. */
static bool is_dns_name(const char *name, size_t len)
{
    const char *end = name + len;
    const char *label = len > 2 && name[0] == '*' && name[1] == '.' ? name + 2 : name;
    const char *dot;

    if (len > DNS_NAME_MAX)
        return false;
    for (; (dot = memchr(label, '.', (size_t)(end - label))) != NULL; label = dot + 1)
        if (!is_label(label, (size_t)(dot - label)))
            return false;
    return is_label(label, (size_t)(end - label)) && !is_number(label, (size_t)(end - label));
}

static char *add_text(const char *kind, const ASN1_STRING *string, struct strlist *out)
{
    unsigned char AUTO(ossl_free_bytes) *text = NULL;
    int len = ASN1_STRING_to_UTF8(&text, string); /* a common name may be of a type with 2 or 4 octets a character */
    AUTO_FREE char *name = NULL;

    ERR_clear_error();
    if (len < 0)
        return describe_string(kind, string);
    if (!is_dns_name((const char *)text, (size_t)len))
        return describe(kind, text, (size_t)len);
    if (out->count == CERT_NAMES_MAX) /* each is compared with all */
        return mem_printf("more than %d names", CERT_NAMES_MAX);
    name = mem_strndup((const char *)text, (size_t)len);
    text_lower_inplace(name);
    strlist_add_once(out, name);
    return NULL;
}

static char *describe_address(const ASN1_OCTET_STRING *address)
{
    AUTO_FREE char *text = x509_address_text(address);

    return text ? mem_printf("the IP address \"%s\"", text) : mem_strdup("an IP address of a wrong length");
}

static char *describe_other(int type, const void *value)
{
    switch (type) {
    case GEN_IPADD:
        return describe_address(value);
    case GEN_EMAIL:
        return describe_string("the e-mail address", value);
    case GEN_URI:
        return describe_string("the URI", value);
    default:
        return mem_strdup("a name that is no DNS name");
    }
}

char *san_add(const GENERAL_NAMES *names, struct strlist *out)
{
    char *odd = NULL;

    for (int i = 0; !odd && i < sk_GENERAL_NAME_num(names); i++) {
        int type;
        const void *value = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, i), &type);

        odd = type == GEN_DNS ? add_text("the DNS name", value, out) : describe_other(type, value);
    }
    return odd;
}

char *san_add_common_names(const X509_NAME *subject, struct strlist *out)
{
    char *odd = NULL;
    int at = -1;

    while (!odd && (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0)
        odd = add_text("the common name", X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)), out);
    return odd;
}
