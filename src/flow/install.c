/* SPDX-License-Identifier: MIT */
#include "flow/install.h"

#include <stdlib.h>

#define FILE_MAX (4u * 1024 * 1024)
#define FILES_MAX 8

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

static struct buf *add(struct content *content, const char *name, int kind)
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

enum err_code install_certificate(const struct install_request *request, struct log *log, int64_t *out_generation,
                                  struct err *err)
{
    AUTO(content_done) struct content content = {.count = 0};
    struct err why;
    enum err_code code = ERR_OK;

    add_public(request, &content);
    if (request->key)
        code = add_secret(request, &content, err);
    if (code == ERR_OK)
        code = seal(&content, err);
    if (code == ERR_OK)
        code = certificate_install(request->store, request->name, content.files, content.count, &request->access,
                                   out_generation, err);
    if (code == ERR_OK && certificate_prune(request->store, request->name, request->keep, &why) != ERR_OK)
        log_line(log, LOG_WARNING, "old generations stay: %s, continuing", why.msg);
    return code;
}
