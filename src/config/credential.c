/* SPDX-License-Identifier: MIT */
#include "config/credential.h"

#include <stdlib.h>
#include <string.h>

#include "config/clean.h"
#include "util/text.h"

#define KEY_FILE_MAX 8192
#define SECRET_MAX 256
#define ENCRYPTED_MIN 64 /* a sym-encrypted UUID has more than 100 characters */

static const char *const variables[] = {"DNSMADEEASY_API_KEY", "DNSMADEEASY_API_SECRET"};
static const char *const file_variables[] = {"DNSMADEEASY_API_KEY_FILE", "DNSMADEEASY_API_SECRET_FILE"};
static const char *const names[] = {"api_key", "api_secret"};

void config_half_done(struct config_half *half)
{
    free(half->file);
    free(half->path);
    half->file = half->path = NULL;
}

/* ------------------------------------------------------------------ where it is given */

struct config_half config_half_from_environment(struct config_loading *load, enum config_half_kind kind)
{
    const char *value = config_env(load, variables[kind]);
    const char *file = config_env(load, file_variables[kind]);
    struct config_half half = {.kind = kind, .is_given = value || file};

    half.at = (struct config_place){CONFIG_ENVIRONMENT, value ? variables[kind] : file_variables[kind], 0, 0};
    half.path = mem_strdup(variables[kind]);
    half.text = value;
    half.len = value ? strlen(value) : 0;
    if (value && file) {
        config_report_problem(&load->report, NULL, "environment variables %s and %s are both set", variables[kind],
                              file_variables[kind]);
        config_report_hint(&load->report, "Unset one of them.");
        half.was_refused = true;
    } else if (file) {
        struct config_text text = {.text = file, .at = half.at};

        half.file = config_path_resolve(load, file_variables[kind], &text);
        half.was_refused = !half.file;
    }
    return half;
}

/* Was the key written, though perhaps with a value that was refused already? */
static bool is_written(const struct config_draft *draft, const char *name)
{
    const struct yaml_tree *credentials = draft->node;

    if (*draft->path)
        credentials = yaml_tree_get(draft->node, "credentials");
    return credentials && yaml_tree_get(credentials, name);
}

struct config_half config_half_from_draft(struct config_loading *load, const struct config_draft *draft,
                                          enum config_half_kind kind)
{
    const struct yaml_tree *value = draft->given[CONFIG_GIVEN_KEY + kind];
    const struct yaml_tree *file = draft->given[CONFIG_GIVEN_KEY_FILE + kind];
    char AUTO_FREE *file_name = mem_printf("%s_file", names[kind]);
    struct config_half half = {.kind = kind, .has_encryption_key = draft->given[CONFIG_GIVEN_ENCRYPTION_KEY]};

    half.path = mem_printf("%scredentials.%s", draft->path, names[kind]);
    half.is_given = is_written(draft, names[kind]) || is_written(draft, file_name);
    half.was_refused = half.is_given && !value && !file;
    if (value || file)
        half.at = yaml_tree_place(value ? value : file, load->config->file);
    if (value && file) {
        config_report_problem(&load->report, &half.at, "\"%s\" and \"%s_file\" are both given", half.path, half.path);
        config_report_hint(&load->report, "Give one of them.");
        half.was_refused = true;
    } else if (value) {
        half.text = value->text;
        half.len = value->len;
    } else if (file) {
        struct config_text text = {.text = file->text, .at = half.at};
        char AUTO_FREE *file_path = mem_printf("%s_file", half.path);

        half.file = config_path_resolve(load, file_path, &text);
        half.was_refused = !half.file;
    }
    return half;
}

char *config_half_origin(const struct config_half *half)
{
    char AUTO_FREE *place = config_place_format(&half->at);

    return half->file ? mem_printf("file %s, which %s names", half->file, place) : mem_strdup(place);
}

/* ------------------------------------------------------------------ checks */

/* What is wrong with a cleaned value, as the rest of a sentence; NULL: nothing. */
static const char *value_fault(const char *text, size_t len)
{
    if (len == 0)
        return "is empty";
    if (len >= 2 && (memcmp(text, "\xff\xfe", 2) == 0 || memcmp(text, "\xfe\xff", 2) == 0))
        return "is UTF-16, as PowerShell writes it: its file has to be UTF-8";
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '\n' || c == '\r')
            return "holds more than one line";
        if (text_is_space(text[i]))
            return "holds white space";
        if (c < ' ' || c == 0x7f)
            return "holds a control character";
        if (c > 0x7f)
            return "holds a character that is not ASCII";
        if (c == '"' || c == '\'')
            return "holds a quote";
    }
    return len > SECRET_MAX ? "is too long to be one" : NULL;
}

/* RFC 9562: 8-4-4-4-12 hexadecimal digits. */
static bool is_uuid(const char *text, size_t len)
{
    if (len != 36)
        return false;
    for (size_t i = 0; i < len; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? text[i] != '-' : !text_is_hex(text[i]))
            return false;
    }
    return true;
}

/* Encrypted by the gem "sym": base64 of a marshalled Ruby object, which begins with "BAh". */
static bool is_encrypted(const struct config_half *half, const char *text, size_t len)
{
    size_t base64 = 0;

    if (len == 0 || is_uuid(text, len))
        return false;
    if (half->has_encryption_key || (len > 20 && memcmp(text, "BAh", 3) == 0))
        return true;
    while (base64 < len && ((text_lower(text[base64]) >= 'a' && text_lower(text[base64]) <= 'z') ||
                            text_is_digit(text[base64]) || memchr("+/=_-", text[base64], 5)))
        base64++;
    return base64 == len && len >= ENCRYPTED_MIN;
}

static enum config_half_result clean(struct config_loading *load, const struct config_half *half,
                                     const struct config_place *at, struct config_cleaning *c, struct secret **out)
{
    const char *fault;

    config_clean(c);
    if (is_encrypted(half, c->text, c->len))
        return CONFIG_HALF_ENCRYPTED;
    fault = value_fault(c->text, c->len);
    if (fault) {
        config_report_problem(&load->report, at, "the value of \"%s\" %s", half->path, fault);
        config_report_hint(&load->report, "Copy it anew from DNS Made Easy's control panel, under Config, Account "
                                          "Information: 36 characters, hexadecimal digits and dashes.");
        return CONFIG_HALF_REFUSED;
    }
    config_cleaning_warn(load, at, half->path, c);
    if (half->kind == CONFIG_HALF_KEY && !is_uuid(c->text, c->len))
        config_report_warning(&load->report, at, "the value of \"%s\" is no UUID, as DNS Made Easy's API keys are",
                              half->path);
    *out = secret_new(c->text, c->len);
    return CONFIG_HALF_GOOD;
}

enum config_half_result config_half_read(struct config_loading *load, const struct config_half *half,
                                         struct secret **out)
{
    struct buf AUTO_BUF content = BUF_INIT(KEY_FILE_MAX);
    struct config_place at = half->at;
    struct config_cleaning c = {.text = half->text, .len = half->len};

    if (half->was_refused)
        return CONFIG_HALF_REFUSED;
    if (half->file) {
        struct platform_file_info info = {.exposure = PLATFORM_WORLD_READABLE};
        struct err err;
        enum err_code code = platform_file_read(half->file, &content, &info, &err);

        if (code != ERR_OK) {
            /* The key itself where the name of its file belongs is an easy mistake. */
            const char *slash = strrchr(half->file, '/');
            bool hide = config_may_be_secret(slash ? slash : half->file);

            config_report_error(
                &load->report, code == ERR_NOT_FOUND ? ERR_CONFIG : code, &at, "%s",
                hide ? "could not read the file, whose name is not shown here, as it looks like a secret" : err.msg);
            return CONFIG_HALF_REFUSED;
        }
        config_check_exposure(load, half->file, &info);
        at = (struct config_place){CONFIG_FILE, half->file, 0, 0};
        c.text = buf_cstr(&content);
        c.len = content.len;
    }
    return clean(load, half, &at, &c, out);
}
