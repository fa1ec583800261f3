/* SPDX-License-Identifier: MIT */
#include "crypto/san.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/x509.h"
#include "util/text.h"

#define DNS_NAME_MAX 253
#define SHOWN_MAX 300

void san_free(GENERAL_NAMES **names)
{
    GENERAL_NAMES_free(*names);
}

static void add_once(struct strlist *out, const char *name)
{
    for (size_t i = 0; i < out->count; i++)
        if (strcmp(out->items[i], name) == 0)
            return;
    strlist_add(out, name);
}

static char *describe(const char *kind, const ASN1_STRING *string)
{
    char shown[SHOWN_MAX];

    text_escape_into(shown, sizeof shown, (const char *)ASN1_STRING_get0_data(string),
                     (size_t)ASN1_STRING_length(string));
    return mem_printf("%s \"%s\"", kind, shown);
}

/* Letters, digits, "-", "." and "*" in front: what else stands there is no name of a host. */
static bool is_dns_name(const char *name, size_t len)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
    size_t from = len > 2 && name[0] == '*' && name[1] == '.' ? 2 : 0;

    if (len <= from || len > DNS_NAME_MAX || memchr(name, '\0', len))
        return false;
    for (size_t i = from; i < len; i++)
        if (!strchr(allowed, name[i]))
            return false;
    return true;
}

static char *add_text(const char *kind, const ASN1_STRING *string, struct strlist *out)
{
    AUTO_FREE char *name = NULL;
    const char *data = (const char *)ASN1_STRING_get0_data(string);
    size_t len = (size_t)ASN1_STRING_length(string);

    if (!is_dns_name(data, len))
        return describe(kind, string);
    name = mem_strndup(data, len);
    text_lower_inplace(name);
    add_once(out, name);
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
        return describe("the e-mail address", value);
    case GEN_URI:
        return describe("the URI", value);
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
