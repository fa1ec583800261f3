/* SPDX-License-Identifier: MIT
 *
 * Settings of certificates by name: where they came from, as text and back, copied.
 */
#include <string.h>

#include "config/loading.h"
#include "util/text.h"

#define OF_ITEM "certificates[]."

static const char *const names[] = {
    "key_type",  "reuse_key",    "profile",     "preferred_chain",
    "challenge", "renew_before", "csr",         "key",
    "owner",     "group",        "key_mode",    "combined",
    "der",       "pfx",          "pfx_legacy",  "pfx_password_file",
    "pre",       "deploy",       "deploy_once", "post",
    "failed",
};

const char *const *config_certificate_setting_names(size_t *count)
{
    *count = ARRAY_LEN(names);
    return names;
}

/* Is it the row of a setting of one certificate, and not of its name, domains or CA? */
static bool is_setting(const struct config_key *key)
{
    return text_starts_with(key->path, OF_ITEM) && key->offset != SIZE_MAX &&
           key->offset >= offsetof(struct config_certificate, settings);
}

/* The row of a setting of one certificate, NULL if there is no such setting. */
static const struct config_key *find_key(const char *setting)
{
    size_t count;
    const struct config_key *keys = config_keys(&count);

    for (size_t i = 0; i < count; i++) {
        if (is_setting(&keys[i]) && strcmp(keys[i].path + strlen(OF_ITEM), setting) == 0)
            return &keys[i];
    }
    return NULL;
}

/* Where a setting's field is in struct config_certificate_settings. */
static size_t offset_of(const struct config_key *key)
{
    return key->offset - offsetof(struct config_certificate, settings);
}

/* ------------------------------------------------------------------ where from */

bool config_certificate_setting(const struct config *config, size_t managed_index, const char *setting,
                                enum config_source_kind *out_kind, const char **out_where)
{
    char AUTO_FREE *of_all = mem_printf("acme.%s", setting);
    char AUTO_FREE *of_option = mem_printf(OF_ITEM "%s", setting);
    char AUTO_FREE *of_one = mem_printf("certificates[%zu].%s", managed_index, setting);
    const char *path = config_key_find(of_all) ? of_all : of_option;

    if (managed_index != SIZE_MAX && config_source(config, path) <= CONFIG_FILE &&
        config_source(config, of_one) != CONFIG_DEFAULT)
        path = of_one;
    *out_kind = config_source(config, path);
    *out_where = config_where(config, path);
    return *out_kind != CONFIG_DEFAULT;
}

/* ------------------------------------------------------------------ from text and back */

/* The words of commands as texts of a value. */
static struct config_text *make_texts(const struct config_commands *commands, const struct config_place *at,
                                      size_t *out_count)
{
    struct config_text *texts = mem_calloc(1, sizeof *texts);
    size_t count = 0;

    for (size_t i = 0; i < commands->count; i++) {
        const struct strlist *argv = &commands->items[i].argv;

        texts = mem_resize(texts, count + argv->count, sizeof *texts);
        for (size_t j = 0; j < argv->count; j++)
            texts[count++] = (struct config_text){argv->items[j], *at, i};
    }
    *out_count = count;
    return texts;
}

static void set_commands(struct config_loading *load, const struct config_key *key, const struct config_text *text,
                         void *field)
{
    struct config_commands AUTO(config_commands_done) commands = {NULL, 0};
    struct config_text AUTO_FREE *texts = NULL;
    size_t count;

    if (!config_commands_parse(text->text, &commands)) {
        config_report_problem(&load->report, &text->at, "\"%s\" is no text of commands", key->path + strlen(OF_ITEM));
        return;
    }
    texts = make_texts(&commands, &text->at, &count);
    (void)config_value_set(load, key, key->path + strlen(OF_ITEM), texts, count, field);
}

enum err_code config_certificate_apply(struct config_certificate_settings *settings, const char *setting,
                                       const char *value, const char *what, struct err *err)
{
    const struct config_text text = {.text = value, .at = {CONFIG_DEFAULT, what, 0, 0}};
    const struct config_request req = {.need = CONFIG_WITHOUT_CREDENTIALS};
    const struct config_key *key = find_key(setting);
    struct strlist AUTO_STRLIST ignored = {NULL, 0};
    struct config_loading load = {.req = &req, .report.warnings = &ignored};
    enum err_code code;

    if (!key)
        return err_set(err, ERR_CONFIG, "%s: certificates have no setting \"%s\"", what, setting);
    if (key->type == CONFIG_TYPE_COMMANDS)
        set_commands(&load, key, &text, (char *)settings + offset_of(key));
    else
        (void)config_value_set(&load, key, setting, &text, 1, (char *)settings + offset_of(key));
    code = config_report_finish(&load.report, NULL, &ignored, err);
    config_report_done(&load.report);
    return code;
}

/* Is there anything in the field?  Switches and choices always say something, and so do commands, if only that there
 * are none. */
static bool is_said(const struct config_key *key, const void *field)
{
    switch (key->type) {
    case CONFIG_TYPE_STRING:
    case CONFIG_TYPE_PATH:
    case CONFIG_TYPE_KEY_TYPE:
        return *(char *const *)field;
    case CONFIG_TYPE_MODE:
        return *(const uint32_t *)field;
    case CONFIG_TYPE_SHARE:
        return ((const struct config_share *)field)->denominator || ((const struct config_share *)field)->ms;
    default:
        return true;
    }
}

char *config_certificate_format(const struct config_certificate_settings *settings, const char *setting)
{
    const struct config_key *key = find_key(setting);
    const void *field = key ? (const char *)settings + offset_of(key) : NULL;

    if (!key || !is_said(key, field))
        return NULL;
    if (key->type == CONFIG_TYPE_COMMANDS)
        return config_commands_format(field);
    if (key->type == CONFIG_TYPE_STRING || key->type == CONFIG_TYPE_PATH || key->type == CONFIG_TYPE_KEY_TYPE)
        return mem_strdup(*(char *const *)field);
    return config_value_format(key, field);
}

/* ------------------------------------------------------------------ memory */

void config_certificate_settings_copy(struct config_certificate_settings *to,
                                      const struct config_certificate_settings *from)
{
    size_t count;
    const struct config_key *keys = config_keys(&count);

    for (size_t i = 0; i < count; i++)
        if (is_setting(&keys[i]))
            config_field_copy(&keys[i], (char *)to + offset_of(&keys[i]), (const char *)from + offset_of(&keys[i]));
}

void config_certificate_settings_done(struct config_certificate_settings *settings)
{
    size_t count;
    const struct config_key *keys = config_keys(&count);

    for (size_t i = 0; i < count; i++)
        if (is_setting(&keys[i]))
            config_field_done(&keys[i], (char *)settings + offset_of(&keys[i]));
    *settings = (struct config_certificate_settings){.key_type = NULL};
}
