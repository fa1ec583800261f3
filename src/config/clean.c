/* SPDX-License-Identifier: MIT */
#include "config/clean.h"

#include <string.h>

#include "util/text.h"

/* Note a white space character that is taken off. */
static void note_space(struct config_cleaning *c, char ch)
{
    if (ch == '\r')
        c->cr = true;
    else
        c->space = true;
}

/* Take one layer off; false when there is none. */
static bool strip_once(struct config_cleaning *c)
{
    const char *p = c->text;

    if (c->len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
        c->bom = true;
        c->text += 3;
        c->len -= 3;
    } else if (c->len && text_is_space(p[0])) {
        note_space(c, p[0]);
        c->text++;
        c->len--;
    } else if (c->len && text_is_space(p[c->len - 1])) {
        note_space(c, p[c->len - 1]);
        c->len--;
    } else if (c->len >= 2 && (p[0] == '"' || p[0] == '\'') && p[c->len - 1] == p[0]) {
        c->quotes = true;
        c->text++;
        c->len -= 2;
    } else {
        return false;
    }
    return true;
}

void config_clean(struct config_cleaning *c)
{
    size_t end = strlen(platform_line_end());

    /* That is how text files end. */
    if (c->len >= end && memcmp(c->text + c->len - end, platform_line_end(), end) == 0)
        c->len -= end;
    else if (c->len && c->text[c->len - 1] == '\n')
        c->len--;
    while (strip_once(c)) {
    }
}

void config_cleaning_warn(struct config_loading *load, const struct config_place *at, const char *path,
                          const struct config_cleaning *c)
{
    struct strlist AUTO_STRLIST what = {NULL, 0};
    struct buf AUTO_BUF text = BUF_INIT(200);

    if (c->bom)
        strlist_add(&what, "a byte order mark");
    if (c->space)
        strlist_add(&what, "white space");
    if (c->cr)
        strlist_add(&what, "a carriage return");
    if (c->quotes)
        strlist_add(&what, "quotes");
    if (what.count == 0)
        return;
    for (size_t i = 0; i < what.count; i++)
        buf_printf(&text, "%s%s", i == 0 ? "" : i + 1 == what.count ? " and " : ", ", what.items[i]);
    config_report_warning(&load->report, at, "took %s off the value of \"%s\"", buf_cstr(&text), path);
}
