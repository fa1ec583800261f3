/* SPDX-License-Identifier: MIT
 *
 * Values as people read them: field in, text out.
 */
#include <string.h>

#include "config/loading.h"
#include "crypto/digest.h"
#include "util/text.h"

#define SHOWN_MAX 1000

/* "100s": the largest unit that leaves no rest. */
char *config_duration_format(int64_t ms)
{
    static const struct {
        const char *name;
        int64_t ms;
    } units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}};

    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (ms && ms % units[i].ms == 0)
            return mem_printf("%lld%s", (long long)(ms / units[i].ms), units[i].name);
    }
    return ms ? mem_printf("%lldms", (long long)ms) : mem_strdup("0s");
}

/* In quotes, escaped, and not at all if it may be a secret in the wrong place. */
static char *format_text(const char *text)
{
    char safe[SHOWN_MAX];
    char AUTO_FREE *quoted = text ? config_quote(text) : mem_strdup("none");

    text_escape_into(safe, sizeof safe, quoted, strlen(quoted));
    return mem_strdup(safe);
}

/* Items that are ready to be shown. */
static char *join(const struct strlist *items)
{
    struct buf AUTO_BUF out = BUF_INIT(SHOWN_MAX);

    for (size_t i = 0; i < items->count; i++) {
        buf_printf(&out, "%s%s", i ? ", " : "", items->items[i]);
        if (!buf_ok(&out))
            return mem_printf("%s and more", buf_cstr(&out));
    }
    return items->count ? buf_take(&out) : mem_strdup("none");
}

static char *format_list(const struct strlist *list)
{
    struct strlist AUTO_STRLIST shown = {NULL, 0};

    for (size_t i = 0; i < list->count; i++)
        strlist_add_take(&shown, format_text(list->items[i]));
    return join(&shown);
}

/* An argument may be a password, in a form that nobody knows. */
static char *format_command(const struct strlist *argv)
{
    char AUTO_FREE *program = format_text(argv->items[0]);

    if (argv->count == 1)
        return mem_strdup(program);
    return mem_printf("%s with %zu argument%s", program, argv->count - 1, argv->count == 2 ? "" : "s");
}

static const char *choice_of(const struct config_key *key, const void *field)
{
    unsigned index;

    memcpy(&index, field, sizeof index);
    return key->choices[index];
}

static char *format_share(const struct config_share *share)
{
    return share->denominator ? mem_printf("%u/%u", share->numerator, share->denominator)
                              : config_duration_format(share->ms);
}

static char *format_commands(const struct config_commands *commands)
{
    struct strlist AUTO_STRLIST shown = {NULL, 0};

    for (size_t i = 0; i < commands->count; i++)
        strlist_add_take(&shown, format_command(&commands->items[i].argv));
    return join(&shown);
}

static char *format_mode(uint32_t mode)
{
    return mode ? mem_printf("%04o", mode) : mem_strdup("none");
}

static char *format_secret(const struct secret *secret)
{
    return secret ? config_secret_format(secret) : mem_strdup("none");
}

char *config_value_format(const struct config_key *key, const void *field)
{
    switch (key->type) {
    case CONFIG_TYPE_STRING:
    case CONFIG_TYPE_PATH:
    case CONFIG_TYPE_URL:
    case CONFIG_TYPE_CA:
    case CONFIG_TYPE_KEY_TYPE:
    case CONFIG_TYPE_ITEM_NAME:
        return format_text(*(char *const *)field);
    case CONFIG_TYPE_UINT:
        return mem_printf("%u", *(const uint32_t *)field);
    case CONFIG_TYPE_DURATION:
        return config_duration_format(*(const int64_t *)field);
    case CONFIG_TYPE_BOOL:
        return mem_strdup(*(const bool *)field ? "true" : "false");
    case CONFIG_TYPE_ENUM:
        return mem_strdup(choice_of(key, field));
    case CONFIG_TYPE_NAMES:
    case CONFIG_TYPE_ADDRESSES:
    case CONFIG_TYPE_URLS:
    case CONFIG_TYPE_SOURCES:
    case CONFIG_TYPE_EMAILS:
    case CONFIG_TYPE_DOMAINS:
        return format_list(field);
    case CONFIG_TYPE_COMMANDS:
        return format_commands(field);
    case CONFIG_TYPE_MODE:
        return format_mode(*(const uint32_t *)field);
    case CONFIG_TYPE_SHARE:
        return format_share(field);
    case CONFIG_TYPE_SECRET:
        return format_secret(*(struct secret *const *)field);
    case CONFIG_TYPE_IGNORED:
        break;
    }
    return mem_strdup("");
}

char *config_secret_format(const struct secret *secret)
{
    char fingerprint[9];

    if (digest_fingerprint(secret, fingerprint, NULL) != ERR_OK)
        return mem_printf("%zu characters", secret_len(secret));
    return mem_printf("%zu characters, fingerprint %s", secret_len(secret), fingerprint);
}
