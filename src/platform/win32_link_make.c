/* SPDX-License-Identifier: MIT
 *
 * The directory that stands for a link: a note, and the files of the link's target once more.
 *
 * Hard links cost no space, and have one access with the file that they are another name of.  File systems without them
 * (FAT, ReFS of older systems), and targets on another volume, get copies with the same access.
 */
#include "platform/win32_link.h"

#include <stdlib.h>
#include <string.h>
/* SE_FILE_OBJECT and what gets the access of a file */
#include <aclapi.h>

#include "util/parse.h"
#include "util/text.h"

#define NOTE_MAX 8192
#define FILE_MAX (16U << 20)
#define READ_TRIES 3
#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

/* ------------------------------------------------------------------ the note */

void link_note_done(struct link_note *note)
{
    free(note->target);
    free(note->name);
    *note = (struct link_note){NULL, NULL, 0};
}

/* The next line of *at, yours; NULL: there is no whole one. */
static char *take_line(const char **at)
{
    const char *end = strchr(*at, '\n');
    char *line = end ? mem_strndup(*at, (size_t)(end - *at)) : NULL;

    if (end)
        *at = end + 1;
    return line;
}

/* What was cut short, or is of zeros after a power failure, lacks its last line or the end of it. */
static bool parse(const struct buf *text, struct link_note *out)
{
    const char *at = buf_cstr(text);
    struct link_note AUTO(link_note_done) note = {.target = take_line(&at)};
    char AUTO_FREE *number = NULL;

    note.name = take_line(&at);
    number = take_line(&at);
    if (strlen(buf_cstr(text)) != text->len || *at || !note.target || !note.name || !number || !*note.name ||
        strpbrk(note.name, "/\\:") || !parse_uint(number, 1, UINT64_MAX - 1, &note.number))
        return false;
    *out = note;
    note = (struct link_note){NULL, NULL, 0};
    return true;
}

struct opening {
    const wchar_t *file;
    HANDLE handle;
};

static bool try_open(void *ctx)
{
    struct opening *o = ctx;

    o->handle = CreateFileW(o->file, GENERIC_READ, SHARE_ALL, NULL, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
    return o->handle != INVALID_HANDLE_VALUE;
}

/* False with GetLastError(). */
static bool read_file(const wchar_t *file, struct buf *out)
{
    struct opening o = {.file = file};
    HANDLE AUTO_HANDLE handle = win32_retry(try_open, &o) ? o.handle : INVALID_HANDLE_VALUE;

    return handle != INVALID_HANDLE_VALUE && win32_read_all(handle, out);
}

/* Neither there nor in the way; anything else that keeps us from looking counts as there. */
static bool is_missing(const char *path)
{
    wchar_t AUTO_WIDE *wide = win32_path(path);

    return wide && GetFileAttributesW(wide) == INVALID_FILE_ATTRIBUTES && win32_is_missing(GetLastError());
}

/* Between looking for the note and looking for the directory another process may have switched the link: so each is
 * looked for more than once. */
enum err_code link_note_read(const char *dir, struct link_note *out, struct err *err)
{
    char AUTO_FREE *path = mem_printf("%s/" WIN32_LINK_NOTE, dir);
    wchar_t AUTO_WIDE *wide = win32_path(path);
    struct buf AUTO_BUF text = BUF_INIT(NOTE_MAX);
    bool is_read = false;

    if (!wide)
        return win32_err_name(err, "read the link", dir);
    for (int i = 0; i < READ_TRIES && !is_read; i++) {
        is_read = read_file(wide, &text);
        if (!is_read && !win32_is_missing(GetLastError()))
            return win32_err(err, ERR_IO, GetLastError(), "read the link", dir);
        if (!is_read && is_missing(dir))
            return win32_err(err, ERR_NOT_FOUND, ERROR_FILE_NOT_FOUND, "read the link", dir);
    }
    if (!is_read)
        return err_set(err, ERR_INPUT, "\"%s\" is no link", dir);
    if (!buf_ok(&text) || !parse(&text, out))
        return err_set(err, ERR_INPUT, "could not read the link \"%s\": its file \"" WIN32_LINK_NOTE "\" is damaged",
                       dir);
    return ERR_OK;
}

static enum err_code write_note(const char *dir, const char *path, const struct link_note *note, struct err *err)
{
    char AUTO_FREE *at = mem_printf("%s/" WIN32_LINK_NOTE, dir);
    char AUTO_FREE *shown = mem_printf("%s/" WIN32_LINK_NOTE, path);
    char AUTO_FREE *text = mem_printf("%s\n%s\n%llu\n", note->target, note->name, (unsigned long long)note->number);

    if (strlen(text) > NOTE_MAX)
        return err_set(err, ERR_IO, "could not create the link \"%s\": its target is too long", path);
    return win32_make_file(at, shown, NULL, text, strlen(text), err);
}

bool win32_is_link(const char *path)
{
    char AUTO_FREE *note = mem_printf("%s/" WIN32_LINK_NOTE, path);
    wchar_t AUTO_WIDE *wide = win32_path(path);
    wchar_t AUTO_WIDE *wide_note = win32_path(note);
    DWORD kind = wide ? GetFileAttributesW(wide) : INVALID_FILE_ATTRIBUTES;

    if (kind == INVALID_FILE_ATTRIBUTES || !(kind & FILE_ATTRIBUTE_DIRECTORY) || (kind & FILE_ATTRIBUTE_REPARSE_POINT))
        return false;
    kind = wide_note ? GetFileAttributesW(wide_note) : INVALID_FILE_ATTRIBUTES;
    return kind != INVALID_FILE_ATTRIBUTES && !(kind & FILE_ATTRIBUTE_DIRECTORY);
}

/* ------------------------------------------------------------------ access */

/* Cleanup for AUTO(): what GetSecurityInfo() gave. */
static void descriptor_free_auto(PSECURITY_DESCRIPTOR *descriptor)
{
    if (*descriptor)
        (void)LocalFree(*descriptor);
}

/* Who may do what with an open file or directory; *out stays NULL where the file system does not know. 0 or an error
 * of the system. */
static DWORD access_of(HANDLE handle, PSECURITY_DESCRIPTOR *out)
{
    DWORD error = GetSecurityInfo(handle, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL, NULL, NULL, out);

    return error == ERROR_INVALID_FUNCTION || error == ERROR_NOT_SUPPORTED ? ERROR_SUCCESS : error;
}

static SECURITY_ATTRIBUTES attributes_of(PSECURITY_DESCRIPTOR descriptor)
{
    return (SECURITY_ATTRIBUTES){.nLength = sizeof(SECURITY_ATTRIBUTES), .lpSecurityDescriptor = descriptor};
}

/* ------------------------------------------------------------------ the files */

static enum err_code copy_file(const char *from, const char *at, const char *shown, struct err *err)
{
    wchar_t AUTO_WIDE *wide = win32_path(from);
    struct opening o = {.file = wide};
    HANDLE AUTO_HANDLE handle = INVALID_HANDLE_VALUE;
    PSECURITY_DESCRIPTOR AUTO(descriptor_free_auto) descriptor = NULL;
    SECURITY_ATTRIBUTES attributes;
    struct buf AUTO_BUF content = BUF_INIT(FILE_MAX);
    DWORD error;

    if (!wide)
        return win32_err_name(err, "read", from);
    if (win32_retry(try_open, &o))
        handle = o.handle;
    if (handle == INVALID_HANDLE_VALUE || !win32_read_all(handle, &content))
        return win32_err(err, ERR_IO, GetLastError(), "read", from);
    if (!buf_ok(&content))
        return err_set(err, ERR_IO, "could not read \"%s\": it is too large", from);
    error = access_of(handle, &descriptor);
    if (error != ERROR_SUCCESS)
        return win32_err(err, ERR_IO, error, "look at the access to", from);
    attributes = attributes_of(descriptor);
    return win32_make_file(at, shown, descriptor ? &attributes : NULL, buf_cstr(&content), content.len, err);
}

/* Whatever keeps it from being linked is no matter if it can be copied. */
static enum err_code add_file(const char *from_dir, const char *at_dir, const char *path, const char *name,
                              struct err *err)
{
    char AUTO_FREE *from = mem_printf("%s/%s", from_dir, name);
    char AUTO_FREE *at = mem_printf("%s/%s", at_dir, name);
    char AUTO_FREE *shown = mem_printf("%s/%s", path, name);
    wchar_t AUTO_WIDE *wide_from = win32_path(from);
    wchar_t AUTO_WIDE *wide_at = win32_path(at);

    if (wide_from && wide_at && CreateHardLinkW(wide_at, wide_from, NULL))
        return ERR_OK;
    return copy_file(from, at, shown, err);
}

/* The target may be a link, too: it is the files that count.  Directories in it are none of ours. */
static enum err_code add_files(const char *from, const char *at, const char *path, struct err *err)
{
    struct strlist AUTO_STRLIST files = {NULL, 0};
    enum err_code rc = ERR_OK;

    if (!win32_list(from, L"*", WIN32_FILE, &files))
        return win32_err(err, ERR_IO, GetLastError(), "list the directory", from);
    for (size_t i = 0; i < files.count && rc == ERR_OK; i++)
        if (text_casecmp(files.items[i], WIN32_LINK_NOTE) != 0)
            rc = add_file(from, at, path, files.items[i], err);
    return rc;
}

/* With the access of the target's directory. */
static enum err_code make_directory(const char *path, const char *from, char **out, struct err *err)
{
    wchar_t AUTO_WIDE *wide = win32_path(from);
    PSECURITY_DESCRIPTOR AUTO(descriptor_free_auto) descriptor = NULL;
    HANDLE AUTO_HANDLE handle = INVALID_HANDLE_VALUE;
    SECURITY_ATTRIBUTES attributes;
    DWORD error;

    if (!wide)
        return win32_err_name(err, "open the directory", from);
    handle = CreateFileW(wide, READ_CONTROL, SHARE_ALL, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    if (handle == INVALID_HANDLE_VALUE)
        return win32_err(err, ERR_IO, GetLastError(), "open the directory", from);
    error = access_of(handle, &descriptor);
    if (error != ERROR_SUCCESS)
        return win32_err(err, ERR_IO, error, "look at the access to", from);
    attributes = attributes_of(descriptor);
    return win32_make_temp_directory(path, descriptor ? &attributes : NULL, out, err);
}

/* The note goes first; while it can't be removed nothing else is, as it says that the directory is whole. */
enum err_code link_discard(const char *at, const char *path, struct err *err)
{
    char AUTO_FREE *note = mem_printf("%s/" WIN32_LINK_NOTE, at);
    wchar_t AUTO_WIDE *wide = win32_path(note);

    if (!wide)
        return win32_err_name(err, "remove", note);
    if (!win32_delete(wide))
        return win32_err(err, ERR_IO, GetLastError(), "remove", note);
    (void)!win32_erase_directory(at, path, NULL); /* or platform_dir_sweep() will, when nobody has it open any more */
    return ERR_OK;
}

enum err_code link_make(const char *path, const char *from, const struct link_note *note, char **out, struct err *err)
{
    char AUTO_FREE *temp = NULL;
    enum err_code rc = make_directory(path, from, &temp, err);

    if (rc == ERR_OK)
        rc = add_files(from, temp, path, err);
    if (rc == ERR_OK)
        rc = write_note(temp, path, note, err);
    if (rc != ERR_OK) {
        if (temp)
            (void)!link_discard(temp, path, NULL);
        return rc;
    }
    *out = temp;
    temp = NULL;
    return ERR_OK;
}
