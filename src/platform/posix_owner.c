/* SPDX-License-Identifier: MIT
 *
 * Users and groups by name or number, and giving them files.
 */
#include "platform/platform.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/posix.h"
#include "util/parse.h"

#define FIRST_SPACE 4096
#define LAST_SPACE (1U << 20) /* a group with all its members */

/* (uid_t)-1 means "leave it as it is" to chown(). */
#define ID_MAX (UINT32_MAX - 1)

enum kind { USER, GROUP };

/* 0, ENOENT when there is none, or an errno. */
static int look_up(enum kind kind, const char *name, size_t size, uint32_t *out_id)
{
    char AUTO_FREE *space = mem_calloc(size, 1);
    struct passwd user;
    struct passwd *found_user = NULL;
    struct group group;
    struct group *found_group = NULL;
    int errnum = kind == USER ? getpwnam_r(name, &user, space, size, &found_user)
                              : getgrnam_r(name, &group, space, size, &found_group);

    if (errnum != 0)
        return errnum;
    if (found_user)
        *out_id = (uint32_t)found_user->pw_uid;
    else if (found_group)
        *out_id = (uint32_t)found_group->gr_gid;
    return found_user || found_group ? 0 : ENOENT;
}

/* Names go before numbers, as with chown(1). */
static enum err_code find(enum kind kind, const char *name, uint32_t *out_id, struct err *err)
{
    const char *what = kind == USER ? "user" : "group";
    uint64_t number;
    int errnum = ERANGE;

    for (size_t size = FIRST_SPACE; errnum == ERANGE && size <= LAST_SPACE; size *= 4)
        errnum = look_up(kind, name, size, out_id);
    if (errnum == 0)
        return ERR_OK;
    if (parse_uint(name, 0, ID_MAX, &number)) {
        *out_id = (uint32_t)number;
        return ERR_OK;
    }
    /* Several systems say one of these when there is no such name. */
    if (errnum == ENOENT || errnum == ESRCH || errnum == EBADF || errnum == EPERM)
        return err_set(err, ERR_USAGE, "there is no %s \"%s\" on this machine", what, name);
    return err_set_errno(err, ERR_USAGE, errnum, "could not look up the %s \"%s\"", what, name);
}

enum err_code posix_ids_find(const struct platform_access *access, struct posix_ids *out, struct err *err)
{
    uint32_t user = 0;
    uint32_t group = 0;
    enum err_code rc = access->owner ? find(USER, access->owner, &user, err) : ERR_OK;

    if (rc == ERR_OK && access->group)
        rc = find(GROUP, access->group, &group, err);
    if (rc == ERR_OK)
        *out = (struct posix_ids){
            .user = access->owner ? (uid_t)user : (uid_t)-1,
            .group = access->group ? (gid_t)group : (gid_t)-1,
        };
    return rc;
}

static enum err_code refused(const struct platform_access *access, const char *path, int errnum, struct err *err)
{
    if (errnum != EPERM && errnum != EINVAL)
        return posix_err(err, ERR_IO, errnum, "change the owner of", path);
    if (access->owner)
        (void)err_set_errno(err, ERR_USAGE, errnum, "could not give \"%s\" to the user \"%s\"%s%s%s", path,
                            access->owner, access->group ? " and the group \"" : "", access->group ? access->group : "",
                            access->group ? "\"" : "");
    else
        (void)err_set_errno(err, ERR_USAGE, errnum, "could not give \"%s\" to the group \"%s\"", path, access->group);
    err_hint(err,
             "Only root may give files to other users, and others only to groups that they are in; the program "
             "runs as user id %ld.",
             (long)geteuid());
    return ERR_USAGE;
}

enum err_code posix_give(int fd, const struct posix_ids *ids, const struct platform_access *access, const char *path,
                         struct err *err)
{
    bool is_given = ids->user != (uid_t)-1 || ids->group != (gid_t)-1;

    if (is_given && fchown(fd, ids->user, ids->group) != 0)
        return refused(access, path, errno, err);
    if (fchmod(fd, (mode_t)access->mode) != 0)
        return posix_err(err, ERR_IO, errno, "change the mode of", path);
    return ERR_OK;
}
