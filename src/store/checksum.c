/* SPDX-License-Identifier: MIT
 *
 * The checksum of a document: the first 16 hex digits of SHA-256 over its compact text, keys sorted, without the
 * checksum itself.  It finds damage; against forgery nothing here helps, the directory's permissions do.
 */
#include <string.h>

#include "crypto/digest.h"
#include "store/internal.h"
#include "util/text.h"

#define KEY "checksum"
#define BYTES 8
#define TEXT_MAX (2 * CODEC_LONG_FILE_MAX) /* escapes and numbers may become longer */

static enum err_code compute(const json_t *bare, const char *what, char out[2 * BYTES + 1], struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(TEXT_MAX);
    uint8_t digest[DIGEST_SHA256_LEN];
    enum err_code rc;

    json_write_sorted(bare, &text);
    if (!buf_ok(&text))
        return err_set(err, ERR_INPUT, "%s: it is too large", what);
    rc = digest_sha256(buf_cstr(&text), text.len, digest, err);
    if (rc != ERR_OK)
        return rc;
    text_hex_into(out, digest, BYTES);
    return ERR_OK;
}

enum err_code checksum_add(json_t *json, const char *what, struct err *err)
{
    char text[2 * BYTES + 1];
    enum err_code rc = compute(json, what, text, err);

    if (rc == ERR_OK && json_object_set_new(json, KEY, json_string(text)) != 0)
        rc = err_set(err, ERR_INTERNAL, "%s: no memory for its checksum", what);
    return rc;
}

bool checksum_is_there(const json_t *json)
{
    return json_object_get(json, KEY) != NULL;
}

/* The members are shared, so it is cheap.  What jansson counts in a value is no part of it. */
static json_t *copy_of(const json_t *json)
{
    const union {
        const json_t *value;
        json_t *counted;
    } as = {json};

    return json_copy(as.counted);
}

enum err_code checksum_verify(const json_t *json, const char *what, struct err *err)
{
    char text[2 * BYTES + 1];
    json_t AUTO_JSON *bare = NULL;
    const char *noted;
    enum err_code rc = json_want_string(json, KEY, what, &noted, err);

    if (rc != ERR_OK)
        return rc;
    bare = copy_of(json);
    if (!bare || json_object_del(bare, KEY) != 0)
        return err_set(err, ERR_INTERNAL, "%s: no memory for its checksum", what);
    rc = compute(bare, what, text, err);
    if (rc == ERR_OK && strcmp(noted, text) != 0)
        rc = err_set(err, ERR_INPUT, "%s: its checksum is wrong", what);
    return rc;
}
