/* SPDX-License-Identifier: MIT */
#include "flow/install.h"

#include <stdlib.h>

#define FILE_MAX (4u * 1024 * 1024)
#define FILES_MAX 8
#define TOGETHER 200 /* as many are in memory at once, each perhaps 20 kB; more would not save many syncs */

/* The files of a generation, and the buffers that they are in. */
struct content {
    struct buf texts[FILES_MAX];
    struct certificate_file files[FILES_MAX];
    size_t count;
};

static void content_done(struct content *content)
{
    for (size_t i = 0; i < content->count; i++)
        buf_done(&content->texts[i]);
}

static struct buf *add(struct content *content, const char *name, enum certificate_file_kind kind)
{
    struct buf *text = &content->texts[content->count];

    *text = BUF_INIT(FILE_MAX);
    content->files[content->count].name = name;
    content->files[content->count].kind = kind;
    content->count++;
    return text;
}

static void add_public(const struct install_request *request, struct content *content)
{
    size_t len = chain_len(request->chain);

    chain_format_pem(request->chain, 0, 1, add(content, INSTALL_CERT, CERTIFICATE_FILE_PUBLIC));
    chain_format_pem(request->chain, 1, len, add(content, INSTALL_CHAIN, CERTIFICATE_FILE_PUBLIC));
    chain_format_pem(request->chain, 0, len, add(content, INSTALL_FULLCHAIN, CERTIFICATE_FILE_PUBLIC));
    if (request->der)
        chain_format_der(request->chain, 0, add(content, INSTALL_CERT_DER, CERTIFICATE_FILE_PUBLIC));
}

static enum err_code add_combined(const struct install_request *request, struct content *content, struct err *err)
{
    struct buf *text = add(content, INSTALL_COMBINED, CERTIFICATE_FILE_SECRET);

    chain_format_pem(request->chain, 0, chain_len(request->chain), text);
    return key_format_pem(request->key, text, err);
}

static enum err_code add_pfx(const struct install_request *request, struct content *content, struct err *err)
{
    return pfx_new(&(struct pfx_opts){.key = request->key,
                                      .chain = request->chain,
                                      .password = request->pfx_password,
                                      .friendly_name = request->name,
                                      .algorithms = request->pfx_algorithms},
                   add(content, INSTALL_PFX, CERTIFICATE_FILE_SECRET), err);
}

static enum err_code add_secret(const struct install_request *request, struct content *content, struct err *err)
{
    enum err_code code = key_format_pem(request->key, add(content, INSTALL_KEY, CERTIFICATE_FILE_SECRET), err);

    if (code == ERR_OK && request->combined)
        code = add_combined(request, content, err);
    if (code == ERR_OK && request->der)
        code = key_format_der(request->key, add(content, INSTALL_KEY_DER, CERTIFICATE_FILE_SECRET), err);
    return code == ERR_OK && request->pfx ? add_pfx(request, content, err) : code;
}

/* Buffers move while they grow: the files point to them only when all are full. */
static enum err_code seal(struct content *content, struct err *err)
{
    for (size_t i = 0; i < content->count; i++) {
        if (!buf_ok(&content->texts[i]))
            return err_set(err, ERR_INTERNAL, "\"%s\" is too large", content->files[i].name);
        content->files[i].data = buf_cstr(&content->texts[i]);
        content->files[i].len = content->texts[i].len;
    }
    return ERR_OK;
}

static enum err_code fill(const struct install_request *request, struct content *content, struct err *err)
{
    enum err_code code = ERR_OK;

    add_public(request, content);
    if (request->key)
        code = add_secret(request, content, err);
    return code == ERR_OK ? seal(content, err) : code;
}

static void prune(struct store *store, const struct install_request *request, struct log *log)
{
    struct err why;

    if (certificate_prune(store, request->name, request->keep, &why) != ERR_OK)
        log_line(log, LOG_WARNING, "old generations stay: %s, continuing", why.msg);
}

static void install_together(struct store *store, struct install_request *requests, size_t count, struct log *log)
{
    AUTO_FREE struct content *contents = mem_calloc(count, sizeof *contents);
    AUTO_FREE struct certificate_install *installs = mem_calloc(count, sizeof *installs);
    AUTO_FREE size_t *index = mem_calloc(count, sizeof *index);
    size_t n = 0;

    for (size_t i = 0; i < count; i++) {
        struct install_request *request = &requests[i];

        if (request->err.code == ERR_OK)
            err_settle(&request->err, fill(request, &contents[i], &request->err));
        if (request->err.code != ERR_OK)
            continue;
        installs[n] = (struct certificate_install){
            .name = request->name, .files = contents[i].files, .count = contents[i].count, .access = &request->access};
        index[n++] = i;
    }
    certificate_install_all(store, installs, n);
    for (size_t k = 0; k < n; k++) {
        struct install_request *request = &requests[index[k]];

        request->err = installs[k].err;
        if (request->err.code != ERR_OK)
            continue;
        request->generation = installs[k].generation;
        prune(store, request, log);
    }
    for (size_t i = 0; i < count; i++)
        content_done(&contents[i]);
}

void install_certificates(struct store *store, struct install_request *requests, size_t count, struct log *log)
{
    for (size_t i = 0; i < count; i += TOGETHER)
        install_together(store, requests + i, count - i < TOGETHER ? count - i : TOGETHER, log);
}
