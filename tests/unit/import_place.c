/* SPDX-License-Identifier: MIT */
#include "import_place.h"

#include <stdlib.h>
#include <string.h>

#include "cert_fixture.h"
#include "fixture.h"
#include "platform/platform.h"
#include "test.h"
#include "util/mem.h"

int import_place_setup(void **state)
{
    struct import_place *p = mem_zalloc(sizeof *p);
    struct buf pem = BUF_INIT(4096);

    p->dir = fixture_dir_new();
    assert_int_equal(key_new(KEY_ECDSA_P256, &p->key, &p->err), ERR_OK);
    assert_int_equal(key_format_pem(p->key, &pem, &p->err), ERR_OK);
    p->key_pem = buf_take(&pem);
    *state = p;
    return 0;
}

int import_place_teardown(void **state)
{
    struct import_place *p = *state;

    fixture_dir_free(p->dir);
    key_free(p->key);
    free(p->key_pem);
    free(p->path);
    free(p);
    return 0;
}

const char *import_place_path(struct import_place *p, const char *prefix, const char *name)
{
    free(p->path);
    p->path = mem_printf("%s%s%s%s", prefix, p->dir, *name ? "/" : "", name);
    return p->path;
}

void import_place_put(struct import_place *p, const char *name, const char *text)
{
    char AUTO_FREE *path = fixture_path(p->dir, name);

    for (char *slash = path + strlen(p->dir) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        if (!platform_file_exists(path))
            fixture_mkdir(path, 0755);
        fixture_chmod(path, 0755);
        *slash = '/';
    }
    fixture_write(path, text);
    fixture_chmod(path, 0600);
}

void import_place_mode(struct import_place *p, const char *name, unsigned mode)
{
    char AUTO_FREE *path = fixture_path(p->dir, name);

    fixture_chmod(path, mode);
}

void import_place_put_certificate(struct import_place *p, const char *name, const char *names)
{
    struct cert_order order = {.names = names};
    struct made_cert cert = cert_make(&order);
    char AUTO_FREE *pem = cert_pem(&cert);

    import_place_put(p, name, pem);
    made_cert_done(&cert);
}
