/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "config/loading.h"
#include "crypto/cert.h"

#define CA_FILE_MAX (16u * 1024 * 1024) /* the bundles of systems have a quarter of a megabyte */

#define REMEDY                                                                                                         \
    "Name a file with the endpoint's CA certificate in PEM form (\"openssl x509 -inform der\" makes it from DER), or " \
    "leave ca_file out to trust the system's CAs."

static void check_content(struct config_loading *load, const char *where, const struct buf *content)
{
    struct cert AUTO_CERT first = {.subject = NULL};
    struct err err;

    if (!strstr(buf_cstr(content), "-----BEGIN "))
        config_report_problem(&load->report, NULL, "%s: ca_file \"%s\" holds no certificate in PEM form", where,
                              load->config->ca_file);
    else if (cert_parse(buf_cstr(content), content->len, load->config->ca_file, &first, &err) != ERR_OK)
        config_report_problem(&load->report, NULL, "%s: ca_file can't be used: %s", where, err.msg);
    else
        return;
    config_report_hint(&load->report, REMEDY);
}

/* Before anything is asked for: a missing CA certificate is a mistake in the configuration, and should not look like
 * one of the network. */
void config_check_ca_file(struct config_loading *load)
{
    struct buf AUTO_BUF content = BUF_INIT(CA_FILE_MAX);
    const char *path = load->config->ca_file;
    const char *where = config_where(load->config, "dnsmadeeasy.ca_file");
    struct err err;

    if (!path || load->req->need != CONFIG_WITH_CREDENTIALS)
        return;
    if (platform_file_read(path, &content, NULL, &err) == ERR_OK) {
        check_content(load, where, &content);
        return;
    }
    config_report_problem(&load->report, NULL, "%s: ca_file can't be used: %s", where, err.msg);
    config_report_hint(&load->report, REMEDY);
}
