/* SPDX-License-Identifier: MIT
 *
 * What the standalone client keeps in the state directory, beside the journal (store.h):
 *
 *   accounts/<ca>.json, accounts/<ca>.key       one ACME account a CA (directory URL): its URL and contacts; its key
 *   renewal/<name>.json                         one certificate: what was asked for, when it is to be renewed
 *   orders/<name>.json, orders/<name>.key       the order that is under way for it, and the key of its CSR
 *   archive/<name>/<generation>/...             the files of one generation, never changed once they are there
 *   certs/<name> -> ../archive/<name>/<generation>     what servers read: switched in one step
 *
 * JSON files are those of store/codec.c, damaged ones are set aside as the journal's are.  Keys are PKCS#8 PEM, mode
 * 0600, created with it.  A key is on disk before a request is sent that commits us to it, and is never lost: another
 * key that takes its place leaves a copy of it with the date in its name ("<ca>.key.20261123T204500Z").
 */
#ifndef ACME_DME_STORE_CERTS_H
#define ACME_DME_STORE_CERTS_H

#include "store/store.h"
#include "util/buf.h"

/* Names of certificates: 1 to 100 letters, digits, "-", "_", "." and "@", not beginning with "." or "-", and none that
 * Windows reserves ("con", "nul.pem").  They become names of files. */
bool certificate_name_is_good(const char *name);

/* ------------------------------------------------------------------ accounts */

struct account_record {
    char *directory; /* URL of the CA's directory; names the files */
    char *url;       /* the account's; "" when the key is there and the answer never came */
    struct strlist contacts;
    char *key_pem;      /* wiped when freed; never NULL after a load */
    char *next_key_pem; /* of a key rollover under way; NULL: none */
    int64_t created_ms;
};

void account_record_done(struct account_record *record);

/* Errors: ERR_NOT_FOUND, ERR_UNSAFE (the key file is readable by others), ERR_IO; ERR_INPUT when the key is there and
 * the JSON is not or is damaged: then key_pem is set all the same, `url` is "", and the account can be asked for by
 * its key. */
enum err_code account_record_load(struct store *store, const char *directory, struct account_record *out,
                                  struct err *err) MUST_USE;
/* Key first, then the rest; durable.  Replaces what was there of that directory: when the key differs from the one on
 * disk, that one is kept beside it under a name with the date.  Without next_key_pem a rollover is over: a next key
 * that is on disk goes, unless it did not become the key; then it is kept like that, too. */
enum err_code account_record_save(struct store *store, const struct account_record *record, struct err *err) MUST_USE;
/* After deactivation: moved aside under a name with the date, never deleted. */
enum err_code account_record_retire(struct store *store, const char *directory, struct err *err) MUST_USE;
/* The directory URLs of all. */
enum err_code account_record_list(struct store *store, struct strlist *out_directories, struct err *err) MUST_USE;

/* ------------------------------------------------------------------ certificates */

/* One that we manage.  What was given on the command line when it was asked for is kept in `settings`, one
 * "key=value" each with the keys of the configuration ("key_type=ecdsa-p256", "profile=tlsserver"), so that a renewal
 * has it; lists and commands are JSON texts.  The program's own memory is in the other members. */
struct certificate_record {
    char *name;
    struct strlist domains; /* as asked for, normalised, in their order; any number */
    struct strlist settings;
    char *directory;    /* URL of the CA that issued the newest generation; "" before the first */
    char *ari_id;       /* certID of the newest generation; "" when there is none */
    int64_t generation; /* of what certs/<name> leads to; 0: none yet */
    int64_t issued_ms;  /* wall clock; 0: never */
    int64_t not_before_s;
    int64_t not_after_s;
    int64_t window_start_ms; /* RFC 9773: the suggested window, and the moment drawn in it; 0: not known */
    int64_t window_end_ms;
    int64_t drawn_ms;
    int64_t next_look_ms;     /* wall clock: when the CA wants to be asked again */
    char *explanation_url;    /* of the window; "" when there is none */
    int64_t deploy_pending;   /* generation whose deploy programs have not succeeded yet; 0: none */
    int64_t revoked_ms;       /* 0: not */
    int64_t retry_after_ms;   /* wall clock: the CA wants no new order before; 0: any time */
    struct strlist persisted; /* dns-persist-01: records that we published and that stay, "name value" each */
};

struct certificate_list {
    struct certificate_record *items;
    size_t count;
};

void certificate_record_done(struct certificate_record *record);
void certificate_list_done(struct certificate_list *list);

/* Errors: ERR_NOT_FOUND, ERR_IO (also: a newer acme-dme wrote it); a damaged file is set aside and ERR_NOT_FOUND. */
enum err_code certificate_load(struct store *store, const char *name, struct certificate_record *out,
                               struct err *err) MUST_USE;
/* Durable.  Errors: ERR_IO, ERR_USAGE (the name), ERR_INTERNAL (no domains, or more than 5,000). */
enum err_code certificate_save(struct store *store, const struct certificate_record *record, struct err *err) MUST_USE;
/* The same for several, much faster than one by one; all are tried, and each has an outcome. */
void certificate_save_all(struct store *store, struct certificate_record *const *records, size_t count,
                          struct err *outcomes);
/* The names of all, sorted; nothing is read, so that what is damaged is among them. */
enum err_code certificate_names(struct store *store, struct strlist *out, struct err *err) MUST_USE;
/* All, by name; damaged ones are set aside. */
enum err_code certificate_list(struct store *store, struct certificate_list *out, struct err *err) MUST_USE;
/* Link, record and order go away; the generations move to archive/.deleted/<date>-<name>, so that no key is lost by a
 * slip.  Errors: ERR_NOT_FOUND, ERR_IO. */
enum err_code certificate_delete(struct store *store, const char *name, struct err *err) MUST_USE;

/* ------------------------------------------------------------------ orders */

struct order_record {
    char *name; /* of the certificate */
    char *url;  /* "" before newOrder was answered */
    char *directory;
    struct strlist domains;
    char *profile; /* "" for none */
    char *key_pem; /* of the CSR; NULL when the CSR is the user's; wiped when freed */
    int64_t created_ms;
};

void order_record_done(struct order_record *record);

/* Keys first; durable when it returns, and much faster than one by one; all are tried, and each has an outcome.  A
 * record without key_pem goes on with the key that was saved with the one before it of its name, if there is one. */
void order_save_all(struct store *store, const struct order_record *records, size_t count, struct err *outcomes);
/* Errors: ERR_NOT_FOUND (also: damaged, set aside; its key is gone or another), ERR_UNSAFE (others can read its key),
 * ERR_IO. */
enum err_code order_load(struct store *store, const char *name, struct order_record *out, struct err *err) MUST_USE;
/* Success when there is none. */
enum err_code order_remove(struct store *store, const char *name, struct err *err) MUST_USE;

/* ------------------------------------------------------------------ generations */

/* Who may read what.  Nothing is ever readable by more than this says, from the moment it is created. */
struct certificate_access {
    const char *owner; /* user name or number; NULL: who we run as */
    const char *group; /* NULL: no group */
    unsigned key_mode; /* of files with the private key; 0: 0600, or 0640 when a group is named; never for others: 0007
                          is refused by the configuration */
};

enum certificate_file_kind { CERTIFICATE_FILE_PUBLIC, CERTIFICATE_FILE_SECRET };

struct certificate_file {
    const char *name; /* "cert.pem", "privkey.pem", "combined.pem", "example.pfx" */
    const void *data;
    size_t len;
    enum certificate_file_kind kind; /* 0644, or access->key_mode */
};

/* Write new generations, durably, and then switch certs/<name> of each to its own, atomically: a reader sees all of the
 * old one or all of the new.  The caller has the certificates' locks.  All generations are written and made durable
 * before the first link is switched, which is much faster than one by one; all are tried.  With owner or group the
 * directories on the way (state directory, certs, archive, archive/<name>) become searchable (0711), and nothing else
 * in them readable; the generation's own stays ours, readable by the group, or by all when an owner is named, who need
 * not be in the group.  On failure nothing is switched and what was written is gone. Errors of each: ERR_IO, ERR_USAGE
 * (no such user or group; not permitted to give files away; the name), ERR_INTERNAL (no files, or a mode that lets
 * others read the key). */
struct certificate_install {
    const char *name; /* borrowed, as all that goes in */
    const struct certificate_file *files;
    size_t count;
    const struct certificate_access *access;
    int64_t generation; /* out: its number, if it is well */
    struct err err;     /* out: ERR_OK, or as above */
};
void certificate_install_all(struct store *store, struct certificate_install *installs, size_t count);

/* Remove all but the newest `keep` generations, never the one that certs/<name> leads to nor the newest, which holds
 * the place of its number.  Errors: ERR_IO. */
enum err_code certificate_prune(struct store *store, const char *name, size_t keep, struct err *err) MUST_USE;

/* "<state directory>/certs/<name>"; yours. */
char *certificate_dir(const struct store *store, const char *name) MUST_USE;
/* Read a file of the current generation.  Errors: ERR_NOT_FOUND, ERR_IO. */
enum err_code certificate_read(struct store *store, const char *name, const char *file, struct buf *out,
                               struct err *err) MUST_USE;

/* ------------------------------------------------------------------ locks */

/* Nobody else works on this certificate, or this account, meanwhile.  The message of ERR_LOCK names the process that
 * holds it, where the system tells, and how long we waited. */
enum err_code certificate_lock(struct store *store, const char *name, int64_t timeout_ms, struct platform_lock **out,
                               struct err *err) MUST_USE;
enum err_code account_lock(struct store *store, const char *directory, int64_t timeout_ms, struct platform_lock **out,
                           struct err *err) MUST_USE;

#endif
