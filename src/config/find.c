/* SPDX-License-Identifier: MIT
 *
 * Where the configuration file is.  The first place that has a file wins; a file that is there and can't be
 * read is an error, as going on with the next one could mean another account or none of the settings.
 */
#include <string.h>

#include "config/loading.h"
#include "util/text.h"

#define FILE_MAX (1024 * 1024)

enum found { FOUND, NOT_FOUND, FAILED };

/* Read a candidate, which is named on a reader's behalf by `named_by`; NULL: one of the usual places. */
static enum found try(struct config_loading *load, const char *path, const char *named_by, struct buf *content,
                      struct platform_file_info *info)
{
    struct config_place at = {CONFIG_FILE, path, 0, 0};
    struct err err;
    enum err_code code = platform_file_read(path, content, info, &err);

    if (code == ERR_OK) {
        load->config->file = mem_strdup(path);
        return FOUND;
    }
    if (code == ERR_NOT_FOUND && !named_by) {
        strlist_add(&load->looked, path);
        return NOT_FOUND;
    }
    if (code == ERR_NOT_FOUND) {
        config_report_problem(&load->report, &at, "the configuration file that %s names does not exist", named_by);
        return FAILED;
    }
    /* A directory that can't even be searched: whether the file exists is unknown. */
    if (!named_by && !platform_file_exists(path)) {
        config_report_warning(&load->report, NULL, "could not look for the configuration: %s", err.msg);
        strlist_add(&load->looked, path);
        return NOT_FOUND;
    }
    config_report_error(&load->report, code, NULL, "%s", err.msg);
    if (*err.hint)
        config_report_hint(&load->report, "%s", err.hint);
    return FAILED;
}

/* The usual places, in their order; XDG's rule is that relative paths in its variable do not count. */
static void list_places(const struct config_loading *load, struct strlist *out)
{
    const struct config_request *req = load->req;
    const char *xdg = config_env(load, "XDG_CONFIG_HOME");
    char AUTO_FREE *xdg_inside = xdg && platform_path_is_absolute(xdg) ? platform_path_inside(xdg) : NULL;
    const char *of_user = xdg_inside ? xdg_inside : req->user_config_dir;

    if (req->sysconfdir)
        strlist_add_take(out, mem_printf("%s/acme-dme/acme-dme.yaml", req->sysconfdir));
    if (of_user)
        strlist_add_take(out, mem_printf("%s/acme-dme/acme-dme.yaml", of_user));
    else if (req->home)
        strlist_add_take(out, mem_printf("%s/.config/acme-dme/acme-dme.yaml", req->home));
    if (req->home)
        strlist_add_take(out, mem_printf("%s/.dnsmadeeasy/credentials.yml", req->home));
}

/* A file in a place where everybody could have put it, for others to run with it.  True after reporting a problem. */
static bool is_planted(struct config_loading *load, const char *path, const struct platform_file_info *info)
{
    struct config_place at = {CONFIG_FILE, path, 0, 0};
    char AUTO_FREE *command = platform_advice_own_private(path);

    if (info->owner_is_trusted || !platform_config_dir_is_shared())
        return false;
    config_report_error(&load->report, ERR_UNSAFE, &at, "it belongs to another user, and is there for all");
    config_report_hint(&load->report, "If it is right in all it says, run: %s", command);
    return true;
}

bool config_find(struct config_loading *load, struct buf *content, struct platform_file_info *info)
{
    struct strlist AUTO_STRLIST places = {NULL, 0};
    const char *variable = config_env(load, "ACME_DME_CONFIG");
    const char *named = load->req->file ? load->req->file : variable;
    char AUTO_FREE *inside = named ? platform_path_inside(named) : NULL;
    enum found found = NOT_FOUND;

    *content = BUF_INIT(FILE_MAX);
    if (inside)
        return try(load, inside, load->req->file ? "--config" : "ACME_DME_CONFIG", content, info) == FOUND;
    list_places(load, &places);
    for (size_t i = 0; i < places.count && found == NOT_FOUND; i++)
        found = try(load, places.items[i], NULL, content, info);
    if (found == FOUND && load->req->sysconfdir && strcmp(load->config->file, places.items[0]) == 0 &&
        is_planted(load, places.items[0], info))
        return false;
    return found != FAILED;
}
