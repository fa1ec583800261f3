/* SPDX-License-Identifier: MIT
 *
 * What the files of import/ share: one row a client, and how to read its files.
 */
#ifndef ACME_DME_IMPORT_INTERNAL_H
#define ACME_DME_IMPORT_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "import/import.h"
#include "import/settings.h"
#include "util/buf.h"

#define IMPORT_FILE_MAX (256 * 1024) /* the largest, a chain of 1,000 names, has 100 KiB */

/* ------------------------------------------------------------------ clients */

struct import_client {
    const char *name; /* of the prefix */

    /* Where the file that makes an account is, below the client's directory or in the account's own; NULL-terminated.
     */
    const char *const *markers;
    const char *beside; /* what else its directory must have; NULL: nothing */
    const char *wanted; /* both in words */
    /* `marker` is that file; *out is zeroed and done by the caller, whatever this returns. */
    enum err_code (*account)(const char *marker, struct import_account *out, struct err *err);

    /* The file or directory that has the settings of the certificate at `path`, yours; NULL: there is none. */
    char *(*find)(const char *path);
    const char *certificate_wanted; /* in words */
    enum err_code (*certificate)(const char *found, struct import_certificate *out, struct err *err);
};

extern const struct import_client import_certbot;
extern const struct import_client import_lego;
extern const struct import_client import_acme_sh;
extern const struct import_client import_dehydrated;
extern const struct import_client import_uacme;

/* What an account is told by: appended to `out`. */
void import_find_markers(const struct import_client *client, const char *path, struct strlist *out,
                         struct strlist *unreadable);

/* ------------------------------------------------------------------ paths; all are yours */

char *import_dirname(const char *path) MUST_USE;  /* "." and "/" as dirname(1) has them */
char *import_basename(const char *path) MUST_USE; /* without "/" at the end */
char *import_join(const char *dir, const char *name) MUST_USE;
/* `path` without `suffix`; NULL when it does not end in it. */
char *import_without(const char *path, const char *suffix) MUST_USE;

/* What is below the last directory of that name in a path, relative or not; NULL: there is none. */
char *import_below(const char *path, const char *name) MUST_USE;

/* ------------------------------------------------------------------ files */

/* A text: UTF-8, without NUL.  Errors: ERR_NOT_FOUND, ERR_IO, ERR_INPUT. */
enum err_code import_read_text(const char *path, struct buf *out, struct err *err) MUST_USE;
/* JSON whose outermost value is an object; *out is yours. */
enum err_code import_read_json(const char *path, json_t **out, struct err *err) MUST_USE;
/* A text with a private key.  *out_exposed, yours: who else can read it, the way to it considered; NULL: nobody. */
enum err_code import_read_secret(const char *path, struct buf *out, char **out_exposed, struct err *err) MUST_USE;
/* The same for account keys.  Errors: ERR_UNSAFE when others can read it. */
enum err_code import_read_account_secret(const char *path, struct buf *out, struct err *err) MUST_USE;
/* An account key in PEM. */
enum err_code import_read_account_key(const char *path, struct key **out, struct err *err) MUST_USE;

/* ------------------------------------------------------------------ what the files say */

/* A URL of the CA's, copied to *out, unless `text` is NULL or "".  `what` it is of `file`.  Errors: ERR_INPUT. */
enum err_code import_take_url(const char *text, const char *what, const char *file, char **out,
                              struct err *err) MUST_USE;
/* The strings of object's member "contact", where there is one.  Errors: ERR_INPUT. */
enum err_code import_take_contacts(const json_t *object, const char *file, struct strlist *out,
                                   struct err *err) MUST_USE;
/* URL and contacts of an account, as RFC 8555 clients in Python and Go write them down: "uri", "body.contact".
 * Errors: ERR_INPUT. */
enum err_code import_take_registration(const json_t *registration, const char *file, struct import_account *out,
                                       struct err *err) MUST_USE;
void import_take_email(const char *email, struct strlist *out); /* NULL and "" are passed over */

/* "https", host and port of a URL, up to the "/" behind; 0: it is none. */
size_t import_url_origin_len(const char *url);
/* The directory of the CA that has this URL, where a well-known CA has one only; NULL: not known.  Yours. */
char *import_known_directory(const char *url) MUST_USE;

/* The private key of a JWK (RFC 7517).  Errors: ERR_INPUT. */
enum err_code import_jwk_parse(const json_t *jwk, const char *file, struct key **out, struct err *err) MUST_USE;

/* ------------------------------------------------------------------ certificates */

/* Add a warning, worded as the message of an error; what is not printable is escaped. */
void import_warn(struct import_certificate *out, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Names, file and type of the current certificate.  Errors: ERR_NOT_FOUND, ERR_IO, ERR_INPUT (no name in it). */
enum err_code import_take_certificate(const char *file, struct import_certificate *out, struct err *err) MUST_USE;
/* The current key: key_file, and key_type if that is not known yet; or warnings. */
enum err_code import_take_key(const char *file, struct import_certificate *out, struct err *err) MUST_USE;
/* A type of key, as the client calls it; or a warning. */
void import_take_key_type(const char *text, struct import_certificate *out);

#endif
