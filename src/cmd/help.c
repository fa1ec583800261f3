/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

#include <stdio.h>

#include "config/schema.h"

void cmd_version(void)
{
    (void)puts("acme-dme " PACKAGE_VERSION);
}

static void print_clients(void)
{
    struct hook_contract_text c;

    (void)puts("\nVerbs of ACME clients (acme-dme-hooks(7) tells how to set each up):");
    for (size_t i = 0; hook_contract_describe(i, &c); i++) {
        for (size_t j = 0; j < c.verb_count; j++)
            (void)printf("%s%s", j ? " | " : "  ", c.verbs[j]);
        (void)printf("  %s\n      %s\n", c.usage, c.client);
    }
}

static void print_rows(void)
{
    for (size_t i = 0; i < opts_row_count; i++) {
        const struct opts_row *row = &opts_rows[i];
        char letter[] = {'-', row->letter, ',', '\0'};
        AUTO_FREE char *left = mem_printf("%3s %s%s%s", row->letter ? letter : "", row->name, row->value ? " " : "",
                                          row->value ? row->value : "");

        (void)printf("  %-28s %s\n", left, row->help);
    }
}

static void print_key(const struct config_key *key)
{
    AUTO_FREE char *argument = config_key_argument(key);
    /* A switch may stand without a value, so its value must be attached. */
    AUTO_FREE char *left = key->type == CONFIG_TYPE_BOOL ? mem_printf("%s[=%s]", key->option, argument)
                                                         : mem_printf("%s %s", key->option, argument);

    (void)printf("  %-28s %s\n", left, key->help);
}

static void print_options(void)
{
    size_t count;
    const struct config_key *keys = config_keys(&count);

    (void)puts("\nOptions, in front of the verb:");
    print_rows();
    (void)puts("\nSettings, over the environment and the configuration file:");
    for (size_t i = 0; i < count; i++)
        if (keys[i].option && !keys[i].commands)
            print_key(&keys[i]);
    (void)puts("\nSettings of the standalone client:");
    for (size_t i = 0; i < count; i++)
        if (keys[i].option && keys[i].commands)
            print_key(&keys[i]);
}

void cmd_help(void)
{
    (void)puts(
        "usage: acme-dme [options] VERB [arguments]\n"
        "       acme-dme [options] check [--write] [--strict] [--json] [DOMAIN ...]\n"
        "       acme-dme [options] status [--strict] [--json | --nagios] [--prometheus FILE]\n"
        "       acme-dme [options] issue -d NAME [-d NAME ...] [--name NAME] [--dry-run] [--force] [--json]\n"
        "       acme-dme [options] renew [--dry-run] [--force] [--json] [NAME ...]\n"
        "       acme-dme [options] revoke [--reason REASON] {NAME | --cert FILE [--key FILE]}\n"
        "       acme-dme [options] account {register | show | update | rollover | deactivate | import CLIENT:PATH}\n"
        "       acme-dme [options] {list | show NAME | delete NAME}\n"
        "       acme-dme [options] sweep [--dry-run]\n"
        "       acme-dme [options] reset --state [--dry-run]\n"
        "\n"
        "Proves domain control to an ACME CA through DNS Made Easy: an ACME client calls it to create and\n"
        "delete _acme-challenge TXT records, and it waits until every name server shows them; or it is\n"
        "the ACME client itself.\n"
        "\n"
        "Commands:\n"
        "  check    look at everything that an issuance will need, before trouble comes\n"
        "  status   show how the last calls ended and how long certificates are valid\n"
        "  issue    get a certificate from an ACME CA\n"
        "  renew    get again what is due, and run deploy programs that failed\n"
        "  revoke   have the CA revoke a certificate\n"
        "  account  the account with the CA\n"
        "  list     show the certificates; show, delete: one of them\n"
        "  sweep    delete records that killed runs left behind\n"
        "  reset    bring the state directory into order\n"
        "  help     show this help\n"
        "  version  show the version");
    print_clients();
    print_options();
}
