/* SPDX-License-Identifier: MIT
 *
 * Prints the table of configuration keys as acme-dme.yaml.5 has it, two lines a key; check-man-config compares them.
 * With arguments: loads these files and prints what is wrong with them.
 */
#include <stdio.h>

#include "config/config.h"
#include "config/schema.h"
#include "util/mem.h"

static const char *type_words(enum config_type type)
{
    switch (type) {
    case CONFIG_TYPE_STRING:
        return "text";
    case CONFIG_TYPE_PATH:
        return "path";
    case CONFIG_TYPE_URL:
        return "URL";
    case CONFIG_TYPE_UINT:
        return "whole number";
    case CONFIG_TYPE_DURATION:
        return "duration";
    case CONFIG_TYPE_BOOL:
        return "true or false";
    case CONFIG_TYPE_ENUM:
        return "Cm";
    case CONFIG_TYPE_NAMES:
        return "list of zones";
    case CONFIG_TYPE_ADDRESSES:
        return "list of addresses";
    case CONFIG_TYPE_URLS:
        return "list of URLs";
    case CONFIG_TYPE_SOURCES:
        return "list of certificates";
    case CONFIG_TYPE_SHARE:
        return "part or duration";
    case CONFIG_TYPE_EMAILS:
        return "list of e-mail addresses";
    case CONFIG_TYPE_DOMAINS:
        return "list of domains";
    case CONFIG_TYPE_CA:
        return "CA";
    case CONFIG_TYPE_KEY_TYPE:
        return "key type";
    case CONFIG_TYPE_ITEM_NAME:
        return "name";
    case CONFIG_TYPE_MODE:
        return "mode";
    case CONFIG_TYPE_COMMANDS:
        return "commands";
    case CONFIG_TYPE_SECRET:
        return "secret";
    case CONFIG_TYPE_IGNORED:
        break;
    }
    return "not used";
}

static void print_key(const struct config_key *key)
{
    char AUTO_FREE *range = config_key_range(key);

    (void)printf(".It Ic %s\n.Pq %s", key->path, type_words(key->type));
    for (size_t i = 0; key->choices && key->choices[i]; i++)
        (void)printf("%s %s", i ? " |" : "", key->choices[i]);
    if (range)
        (void)printf(" , %s", range);
    /* A default that is a list has a line of its own in the page. */
    if (key->fallback && !config_key_is_list(key))
        (void)printf(" , default %s", key->fallback);
    if (key->variable)
        (void)printf(" , Ev %s", key->variable);
    if (key->option)
        (void)printf(" , Fl %s", key->option + 1);
    (void)putchar('\n');
    for (const char *p = key->fallback; config_key_is_list(key) && p && *p; p++)
        (void)printf("%s%c%s", p == key->fallback ? ".Dl " : "", *p == ',' ? ' ' : *p, p[1] ? "" : "\n");
}

static enum err_code load(const char *file)
{
    const struct config_request req = {.file = file, .need = CONFIG_WITHOUT_CREDENTIALS};
    struct config *config AUTO(config_free_auto) = NULL;
    struct strlist problems AUTO_STRLIST = {NULL, 0};
    struct strlist warnings AUTO_STRLIST = {NULL, 0};
    struct err err;
    enum err_code code = config_load(&req, &config, &problems, &warnings, &err);

    for (size_t i = 0; i < problems.count; i++)
        (void)puts(problems.items[i]);
    if (code != ERR_OK)
        (void)puts(err.msg);
    return code;
}

int main(int argc, char **argv)
{
    size_t count;
    const struct config_key *keys = config_keys(&count);
    bool good = true;

    for (int i = 1; i < argc; i++)
        good = load(argv[i]) == ERR_OK && good;
    for (size_t i = 0; argc < 2 && i < count; i++)
        print_key(&keys[i]);
    return fflush(stdout) == 0 && good ? 0 : 1;
}
