/* SPDX-License-Identifier: MIT
 *
 * acme-dme revoke: a certificate of ours by its name, or any by its file; signed by the account, or by the
 * certificate's own key, for which no account is needed.
 */
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/plan.h"
#include "cmd/workspace.h"
#include "flow/install.h"

#define CERT_FILE_MAX (1024u * 1024)
#define CERT_DER_MAX (256u * 1024)
#define KEY_FILE_MAX 65536

/* What is to be revoked. */
struct target {
    struct buf der;
    struct chain *chain;
    struct key *key; /* sign with it; NULL: with the account's */
    const char *directory;
    struct certificate_record record; /* of ours */
    bool is_ours;
};

static void target_done(struct target *target)
{
    buf_done(&target->der);
    chain_free(target->chain);
    key_free(target->key);
    certificate_record_done(&target->record);
}

static enum err_code check_words(const struct opts *opts, int *reason, struct err *err)
{
    *reason = -1;
    if ((opts->word_count == 1) == (opts->cert != NULL)) {
        (void)err_set(err, ERR_USAGE, "name one certificate, or a file with --cert");
        err_hint(err, "\"acme-dme list\" shows the names.");
        return ERR_USAGE;
    }
    if (!opts->reason || acme_revocation_reason_parse(opts->reason, reason))
        return ERR_OK;
    (void)err_set(err, ERR_USAGE, "\"%s\" is no reason to revoke", opts->reason);
    err_hint(err, "Reasons are: unspecified, keyCompromise, affiliationChanged, superseded, cessationOfOperation.");
    return ERR_USAGE;
}

static enum err_code take_chain(const struct buf *text, const char *what, struct target *target, struct err *err)
{
    enum err_code code = chain_parse(buf_cstr(text), text->len, what, &target->chain, err);

    if (code == ERR_OK)
        chain_format_der(target->chain, 0, &target->der);
    return code;
}

static enum err_code read_ours(struct workspace *space, const char *name, struct target *target, struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(CERT_FILE_MAX);
    enum err_code code = certificate_load(space->app.store, name, &target->record, err);

    if (code == ERR_OK)
        code = certificate_read(space->app.store, name, INSTALL_CERT, &text, err);
    if (code == ERR_NOT_FOUND) {
        code = err_set(err, ERR_USAGE, "there is no certificate \"%s\"", name);
        err_hint(err, "\"acme-dme list\" shows those there are; a file is named with --cert.");
    }
    if (code != ERR_OK)
        return code;
    target->is_ours = true;
    target->directory = target->record.directory;
    return take_chain(&text, name, target, err);
}

static enum err_code read_key(const char *path, struct target *target, struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(KEY_FILE_MAX);
    enum err_code code = platform_file_read(path, &text, NULL, err);

    return code == ERR_OK ? key_parse_pem(buf_cstr(&text), text.len, path, &target->key, err) : code;
}

static enum err_code read_file(struct workspace *space, const struct opts *opts, struct target *target, struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(CERT_FILE_MAX);
    const char *key_file = space->app.config->certificate_defaults.key_file;
    AUTO_FREE char *cert = platform_path_inside(opts->cert);
    enum err_code code = platform_file_read(cert, &text, NULL, err);

    if (code == ERR_NOT_FOUND)
        code = err_set(err, ERR_USAGE, "there is no file \"%s\"", cert);
    if (code == ERR_OK)
        code = take_chain(&text, cert, target, err);
    if (code == ERR_OK && key_file)
        code = read_key(key_file, target, err);
    return code;
}

static enum err_code ask(struct workspace *space, struct target *target, int reason, bool *was_revoked, struct err *err)
{
    struct client *client;
    enum err_code code = workspace_client(space, target->directory, &client, err);

    if (code == ERR_OK && !target->key)
        code = client_find_account(client, err);
    if (code != ERR_OK)
        return code;
    return acme_revoke(
        client->acme,
        &(struct acme_revocation){
            .der = target->der.data, .len = target->der.len, .reason = reason, .certificate_key = target->key},
        was_revoked, err);
}

enum err_code cmd_revoke(const struct opts *opts, struct err *err)
{
    AUTO_WORKSPACE struct workspace space = {.client_count = 0};
    AUTO(target_done) struct target target = {.der = BUF_INIT(CERT_DER_MAX)};
    const char *what = opts->cert ? opts->cert : opts->word_count ? opts->words[0] : "";
    bool was_revoked = false;
    int reason;
    enum err_code code = check_words(opts, &reason, err);

    if (code == ERR_OK)
        code = workspace_open(&space, opts, CONFIG_WITHOUT_CREDENTIALS, err);
    if (code != ERR_OK)
        return code;
    target.directory = space.app.config->acme.directory;
    code = opts->cert ? read_file(&space, opts, &target, err) : read_ours(&space, opts->words[0], &target, err);
    if (code == ERR_OK)
        code = client_directory(&space.app, opts, target.directory, &target.directory, err);
    if (code == ERR_OK)
        code = ask(&space, &target, reason, &was_revoked, err);
    if (code == ERR_OK && target.is_ours) {
        target.record.revoked_ms = clock_wall_ms(space.app.clock);
        code = certificate_save(space.app.store, &target.record, err);
    }
    if (code == ERR_OK && !opts->quiet)
        (void)printf("%s: %s\n", what, was_revoked ? "was revoked already" : "revoked");
    return code;
}
