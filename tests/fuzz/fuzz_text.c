/* SPDX-License-Identifier: MIT
 *
 * Short texts from outside: the Date of an answer, names, durations, addresses; and what messages make of any bytes.
 */
#include <string.h>

#include <jansson.h>

#include "dns/cares.h"
#include "dns/name.h"
#include "dns/wire.h"
#include "fuzz.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/mem.h"
#include "util/parse.h"
#include "util/text.h"

#define FIRST_SECOND (-62167219200) /* of the year 0 */
#define LAST_SECOND 253402300799    /* of the year 9999 */

static void check_printable(const char *text)
{
    FUZZ_CHECK(text_is_utf8(text, strlen(text)));
    for (const char *p = text; *p; p++)
        FUZZ_CHECK((unsigned char)*p >= ' ' && *p != 0x7f);
}

static void as_date(const char *text)
{
    char date[CLOCK_HTTP_DATE_MAX];
    int64_t seconds, again;

    if (!clock_parse_http_date(text, &seconds))
        return;
    FUZZ_CHECK(seconds >= FIRST_SECOND && seconds <= LAST_SECOND + 1); /* + 1: 23:59:60 */
    if (seconds > LAST_SECOND)
        return;
    clock_format_http_date(date, seconds);
    FUZZ_CHECK(clock_parse_http_date(date, &again) && again == seconds);
}

static void as_instant(const uint8_t *data, size_t size)
{
    char date[CLOCK_HTTP_DATE_MAX];
    int64_t seconds, parsed;

    if (size < sizeof seconds)
        return;
    memcpy(&seconds, data, sizeof seconds);
    clock_format_iso(date, seconds);
    FUZZ_CHECK(strlen(date) == strlen("2011-02-12T20:59:04Z"));
    clock_format_http_date(date, seconds);
    FUZZ_CHECK(clock_parse_http_date(date, &parsed));
    FUZZ_CHECK(parsed == seconds || seconds < FIRST_SECOND || seconds > LAST_SECOND);
}

static void as_name(const char *text)
{
    AUTO_FREE char *name = NULL;
    AUTO_FREE char *again = NULL;
    struct err err;

    if (name_normalise(text, &name, &err) != ERR_OK) {
        FUZZ_CHECK(err.code == ERR_INPUT && err.msg[0] != '\0');
        check_printable(err.msg);
        return;
    }
    FUZZ_CHECK(strlen(name) <= DNS_NAME_MAX && dns_name_can_be_asked(name));
    FUZZ_CHECK(name_normalise(name, &again, &err) == ERR_OK && strcmp(name, again) == 0);
}

static void as_address(const char *text)
{
    AUTO_FREE char *address = NULL;
    AUTO_FREE char *again = NULL;
    struct err err;

    if (cares_address_parse(text, &address, &err) == ERR_OK)
        FUZZ_CHECK(cares_address_parse(address, &again, &err) == ERR_OK && strcmp(address, again) == 0);
}

static void as_duration(const char *text)
{
    int64_t ms;

    if (parse_duration_ms(text, &ms))
        FUZZ_CHECK(ms >= 0 && ms <= INT64_C(366) * 86400000);
}

static void as_fraction(const char *text)
{
    uint32_t numerator, denominator;

    if (parse_fraction(text, &numerator, &denominator))
        FUZZ_CHECK(numerator > 0 && numerator < denominator && denominator <= 1000);
}

static void as_host_port(const char *text)
{
    AUTO_FREE char *host = NULL;
    AUTO_FREE char *port = NULL;

    if (!parse_host_port(text, &host, &port))
        return;
    FUZZ_CHECK(*host && strlen(host) <= 253 && *port && strlen(port) <= 5 && strstr(text, host));
    check_printable(host);
    FUZZ_CHECK(!strpbrk(host, "/\\*?[] "));
}

static void as_message(const uint8_t *data, size_t size)
{
    char out[64];

    for (size_t room = 1; room <= sizeof out; room++) {
        text_escape_into(out, room, (const char *)data, size);
        FUZZ_CHECK(strlen(out) < room);
        check_printable(out);
    }
}

static enum err_code take_line(void *file, const char *line, size_t len, UNUSED struct err *err)
{
    buf_append(file, line, len);
    return ERR_OK;
}

/* A line of JSON is one line, and JSON, whatever is in it. */
static void as_log_line(const char *text)
{
    AUTO_BUF struct buf line = BUF_INIT(1 << 20);
    struct log log = {.format = LOG_JSON, .file = {take_line, &line}, .file_level = LOG_INFO};
    const struct log_field fields[] = {{"text", text, 0}};
    json_t *json;

    log_event(&log, LOG_INFO, fields, 1, "%s", text);
    FUZZ_CHECK(line.len && strchr(line.data, '\n') == line.data + line.len - 1);
    json = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, NULL);
    FUZZ_CHECK(json && json_string_value(json_object_get(json, "message")));
    FUZZ_CHECK(json_string_value(json_object_get(json, "text")));
    check_printable(json_string_value(json_object_get(json, "message")));
    json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_FREE char *text = mem_strndup((const char *)data, size);

    as_date(text);
    as_instant(data, size);
    as_name(text);
    as_address(text);
    as_duration(text);
    as_fraction(text);
    as_host_port(text);
    as_message(data, size);
    as_log_line(text);
    return 0;
}
