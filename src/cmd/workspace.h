/* SPDX-License-Identifier: MIT
 *
 * What a command of the standalone client works in: the program's parts, the store that dry runs have of their own, and
 * one session for each CA.
 */
#ifndef ACME_DME_CMD_WORKSPACE_H
#define ACME_DME_CMD_WORKSPACE_H

#include "cmd/client.h"

struct workspace {
    struct app app;
    struct store *trial; /* of a dry run; NULL: there is none */
    struct client **clients;
    size_t client_count;
};

/* Errors: those of app_open(); ERR_CONFIG without a state directory. */
enum err_code workspace_open(struct workspace *space, const struct opts *opts, enum config_need need,
                             struct err *err) MUST_USE;
void workspace_close(struct workspace *space);
#define AUTO_WORKSPACE AUTO(workspace_close)

/* The session with the CA of that directory, made when it is first asked for; borrowed. */
enum err_code workspace_client(struct workspace *space, const char *directory, struct client **out,
                               struct err *err) MUST_USE;

/* The names of all certificates that were issued, sorted, and of those of the configuration that were not yet.  Records
 * that are damaged are found when they are read. */
enum err_code workspace_list(struct workspace *space, struct strlist *names, struct err *err) MUST_USE;

#endif
