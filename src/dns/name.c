/* SPDX-License-Identifier: MIT */
#include "dns/name.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef HAVE_LIBIDN2
#include <idn2.h>
#endif

#include "util/buf.h"
#include "util/mem.h"
#include "util/text.h"

#define LABEL_MAX 63
#define INPUT_MAX 1024 /* octets of UTF-8 that could still become 253 octets of A-labels; longer is not even read */

static bool is_ascii(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s >= 0x80)
            return false;
    return true;
}

#ifdef HAVE_LIBIDN2
static enum err_code to_a_labels(const char *in, char **out, struct err *err)
{
    uint8_t *ascii = NULL;
    int rc = idn2_lookup_u8((const uint8_t *)in, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);

    if (rc != IDN2_OK)
        return err_set(err, ERR_INPUT, "name \"%s\" is no valid internationalised name: %s", in, idn2_strerror(rc));
    *out = mem_strdup((const char *)ascii);
    idn2_free(ascii);
    return ERR_OK;
}
#else
static enum err_code to_a_labels(const char *in, UNUSED char **out, struct err *err)
{
    (void)err_set(err, ERR_INPUT, "name \"%s\" has non-ASCII letters, and this program was built without libidn2", in);
    err_hint(err, "Give the name in its ASCII form, with labels that begin with \"xn--\".");
    return ERR_INPUT;
}
#endif

static bool is_name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* `name` is ASCII, lower case and has no trailing dot. */
static enum err_code check_labels(const char *name, const char *in, struct err *err)
{
    size_t label_len = 0;

    for (size_t i = 0;; i++) {
        char c = name[i];

        if (c == '.' || c == '\0') {
            if (label_len == 0)
                return err_set(err, ERR_INPUT, "name \"%s\" has an empty label at position %zu", in, i + 1);
            if (label_len > LABEL_MAX)
                return err_set(err, ERR_INPUT, "name \"%s\" has a label of %zu octets at position %zu, %d are allowed",
                               in, label_len, i - label_len + 1, LABEL_MAX);
            if (c == '\0')
                return ERR_OK;
            label_len = 0;
        } else if (!is_name_char(c)) {
            return err_set(err, ERR_INPUT, "name \"%s\" has the character \"%c\" at position %zu", in, c, i + 1);
        } else {
            label_len++;
        }
    }
}

static enum err_code check_ascii(char *name, const char *in, struct err *err)
{
    size_t len = strlen(name);

    if (len > 1 && name[len - 1] == '.')
        name[--len] = '\0';
    text_lower_inplace(name);
    if (len > DNS_NAME_MAX)
        return err_set(err, ERR_INPUT, "name \"%s\" has %zu octets, %d are allowed", in, len, DNS_NAME_MAX);
    if (text_starts_with(name, "*."))
        return err_set(err, ERR_INPUT, "name \"%s\" is a wildcard, which can't be asked for or made here", in);
    return check_labels(name, in, err);
}

enum err_code name_normalise(const char *in, char **out, struct err *err)
{
    AUTO_FREE char *name = NULL;
    enum err_code code = ERR_OK;

    if (!in || !*in)
        return err_set(err, ERR_INPUT, "the name is empty");
    if (strlen(in) > INPUT_MAX)
        return err_set(err, ERR_INPUT, "name \"%.64s...\" has %zu octets, %d are allowed", in, strlen(in),
                       DNS_NAME_MAX);
    if (!text_is_utf8(in, strlen(in)))
        return err_set(err, ERR_INPUT, "name \"%s\" is neither ASCII nor UTF-8", in);
    if (is_ascii(in))
        name = mem_strdup(in);
    else
        code = to_a_labels(in, &name, err);
    if (code == ERR_OK)
        code = check_ascii(name, in, err);
    if (code != ERR_OK)
        return code;
    *out = name;
    name = NULL;
    return ERR_OK;
}

bool name_is_within(const char *name, const char *zone)
{
    size_t name_len = strlen(name);
    size_t zone_len = strlen(zone);

    if (zone_len > name_len || strcmp(name + name_len - zone_len, zone) != 0)
        return false;
    return zone_len == 0 || zone_len == name_len || name[name_len - zone_len - 1] == '.';
}

char *name_relative(const char *name, const char *zone)
{
    size_t name_len = strlen(name);
    size_t zone_len = strlen(zone);

    if (zone_len == 0)
        return mem_strdup(name);
    return mem_strndup(name, name_len > zone_len ? name_len - zone_len - 1 : 0);
}

const char *name_parent(const char *name)
{
    const char *dot = strchr(name, '.');

    return dot ? dot + 1 : NULL;
}

/* No top-level domain is a number. */
bool name_is_address(const char *text)
{
    size_t end = strlen(text);
    size_t start;

    end -= end > 0 && text[end - 1] == '.';
    for (start = end; start > 0 && text_is_digit(text[start - 1]); start--)
        ;
    return strchr(text, ':') || (start < end && (start == 0 || text[start - 1] == '.'));
}
