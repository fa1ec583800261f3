/* SPDX-License-Identifier: MIT */
#include "http/http.h"

#include <stdlib.h>
#include <string.h>

#include "util/secret.h"
#include "util/text.h"

enum err_code http_perform(struct http *http, const struct http_request *request, struct http_response *out,
                           struct err *err)
{
    enum err_code code = http_perform_many(http, request, 1, out, err);

    if (code != ERR_OK)
        return code;
    if (out->result != ERR_OK && err)
        *err = out->err;
    return out->result;
}

void http_free(struct http *http)
{
    if (http)
        http->free(http);
}

void http_request_add_header(struct http_request *request, const char *name, const char *value)
{
    strlist_add_take(&request->headers, mem_printf("%s: %s", name, value));
}

void http_request_done(struct http_request *request)
{
    for (size_t i = 0; i < request->headers.count; i++)
        secret_wipe(request->headers.items[i], strlen(request->headers.items[i]));
    strlist_done(&request->headers);
}

const char *http_response_header(const struct http_response *response, const char *name)
{
    for (size_t i = 0; i < response->header_count; i++)
        if (text_casecmp(response->headers[i].name, name) == 0)
            return response->headers[i].value;
    return NULL;
}

void http_response_done(struct http_response *response)
{
    for (size_t i = 0; i < response->header_count; i++) {
        free(response->headers[i].name);
        free(response->headers[i].value);
    }
    free(response->headers);
    response->headers = NULL;
    response->header_count = 0;
    buf_done(&response->body);
}
