/* SPDX-License-Identifier: MIT */
#include "import/import.h"

#include <stdlib.h>
#include <string.h>

#include "import/internal.h"
#include "platform/platform.h"
#include "util/text.h"

#define LISTED_MAX 400

static const struct import_client *const clients[] = {&import_certbot, &import_lego, &import_acme_sh,
                                                      &import_dehydrated, &import_uacme};

void import_account_done(struct import_account *account)
{
    free(account->directory);
    free(account->url);
    strlist_done(&account->contacts);
    key_free(account->key);
    free(account->from);
    *account = (struct import_account){.key = NULL};
}

void import_certificate_done(struct import_certificate *certificate)
{
    free(certificate->name);
    strlist_done(&certificate->domains);
    free(certificate->key_type);
    free(certificate->directory);
    free(certificate->profile);
    free(certificate->preferred_chain);
    free(certificate->key_file);
    free(certificate->certificate_file);
    free(certificate->from);
    strlist_done(&certificate->warnings);
    *certificate = (struct import_certificate){.name = NULL};
}

/* ------------------------------------------------------------------ "client:path" */

/* *out_client is NULL without a prefix; *out_path is borrowed from `text`. */
static enum err_code split(const char *text, const struct import_client **out_client, const char **out_path,
                           struct err *err)
{
    size_t len = strcspn(text, ":/");
    const char *names[ARRAY_LEN(clients)];
    char AUTO_FREE *prefix = mem_strndup(text, len);
    const char *nearest;

    *out_client = NULL;
    *out_path = text;
    if (text[len] != ':' || platform_path_is_absolute(text)) /* "C:/..." */
        return ERR_OK;
    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        names[i] = clients[i]->name;
        if (strcmp(prefix, names[i]) != 0)
            continue;
        *out_client = clients[i];
        *out_path = text + len + 1;
        return **out_path ? ERR_OK : err_set(err, ERR_USAGE, "\"%s\" names no path", text);
    }
    nearest = text_nearest(prefix, names, ARRAY_LEN(names));
    (void)err_set(err, ERR_USAGE, "nothing can be taken over from \"%s\"", prefix);
    if (nearest)
        err_hint(err, "Did you mean \"%s:\"?", nearest);
    else
        err_hint(err, "There are: certbot, lego, acme.sh, dehydrated, uacme.");
    return ERR_USAGE;
}

/* ------------------------------------------------------------------ accounts */

/* A place where an account may be. */
struct candidates {
    struct strlist markers;
    const struct import_client *clients[64]; /* of each */
    struct strlist unreadable;
};

static void candidates_done(struct candidates *c)
{
    strlist_done(&c->markers);
    strlist_done(&c->unreadable);
}

static void gather(const struct import_client *only, const char *path, struct candidates *out)
{
    for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
        size_t before = out->markers.count;

        if (only && clients[i] != only)
            continue;
        import_find_markers(clients[i], path, &out->markers, &out->unreadable);
        for (size_t k = before; k < out->markers.count && k < ARRAY_LEN(out->clients); k++)
            out->clients[k] = clients[i];
    }
}

static enum err_code refuse_absent(const struct import_client *only, const char *path, const struct candidates *c,
                                   struct err *err)
{
    struct buf AUTO_BUF wanted = BUF_INIT(LISTED_MAX);

    if (c->unreadable.count)
        return err_set(err, ERR_IO, "could not look for an account at \"%s\": %s", path, c->unreadable.items[0]);
    for (size_t i = 0; i < ARRAY_LEN(clients); i++)
        if (!only || clients[i] == only)
            buf_printf(&wanted, "%s%s: %s", wanted.len ? "; " : "", clients[i]->name, clients[i]->wanted);
    (void)err_set(err, ERR_NOT_FOUND, "there is no account of %s at \"%s\"", only ? only->name : "another client",
                  path);
    err_hint(err, "Looked for: %s.", buf_cstr(&wanted));
    return ERR_NOT_FOUND;
}

static enum err_code refuse_several(const char *path, const struct candidates *c, struct err *err)
{
    struct buf AUTO_BUF list = BUF_INIT(LISTED_MAX);

    for (size_t i = 0; i < c->markers.count && i < ARRAY_LEN(c->clients); i++) {
        char AUTO_FREE *dir = import_dirname(c->markers.items[i]);

        buf_printf(&list, "%s%s:%s", i ? "  " : "", c->clients[i]->name, dir);
    }
    (void)err_set(err, ERR_USAGE, "there are %zu accounts at \"%s\"", c->markers.count, path);
    err_hint(err, "Name one: %s", buf_cstr(&list));
    return ERR_USAGE;
}

enum err_code import_account(const char *path, struct import_account *out, struct err *err)
{
    struct import_account AUTO_IMPORT_ACCOUNT account = {.key = NULL};
    struct candidates AUTO(candidates_done) c = {.clients = {NULL}};
    const struct import_client *only;
    char AUTO_FREE *inside = platform_path_inside(path);
    char AUTO_FREE *dir = NULL;
    const char *at;
    enum err_code code = split(inside, &only, &at, err);

    if (code != ERR_OK)
        return code;
    gather(only, at, &c);
    if (c.markers.count != 1)
        return c.markers.count ? refuse_several(at, &c, err) : refuse_absent(only, at, &c, err);
    code = c.clients[0]->account(c.markers.items[0], &account, err);
    if (code != ERR_OK)
        return code;
    dir = import_dirname(c.markers.items[0]);
    account.from = mem_printf("%s:%s", c.clients[0]->name, dir);
    *out = account;
    account = (struct import_account){.key = NULL};
    return ERR_OK;
}

/* ------------------------------------------------------------------ certificates */

static enum err_code refuse_certificate(const struct import_client *only, const char *path, struct err *err)
{
    struct buf AUTO_BUF wanted = BUF_INIT(LISTED_MAX);

    for (size_t i = 0; i < ARRAY_LEN(clients); i++)
        if (!only || clients[i] == only)
            buf_printf(&wanted, "%s%s: %s", wanted.len ? "; " : "", clients[i]->name, clients[i]->certificate_wanted);
    (void)err_set(err, ERR_NOT_FOUND, "there is no certificate of %s at \"%s\"", only ? only->name : "another client",
                  path);
    err_hint(err, "Looked for: %s.", buf_cstr(&wanted));
    return ERR_NOT_FOUND;
}

enum err_code import_certificate(const char *path, struct import_certificate *out, struct err *err)
{
    struct import_certificate AUTO_IMPORT_CERTIFICATE certificate = {.name = NULL};
    const struct import_client *client = NULL;
    const struct import_client *only;
    char AUTO_FREE *inside = platform_path_inside(path);
    char AUTO_FREE *found = NULL;
    const char *at;
    enum err_code code = split(inside, &only, &at, err);

    if (code != ERR_OK)
        return code;
    for (size_t i = 0; !found && i < ARRAY_LEN(clients); i++) {
        if (only && clients[i] != only)
            continue;
        client = clients[i];
        found = client->find(at);
    }
    if (!found)
        return refuse_certificate(only, at, err);
    code = client->certificate(found, &certificate, err);
    if (code != ERR_OK)
        return code;
    certificate.from = mem_printf("%s:%s", client->name, found);
    *out = certificate;
    certificate = (struct import_certificate){.name = NULL};
    return ERR_OK;
}
