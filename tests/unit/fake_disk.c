/* SPDX-License-Identifier: MIT
 *
 * The linker puts these in front of the platform's functions: "--wrap=f" sends calls of f() to __wrap_f(), and those of
 * __real_f() to f().
 */
#include "fake_disk.h"

#include <string.h>

#include "fixture.h"
#include "platform/platform.h"

static struct {
    enum fake_disk_fault fault;
    const char *where;
    size_t first;
    size_t count;
    size_t changes;
} disk = {.where = ""};

const char *fake_disk_fault_name(enum fake_disk_fault fault)
{
    static const char *const names[FAKE_DISK_FAULT_COUNT] = {
        [FAKE_DISK_FINE] = "fine",
        [FAKE_DISK_FULL] = "disk full",
        [FAKE_DISK_UNSYNCED] = "written, not synced",
        [FAKE_DISK_KILL] = "killed after write",
    };

    return names[fault];
}

void fake_disk_fail(enum fake_disk_fault fault, const char *where, size_t first, size_t count)
{
    fake_disk_heal();
    disk.fault = fault;
    disk.where = where;
    disk.first = first;
    disk.count = count;
}

void fake_disk_heal(void)
{
    disk.fault = FAKE_DISK_FINE;
    disk.changes = 0;
}

size_t fake_disk_changes(void)
{
    return disk.changes;
}

/* What becomes of the change that begins now. */
static enum fake_disk_fault next_fault(const char *path)
{
    size_t n;

    if (!strstr(path, disk.where))
        return FAKE_DISK_FINE;
    n = disk.changes++;
    return n >= disk.first && n - disk.first < disk.count ? disk.fault : FAKE_DISK_FINE;
}

static enum err_code after(enum fake_disk_fault fault, enum err_code code, const char *path, struct err *err)
{
    if (fault == FAKE_DISK_KILL)
        fixture_die();
    return fault == FAKE_DISK_UNSYNCED ? err_set(err, ERR_IO, "could not sync \"%s\": scripted", path) : code;
}

static enum err_code refuse(const char *path, struct err *err)
{
    return err_set(err, ERR_IO, "could not write \"%s\": scripted", path);
}

enum err_code __real_platform_files_write(const struct platform_file_write *writes, size_t count,
                                          enum platform_write_mode mode, struct err *err);
enum err_code __wrap_platform_files_write(const struct platform_file_write *writes, size_t count,
                                          enum platform_write_mode mode, struct err *err);
enum err_code __real_platform_file_replace(const char *path, const void *data, size_t len, struct err *err);
enum err_code __wrap_platform_file_replace(const char *path, const void *data, size_t len, struct err *err);
enum err_code __real_platform_file_create(const char *path, const void *data, size_t len, struct err *err);
enum err_code __wrap_platform_file_create(const char *path, const void *data, size_t len, struct err *err);
enum err_code __real_platform_file_remove(const char *path, struct err *err);
enum err_code __wrap_platform_file_remove(const char *path, struct err *err);

enum err_code __wrap_platform_files_write(const struct platform_file_write *writes, size_t count,
                                          enum platform_write_mode mode, struct err *err)
{
    enum fake_disk_fault fault = next_fault(writes[0].path);

    if (fault == FAKE_DISK_FULL && count > 1 && mode != PLATFORM_CREATE) /* some may be replaced */
        (void)__real_platform_files_write(writes, count / 2, mode, NULL);
    if (fault == FAKE_DISK_FULL)
        return refuse(writes[0].path, err);
    return after(fault, __real_platform_files_write(writes, count, mode, err), writes[0].path, err);
}

enum err_code __wrap_platform_file_replace(const char *path, const void *data, size_t len, struct err *err)
{
    enum fake_disk_fault fault = next_fault(path);

    if (fault == FAKE_DISK_FULL)
        return refuse(path, err);
    return after(fault, __real_platform_file_replace(path, data, len, err), path, err);
}

enum err_code __wrap_platform_file_create(const char *path, const void *data, size_t len, struct err *err)
{
    enum fake_disk_fault fault = next_fault(path);

    if (fault == FAKE_DISK_FULL)
        return refuse(path, err);
    return after(fault, __real_platform_file_create(path, data, len, err), path, err);
}

enum err_code __wrap_platform_file_remove(const char *path, struct err *err)
{
    enum fake_disk_fault fault = next_fault(path);

    if (fault == FAKE_DISK_FULL)
        return refuse(path, err);
    return after(fault, __real_platform_file_remove(path, err), path, err);
}
