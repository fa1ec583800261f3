/* SPDX-License-Identifier: MIT
 *
 * uacme: what -c names.  The account's key is private/key.pem, and there is nothing else of it; a certificate is
 * <name>/cert.pem with its key in private/<name>/key.pem.
 */
#include "import/internal.h"

#include "platform/platform.h"

static enum err_code account(const char *marker, struct import_account *out, struct err *err)
{
    return import_read_account_key(marker, &out->key, err);
}

static char *key_of(const char *dir)
{
    char AUTO_FREE *top = import_dirname(dir);
    char AUTO_FREE *keys = import_join(top, "private");
    char AUTO_FREE *name = import_basename(dir);
    char AUTO_FREE *own = import_join(keys, name);

    return import_join(own, "key.pem");
}

static char *find(const char *path)
{
    char AUTO_FREE *cert = import_join(path, "cert.pem");
    char AUTO_FREE *key = key_of(path);

    return platform_file_exists(cert) && platform_file_exists(key) ? mem_strdup(path) : NULL;
}

static enum err_code certificate(const char *found, struct import_certificate *out, struct err *err)
{
    char AUTO_FREE *cert = import_join(found, "cert.pem");
    char AUTO_FREE *key = key_of(found);
    enum err_code code = import_take_certificate(cert, out, err);

    out->name = import_basename(found);
    if (code == ERR_OK)
        code = import_take_key(key, out, err);
    if (code == ERR_OK)
        import_warn(out, "uacme keeps no settings: give the CA anew if it is not the usual one");
    return code;
}

/* Not "key.pem" alone: private/<name>/key.pem is a certificate's. */
static const char *const markers[] = {"private/key.pem", NULL};

const struct import_client import_uacme = {
    .name = "uacme",
    .markers = markers,
    .beside = NULL,
    .wanted = "private/key.pem",
    .account = account,
    .find = find,
    .certificate_wanted = "<name>/cert.pem with private/<name>/key.pem beside <name>",
    .certificate = certificate,
};
