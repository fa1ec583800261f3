/* SPDX-License-Identifier: MIT */
#include "dns/caa_value.h"

#include <stdlib.h>
#include <string.h>

#include "util/mem.h"
#include "util/text.h"

void caa_value_done(struct caa_value *value)
{
    for (size_t i = 0; i < value->parameter_count; i++) {
        free(value->parameters[i].tag);
        free(value->parameters[i].value);
    }
    free(value->parameters);
    free(value->issuer);
    *value = (struct caa_value){.issuer = NULL};
}

static const char *skip_space(const char *p)
{
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

static bool is_alnum(char c)
{
    return text_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* label and tag: (ALPHA / DIGIT) *( *("-") (ALPHA / DIGIT)) */
static bool take_label(const char **p)
{
    const char *start = *p;
    const char *end = start;

    while (is_alnum(*end) || *end == '-')
        end++;
    *p = end;
    return end > start && *start != '-' && end[-1] != '-';
}

/* label *("." label) */
static bool take_domain(const char **p)
{
    while (take_label(p)) {
        if (**p != '.')
            return true;
        (*p)++;
    }
    return false;
}

static char *lower_copy(const char *start, const char *end)
{
    char *copy = mem_strndup(start, (size_t)(end - start));

    text_lower_inplace(copy);
    return copy;
}

/* tag *WSP "=" *WSP value, and the white space after it */
static bool take_parameter(const char **p, struct caa_value *out)
{
    struct caa_parameter parameter = {NULL, NULL};
    const char *tag = *p;
    const char *tag_end, *value;

    if (!take_label(p))
        return false;
    tag_end = *p;
    *p = skip_space(*p);
    if (**p != '=')
        return false;
    value = *p = skip_space(*p + 1);
    while (**p >= 0x21 && **p <= 0x7e && **p != ';')
        (*p)++;
    parameter.tag = lower_copy(tag, tag_end);
    parameter.value = mem_strndup(value, (size_t)(*p - value));
    out->parameters = mem_grow(out->parameters, out->parameter_count, sizeof *out->parameters);
    out->parameters[out->parameter_count++] = parameter;
    *p = skip_space(*p);
    return true;
}

/* What follows the first ";". */
static bool take_parameters(const char **p, struct caa_value *out)
{
    *p = skip_space(*p);
    if (!**p)
        return true;
    while (take_parameter(p, out)) {
        if (**p != ';')
            return **p == '\0';
        *p = skip_space(*p + 1);
    }
    return false;
}

bool caa_value_parse(const char *text, struct caa_value *out)
{
    AUTO_CAA_VALUE struct caa_value value = {.issuer = NULL};
    const char *p = skip_space(text);
    const char *domain = p;

    if (*p && *p != ';' && !take_domain(&p))
        return false;
    value.issuer = lower_copy(domain, p);
    p = skip_space(p);
    if (*p == ';') {
        p++;
        if (!take_parameters(&p, &value))
            return false;
    }
    if (*p)
        return false;
    *out = value;
    value = (struct caa_value){.issuer = NULL};
    return true;
}
