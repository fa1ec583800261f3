/* SPDX-License-Identifier: MIT
 *
 * Fields by the type of their key: copied and freed.
 */
#include <stdlib.h>
#include <string.h>

#include "config/loading.h"

static void copy_commands(struct config_commands *to, const struct config_commands *from)
{
    to->items = mem_calloc(from->count, sizeof *to->items);
    to->count = from->count;
    for (size_t i = 0; i < from->count; i++)
        strlist_copy(&to->items[i].argv, &from->items[i].argv);
}

void config_field_copy(const struct config_key *key, void *to, const void *from)
{
    switch (key->type) {
    case CONFIG_TYPE_STRING:
    case CONFIG_TYPE_PATH:
    case CONFIG_TYPE_URL:
    case CONFIG_TYPE_CA:
    case CONFIG_TYPE_KEY_TYPE:
    case CONFIG_TYPE_ITEM_NAME:
        *(char **)to = mem_strdup(*(char *const *)from);
        break;
    case CONFIG_TYPE_UINT:
    case CONFIG_TYPE_MODE:
        *(uint32_t *)to = *(const uint32_t *)from;
        break;
    case CONFIG_TYPE_DURATION:
        *(int64_t *)to = *(const int64_t *)from;
        break;
    case CONFIG_TYPE_BOOL:
        *(bool *)to = *(const bool *)from;
        break;
    case CONFIG_TYPE_ENUM:
        memcpy(to, from, sizeof(unsigned));
        break;
    case CONFIG_TYPE_SHARE:
        *(struct config_share *)to = *(const struct config_share *)from;
        break;
    case CONFIG_TYPE_NAMES:
    case CONFIG_TYPE_ADDRESSES:
    case CONFIG_TYPE_URLS:
    case CONFIG_TYPE_SOURCES:
    case CONFIG_TYPE_EMAILS:
    case CONFIG_TYPE_DOMAINS:
        strlist_copy(to, from);
        break;
    case CONFIG_TYPE_COMMANDS:
        copy_commands(to, from);
        break;
    case CONFIG_TYPE_SECRET:
        *(struct secret **)to = secret_dup(*(struct secret *const *)from);
        break;
    case CONFIG_TYPE_IGNORED:
        break;
    }
}

static void free_string(char **field)
{
    free(*field);
    *field = NULL;
}

void config_field_done(const struct config_key *key, void *field)
{
    switch (key->type) {
    case CONFIG_TYPE_STRING:
    case CONFIG_TYPE_PATH:
    case CONFIG_TYPE_URL:
    case CONFIG_TYPE_CA:
    case CONFIG_TYPE_KEY_TYPE:
    case CONFIG_TYPE_ITEM_NAME:
        free_string(field);
        break;
    case CONFIG_TYPE_NAMES:
    case CONFIG_TYPE_ADDRESSES:
    case CONFIG_TYPE_URLS:
    case CONFIG_TYPE_SOURCES:
    case CONFIG_TYPE_EMAILS:
    case CONFIG_TYPE_DOMAINS:
        strlist_done(field);
        break;
    case CONFIG_TYPE_COMMANDS:
        config_commands_done(field);
        break;
    case CONFIG_TYPE_SECRET:
        secret_free(*(struct secret **)field);
        *(struct secret **)field = NULL;
        break;
    case CONFIG_TYPE_UINT:
    case CONFIG_TYPE_MODE:
    case CONFIG_TYPE_DURATION:
    case CONFIG_TYPE_BOOL:
    case CONFIG_TYPE_ENUM:
    case CONFIG_TYPE_SHARE:
    case CONFIG_TYPE_IGNORED:
        break;
    }
}
