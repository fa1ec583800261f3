/* SPDX-License-Identifier: MIT
 *
 * One half of an account's credentials, the API key or the secret: where it is given, and reading, cleaning
 * and checking it.  Values are pasted from web pages and written by editors and secret stores, so white
 * space, quotes, carriage returns and byte order marks around them are taken off, with a warning; inside they
 * are mistakes.
 */
#ifndef ACME_DME_CONFIG_CREDENTIAL_H
#define ACME_DME_CONFIG_CREDENTIAL_H

#include "config/loading.h"
#include "util/secret.h"

enum config_half_kind { CONFIG_HALF_KEY, CONFIG_HALF_SECRET };

struct config_half {
    enum config_half_kind kind;
    bool is_given;
    bool was_refused; /* it is there, but a problem says already why it is of no use */
    const char *text; /* the value, borrowed; NULL: it is in a file */
    size_t len;
    char *file; /* path of the file, absolute */
    char *path; /* for messages: "accounts[0].credentials.api_key" or the name of the variable */
    struct config_place at;
    bool has_encryption_key; /* an `encryption_key` stands beside it */
};

void config_half_done(struct config_half *half);

/* From DNSMADEEASY_API_KEY or _SECRET, or the file that ..._FILE names. */
struct config_half config_half_from_environment(struct config_loading *load, enum config_half_kind kind);

/* From the file. */
struct config_half config_half_from_draft(struct config_loading *load, const struct config_draft *draft,
                                          enum config_half_kind kind);

/* Where its value stands: "/etc/x.yaml:3:12", "environment variable X", or "file /run/key, which /etc/x.yaml:3:12
 * names". */
char *config_half_origin(const struct config_half *half) MUST_USE;

enum config_half_result { CONFIG_HALF_GOOD, CONFIG_HALF_REFUSED, CONFIG_HALF_ENCRYPTED };

/* Read a half that is given.  CONFIG_HALF_REFUSED: problems say why; CONFIG_HALF_ENCRYPTED: nothing was
 * reported. */
enum config_half_result config_half_read(struct config_loading *load, const struct config_half *half,
                                         struct secret **out) MUST_USE;

/* hidden.c: warn when those of the account's values that come from the environment hide different ones of the file, and
 * note it in account->hidden_origin. */
void config_note_hidden(struct config_loading *load, struct config_account *account, const bool is_from_env[2]);

#endif
