/* SPDX-License-Identifier: MIT */
#include "config/input.h"

#include <string.h>

#include "util/text.h"

/* How many bytes at the beginning are UTF-8. */
static size_t utf8_prefix(const char *text, size_t len)
{
    size_t good = 0;

    for (size_t n; good < len; good += n) {
        for (n = 1; n <= 4 && good + n <= len; n++) {
            if (text_is_utf8(text + good, n))
                break;
        }
        if (n > 4 || good + n > len)
            break;
    }
    return good;
}

static bool is_utf16(const struct config_input *input)
{
    const char *p = input->text;

    return input->len >= 2 && (memcmp(p, "\xff\xfe", 2) == 0 || memcmp(p, "\xfe\xff", 2) == 0 || !p[0] != !p[1]);
}

static bool is_blank(const struct config_input *input)
{
    size_t i = 0;

    while (i < input->len && text_is_space(input->text[i]))
        i++;
    return i == input->len;
}

bool config_input_is_readable(struct config_input *input, struct config_report *report)
{
    struct config_place at = {CONFIG_FILE, input->file, 0, 0};

    if (is_utf16(input)) {
        config_report_problem(report, &at, "the file is UTF-16");
        config_report_hint(report, "Save it as UTF-8.");
        return false;
    }
    if (!text_is_utf8(input->text, input->len)) {
        at = config_input_place(input, utf8_prefix(input->text, input->len));
        config_report_problem(report, &at, "the file is not UTF-8 from here on");
        config_report_hint(report, "Save it as UTF-8.");
        return false;
    }
    if (input->len >= 3 && memcmp(input->text, "\xef\xbb\xbf", 3) == 0) {
        input->text += 3;
        input->len -= 3;
    }
    /* Comments alone are a template that nobody has filled in yet; nothing at all is a file that got lost. */
    if (is_blank(input)) {
        config_report_problem(report, &at, "the file is empty");
        config_report_hint(report, "Write into it: credentials: {api_key: \"...\", api_secret: \"...\"}");
        return false;
    }
    return true;
}

struct config_place config_input_place(const struct config_input *input, size_t offset)
{
    struct config_place at = {CONFIG_FILE, input->file, 1, 1};

    for (size_t i = 0; i < offset && i < input->len; i++) {
        if (input->text[i] == '\n') {
            at.line++;
            at.column = 1;
        } else if (((unsigned char)input->text[i] & 0xc0) != 0x80) {
            at.column++;
        }
    }
    return at;
}

bool config_input_has_tab(const struct config_input *input, size_t line)
{
    const char *p = input->text;
    const char *end = input->text + input->len;

    for (size_t n = 1; n < line && p < end; p++)
        n += *p == '\n' ? 1 : 0;
    while (p < end && *p == ' ')
        p++;
    return p < end && *p == '\t';
}
