/* SPDX-License-Identifier: MIT
 *
 * Values that do not come from the file: defaults below it, environment and command line above it.
 */
#include <stdlib.h>
#include <string.h>

#include "config/loading.h"

#define ENDPOINT_PRODUCTION "https://api.dnsmadeeasy.com/V2.0/"
#define ENDPOINT_SANDBOX "https://api.sandbox.dnsmadeeasy.com/V2.0/"

const char *config_env(const struct config_loading *load, const char *name)
{
    const char *value = load->req->env ? load->req->env(load->req->env_ctx, name) : NULL;

    return value && *value ? value : NULL;
}

/* Add what a text means for a key: lists are written with "," between, but a path may have one. */
static void split(struct strlist *out, const struct config_key *key, const char *text)
{
    if (!config_key_is_list(key) || key->type == CONFIG_TYPE_COMMANDS) {
        strlist_add(out, text);
        return;
    }
    for (;;) {
        size_t len = strcspn(text, ",");

        strlist_add_take(out, mem_strndup(text, len));
        if (!text[len])
            return;
        text += len + 1;
    }
}

/* Set a field from texts of one place; true when it was good. */
static bool set(struct config_loading *load, const struct config_key *key, const struct strlist *values,
                const struct config_place *at)
{
    struct config_text AUTO_FREE *texts = mem_calloc(values->count, sizeof *texts);

    for (size_t i = 0; i < values->count; i++)
        texts[i] = (struct config_text){values->items[i], *at, i};
    return config_value_set(load, key, key->path, texts, values->count, (char *)load->config + config_key_offset(key));
}

static void set_one(struct config_loading *load, const struct config_key *key, const char *text,
                    const struct config_place *at)
{
    struct strlist AUTO_STRLIST values = {NULL, 0};

    split(&values, key, text);
    if (set(load, key, &values, at) && at->kind != CONFIG_DEFAULT)
        config_origin_set(load->config, key->path, at);
}

/* Does the key stand for a field of struct config? */
static bool is_setting(const struct config_key *key)
{
    return config_key_offset(key) != SIZE_MAX;
}

void config_set_defaults(struct config_loading *load)
{
    const struct config_place at = {CONFIG_DEFAULT, NULL, 0, 0};
    size_t count;
    const struct config_key *keys = config_keys(&count);

    for (size_t i = 0; i < count; i++) {
        if (is_setting(&keys[i]) && keys[i].fallback)
            set_one(load, &keys[i], keys[i].fallback, &at);
    }
}

void config_set_from_environment(struct config_loading *load)
{
    size_t count;
    const struct config_key *keys = config_keys(&count);

    for (size_t i = 0; i < count; i++) {
        const struct config_place at = {CONFIG_ENVIRONMENT, keys[i].variable, 0, 0};
        const char *value = keys[i].variable && is_setting(&keys[i]) ? config_env(load, keys[i].variable) : NULL;

        if (value)
            set_one(load, &keys[i], value, &at);
    }
}

/* All values that the command line has for a key: for lists all of them count, else the last one. */
static void set_from_overrides(struct config_loading *load, const struct config_key *key)
{
    const struct config_place at = {CONFIG_COMMAND_LINE, key->option ? key->option : key->path, 0, 0};
    struct strlist AUTO_STRLIST values = {NULL, 0};

    for (size_t i = 0; i < load->req->override_count; i++) {
        const struct config_override *o = &load->req->overrides[i];

        if (strcmp(o->key, key->path) != 0)
            continue;
        if (!config_key_is_list(key))
            strlist_done(&values);
        split(&values, key, o->value);
    }
    if (values.count && set(load, key, &values, &at))
        config_origin_set(load->config, key->path, &at);
}

/* Overrides that no setting takes.  Arguments are seen by every user of the machine and end up in logs. */
static void check_overrides(struct config_loading *load)
{
    for (size_t i = 0; i < load->req->override_count; i++) {
        const struct config_key *key = config_key_find(load->req->overrides[i].key);
        const struct config_place at = {CONFIG_COMMAND_LINE, load->req->overrides[i].key, 0, 0};

        if (!key)
            config_report_problem(&load->report, &at, "there is no such setting");
        else if (key->type == CONFIG_TYPE_SECRET)
            config_report_problem(&load->report, &at, "secrets are not taken from the command line");
        else if (!is_setting(key))
            config_report_problem(&load->report, &at, "this can't be set on the command line");
    }
}

void config_set_from_command_line(struct config_loading *load)
{
    size_t count;
    const struct config_key *keys = config_keys(&count);

    check_overrides(load);
    for (size_t i = 0; i < count; i++) {
        if (is_setting(&keys[i]) && keys[i].type != CONFIG_TYPE_SECRET)
            set_from_overrides(load, &keys[i]);
    }
}

void config_settle_endpoint(struct config_loading *load)
{
    struct config *c = load->config;
    enum config_source_kind of_endpoint = config_source(c, "dnsmadeeasy.endpoint");
    enum config_source_kind of_sandbox = config_source(c, "dnsmadeeasy.sandbox");

    if (c->endpoint && c->sandbox && of_endpoint == of_sandbox) {
        const struct config_place at = {CONFIG_FILE, c->file ? c->file : "", 0, 0};

        config_report_problem(&load->report, of_endpoint == CONFIG_FILE ? &at : NULL,
                              "\"dnsmadeeasy.endpoint\" and \"dnsmadeeasy.sandbox\" are both given");
        config_report_hint(&load->report, "Give one of them; the sandbox has an endpoint of its own.");
        return;
    }
    if (c->endpoint && of_endpoint > of_sandbox) {
        c->sandbox = false;
        return;
    }
    if (c->endpoint && !c->sandbox)
        return;
    free(c->endpoint);
    c->endpoint = mem_strdup(c->sandbox ? ENDPOINT_SANDBOX : ENDPOINT_PRODUCTION);
    if (c->sandbox)
        config_origin_copy(c, "dnsmadeeasy.endpoint", "dnsmadeeasy.sandbox");
}
