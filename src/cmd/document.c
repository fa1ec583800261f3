/* SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "cmd/cmd.h"

enum err_code cmd_print_document(const json_t *document, size_t max, struct err *err)
{
    struct buf AUTO_BUF text = BUF_INIT(max);

    json_write(document, &text);
    if (!buf_ok(&text))
        return err_set(err, ERR_INTERNAL, "the report is too large");
    (void)puts(buf_cstr(&text));
    return ERR_OK;
}
