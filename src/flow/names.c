/* SPDX-License-Identifier: MIT
 *
 * Names that a certificate can be had for by dns-01, and why others can't.
 */
#include <string.h>

#include "dns/name.h"
#include "flow/issue.h"
#include "util/text.h"

#define NAMES_MAX 5000 /* a sanity bound: no CA comes near */

static enum err_code refuse(struct err *err, const char *name, const char *why, const char *hint)
{
    (void)err_set(err, ERR_INPUT, "can't get a certificate for \"%s\": %s", name, why);
    if (err && hint)
        err_hint(err, "%s", hint);
    return ERR_INPUT;
}

/* What people write by mistake, told before the rules of DNS make something less clear of it. */
static enum err_code check_kind(const char *name, struct err *err)
{
    if (strstr(name, "://"))
        return refuse(err, name, "it is a URL", "Give the host name alone.");
    if (strchr(name, '@'))
        return refuse(err, name, "it is an e-mail address", NULL);
    if (name_is_address(name))
        return refuse(err, name, "it is an IP address, which can't be proved by DNS",
                      "Use a client that proves addresses by http-01 or tls-alpn-01.");
    if (strncmp(name, "*.", 2) == 0 && strchr(name + 2, '*'))
        return refuse(err, name, "a wildcard covers one label, \"*.\" in front", NULL);
    if (strncmp(name, "*.", 2) != 0 && strchr(name, '*'))
        return refuse(err, name, "\"*\" can only stand for the whole first label, as in \"*.example.com\"", NULL);
    return ERR_OK;
}

static enum err_code check_labels(const char *name, const char *base, struct err *err)
{
    if (strchr(base, '_'))
        return refuse(err, name, "no CA issues for names with \"_\"", "Name the host without its underscore.");
    if (!strchr(base, '.'))
        return refuse(err, name, "it has a single label, which is no name of the public DNS", NULL);
    return ERR_OK;
}

static enum err_code add(struct strlist *names, const char *name, struct err *err)
{
    bool is_wildcard = strncmp(name, "*.", 2) == 0;
    AUTO_FREE char *base = NULL;
    AUTO_FREE char *whole = NULL;
    enum err_code code = check_kind(name, err);

    if (code == ERR_OK)
        code = name_normalise(is_wildcard ? name + 2 : name, &base, err);
    if (code == ERR_OK)
        code = check_labels(name, base, err);
    if (code != ERR_OK)
        return code;
    whole = mem_printf("%s%s", is_wildcard ? "*." : "", base);
    strlist_add_once(names, whole);
    return ERR_OK;
}

static enum err_code add_all(struct strlist *names, const char *text, struct err *err)
{
    const char *rest = text;

    for (;;) {
        size_t len = strcspn(rest, ",");
        size_t from = 0;
        size_t to = len;
        AUTO_FREE char *name = NULL;
        enum err_code code;

        while (from < to && text_is_space(rest[from]))
            from++;
        while (to > from && text_is_space(rest[to - 1]))
            to--;
        name = mem_strndup(rest + from, to - from);
        if (!*name)
            return err_set(err, ERR_INPUT, "there is an empty name in \"%s\"", text);
        code = add(names, name, err);
        if (code != ERR_OK)
            return code;
        if (!rest[len])
            return ERR_OK;
        rest += len + 1;
    }
}

enum err_code issue_names_add(struct strlist *names, const char *text, struct err *err)
{
    struct strlist AUTO_STRLIST added = {NULL, 0};
    enum err_code code = add_all(&added, text, err);

    if (code == ERR_OK && names->count + added.count > NAMES_MAX)
        code = err_set(err, ERR_INPUT, "a certificate can't have more than %d names", NAMES_MAX);
    for (size_t i = 0; code == ERR_OK && i < added.count; i++)
        strlist_add_once(names, added.items[i]);
    return code;
}
