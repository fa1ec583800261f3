/* SPDX-License-Identifier: MIT */
#include "flow/challenge.h"

#include <stdlib.h>
#include <string.h>

#include "dns/name.h"
#include "util/text.h"

/* RFC 8555 section 8.4 */
#define CHALLENGE_LABEL "_acme-challenge."

static bool same_value(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static void set_add(struct challenge_set *set, char *name_take, const char *value)
{
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->items[i].name, name_take) == 0 && same_value(set->items[i].value, value)) {
            free(name_take);
            return;
        }
    }
    set->items = mem_grow(set->items, set->count, sizeof *set->items);
    set->items[set->count++] = (struct challenge_item){.name = name_take, .value = mem_strdup(value)};
}

enum err_code challenge_set_add_record(struct challenge_set *set, const char *name, const char *value,
                                       struct err *err)
{
    char *normal = NULL;
    enum err_code code = name_normalise(name, &normal, err);

    if (code == ERR_OK)
        set_add(set, normal, value);
    return code;
}

enum err_code challenge_set_add_domain(struct challenge_set *set, const char *domain, const char *value,
                                       struct err *err)
{
    const char *base = strncmp(domain, "*.", 2) == 0 ? domain + 2 : domain;
    AUTO_FREE char *normal = NULL;
    AUTO_FREE char *record = NULL;
    enum err_code code;

    if (name_is_address(base))
        return err_set(err, ERR_INPUT, "\"%s\" is an IP address, which can't be proved by DNS", domain);
    code = name_normalise(base, &normal, err);
    if (code != ERR_OK)
        return code;
    record = mem_printf("%s%s", CHALLENGE_LABEL, normal);
    return challenge_set_add_record(set, record, value, err);
}

void challenge_set_done(struct challenge_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        free(set->items[i].name);
        free(set->items[i].value);
    }
    free(set->items);
    *set = (struct challenge_set){NULL, 0};
}
