/* SPDX-License-Identifier: MIT
 *
 * Finding the addresses of hosts.
 *
 * GetAddrInfoW() knows all that a system may be set up for, and it can neither be given a time limit nor be
 * interrupted.  So each call is made by a thread of its own.  One that takes too long is left to itself: it has nothing
 * but its own search, which whoever is done with it last frees, and it ends with the process at the latest.
 */
#include "platform/platform.h"

#include <string.h>

#include "platform/win32.h"
/* after <windows.h>, which it needs */
#include <ws2tcpip.h>

#define AT_ONCE_MAX 16
#define WAKE_UP_MS 200
#define ADDRESSES_MAX 16
#define STACK_SIZE 262144
#define USERS 2 /* of a search: its thread and whoever waits for it */

void platform_lookup_done(struct platform_lookup *lookup)
{
    strlist_done(&lookup->addresses);
}

/* ------------------------------------------------------------------ one host */

struct search {
    volatile LONG users;
    wchar_t *host;
    int flags;
    int fault; /* out: 0, or an error of the system */
    struct strlist addresses;
};

static struct search *search_new(const char *host, int flags)
{
    struct search *search = mem_zalloc(sizeof *search);

    *search = (struct search){.users = USERS, .host = win32_wide(host), .flags = flags};
    return search;
}

static void search_leave(struct search *search)
{
    if (InterlockedDecrement(&search->users) > 0)
        return;
    win32_wide_auto(&search->host);
    strlist_done(&search->addresses);
    mem_free_auto(&search);
}

static void take_addresses(struct search *search, const ADDRINFOW *list)
{
    size_t count = 0;

    for (const ADDRINFOW *at = list; at && count < ADDRESSES_MAX; at = at->ai_next, count++) {
        wchar_t address[NI_MAXHOST];

        if (GetNameInfoW(at->ai_addr, (socklen_t)at->ai_addrlen, address, NI_MAXHOST, NULL, 0, NI_NUMERICHOST) == 0)
            strlist_add_take(&search->addresses, win32_utf8(address));
    }
}

/* Not AI_ADDRCONFIG, which finds no address at all on a machine that has but loopback. */
static void search_run(struct search *search)
{
    const ADDRINFOW hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = search->flags};
    ADDRINFOW *list = NULL;

    search->fault = GetAddrInfoW(search->host, NULL, &hints, &list);
    if (search->fault != 0)
        return;
    take_addresses(search, list);
    FreeAddrInfoW(list);
}

static DWORD WINAPI search_in_thread(void *argument)
{
    search_run(argument);
    search_leave(argument);
    return 0;
}

/* ------------------------------------------------------------------ what came of it */

static enum err_code fail(struct platform_lookup *lookup, enum err_code code, const char *why)
{
    lookup->code = err_set(&lookup->err, code, "could not find the address of \"%s\": %s", lookup->host, why);
    return lookup->code;
}

static enum err_code fail_by_system(struct platform_lookup *lookup, DWORD error)
{
    char AUTO_FREE *what = mem_printf("find the address of \"%s\"", lookup->host);

    lookup->code = win32_err_plain(&lookup->err, ERR_NETWORK, error, what);
    return lookup->code;
}

static void take(struct platform_lookup *lookup, const struct search *search)
{
    if (search->fault != 0) {
        (void)fail_by_system(lookup, (DWORD)search->fault);
        return;
    }
    strlist_copy(&lookup->addresses, &search->addresses);
    lookup->code = ERR_OK;
    if (lookup->addresses.count == 0)
        (void)fail(lookup, ERR_NETWORK, "it has none");
}

/* Is it an address already?  Then no name service is asked. */
static bool take_numeric(struct platform_lookup *lookup)
{
    struct search *search = search_new(lookup->host, AI_NUMERICHOST);
    bool is_address;

    search->users = 1;
    search_run(search);
    is_address = search->fault == 0;
    if (is_address)
        take(lookup, search);
    search_leave(search);
    return is_address;
}

/* ------------------------------------------------------------------ all of them */

struct searches {
    struct platform_lookup *lookups;
    struct search *items[AT_ONCE_MAX]; /* NULL: it is over */
    HANDLE threads[AT_ONCE_MAX];
    size_t count;
};

static void search_done(struct searches *searches, size_t i)
{
    if (searches->items[i])
        search_leave(searches->items[i]);
    searches->items[i] = NULL;
    win32_close_auto(&searches->threads[i]);
}

static void searches_done(struct searches *searches)
{
    for (size_t i = 0; i < searches->count; i++)
        search_done(searches, i);
}

static void search_start(struct searches *searches, size_t i)
{
    struct platform_lookup *lookup = &searches->lookups[i];

    strlist_done(&lookup->addresses);
    if (take_numeric(lookup))
        return;
    searches->items[i] = search_new(lookup->host, 0);
    searches->threads[i] = CreateThread(NULL, STACK_SIZE, search_in_thread, searches->items[i],
                                        STACK_SIZE_PARAM_IS_A_RESERVATION, NULL);
    if (searches->threads[i])
        return;
    (void)fail_by_system(lookup, GetLastError());
    searches->items[i]->users = 1;
    search_done(searches, i);
}

/* Wait for one of those under way; false when there is none. */
static bool wait_for_one(const struct searches *searches)
{
    HANDLE awaited[AT_ONCE_MAX];
    DWORD count = 0;

    for (size_t i = 0; i < searches->count; i++)
        if (searches->items[i])
            awaited[count++] = searches->threads[i];
    if (count == 0)
        return false;
    (void)WaitForMultipleObjects(count, awaited, FALSE, WAKE_UP_MS);
    return true;
}

static void take_what_came(struct searches *searches, int64_t left_ms)
{
    for (size_t i = 0; i < searches->count; i++) {
        if (!searches->items[i])
            continue;
        if (WaitForSingleObject(searches->threads[i], 0) == WAIT_OBJECT_0)
            take(&searches->lookups[i], searches->items[i]);
        else if (left_ms <= 0)
            (void)fail(&searches->lookups[i], ERR_TIMEOUT, "the system's name service does not answer in time");
        else
            continue;
        search_done(searches, i);
    }
}

static enum err_code look_up_some(struct platform_lookup *lookups, size_t count, int64_t timeout_ms,
                                  struct clock *clock, struct err *err)
{
    struct searches AUTO(searches_done) searches = {.lookups = lookups};
    int64_t end_ms = clock_mono_ms(clock) + timeout_ms;

    for (; searches.count < count; searches.count++)
        search_start(&searches, searches.count);
    while (wait_for_one(&searches)) {
        if (clock_is_cancelled(clock))
            return err_set(err, ERR_CANCELLED, "stopped while looking for the addresses of servers");
        take_what_came(&searches, end_ms - clock_mono_ms(clock));
    }
    return ERR_OK;
}

enum err_code platform_lookup(struct platform_lookup *lookups, size_t count, int64_t timeout_ms, struct clock *clock,
                              struct err *err)
{
    enum err_code rc = ERR_OK;

    for (size_t i = 0; i < count && rc == ERR_OK; i += AT_ONCE_MAX)
        rc = look_up_some(lookups + i, count - i < AT_ONCE_MAX ? count - i : AT_ONCE_MAX, timeout_ms, clock, err);
    return rc;
}
