/* SPDX-License-Identifier: MIT
 *
 * Whatever DNS Made Easy, or what stands in its place, may answer: as a zone, as a list of records, as an error.
 */
#include <string.h>

#include "dme/answer.h"
#include "dme/error.h"
#include "fuzz.h"

static void check_failed(enum err_code code, const struct err *err)
{
    FUZZ_CHECK(code == ERR_API && err->code == ERR_API && err->msg[0] != '\0');
}

static void as_zone(const json_t *json)
{
    struct dme_zone zone AUTO(dme_zone_done) = {.id = 0};
    struct err err;
    enum err_code code = dme_answer_zone(json, &zone, &err);

    if (code == ERR_OK)
        FUZZ_CHECK(zone.id > 0 && zone.name);
    else
        check_failed(code, &err);
}

/* Nothing but a record of ours, by name and value, may get an id, and the id is one that can be deleted. */
static void as_list(const json_t *json)
{
    struct dme_record records[] = {{.name = "_acme-challenge", .value = "tok"},
                                   {.name = "", .value = "tok"},
                                   {.name = "_acme-challenge", .value = "can't be", .id = 7}};
    struct dme_record *wanted[] = {&records[0], &records[1], &records[2]};
    struct dme_page page;
    struct err err;
    enum err_code code = dme_answer_page(json, &page, &err);

    if (code == ERR_OK)
        code = dme_answer_match(page.items, wanted, ARRAY_LEN(wanted), &err);
    if (code != ERR_OK)
        check_failed(code, &err);
    for (size_t i = 0; i < ARRAY_LEN(records); i++)
        FUZZ_CHECK(records[i].id >= 0);
    FUZZ_CHECK(records[2].id == 7);
}

static void as_error(const struct buf *body)
{
    static const char key[] = "1c1a3c91-4770-4ce7-96f4-54c0eb0e457a";
    struct secret *secret AUTO_SECRET = secret_new(key, sizeof key - 1);
    AUTO_BUF struct buf said = BUF_INIT(DME_ERROR_TEXT_MAX);

    dme_error_text(body, secret, &said);
    FUZZ_CHECK(buf_ok(&said));
    FUZZ_CHECK(said.len <= body->len + strlen("an HTML page titled ") && !strstr(buf_cstr(&said), key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf body AUTO_BUF = BUF_INIT(1024 * 1024);
    json_t *json AUTO_JSON = NULL;
    struct err err;

    buf_append(&body, data, size);
    if (!buf_ok(&body))
        return 0;
    as_error(&body);
    if (json_parse(buf_cstr(&body), body.len, "the answer", &json, &err) != ERR_OK) {
        FUZZ_CHECK(err.code == ERR_INPUT && err.msg[0] != '\0');
        return 0;
    }
    as_zone(json);
    as_list(json);
    return 0;
}
