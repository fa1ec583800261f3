/* SPDX-License-Identifier: MIT */
#include "cmd/exit.h"

const struct exit_row exit_rows[] = {
    {EXIT_STATUS_OK, "Success."},
    {EXIT_STATUS_INTERNAL, "A declined event, warnings with --strict, or an error inside the program."},
    {EXIT_STATUS_USAGE, "The command line, or what the ACME client handed over, is wrong."},
    {EXIT_STATUS_CONFIG, "The configuration is wrong, incomplete, or a secret is readable by others."},
    {EXIT_STATUS_AUTH, "DNS Made Easy refused the credentials."},
    {EXIT_STATUS_ZONE, "No zone of the account holds the name, or its CNAME leads out of the account."},
    {EXIT_STATUS_API, "DNS Made Easy or the CA could not be reached, or the API refused the request."},
    {EXIT_STATUS_RATE_LIMIT, "DNS Made Easy's request limit is used up."},
    {EXIT_STATUS_PROPAGATION, "Not every name server showed the records in time, or DNS failed."},
    {EXIT_STATUS_STATE, "The state directory: permissions, a full disk, a lock."},
    {EXIT_STATUS_CANCELLED, "Interrupted by a signal; what had been published was withdrawn."},
    {EXIT_STATUS_ATTENTION, "What acme-dme status looked at is critical, or could not be looked at."},
    {EXIT_STATUS_CA, "The CA refused the request, or answered something unexpected."},
    {EXIT_STATUS_CA_LIMIT, "The CA's rate limit is used up."},
    {EXIT_STATUS_CHALLENGE, "The CA could not validate that you control a name."},
    {EXIT_STATUS_PROGRAM, "A pre, deploy or post program failed; what was issued is kept."},
};

const size_t exit_row_count = ARRAY_LEN(exit_rows);

static const enum exit_status by_code[ERR_COUNT] = {
    [ERR_OK] = EXIT_STATUS_OK,
    [ERR_USAGE] = EXIT_STATUS_USAGE,
    [ERR_CONFIG] = EXIT_STATUS_CONFIG,
    [ERR_UNSAFE] = EXIT_STATUS_CONFIG,
    [ERR_INPUT] = EXIT_STATUS_USAGE,
    [ERR_IO] = EXIT_STATUS_STATE,
    [ERR_LOCK] = EXIT_STATUS_STATE,
    [ERR_NETWORK] = EXIT_STATUS_API,
    [ERR_TLS] = EXIT_STATUS_API,
    [ERR_TIMEOUT] = EXIT_STATUS_API,
    [ERR_AUTH] = EXIT_STATUS_AUTH,
    [ERR_RATE_LIMIT] = EXIT_STATUS_RATE_LIMIT,
    [ERR_API] = EXIT_STATUS_API,
    [ERR_SERVER] = EXIT_STATUS_API,
    [ERR_NOT_FOUND] = EXIT_STATUS_ZONE,
    [ERR_EXISTS] = EXIT_STATUS_API,
    [ERR_ZONE] = EXIT_STATUS_ZONE,
    [ERR_DNS] = EXIT_STATUS_PROPAGATION,
    [ERR_PROPAGATION] = EXIT_STATUS_PROPAGATION,
    [ERR_ACME] = EXIT_STATUS_CA,
    [ERR_ACME_LIMIT] = EXIT_STATUS_CA_LIMIT,
    [ERR_CHALLENGE] = EXIT_STATUS_CHALLENGE,
    [ERR_PROGRAM] = EXIT_STATUS_PROGRAM,
    [ERR_CANCELLED] = EXIT_STATUS_CANCELLED,
    [ERR_DECLINED] = EXIT_STATUS_INTERNAL,
    [ERR_INTERNAL] = EXIT_STATUS_INTERNAL,
};

enum exit_status exit_status_for(enum err_code code)
{
    return code >= ERR_OK && code < ERR_COUNT ? by_code[code] : EXIT_STATUS_INTERNAL;
}
