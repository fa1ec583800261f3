/* SPDX-License-Identifier: MIT
 *
 * certbot's manual plugin (RFC 8555 says nothing of it; certbot's plugins/manual.py does).  All in the environment:
 *
 *   CERTBOT_DOMAIN, since 5.3 also CERTBOT_IDENTIFIER     the identifier, without "*."
 *   CERTBOT_VALIDATION                                    the TXT value
 *   CERTBOT_ALL_DOMAINS, since 5.3 CERTBOT_ALL_IDENTIFIERS  all of the batch, in the order of the calls, "," between;
 *                                                         base and wildcard twice
 *   CERTBOT_REMAINING_CHALLENGES                          how many calls follow (since 1.4)
 *   CERTBOT_TOKEN                                         only for http-01, which is certbot's default
 *
 * All auth calls come before certbot asks the CA, so the last one publishes for all of them, and waits.  Each clean-up
 * has the environment of its auth call, in the same order: the last one withdraws for all.
 *
 * Which call is the last for us?  Addresses can only be proved by http-01, perhaps by a script of the operator's that
 * asks us for the names alone: what follows of them is not counted.  A name that is proved by http-01 can't be told
 * from one that is ours.  If its call comes to us it is refused, and if it is the last, the others are served first.
 */
#include "hook/value.h"

#include <string.h>

#include "crypto/digest.h"
#include "util/parse.h"

static const char *first_env(const struct hook_call *call, const char *name, const char *older)
{
    const char *value = call->env(name);

    return value && *value ? value : call->env(older);
}

static enum err_code refuse_http01(struct err *err)
{
    enum err_code code = err_set(err, ERR_USAGE, "certbot wants to prove control by http-01, not by DNS");

    err_hint(err, "Add \"--preferred-challenges dns\" to certbot's command line.");
    return code;
}

/* ------------------------------------------------------------------ the batch */

static void split_list(const char *all, struct strlist *out)
{
    while (all && *all) {
        size_t len = strcspn(all, ",");

        if (len)
            strlist_add_take(out, mem_strndup(all, len));
        all += len + (all[len] == ',');
    }
}

/* No domain's last label is a number (RFC 3696 section 2). */
static bool is_address(const char *identifier)
{
    return strchr(identifier, ':') || !identifier[strspn(identifier, "0123456789.")];
}

static size_t count_names(const struct strlist *all, size_t first, size_t end)
{
    size_t count = 0;

    for (size_t i = first; i < end; i++)
        count += !is_address(all->items[i]);
    return count;
}

static enum err_code name_batch(const char *all, struct hook_batch *out, struct err *err)
{
    char digest[DIGEST_B64URL_SHA256_LEN + 1];
    enum err_code code = digest_sha256_b64url(all, strlen(all), digest, err);

    if (code == ERR_OK)
        memcpy(out->name, digest, HOOK_BATCH_LEN);
    return code;
}

/* A single name, or a list and a number that contradict each other, is served by itself. */
static enum err_code place_in_batch(const char *all, size_t remaining, struct hook_request *out, struct err *err)
{
    AUTO_STRLIST struct strlist list = {NULL, 0};
    size_t index;
    size_t before;
    size_t behind;

    split_list(all, &list);
    if (remaining >= list.count)
        return ERR_OK;
    index = list.count - 1 - remaining;
    before = count_names(&list, 0, index);
    behind = count_names(&list, index + 1, list.count);
    if (before + behind == 0)
        return ERR_OK;
    out->turn = behind > 0 ? HOOK_TURN_LATER : HOOK_TURN_LAST;
    out->batch = (struct hook_batch){.position = (int64_t)remaining, .is_begun = before == 0, .calls_before = before};
    return name_batch(all, &out->batch, err);
}

static enum err_code read_turn(const struct hook_call *call, struct hook_request *out, struct err *err)
{
    const char *text = call->env("CERTBOT_REMAINING_CHALLENGES");
    const char *all = first_env(call, "CERTBOT_ALL_IDENTIFIERS", "CERTBOT_ALL_DOMAINS");
    uint64_t remaining = 0;

    if (!text || !*text) /* certbot before 1.4 */
        return ERR_OK;
    if (!parse_uint(text, 0, 1000000, &remaining))
        return err_set(err, ERR_USAGE, "CERTBOT_REMAINING_CHALLENGES is \"%s\", not a number", text);
    return place_in_batch(all, (size_t)remaining, out, err);
}

/* ------------------------------------------------------------------ a call */

static enum err_code read_http01(const struct hook_call *call, const char *domain, struct hook_request *out,
                                 struct err *err)
{
    enum hook_action action = out->action;
    struct err ignored;
    bool is_last = domain && !is_address(domain) && read_turn(call, out, &ignored) == ERR_OK &&
                   out->turn == HOOK_TURN_LAST;

    if (!is_last) {
        out->action = HOOK_NOTHING;
        out->turn = HOOK_TURN_ONLY;
    }
    if (action != HOOK_PUBLISH) /* the auth call has said it; there is nothing to clean up */
        return ERR_OK;
    if (is_last)
        (void)refuse_http01(&out->refusal);
    return is_last ? ERR_OK : refuse_http01(err);
}

enum err_code hook_certbot_read(const struct hook_call *call, struct hook_request *out, struct err *err)
{
    const char *domain = first_env(call, "CERTBOT_IDENTIFIER", "CERTBOT_DOMAIN");
    const char *validation = call->env("CERTBOT_VALIDATION");
    char *value = NULL;
    enum err_code code;

    if (call->env("CERTBOT_TOKEN"))
        return read_http01(call, domain, out, err);
    if (!domain || !validation) {
        code = err_set(err, ERR_USAGE, "%s is not set in the environment",
                       domain ? "CERTBOT_VALIDATION" : "CERTBOT_DOMAIN");
        err_hint(err,
                 "\"%s\" without arguments is for certbot's --manual-auth-hook and --manual-cleanup-hook, which "
                 "set it.  See acme-dme-hooks(7) for other clients.",
                 call->argv[0]);
        return code;
    }
    code = hook_value_make(HOOK_VALUE_DIGEST, validation, &value, err);
    if (code != ERR_OK)
        return err_prefix(err, code, "CERTBOT_VALIDATION");
    hook_request_add(out, HOOK_NAME_DOMAIN, domain, value);
    code = read_turn(call, out, err);
    return out->action == HOOK_PUBLISH ? code : ERR_OK; /* whatever certbot says, it is to be withdrawn */
}
