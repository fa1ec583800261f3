/* SPDX-License-Identifier: MIT
 *
 * What the steps of config_load() share.
 */
#ifndef ACME_DME_CONFIG_LOADING_H
#define ACME_DME_CONFIG_LOADING_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "config/draft.h"
#include "config/report.h"
#include "config/schema.h"
#include "config/yaml_tree.h"
#include "platform/platform.h"
#include "util/buf.h"

struct config_loading {
    const struct config_request *req;
    struct config *config; /* being filled */
    struct config_report report;
    struct yaml_tree *tree;      /* NULL: no file */
    bool has_credentials;        /* the file has the key `credentials` */
    bool has_accounts;           /* ... the key `accounts` */
    bool has_secrets;            /* ... an API key or secret itself */
    struct config_draft *drafts; /* one of `credentials`, or those of `accounts` */
    size_t draft_count;
    struct strlist looked; /* files that were looked for and are not there */
};

/* One text of a value, or of an item of a list. */
struct config_text {
    const char *text;
    struct config_place at;
    size_t command; /* CONFIG_TYPE_COMMANDS: texts with the same number, in a row, are the words of one command */
};

/* config.c: config_load() for a file whose content is at hand already, named req->file, and private.  For tests. */
enum err_code config_load_text(const struct config_request *req, const char *text, size_t len, struct config **out,
                               struct strlist *problems, struct strlist *warnings, struct err *err) MUST_USE;

/* value.c: check the texts of a value by the key's type, store it in `field` (whose old value is freed),
 * true; or report every mistake and store nothing.  `path` is the key's name for messages: that of the table,
 * or with the number of the list's item. */
bool config_value_set(struct config_loading *load, const struct config_key *key, const char *path,
                      const struct config_text *texts, size_t count, void *field);

/* value.c: make a path of the configuration absolute: "~/" is the home directory; in a file, relative paths
 * begin at the file's directory.  NULL after reporting a problem. */
char *config_path_resolve(struct config_loading *load, const char *path, const struct config_text *text) MUST_USE;

/* format.c: a value as people read it; never a secret in the wrong place.  "100s" is the largest unit that fits. */
char *config_value_format(const struct config_key *key, const void *field) MUST_USE;
char *config_duration_format(int64_t ms) MUST_USE;
/* "36 characters, fingerprint 1a2b3c4d": names a secret so that two machines can be compared. */
char *config_secret_format(const struct secret *secret) MUST_USE;

/* origin.c: remember where a value came from; let `to` come from where `from` came from. */
void config_origin_set(struct config *config, const char *path, const struct config_place *at);
void config_origin_copy(struct config *config, const char *to, const char *from);
/* origin.c: what config_explain() shows of a value whose origin is set and that is no field of struct config. */
void config_origin_show_take(struct config *config, const char *path, char *shown_take);
void config_origins_free(struct config_origins *origins);

/* ca_file.c: report a ca_file that can't be used. */
void config_check_ca_file(struct config_loading *load);

/* find.c: find and read the file that the request means; load->config->file stays NULL when there is none.
 * False after reporting a problem. */
bool config_find(struct config_loading *load, struct buf *content, struct platform_file_info *info);

/* walk.c: take everything from load->tree. */
void config_walk(struct config_loading *load);

/* collect.c: report what is no text, or no list; false then.  `shown` is the key's path for messages. */
bool config_want_scalar(struct config_loading *load, const struct yaml_tree *node, const char *shown) MUST_USE;
bool config_want_list(struct config_loading *load, const struct yaml_tree *node, const char *shown) MUST_USE;
/* collect.c: the texts of a key's value, yours; NULL after reporting why there are none. */
struct config_text *config_texts_collect(struct config_loading *load, const struct config_key *key,
                                         const struct yaml_tree *node, const char *shown, size_t *out_count) MUST_USE;

/* draft.c: check the accounts of the file against each other; a single one is the default. */
void config_check_drafts(struct config_loading *load);
void config_draft_done(struct config_draft *draft);

/* overlay.c: defaults, environment and command line; the endpoint that follows from all. */
void config_set_defaults(struct config_loading *load);
void config_set_from_environment(struct config_loading *load);
void config_set_from_command_line(struct config_loading *load);
void config_settle_endpoint(struct config_loading *load);
/* The value of an environment variable; NULL when unset or empty. */
const char *config_env(const struct config_loading *load, const char *name);

/* exposure.c: refuse a file with secrets that others can read, or warn if that is allowed. */
void config_check_exposure(struct config_loading *load, const char *file, const struct platform_file_info *info);

/* exposure.c: the same for a file without secrets that everybody can change: it says where keys are sent to.
 */
void config_check_writable(struct config_loading *load, const char *file, const struct platform_file_info *info);

/* eab.c: take the key of external account binding, "acme.eab.hmac_key" or the content of its file, as base64url; false
 * after reporting a problem.  *slot is freed before. */
bool config_eab_set(struct config_loading *load, const char *path, const struct config_text *text, size_t len,
                    struct secret **slot) MUST_USE;
/* eab.c: key, file and identifier belong together; the file is read if credentials are. */
void config_settle_eab(struct config_loading *load);

/* certificate.c: names, what must not be missing, and what `certificates` take from `acme` and the command line. */
void config_settle_certificates(struct config_loading *load);

/* field.c: values by the type of their key.  Copy into a field that is zero; free what a field holds, and zero it. */
void config_field_copy(const struct config_key *key, void *to, const void *from);
void config_field_done(const struct config_key *key, void *field);

/* command.c: commands as one text that can be stored, and back: "/bin/one,argument;/bin/two;", with a backslash before
 * each ",", ";" and backslash of a word. */
char *config_commands_format(const struct config_commands *commands) MUST_USE;
bool config_commands_parse(const char *text, struct config_commands *out) MUST_USE;
void config_commands_done(struct config_commands *commands);

/* account.c: make the accounts of load->config. */
void config_make_accounts(struct config_loading *load);

#endif
