/* SPDX-License-Identifier: MIT */
#include "config_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "platform/platform.h"
#include "test.h"
#include "util/buf.h"
#include "util/text.h"

static const char *given_getenv(void *ctx, const char *name)
{
    const struct config_fixture *f = ctx;

    for (size_t i = f->env.count; i >= 2; i -= 2) {
        if (strcmp(f->env.items[i - 2], name) == 0)
            return f->env.items[i - 1];
    }
    return NULL;
}

int config_fixture_setup(void **state)
{
    struct config_fixture *f = mem_zalloc(sizeof *f);

    f->dir = fixture_dir_new();
    f->home = mem_printf("%s/home", f->dir);
    f->req = (struct config_request){
        .need = CONFIG_WITH_CREDENTIALS, .env = given_getenv, .env_ctx = f, .home = f->home, .overrides = f->overrides};
    f->etc = mem_printf("%s/etc", f->dir);
    f->req.sysconfdir = f->etc;
    *state = f;
    return 0;
}

static void forget(struct config_fixture *f)
{
    config_free(f->config);
    f->config = NULL;
    strlist_done(&f->problems);
    strlist_done(&f->warnings);
    free(f->said);
    f->said = NULL;
}

int config_fixture_teardown(void **state)
{
    struct config_fixture *f = *state;

    forget(f);
    strlist_done(&f->env);
    free(f->named_file);
    free(f->home);
    free(f->etc);
    fixture_dir_free(f->dir);
    free(f);
    return 0;
}

/* ------------------------------------------------------------------ setting up */

static void make_parents(const struct config_fixture *f, char *path)
{
    for (char *slash = strchr(path + strlen(f->dir) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (!platform_file_exists(path))
            fixture_mkdir(path, 0700);
        *slash = '/';
    }
}

void given_write_bytes(struct config_fixture *f, const char *path, const char *bytes, size_t len)
{
    char AUTO_FREE *full = mem_printf("%s/%s", f->dir, path);
    FILE *out;

    make_parents(f, full);
    out = fixture_open(full, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, len, out), len);
    assert_int_equal(fclose(out), 0);
    fixture_chmod(full, 0600);
}

void given_write(struct config_fixture *f, const char *path, const char *text)
{
    given_write_bytes(f, path, text, strlen(text));
}

void given_chmod(struct config_fixture *f, const char *path, unsigned mode)
{
    char AUTO_FREE *full = mem_printf("%s/%s", f->dir, path);

    fixture_chmod(full, mode);
}

void given_env(struct config_fixture *f, const char *name, const char *value)
{
    strlist_add(&f->env, name);
    strlist_add(&f->env, value);
}

void given_env_path(struct config_fixture *f, const char *name, const char *path)
{
    strlist_add(&f->env, name);
    strlist_add_take(&f->env, mem_printf("%s/%s", f->dir, path));
}

void given_override(struct config_fixture *f, const char *key, const char *value)
{
    assert_true(f->req.override_count < ARRAY_LEN(f->overrides));
    f->overrides[f->req.override_count++] = (struct config_override){key, value};
}

/* ------------------------------------------------------------------ loading */

/* Add a line with the directory written "@". */
static void say(const struct config_fixture *f, struct buf *said, const char *line)
{
    const char *at;

    for (; (at = strstr(line, f->dir)) != NULL; line = at + strlen(f->dir)) {
        buf_append(said, line, (size_t)(at - line));
        buf_putc(said, '@');
    }
    buf_printf(said, "%s\n", line);
}

static char *normal(const struct config_fixture *f, const char *line)
{
    struct buf AUTO_BUF b = BUF_INIT(1 << 20);

    say(f, &b, line);
    b.data[b.len - 1] = '\0';
    return buf_take(&b);
}

void load_config(struct config_fixture *f)
{
    struct buf AUTO_BUF said = BUF_INIT(1 << 20);

    forget(f);
    err_init(&f->err);
    f->code = config_load(&f->req, &f->config, &f->problems, &f->warnings, &f->err);
    for (size_t i = 0; i < f->problems.count; i++)
        say(f, &said, f->problems.items[i]);
    for (size_t i = 0; i < f->warnings.count; i++)
        say(f, &said, f->warnings.items[i]);
    say(f, &said, f->err.msg);
    say(f, &said, f->err.hint);
    f->said = buf_take(&said);
    assert_int_equal(f->code == ERR_OK, f->config != NULL);
}

void load_config_as_user(struct config_fixture *f)
{
    fixture_become_user();
    load_config(f);
    fixture_become_root();
}

void load_config_bytes(struct config_fixture *f, const char *bytes, size_t len)
{
    given_write_bytes(f, "c.yaml", bytes, len);
    free(f->named_file);
    f->named_file = mem_printf("%s/c.yaml", f->dir);
    f->req.file = f->named_file;
    load_config(f);
}

void load_config_text(struct config_fixture *f, const char *text)
{
    load_config_bytes(f, text, strlen(text));
}

/* ------------------------------------------------------------------ expecting */

void expect_silence(const struct config_fixture *f)
{
    assert_string_equal(f->said, "\n\n");
    assert_int_equal(f->code, ERR_OK);
}

void expect_warning(const struct config_fixture *f, const char *warning)
{
    char AUTO_FREE *want = mem_printf("%s\n\n\n", warning);

    assert_string_equal(f->said, want);
    assert_int_equal(f->code, ERR_OK);
}

void expect_error(const struct config_fixture *f, enum err_code code, const char *message)
{
    char AUTO_FREE *got = normal(f, f->err.msg);

    assert_string_equal(got, message);
    assert_int_equal(f->code, code);
    assert_int_equal(f->err.code, code);
    assert_int_equal(f->problems.count, 0);
}

void expect_hint(const struct config_fixture *f, const char *hint)
{
    char AUTO_FREE *got = normal(f, f->err.hint);

    assert_string_equal(got, hint);
}

void expect_remedy(const struct config_fixture *f, const char *posix_hint)
{
    if (fixture_has(FIXTURE_MODES))
        expect_hint(f, posix_hint);
    else
        assert_non_null(strstr(f->err.hint, "Run: icacls \""));
}

void expect_problems(const struct config_fixture *f, const char *lines)
{
    struct buf AUTO_BUF got = BUF_INIT(1 << 20);

    for (size_t i = 0; i < f->problems.count; i++)
        say(f, &got, f->problems.items[i]);
    if (got.len)
        got.data[--got.len] = '\0';
    assert_string_equal(buf_cstr(&got), lines);
    assert_int_not_equal(f->code, ERR_OK);
}

void expect_unsaid(const struct config_fixture *f, const char *text)
{
    if (strstr(f->said, text))
        fail_msg("\"%s\" was shown:\n%s", text, f->said);
}
