/* SPDX-License-Identifier: MIT
 *
 * One journal entry as it may be found on disk.  What is accepted must be written again the same way, since
 * an update does just that.
 */
#include <string.h>

#include "fuzz.h"
#include "store/internal.h"

static void check_written_alike(const struct journal_entry *entry)
{
    struct buf AUTO_BUF text = BUF_INIT(4 * CODEC_FILE_MAX);
    struct buf AUTO_BUF again_text = BUF_INIT(4 * CODEC_FILE_MAX);
    struct journal_entry AUTO(journal_entry_done) again = {.id = NULL};
    json_t AUTO_JSON *json = NULL;

    FUZZ_CHECK(journal_format(entry, &text, NULL) == ERR_OK);
    FUZZ_CHECK(json_parse(buf_cstr(&text), text.len, "our own text", &json, NULL) == ERR_OK);
    FUZZ_CHECK(journal_parse(json, "our own text", &again, NULL) == ERR_OK);
    FUZZ_CHECK(journal_format(&again, &again_text, NULL) == ERR_OK);
    FUZZ_CHECK(strcmp(buf_cstr(&text), buf_cstr(&again_text)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct journal_entry AUTO(journal_entry_done) entry = {.id = NULL};
    json_t AUTO_JSON *json = NULL;
    struct err err;

    if (size > CODEC_FILE_MAX || json_parse((const char *)data, size, "the input", &json, &err) != ERR_OK)
        return 0;
    if (journal_parse(json, "the input", &entry, &err) == ERR_OK)
        check_written_alike(&entry);
    else
        FUZZ_CHECK((err.code == ERR_INPUT || err.code == ERR_DECLINED) && err.msg[0] != '\0');
    return 0;
}
