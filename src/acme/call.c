/* SPDX-License-Identifier: MIT
 *
 * The memory of calls.
 */
#include <stdlib.h>
#include <string.h>

#include "acme/internal.h"

void acme_call_refuse(struct acme_call *call, const char *why)
{
    call->is_finished = true;
    call->result.code = err_set(&call->result.err, ERR_INPUT, "could not %s: %s", call->what, why);
}

void acme_call_done(struct acme_call *call)
{
    free(call->what);
    if (call->payload)
        secret_wipe(call->payload, strlen(call->payload)); /* an account binding, perhaps */
    free(call->payload);
    free(call->nonce);
    json_free_auto(&call->json);
    http_response_done(&call->response);
}

struct acme_calls acme_calls_new(size_t count)
{
    return (struct acme_calls){mem_calloc(count, sizeof(struct acme_call)), count};
}

void acme_calls_done(struct acme_calls *calls)
{
    for (size_t i = 0; i < calls->count; i++)
        acme_call_done(&calls->items[i]);
    free(calls->items);
}
