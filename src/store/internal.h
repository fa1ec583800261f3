/* SPDX-License-Identifier: MIT
 *
 * What the files of store/ share.  Nobody else includes this.
 */
#ifndef ACME_DME_STORE_INTERNAL_H
#define ACME_DME_STORE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include "json/json.h"
#include "store/store.h"

struct store {
    char *dir;
    char *journal_dir;
    char *zones_dir;
    char *results_dir;
    char *lock_dir;
    struct clock *clock; /* borrowed */
    struct log *log;     /* borrowed */
    bool has_complained; /* of damaged entries of the journal: once a process is enough */
    bool read_only;      /* store_open_readonly() */
};

/* A file name made of `parts`: readable, free of anything a file system could object to, at most 120 bytes,
 * and different for different parts (as far as 64 bits of hash can tell). */
char *store_file_name(const char *const *parts, size_t count) MUST_USE;

/* Make a directory of the store when it is not there, and see that it is ours alone.  Errors: ERR_IO. */
enum err_code store_directory_ready(const char *dir, struct err *err) MUST_USE;

/* Temporary files that are older are leftovers of killed runs. */
#define STORE_TEMP_MAX_AGE_MS (INT64_C(60) * 60 * 1000)

/* ------------------------------------------------------------------ codec */

/* One member of a struct and of the JSON object it is kept as. */
struct codec_field {
    const char *key;
    enum {
        CODEC_TEXT,     /* char *, one to `max` bytes, no control characters */
        CODEC_OPTIONAL, /* the same, may be empty or absent; read as "" then */
        CODEC_NAME,     /* char *, a DNS name in lower case without the final dot */
        CODEC_NUMBER,   /* int64_t, not negative */
        CODEC_LIST,     /* struct strlist of at most CODEC_LIST_MAX such texts */
        CODEC_CHOICE,   /* an enum, written as the name that `choice` gives it */
    } type;
    size_t offset;
    size_t max;                     /* bytes of a text */
    const char *(*choice)(int value); /* NULL for what is no value; values count from 0 */
};

#define CODEC_VERSION 1
#define CODEC_FILE_MAX 32768
#define CODEC_LIST_MAX 64

/* Are all members such that codec_read() would accept them?  Errors: ERR_INTERNAL. */
enum err_code codec_check(const struct codec_field *fields, size_t count, const void *from,
                          struct err *err) MUST_USE;

/* A new JSON object with the version and all members; NULL, which json_write() reports, when memory runs out.
 */
json_t *codec_write(const struct codec_field *fields, size_t count, const void *from) MUST_USE;

/* Fill a zeroed struct; members that it does not know are ignored.  On failure some members may be set
 * already. `what` names the document.  Errors: ERR_INPUT. */
enum err_code codec_read(const struct codec_field *fields, size_t count, const json_t *json, const char *what,
                         void *to, struct err *err) MUST_USE;

/* Read and parse one file.  Errors: ERR_NOT_FOUND, ERR_IO, ERR_INPUT. */
enum err_code codec_load_file(const char *path, json_t **out, struct err *err) MUST_USE;

/* ------------------------------------------------------------------ journal's format, for its fuzz target */

/* Parse the text of one entry; *out is yours on success.  `what` names the document.  Errors: ERR_INPUT. */
enum err_code journal_parse(const json_t *json, const char *what, struct journal_entry *out,
                            struct err *err) MUST_USE;
/* The text of one entry.  Errors: ERR_INTERNAL. */
enum err_code journal_format(const struct journal_entry *entry, struct buf *out, struct err *err) MUST_USE;

#endif
