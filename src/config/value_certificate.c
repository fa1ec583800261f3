/* SPDX-License-Identifier: MIT
 *
 * Types of values that only certificates need.
 */
#include <string.h>

#include "config/address.h"
#include "config/ca.h"
#include "config/value.h"
#include "util/text.h"

#define ITEM_NAME_MAX 100
#define EMAIL_MAX 254 /* RFC 5321 section 4.5.3.1.3, without the brackets */

/* The names in quotes, for hints. */
static char *join(const char *const *names, size_t count)
{
    struct buf AUTO_BUF b = BUF_INIT(400);

    for (size_t i = 0; i < count; i++)
        buf_printf(&b, "%s\"%s\"", i ? ", " : "", names[i]);
    return buf_take(&b);
}

/* Report a word that is none of those which are known. */
static void report_unknown(const struct config_value *v, const char *what, const char *const *names, size_t count)
{
    const char *near = text_nearest(v->texts[0].text, names, count);
    char AUTO_FREE *all = join(names, count);

    config_value_must_be(v, &v->texts[0], what);
    if (near)
        config_report_hint(&v->load->report, "Did you mean \"%s\"?  Known are %s.", near, all);
    else
        config_report_hint(&v->load->report, "Known are %s.", all);
}

bool config_value_set_ca(const struct config_value *v)
{
    const char *text = v->texts[0].text;
    const char *url = config_ca_url(text);
    size_t count;
    const char *const *names = config_ca_names(&count);

    if (!url && !strpbrk(text, ":/")) {
        report_unknown(v, "the short name of a CA or the URL of its directory", names, count);
        return false;
    }
    if (!url && !config_value_check_url(v, &v->texts[0]))
        return false;
    config_value_store_take(v->field, mem_strdup(url ? url : text));
    return true;
}

bool config_value_set_key_type(const struct config_value *v)
{
    static const char *const types[] = {"ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-3072", "rsa-4096", "ed25519"};

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (strcmp(v->texts[0].text, types[i]) == 0) {
            config_value_store_take(v->field, mem_strdup(types[i]));
            return true;
        }
    }
    report_unknown(v, "a type of key", types, ARRAY_LEN(types));
    return false;
}

bool config_is_item_name(const char *text)
{
    size_t len = strlen(text);

    if (len == 0 || len > ITEM_NAME_MAX || text[0] == '.' || text[0] == '-')
        return false;
    for (; *text; text++) {
        char c = text_lower(*text);

        if (!(c >= 'a' && c <= 'z') && !text_is_digit(c) && !strchr("-_.@", c))
            return false;
    }
    return true;
}

bool config_value_set_item_name(const struct config_value *v)
{
    const char *text = v->texts[0].text;

    if (!config_is_item_name(text)) {
        config_value_must_be(v, &v->texts[0],
                             "at most 100 letters, digits, \"-\", \"_\", \".\" and \"@\", the first of them neither "
                             "\"-\" nor \".\"");
        return false;
    }
    config_value_store_take(v->field, mem_strdup(text));
    return true;
}

/* A key is read by its owner, perhaps by a group, and changed by its owner alone. */
bool config_value_set_mode(const struct config_value *v)
{
    static const struct {
        const char *text;
        uint32_t mode;
    } modes[] = {{"0600", 0600}, {"0640", 0640}, {"0400", 0400}, {"0440", 0440}};
    const char *text = v->texts[0].text;

    for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
        if (strcmp(text, modes[i].text) == 0 || strcmp(text, modes[i].text + 1) == 0) {
            *(uint32_t *)v->field = modes[i].mode;
            return true;
        }
    }
    config_value_must_be(v, &v->texts[0], "0600, 0640, 0400 or 0440");
    return false;
}

const char *config_email_address(const char *text)
{
    return text_ncasecmp(text, "mailto:", strlen("mailto:")) == 0 ? text + strlen("mailto:") : text;
}

/* RFC 8555 section 7.3: one address, and no header fields behind it. */
bool config_value_check_email(const struct config_value *v, const struct config_text *text)
{
    const char *address = config_email_address(text->text);
    const char *at = strrchr(address, '@');
    bool good = at && at != address && strlen(address) <= EMAIL_MAX && config_is_dns_name(at + 1);

    for (const char *p = address; good && p < at; p++)
        good = *p > ' ' && *p < 0x7f && !strchr("@,;:<>()[]\\\"?%&", *p);
    if (!good)
        config_value_must_be(v, text, "an e-mail address (\"you@example.com\")");
    return good;
}

bool config_value_check_domain(const struct config_value *v, const struct config_text *text)
{
    if (config_value_is_plain(text->text) && !strpbrk(text->text, " ,"))
        return true;
    config_value_must_be(v, text, "one domain name");
    return false;
}
