/* SPDX-License-Identifier: MIT
 *
 * certbot's manual plugin (RFC 8555 says nothing of it; certbot's plugins/manual.py does).  All in the environment:
 *
 *   CERTBOT_DOMAIN, since 5.3 also CERTBOT_IDENTIFIER     the identifier, without "*."
 *   CERTBOT_VALIDATION                                    the TXT value
 *   CERTBOT_ALL_DOMAINS, since 5.3 CERTBOT_ALL_IDENTIFIERS  all of the run, "," between; base and wildcard twice
 *   CERTBOT_REMAINING_CHALLENGES                          how many calls follow (since 1.4)
 *   CERTBOT_TOKEN                                         only for http-01, which is certbot's default
 *
 * All auth calls come before certbot asks the CA, so only the last one waits, for all of them.
 */
#include "hook/value.h"

#include <string.h>

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

static void add_run_domains(const struct hook_call *call, struct hook_request *out)
{
    const char *all = first_env(call, "CERTBOT_ALL_IDENTIFIERS", "CERTBOT_ALL_DOMAINS");

    while (all && *all) {
        size_t len = strcspn(all, ",");

        if (len)
            strlist_add_take(&out->run_domains, mem_strndup(all, len));
        all += len + (all[len] == ',');
    }
}

static enum err_code read_remaining(const struct hook_call *call, struct hook_request *out, struct err *err)
{
    const char *text = call->env("CERTBOT_REMAINING_CHALLENGES");
    uint64_t remaining = 0;

    if (!text || !*text)
        return ERR_OK; /* certbot before 1.4: every call waits for its own record */
    if (!parse_uint(text, 0, 1000000, &remaining))
        return err_set(err, ERR_USAGE, "CERTBOT_REMAINING_CHALLENGES is \"%s\", not a number", text);
    if (remaining > 0)
        out->wait = HOOK_WAIT_LATER;
    else
        add_run_domains(call, out);
    return ERR_OK;
}

enum err_code hook_certbot_read(const struct hook_call *call, struct hook_request *out, struct err *err)
{
    const char *domain = first_env(call, "CERTBOT_IDENTIFIER", "CERTBOT_DOMAIN");
    const char *validation = call->env("CERTBOT_VALIDATION");
    char *value = NULL;
    enum err_code code;

    if (call->env("CERTBOT_TOKEN")) {
        if (out->action == HOOK_PUBLISH)
            return refuse_http01(err);
        out->action = HOOK_NOTHING; /* the auth call has said it; there is nothing to clean up */
        return ERR_OK;
    }
    if (!domain || !validation) {
        code = err_set(err, ERR_USAGE, "%s is not set in the environment",
                       domain ? "CERTBOT_VALIDATION" : "CERTBOT_DOMAIN");
        err_hint(err, "\"%s\" without arguments is for certbot's --manual-auth-hook and --manual-cleanup-hook, which "
                      "set it.  See acme-dme-hooks(7) for other clients.",
                 call->argv[0]);
        return code;
    }
    code = hook_value_make(HOOK_VALUE_DIGEST, validation, &value, err);
    if (code != ERR_OK)
        return err_prefix(err, code, "CERTBOT_VALIDATION");
    hook_request_add(out, HOOK_NAME_DOMAIN, domain, value);
    return out->action == HOOK_PUBLISH ? read_remaining(call, out, err) : ERR_OK;
}
