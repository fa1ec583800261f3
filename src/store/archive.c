/* SPDX-License-Identifier: MIT
 *
 * archive/<name>/<generation> and certs/<name>: names, numbers and where the link leads.
 */
#include <stdlib.h>
#include <string.h>

#include "store/certs.h"
#include "store/internal.h"
#include "util/parse.h"
#include "util/text.h"

#define GENERATION_DIGITS 8
#define GENERATION_MAX INT64_C(999999999999)

char *archive_dir(const struct store *store, const char *name)
{
    return mem_printf("%s/archive/%s", store->dir, name);
}

char *archive_path(const struct store *store, const char *name, int64_t number)
{
    return mem_printf("%s/archive/%s/%0*lld", store->dir, name, GENERATION_DIGITS, (long long)number);
}

char *archive_target(const char *name, int64_t number)
{
    return mem_printf("../archive/%s/%0*lld", name, GENERATION_DIGITS, (long long)number);
}

char *certificate_dir(const struct store *store, const char *name)
{
    return mem_printf("%s/certs/%s", store->dir, name);
}

/* Only as we write it: "00000001" and "1" would be two directories of one number. */
static bool parse_number(const char *text, int64_t *out)
{
    uint64_t number;
    char AUTO_FREE *again = NULL;

    if (!parse_uint(text, 1, GENERATION_MAX, &number))
        return false;
    again = mem_printf("%0*lld", GENERATION_DIGITS, (long long)number);
    if (strcmp(again, text) != 0)
        return false;
    *out = (int64_t)number;
    return true;
}

void archive_numbers_done(struct archive_numbers *numbers)
{
    free(numbers->items);
    *numbers = (struct archive_numbers){NULL, 0};
}

static int compare_numbers(const void *a, const void *b)
{
    const int64_t *x = a;
    const int64_t *y = b;

    return *x < *y ? -1 : *x > *y;
}

enum err_code archive_numbers_load(const struct store *store, const char *name, struct archive_numbers *out,
                                   struct err *err)
{
    struct strlist AUTO_STRLIST names = {NULL, 0};
    char AUTO_FREE *dir = archive_dir(store, name);
    struct archive_numbers numbers = {NULL, 0};
    enum err_code rc = platform_dir_list(dir, &names, err);

    if (rc != ERR_OK && rc != ERR_NOT_FOUND)
        return rc;
    numbers.items = mem_calloc(names.count, sizeof *numbers.items);
    for (size_t i = 0; i < names.count; i++)
        if (parse_number(names.items[i], &numbers.items[numbers.count]))
            numbers.count++;
    if (numbers.count > 1)
        qsort(numbers.items, numbers.count, sizeof *numbers.items, compare_numbers);
    *out = numbers;
    return ERR_OK;
}

enum err_code archive_current(const struct store *store, const char *name, int64_t *out, struct err *err)
{
    char AUTO_FREE *link = certificate_dir(store, name);
    char AUTO_FREE *prefix = mem_printf("../archive/%s/", name);
    char AUTO_FREE *target = NULL;
    int64_t number = 0;
    enum err_code rc = platform_link_read(link, &target, err);

    if (rc == ERR_INPUT) {
        (void)err_set(err, ERR_EXISTS, "could not use \"%s\": it is there and is no link", link);
        err_hint(err, "Move it away; acme-dme puts %s there that leads to the newest files.", platform_link_name());
        return ERR_EXISTS;
    }
    if (rc != ERR_OK && rc != ERR_NOT_FOUND)
        return rc;
    if (target && text_starts_with(target, prefix))
        (void)parse_number(target + strlen(prefix), &number);
    *out = number;
    return ERR_OK;
}
