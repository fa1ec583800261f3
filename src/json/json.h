/* SPDX-License-Identifier: MIT
 *
 * Checked getters over jansson.  JSON that comes from outside is parsed strictly (no duplicate keys, nothing behind
 * the value, no NUL in strings, nesting bounded) and every member is asked for with its type: a document that is not
 * what it should be is one clear error, never a surprise further down.
 *
 *   want: the member must be there and have that type.
 *   find: the member may be absent or null; a wrong type is an error all the same.
 *
 * `what` names the document in errors, e.g. "the answer to ...".  Strings and objects returned are borrowed from the
 * document.  Errors of all functions: ERR_INPUT.
 */
#ifndef ACME_DME_JSON_JSON_H
#define ACME_DME_JSON_JSON_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "util/attrs.h"
#include "util/buf.h"
#include "util/err.h"
#include "util/mem.h"

#define JSON_DEPTH_MAX 32 /* no document of ours or of our peers comes near */

/* Parse a whole document; *out is yours (AUTO_JSON). */
enum err_code json_parse(const char *text, size_t len, const char *what, json_t **out, struct err *err) MUST_USE;

void json_free_auto(json_t **json);
#define AUTO_JSON AUTO(json_free_auto)

enum err_code json_want_string(const json_t *object, const char *key, const char *what, const char **out,
                               struct err *err) MUST_USE;
/* *out is NULL when absent. */
enum err_code json_find_string(const json_t *object, const char *key, const char *what, const char **out,
                               struct err *err) MUST_USE;

/* Whole numbers min..max; a string of decimal digits passes as well, as some services quote their 64-bit ids. */
enum err_code json_want_int64(const json_t *object, const char *key, int64_t min, int64_t max, const char *what,
                              int64_t *out, struct err *err) MUST_USE;
/* *out is `absent` when absent. */
enum err_code json_find_int64(const json_t *object, const char *key, int64_t min, int64_t max, int64_t absent,
                              const char *what, int64_t *out, struct err *err) MUST_USE;

enum err_code json_want_array(const json_t *object, const char *key, const char *what, const json_t **out,
                              struct err *err) MUST_USE;
enum err_code json_find_array(const json_t *object, const char *key, const char *what, const json_t **out,
                              struct err *err) MUST_USE;

/* An array of these strings. */
json_t *json_strings(const struct strlist *list) MUST_USE;

/* Is `value` an object?  For elements of arrays and for whole documents. */
enum err_code json_want_object(const json_t *value, const char *what, struct err *err) MUST_USE;

/* Compact text of a document, appended; the buffer's overflow mark tells when it did not fit. */
void json_write(const json_t *json, struct buf *out);
/* The same with the members of objects in the order of their keys: equal documents give equal texts. */
void json_write_sorted(const json_t *json, struct buf *out);

#endif
