/* SPDX-License-Identifier: MIT
 *
 * Link headers, RFC 8288: `<target>; rel="alternate"; title="...", <target>; rel=up`.  One header may hold several
 * links, and there may be several headers.
 */
#include <string.h>

#include "acme/internal.h"
#include "util/text.h"

static const char *skip_space(const char *p)
{
    while (*p == ' ' || *p == '\t')
        p++;
    return p;
}

/* Is `word` among the words of text[0..len), which are separated by spaces? */
static bool has_word(const char *text, size_t len, const char *word)
{
    size_t word_len = strlen(word);

    for (size_t at = 0; at < len;) {
        size_t word_end = at;

        while (word_end < len && text[word_end] != ' ' && text[word_end] != '\t')
            word_end++;
        if (word_end - at == word_len && text_ncasecmp(text + at, word, word_len) == 0)
            return true;
        at = word_end + 1;
    }
    return false;
}

/* The value of a parameter, which begins at `p`; returns what is behind it. */
static const char *take_value(const char *p, const char **out, size_t *out_len)
{
    if (*p != '"') {
        *out_len = strcspn(p, " \t;,");
        *out = p;
        return p + *out_len;
    }
    *out = ++p;
    while (*p && *p != '"')
        p += *p == '\\' && p[1] ? 2 : 1;
    *out_len = (size_t)(p - *out);
    return *p ? p + 1 : p;
}

/* The parameters of one link; true when its relation is that.  Moves *p behind the link. */
static bool take_parameters(const char **p, const char *relation)
{
    bool is_first = true; /* only the first "rel" counts */
    bool matches = false;

    for (*p = skip_space(*p); **p == ';'; *p = skip_space(*p)) {
        const char *name = skip_space(*p + 1);
        size_t name_len = strcspn(name, " \t=;,");
        const char *value = "";
        size_t value_len = 0;

        *p = skip_space(name + name_len);
        if (**p == '=')
            *p = take_value(skip_space(*p + 1), &value, &value_len);
        if (!is_first || name_len != 3 || text_ncasecmp(name, "rel", 3) != 0)
            continue;
        is_first = false;
        matches = has_word(value, value_len, relation);
    }
    return matches;
}

static void find_in(const char *p, const char *relation, size_t max, struct strlist *out)
{
    while (out->count < max) {
        const char *target, *end;

        p += strspn(p, " \t,");
        if (*p != '<')
            return;
        target = p + 1;
        end = strchr(target, '>');
        if (!end)
            return;
        p = end + 1;
        if (take_parameters(&p, relation) && end - target <= ACME_URL_MAX)
            strlist_add_take(out, mem_strndup(target, (size_t)(end - target)));
    }
}

void acme_links_find(const struct http_response *response, const char *relation, size_t max, struct strlist *out)
{
    for (size_t i = 0; i < response->header_count; i++)
        if (text_casecmp(response->headers[i].name, "Link") == 0)
            find_in(response->headers[i].value, relation, max, out);
}
