/* SPDX-License-Identifier: MIT
 *
 * What the accounts of a file must be like among themselves: names, zones, the default.
 */
#include <stdlib.h>
#include <string.h>

#include "config/loading.h"

void config_draft_done(struct config_draft *draft)
{
    free(draft->path);
    free(draft->name);
    strlist_done(&draft->zones);
}

static struct config_place draft_place(const struct config_loading *load, const struct config_draft *draft)
{
    return yaml_tree_place(draft->node, load->config->file);
}

/* Every account of the list by itself. */
static void check_each(struct config_loading *load)
{
    for (size_t i = 0; i < load->draft_count; i++) {
        const struct config_draft *draft = &load->drafts[i];
        const struct config_place at = draft_place(load, draft);

        if (draft->node->kind != YAML_TREE_MAP)
            continue;
        if (!yaml_tree_get(draft->node, "name"))
            config_report_problem(&load->report, &at, "this account has no \"name\"");
        if (!yaml_tree_get(draft->node, "credentials"))
            config_report_problem(&load->report, &at, "this account has no \"credentials\"");
        for (size_t j = 0; j < i && draft->name; j++) {
            if (load->drafts[j].name && strcmp(load->drafts[j].name, draft->name) == 0)
                config_report_problem(&load->report, &at,
                                      "there are two accounts of this name; the first is in line %zu",
                                      load->drafts[j].node->line);
        }
    }
}

struct owned_zone {
    const char *zone;
    const struct config_draft *owner;
};

static int compare_zones(const void *a, const void *b)
{
    const struct owned_zone *x = a;
    const struct owned_zone *y = b;
    int order = strcmp(x->zone, y->zone);

    /* The same zone: in the order of the file, so that the message is about the later one. */
    return order ? order : (x->owner > y->owner) - (x->owner < y->owner);
}

/* No zone may belong to two accounts, nor be listed twice. */
static void check_zones(struct config_loading *load)
{
    struct owned_zone AUTO_FREE *all = NULL;
    size_t count = 0;

    for (size_t i = 0; i < load->draft_count; i++)
        count += load->drafts[i].zones.count;
    all = mem_calloc(count, sizeof *all);
    count = 0;
    for (size_t i = 0; i < load->draft_count; i++) {
        for (size_t j = 0; j < load->drafts[i].zones.count; j++)
            all[count++] = (struct owned_zone){load->drafts[i].zones.items[j], &load->drafts[i]};
    }
    qsort(all, count, sizeof *all, compare_zones);
    for (size_t i = 1; i < count; i++) {
        struct config_place at = draft_place(load, all[i].owner);
        char AUTO_FREE *quoted = config_quote(all[i].zone);

        if (strcmp(all[i].zone, all[i - 1].zone) == 0)
            config_report_problem(&load->report, &at, "zone %s is listed twice; first in the account in line %zu",
                                  quoted, all[i - 1].owner->node->line);
    }
}

/* One account is the default by itself.  Several need exactly one, unless each has zones. */
static void check_default(struct config_loading *load)
{
    struct config_place at = {CONFIG_FILE, load->config->file, 0, 0};
    const struct config_draft *first = NULL;
    bool all_have_zones = true;

    if (load->draft_count == 1)
        load->drafts[0].is_default = true;
    for (size_t i = 0; i < load->draft_count; i++) {
        const struct config_draft *draft = &load->drafts[i];

        all_have_zones = all_have_zones && draft->zones.count;
        if (draft->is_default && first) {
            at = draft_place(load, draft);
            config_report_problem(&load->report, &at, "a second default account; the first is in line %zu",
                                  first->node->line);
        }
        first = first ? first : draft->is_default ? draft : NULL;
    }
    if (first || all_have_zones || load->req->account)
        return;
    config_report_problem(&load->report, &at, "none of the %zu accounts is the default", load->draft_count);
    config_report_hint(&load->report,
                       "Put \"default_account: true\" in one of them, or give each a list of its \"zones\".");
}

void config_check_drafts(struct config_loading *load)
{
    check_each(load);
    check_zones(load);
    check_default(load);
}
