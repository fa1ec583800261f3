/* SPDX-License-Identifier: MIT */
#include "cmd/workspace.h"

#include <stdlib.h>
#include <string.h>

#define TRIAL_DIR "dry-run"

static enum err_code open_parts(struct workspace *space, const struct opts *opts, enum config_need need,
                                struct err *err)
{
    const struct app_request request = {.opts = opts, .need = need, .run = APP_RUN_OWN};
    enum err_code code;

    if (need == CONFIG_WITH_CREDENTIALS)
        return app_open(&space->app, &request, err);
    app_start(&space->app, opts);
    code = app_configure(&space->app, &request, err);
    if (code == ERR_OK)
        code = config_read_eab(space->app.config, &space->app.warnings, err);
    return code == ERR_OK ? app_open_store(&space->app, err) : code;
}

/* Accounts and orders of dry runs are real ones, of a test CA: they are kept apart from those that count. */
static enum err_code open_trial(struct workspace *space, struct err *err)
{
    AUTO_FREE char *dir = mem_printf("%s/" TRIAL_DIR, store_dir(space->app.store));

    return store_open(dir, space->app.clock, space->app.log, &space->trial, err);
}

enum err_code workspace_open(struct workspace *space, const struct opts *opts, enum config_need need, struct err *err)
{
    enum err_code code = open_parts(space, opts, need, err);

    if (code != ERR_OK)
        return code;
    if (!space->app.store) {
        code = err_set(err, ERR_CONFIG, "accounts and certificates need a state directory");
        err_hint(err, "Take \"journal: none\" out of the configuration, and set \"state_dir\" if need be.");
        return code;
    }
    return opts->dry_run ? open_trial(space, err) : ERR_OK;
}

void workspace_close(struct workspace *space)
{
    for (size_t i = 0; i < space->client_count; i++) {
        client_close(space->clients[i]);
        free(space->clients[i]);
    }
    free(space->clients);
    store_free(space->trial);
    app_close(&space->app);
}

enum err_code workspace_client(struct workspace *space, const char *directory, struct client **out, struct err *err)
{
    struct client *client;
    enum err_code code;

    for (size_t i = 0; i < space->client_count; i++) {
        if (strcmp(acme_directory_url(space->clients[i]->acme), directory) == 0) {
            *out = space->clients[i];
            return ERR_OK;
        }
    }
    client = mem_zalloc(sizeof *client);
    code = client_open(client, &space->app, space->trial ? space->trial : space->app.store, directory, err);
    if (code != ERR_OK) {
        client_close(client);
        free(client);
        return code;
    }
    space->clients = mem_grow(space->clients, space->client_count, sizeof(struct client *));
    space->clients[space->client_count++] = client;
    *out = client;
    return ERR_OK;
}

enum err_code workspace_list(struct workspace *space, struct strlist *names, struct err *err)
{
    struct strlist AUTO_STRLIST stored = {NULL, 0};
    const struct config *config = space->app.config;
    enum err_code code = certificate_names(space->app.store, &stored, err);

    if (code != ERR_OK)
        return code;
    strlist_copy(names, &stored);
    for (size_t i = 0; i < config->managed_count; i++)
        if (!strlist_has_sorted(&stored, config->managed[i].name))
            strlist_add(names, config->managed[i].name);
    return ERR_OK;
}
