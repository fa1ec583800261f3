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
    char *damaged_dir;
    char *lock_dir;
    struct clock *clock; /* borrowed */
    struct log *log;     /* borrowed */
    bool read_only;      /* store_open_readonly() */
    /* Each is reported once a process. */
    bool has_told_unreadable;
    bool has_told_newer;
    bool has_told_stuck; /* damaged, and could not be set aside */
};

/* A store without a look at the disk. */
struct store *store_new(const char *dir, struct clock *clock, struct log *log) MUST_USE;
void store_free_auto(struct store **store);

/* A file name made of `parts`: readable, free of anything a file system could object to, at most 120 bytes,
 * and different for different parts (as far as 64 bits of hash can tell). */
char *store_file_name(const char *const *parts, size_t count) MUST_USE;
/* Could it have made "<file>" of two or more parts, with ".json" behind? */
bool store_is_file_name(const char *file);

/* Make a directory of the store when it is not there, and see that it is ours alone.  Errors: ERR_IO. */
enum err_code store_directory_ready(const char *dir, struct err *err) MUST_USE;

/* Temporary files that are older are leftovers of killed runs. */
#define STORE_TEMP_MAX_AGE_MS (INT64_C(60) * 60 * 1000)

/* ------------------------------------------------------------------ parts */

/* A directory of files that have one format. */
struct store_part {
    const char *kind; /* name of the directory: "journal" */
    enum store_item item;
    enum store_reset_outcome when_good; /* what a reset does with a good file */
    /* Could we have given a file that name?  What we could not is left alone. */
    bool (*is_ours)(const char *file);
    /* Is it the name of a private key or the like, never looked into nor moved?  NULL: there are none. */
    bool (*is_key)(const char *file);
    /* Read and check one file as strictly as its users do; `file` is the name that it has or had in its directory.
     * *out_what is yours: the file's content in a few words.  Errors: those of codec_load(). */
    enum err_code (*check)(const char *path, const char *file, int64_t *out_at_ms, char **out_what, struct err *err);
    /* What it means that a file is damaged, and what to do; `text` is what is left of it.  Yours. */
    char *(*consequence)(const char *text);
};

extern const struct store_part journal_part;
extern const struct store_part deferred_part;
extern const struct store_part zone_memo_part;
extern const struct store_part result_part;
extern const struct store_part account_part;
extern const struct store_part certificate_part;
extern const struct store_part order_part;
extern const struct store_part budget_part;

/* "<state directory>/<kind>/<file>"; yours. */
char *store_part_path(const struct store *store, const struct store_part *part, const char *file) MUST_USE;

/* ------------------------------------------------------------------ damage */

/* Move what is at `path` into damaged/, as "<date>-<kind>-<file>"; *out_as is the new path, yours.
 * Errors: ERR_NOT_FOUND (it is gone), ERR_IO. */
enum err_code damage_move(const struct store *store, const char *path, const char *kind, const char *file,
                          char **out_as, struct err *err) MUST_USE;

#define DAMAGE_SAME_NAME_MAX 1000
/* Move to `to`, or where that is taken to "<to>.2" and so on.  *out_as, yours, is where; may be NULL.
 * Errors: ERR_EXISTS (none is free), ERR_NOT_FOUND, ERR_IO. */
enum err_code damage_move_to_free(const char *from, const char *to, char **out_as, struct err *err) MUST_USE;

/* Set a file of a part aside, if it is damaged still: another process may have written it anew, or have set it aside.
 * *out_as as above; *out_consequence is yours too.
 * Errors: ERR_NOT_FOUND (nothing is damaged there any more), ERR_IO. */
enum err_code damage_set_aside(const struct store *store, const struct store_part *part, const char *file,
                               char **out_as, char **out_consequence, struct err *err) MUST_USE;

/* A file could not be loaded, *err says why.  What is damaged is set aside with a warning, what is gone is gone, the
 * rest is reported; ERR_OK when the caller can do without it.  Errors: ERR_IO in a store that is read only. */
enum err_code damage_handle(struct store *store, const struct store_part *part, const char *file,
                            struct err *err) MUST_USE;

/* The date of now for names of files: "20261123T204500Z"; yours. */
char *damage_date(struct clock *clock) MUST_USE;

/* ------------------------------------------------------------------ records and their keys */

/* "<state directory>/<kind>", made when it is not there.  Errors: ERR_IO, ERR_INTERNAL (a store for reading only). */
enum err_code record_directory_ready(struct store *store, const char *kind, struct err *err) MUST_USE;

/* Write the text of a file of a part, durably.  Errors: ERR_IO. */
enum err_code record_write(struct store *store, const struct store_part *part, const char *file, const struct buf *text,
                           struct err *err) MUST_USE;

/* Replace files of one directory durably: together, and when that fails one by one, to know which can't be written. */
void record_files_replace(const struct platform_file_write *writes, size_t count, struct err *outcomes);
/* record_write() for several, much faster than one by one.  outcomes[i] is that of texts[i]; one that holds an error
 * already is passed over. */
struct record_text {
    char *file; /* yours */
    struct buf text;
};
void record_texts_free(struct record_text *texts, size_t count);
void record_write_all(struct store *store, const struct store_part *part, const struct record_text *texts, size_t count,
                      struct err *outcomes);

/* A record could not be loaded, *why says why, `what` names it: 'no order for "example.com"'.  A damaged one is set
 * aside.  Always an error: ERR_NOT_FOUND (it is not there, or damaged), ERR_IO (also: a newer acme-dme wrote it). */
enum err_code record_failed(struct store *store, const struct store_part *part, const char *file, struct err *why,
                            const char *what, struct err *err) MUST_USE;

/* The names of a part's own files; none where the directory is missing.  Errors: ERR_IO. */
enum err_code record_list(const struct store *store, const struct store_part *part, struct strlist *out,
                          struct err *err) MUST_USE;

/* A private key's PEM; *out is yours, keyfile_wipe() frees it.
 * Errors: ERR_NOT_FOUND, ERR_UNSAFE (others can read it), ERR_IO. */
enum err_code keyfile_load(const char *path, char **out, struct err *err) MUST_USE;
/* Make it so that the file holds that key, mode 0600, durably; another key that is there is copied to a file beside it
 * first, with the date in its name.  Errors: ERR_IO. */
enum err_code keyfile_save(struct clock *clock, const char *path, const char *pem, struct err *err) MUST_USE;
/* The same for several files of one directory, much faster than one by one where there are none yet.  An outcome that
 * holds an error already is passed over. */
struct keyfile {
    char *path;      /* yours; NULL: none to be saved */
    const char *pem; /* borrowed */
};
void keyfile_save_all(struct clock *clock, const struct keyfile *keys, size_t count, struct err *outcomes);
/* Give a file a name with the date; one that is not there is success.  Errors: ERR_IO. */
enum err_code keyfile_move_aside(struct clock *clock, const char *path, struct err *err) MUST_USE;
/* "<name>.key", and what keyfile_save() makes of it. */
bool keyfile_is_name(const char *file);
/* Wipe, free, and set to NULL. */
void keyfile_wipe(char **pem);

/* The generation that a certificate's record tells of; 0: no record.  Errors: ERR_INPUT, ERR_IO, ERR_DECLINED. */
enum err_code certificate_noted_generation(const struct store *store, const char *name, int64_t *out,
                                           struct err *err) MUST_USE;
/* "<state directory>/archive/<name>"; yours. */
char *archive_dir(const struct store *store, const char *name) MUST_USE;
/* The numbers of the generations in archive/<name>, ascending; none where it is missing. */
struct archive_numbers {
    int64_t *items;
    size_t count;
};
void archive_numbers_done(struct archive_numbers *numbers);
/* Errors: ERR_IO. */
enum err_code archive_numbers_load(const struct store *store, const char *name, struct archive_numbers *out,
                                   struct err *err) MUST_USE;
/* "<archive_dir()>/<number>", and where certs/<name> leads for it; yours. */
char *archive_path(const struct store *store, const char *name, int64_t number) MUST_USE;
char *archive_target(const char *name, int64_t number) MUST_USE;
/* The generation that certs/<name> leads to; 0: there is no link, or it leads elsewhere.
 * Errors: ERR_EXISTS (something is there that is no link), ERR_IO. */
enum err_code archive_current(const struct store *store, const char *name, int64_t *out, struct err *err) MUST_USE;

/* Errors: ERR_USAGE. */
enum err_code certificate_check_name(const char *name, struct err *err) MUST_USE;
/* "<name of a certificate>.json"? */
bool certificate_is_record_file(const char *file);

/* ------------------------------------------------------------------ codec */

/* One member of a struct and of the JSON object it is kept as. */
struct codec_field {
    const char *key;
    enum {
        CODEC_TEXT,      /* char *, one to `max` bytes, no control characters */
        CODEC_OPTIONAL,  /* the same, may be empty or absent; read as "" then */
        CODEC_NAME,      /* char *, a DNS name in lower case without the final dot */
        CODEC_NUMBER,    /* int64_t, not negative */
        CODEC_LIST,      /* struct strlist of at most CODEC_LIST_MAX such texts */
        CODEC_LONG_LIST, /* ... of at most CODEC_LONG_LIST_MAX, none of them empty */
        CODEC_CHOICE,    /* an enum, written as the name that `choice` gives it */
    } type;
    size_t offset;
    size_t max;                       /* bytes of a text */
    const char *(*choice)(int value); /* NULL for what is no value; values count from 0 */
};

#define CODEC_VERSION 2
#define CODEC_FILE_MAX 32768
#define CODEC_LIST_MAX 64
/* For certificates, which may have any number of names: CAs sign 100, some 1,000 or 2,000. */
#define CODEC_LONG_LIST_MAX 5000
#define CODEC_LONG_FILE_MAX (4U << 20)

/* The text of a file, appended: all members, version and checksum.  `what` names the document.
 * Errors: ERR_INTERNAL (codec_read() would not accept it). */
enum err_code codec_format(const struct codec_field *fields, size_t count, const void *from, const char *what,
                           struct buf *out, struct err *err) MUST_USE;

/* Fill a zeroed struct; members that it does not know are ignored.  On failure some members may be set
 * already. `what` names the document.  Errors: ERR_INPUT (damaged), ERR_DECLINED (a newer acme-dme wrote it). */
enum err_code codec_read(const struct codec_field *fields, size_t count, const json_t *json, const char *what, void *to,
                         struct err *err) MUST_USE;

/* Read one file.  Errors: those of codec_read(), ERR_INPUT also for what is no file; ERR_NOT_FOUND, ERR_IO. */
enum err_code codec_load(const struct codec_field *fields, size_t count, const char *path, void *to,
                         struct err *err) MUST_USE;

/* The same for one that may have long lists. */
enum err_code codec_load_long(const struct codec_field *fields, size_t count, const char *path, void *to,
                              struct err *err) MUST_USE;

bool codec_is_dns_name(const char *name);

/* checksum.c; `what` names the document.  Errors: ERR_INPUT (absent, wrong), ERR_INTERNAL. */
enum err_code checksum_add(json_t *json, const char *what, struct err *err) MUST_USE;
enum err_code checksum_verify(const json_t *json, const char *what, struct err *err) MUST_USE;
bool checksum_is_there(const json_t *json);

/* ------------------------------------------------------------------ journal's format, for its fuzz target */

/* Parse the text of one entry; *out is yours on success.  `what` names the document.
 * Errors: ERR_INPUT, ERR_DECLINED. */
enum err_code journal_parse(const json_t *json, const char *what, struct journal_entry *out, struct err *err) MUST_USE;
/* The text of one entry.  Errors: ERR_INTERNAL. */
enum err_code journal_format(const struct journal_entry *entry, struct buf *out, struct err *err) MUST_USE;

#endif
