/* SPDX-License-Identifier: MIT
 *
 * Other clients' files: settings of certbot and acme.sh, account keys as JWKs, lists of contacts.
 */
#include <string.h>

#include "fuzz.h"
#include "import/internal.h"
#include "json/json.h"
#include "util/text.h"

typedef enum err_code (*parser)(const char *, size_t, const char *, struct import_settings *, struct err *);

static void check_message(const struct err *err)
{
    FUZZ_CHECK(err->code == ERR_INPUT && err->msg[0] != '\0' && text_is_utf8(err->msg, strlen(err->msg)));
}

static void as_settings(parser parse, const char *text, size_t len)
{
    AUTO_IMPORT_SETTINGS struct import_settings settings = {NULL, NULL, 0};
    struct err err;

    if (parse(text, len, "x.conf", &settings, &err) != ERR_OK) {
        FUZZ_CHECK(settings.count == 0);
        check_message(&err);
        return;
    }
    for (size_t i = 0; i < settings.count; i++) {
        const struct import_setting *s = &settings.items[i];
        const char *value = NULL;

        FUZZ_CHECK(*s->key && s->line > 0 && !strchr(s->key, '\n') && (!s->value || !strchr(s->value, '\n')));
        FUZZ_CHECK(import_settings_find(&settings, s->section, s->key) >= s);
        if (import_settings_text(&settings, s->section, s->key, &value, &err) == ERR_OK)
            FUZZ_CHECK((value != NULL) == import_settings_has(&settings, s->section, s->key));
        else
            check_message(&err);
    }
}

static void as_json(const char *text, size_t len)
{
    AUTO_JSON json_t *json = NULL;
    AUTO_KEY struct key *key = NULL;
    AUTO_STRLIST struct strlist contacts = {NULL, 0};
    AUTO_FREE char *url = NULL;
    struct err err;

    if (json_parse(text, len, "it", &json, &err) != ERR_OK || json_want_object(json, "it", &err) != ERR_OK) {
        check_message(&err);
        return;
    }
    if (import_jwk_parse(json, "it", &key, &err) != ERR_OK)
        check_message(&err);
    if (import_take_contacts(json, "it", &contacts, &err) != ERR_OK)
        check_message(&err);
    if (import_take_url(json_string_value(json_object_get(json, "uri")), "the URL", "it", &url, &err) != ERR_OK)
        check_message(&err);
    FUZZ_CHECK(!url || import_url_origin_len(url) > strlen("https://"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = mem_strndup((const char *)data, size);
    size_t len = strlen(text);

    if (!text_is_utf8(text, len))
        return 0; /* import_read_text() lets nothing else through */
    as_settings(import_settings_parse_ini, text, len);
    as_settings(import_settings_parse_shell, text, len);
    as_json(text, len);
    return 0;
}
