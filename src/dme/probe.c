/* SPDX-License-Identifier: MIT
 *
 * The least that can be asked: one zone's worth of the list of zones.  An account without zones answers "{}".
 */
#include "dme/answer.h"
#include "dme/client.h"

static const struct dme_call probing = {
    .method = "GET", .path = "/dns/managed/?rows=1&page=0", .what = "ask DNS Made Easy for the account's zones"};

static enum err_code probe(struct dme *dme, const struct dme_call *call, struct err *err)
{
    json_t *json AUTO_JSON = NULL;
    struct dme_page page;
    enum err_code code;

    code = dme_call_perform(dme, call, &json, err);
    if (code == ERR_NOT_FOUND) { /* every account has the list: it is the endpoint that is wrong */
        code = err_set(err, ERR_API, "\"%s\" is not the API of DNS Made Easy: it has no list of zones (status 404)",
                       dme->base);
        err_hint(err, "Check \"endpoint\" in the configuration; without it the right one is used.");
    }
    return code == ERR_OK ? dme_answer_page(json, &page, err) : code;
}

enum err_code dme_probe(struct dme *dme, struct err *err)
{
    struct dme_call call = probing;

    dme_begin(dme);
    call.is_unbounded = true;
    return probe(dme, &call, err);
}

enum err_code dme_doubt_endpoint(struct dme *dme, struct err *err)
{
    if (dme->is_api || dme_is_at(dme, DME_ENDPOINT_PRODUCTION) || dme_is_at(dme, DME_ENDPOINT_SANDBOX))
        return ERR_OK;
    dme->is_api = true; /* or so it will be once asked; once is enough */
    return probe(dme, &probing, err);
}
