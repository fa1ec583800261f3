/* SPDX-License-Identifier: MIT
 *
 * Credentials of the file that others of the environment hide: the classic of a variable that was set once, forgotten,
 * and goes on winning over the file in which somebody has put the new key.  The same value in both places is no news.
 */
#include <stdlib.h>
#include <string.h>

#include "config/credential.h"
#include "crypto/digest.h"
#include "util/text.h"

static const char *const kinds[] = {"API key", "API secret"};

/* What a half of the file's would be, without a word of what may be wrong with it, as it is not used; NULL: unusable or
 * not given.  *out_origin is yours. */
static struct secret *peek(struct config_loading *load, const struct config_draft *draft, enum config_half_kind kind,
                           char **out_origin)
{
    struct strlist AUTO_STRLIST unsaid = {NULL, 0};
    struct config_report AUTO(config_report_done) aside = {.warnings = &unsaid};
    struct config_report kept = load->report;
    struct config_half AUTO(config_half_done) half = {.kind = kind};
    struct secret *value = NULL;

    load->report = aside;
    half = config_half_from_draft(load, draft, kind);
    if (half.is_given && config_half_read(load, &half, &value) == CONFIG_HALF_GOOD)
        *out_origin = config_half_origin(&half);
    aside = load->report;
    load->report = kept;
    return value;
}

static bool is_same(const struct secret *a, const struct secret *b)
{
    return strcmp(secret_bytes(a), secret_bytes(b)) == 0;
}

static void print_fingerprint(char out[9], const struct secret *value)
{
    if (digest_fingerprint(value, out, NULL) != ERR_OK)
        text_cut_into(out, 9, "unknown");
}

/* One half of one draft. */
static void compare(struct config_loading *load, struct config_account *account, const struct config_draft *draft,
                    enum config_half_kind kind)
{
    const struct secret *used = kind == CONFIG_HALF_KEY ? account->api_key : account->api_secret;
    const char *origin = kind == CONFIG_HALF_KEY ? account->key_origin : account->secret_origin;
    char AUTO_FREE *place = NULL;
    struct secret AUTO_SECRET *value = peek(load, draft, kind, &place);
    char of_used[9], of_hidden[9];
    char *longer;

    if (!value || is_same(value, used))
        return;
    print_fingerprint(of_used, used);
    print_fingerprint(of_hidden, value);
    config_report_warning(&load->report, NULL,
                          "the %s of %s (fingerprint %s) hides a different one, of %s (fingerprint %s)", kinds[kind],
                          origin, of_used, place, of_hidden);
    longer = account->hidden_origin ? mem_printf("%s and %s", account->hidden_origin, place) : mem_strdup(place);
    free(account->hidden_origin);
    account->hidden_origin = longer;
}

static bool has_both(struct config_loading *load, const struct config_account *account,
                     const struct config_draft *draft)
{
    char AUTO_FREE *key_place = NULL;
    char AUTO_FREE *secret_place = NULL;
    struct secret AUTO_SECRET *key = peek(load, draft, CONFIG_HALF_KEY, &key_place);
    struct secret AUTO_SECRET *secret = peek(load, draft, CONFIG_HALF_SECRET, &secret_place);

    return key && secret && is_same(key, account->api_key) && is_same(secret, account->api_secret);
}

static void compare_with_all(struct config_loading *load, struct config_account *account)
{
    char fingerprint[9];

    for (size_t i = 0; i < load->draft_count; i++)
        if (load->drafts[i].node->kind == YAML_TREE_MAP && has_both(load, account, &load->drafts[i]))
            return;
    print_fingerprint(fingerprint, account->api_key);
    account->hidden_origin = mem_printf("the %zu accounts of %s", load->draft_count, load->config->file);
    config_report_warning(&load->report, NULL,
                          "the credentials of %s (API key with fingerprint %s) hide %s, none of which has them",
                          account->key_origin, fingerprint, account->hidden_origin);
}

void config_note_hidden(struct config_loading *load, struct config_account *account, const bool is_from_env[2])
{
    if (!account->api_key || !account->api_secret || load->draft_count == 0)
        return;
    if (load->draft_count > 1) {
        compare_with_all(load, account);
        return;
    }
    for (int kind = CONFIG_HALF_KEY; kind <= CONFIG_HALF_SECRET; kind++)
        if (is_from_env[kind] && load->drafts[0].node->kind == YAML_TREE_MAP)
            compare(load, account, &load->drafts[0], (enum config_half_kind)kind);
}
