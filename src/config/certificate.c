/* SPDX-License-Identifier: MIT
 *
 * What `certificates` must be like among themselves, and what each gets from elsewhere:
 *
 *   the command line and the environment, then its own settings, then those of `acme`, then the defaults
 */
#include <stdlib.h>
#include <string.h>

#include "config/value.h"
#include "util/text.h"

/* ------------------------------------------------------------------ names */

/* The name that comes from a domain: "example.com" from "*.Example.com."; yours, NULL when that is no good name. */
static char *make_name(const char *domain)
{
    char *name = config_name_normalize(text_starts_with(domain, "*.") ? domain + 2 : domain);

    if (config_is_item_name(name))
        return name;
    free(name);
    return NULL;
}

static void settle_name(struct config_loading *load, struct config_certificate *c, const struct yaml_tree *node)
{
    const struct config_place at = yaml_tree_place(node, load->config->file);
    const struct yaml_tree *domains = yaml_tree_get(node, "domains");
    bool is_reported = yaml_tree_get(node, "name") || (domains && domains->count) || !yaml_tree_get(node, "csr");

    if (!c->name && c->domains.count && !yaml_tree_get(node, "name")) {
        char AUTO_FREE *quoted = config_quote(c->domains.items[0]);

        c->name = make_name(c->domains.items[0]);
        if (c->name)
            return;
        config_report_problem(&load->report, &at, "this certificate has no \"name\", and none can be made of %s",
                              quoted);
    } else if (!c->name && !is_reported) {
        config_report_problem(&load->report, &at,
                              "this certificate has no \"name\", and no \"domains\" to make one of");
    } else {
        return;
    }
    config_report_hint(&load->report, "Add a line like: name: web-server");
}

static void check_domains(struct config_loading *load, const struct config_certificate *c, const struct yaml_tree *node)
{
    const struct yaml_tree *domains = yaml_tree_get(node, "domains");
    const struct config_place at = yaml_tree_place(domains ? domains : node, load->config->file);
    bool is_empty = domains ? domains->kind == YAML_TREE_LIST && domains->count == 0 : true;

    if (c->domains.count || !is_empty || yaml_tree_get(node, "csr"))
        return;
    config_report_problem(&load->report, &at, "this certificate has no \"domains\"");
    config_report_hint(&load->report, "List its names: domains: [example.com, www.example.com]");
}

struct named {
    const char *name;
    size_t index; /* in `certificates` */
};

/* Those that some file systems take for the same stand together. */
static int order_of(const char *a, const char *b)
{
    int order = text_casecmp(a, b);

    return order ? order : strcmp(a, b);
}

static int compare_names(const void *a, const void *b)
{
    const struct named *x = a;
    const struct named *y = b;
    int order = order_of(x->name, y->name);

    /* The same name: in the order of the file, so that the message is about the later one. */
    return order ? order : (x->index > y->index) - (x->index < y->index);
}

/* Thousands of certificates are looked up by name. */
static void note_order(struct config *config, const struct named *sorted)
{
    config->managed_by_name = mem_calloc(config->managed_count, sizeof *config->managed_by_name);
    for (size_t i = 0; i < config->managed_count; i++)
        config->managed_by_name[i] = sorted[i].index;
}

static void check_names(struct config_loading *load, const struct yaml_tree *list)
{
    struct named AUTO_FREE *all = mem_calloc(load->config->managed_count, sizeof *all);
    size_t count = 0;

    for (size_t i = 0; i < load->config->managed_count; i++) {
        if (load->config->managed[i].name)
            all[count++] = (struct named){load->config->managed[i].name, i};
    }
    qsort(all, count, sizeof *all, compare_names);
    for (size_t i = 1; i < count; i++) {
        struct config_place at = yaml_tree_place(&list->items[all[i].index], load->config->file);
        char AUTO_FREE *quoted = config_quote(all[i].name);

        if (text_casecmp(all[i].name, all[i - 1].name) != 0)
            continue;
        config_report_problem(&load->report, &at, "a second certificate of the name %s%s; the other is in line %zu",
                              quoted, strcmp(all[i].name, all[i - 1].name) != 0 ? ", but for upper and lower case" : "",
                              list->items[all[i - 1].index].line);
        config_report_hint(&load->report, "Give one of them another \"name\".");
    }
    if (count == load->config->managed_count)
        note_order(load->config, all);
}

size_t config_certificate_find(const struct config *config, const char *name)
{
    size_t low = 0;
    size_t high = config->managed_by_name ? config->managed_count : 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        size_t index = config->managed_by_name[middle];
        int order = order_of(name, config->managed[index].name);

        if (order == 0)
            return index;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return SIZE_MAX;
}

/* ------------------------------------------------------------------ what comes from elsewhere */

static void inherit_setting(struct config *config, const char *setting)
{
    char AUTO_FREE *row = mem_printf("certificates[].%s", setting);
    const struct config_key *key = config_key_find(row);
    size_t offset = key->offset - offsetof(struct config_certificate, settings);
    const char *of_all = (const char *)&config->certificate_defaults + offset;
    enum config_source_kind kind;
    const char *where;

    (void)config_certificate_setting(config, SIZE_MAX, setting, &kind, &where);
    config->has_certificate_options |= kind == CONFIG_COMMAND_LINE;
    for (size_t i = 0; i < config->managed_count; i++) {
        char AUTO_FREE *of_one = mem_printf("certificates[%zu].%s", i, setting);
        char *own = (char *)&config->managed[i].settings + offset;

        if (kind <= CONFIG_FILE && config_source(config, of_one) != CONFIG_DEFAULT)
            continue;
        config_field_done(key, own);
        config_field_copy(key, own, of_all);
    }
}

static void inherit(struct config *config)
{
    size_t count;
    const char *const *names = config_certificate_setting_names(&count);

    for (size_t i = 0; i < count; i++)
        inherit_setting(config, names[i]);
    if (config_source(config, "acme.directory") <= CONFIG_FILE)
        return;
    for (size_t i = 0; i < config->managed_count; i++) {
        free(config->managed[i].directory);
        config->managed[i].directory = NULL;
    }
}

void config_settle_certificates(struct config_loading *load)
{
    struct config *config = load->config;
    const struct yaml_tree *list = load->tree ? yaml_tree_get(load->tree, "certificates") : NULL;

    for (size_t i = 0; list && i < config->managed_count; i++) {
        const struct yaml_tree *node = &list->items[i];

        if (node->kind == YAML_TREE_MAP) {
            check_domains(load, &config->managed[i], node);
            settle_name(load, &config->managed[i], node);
        }
    }
    inherit(config);
    if (list && config->managed_count)
        check_names(load, list);
}
