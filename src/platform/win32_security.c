/* SPDX-License-Identifier: MIT
 *
 * Permission bits as access control lists, and what a list amounts to.
 *
 * The owner's entry is that of "OWNER RIGHTS": it stays right when an administrator makes somebody else the owner.
 */
#include "platform/win32.h"

#include <aclapi.h>
#include <sddl.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

#define SDDL_MAX 2048

static void local_free_auto(void *ptr_to_ptr)
{
    void *ptr;

    memcpy(&ptr, ptr_to_ptr, sizeof ptr);
    (void)LocalFree(ptr);
}
#define AUTO_LOCAL AUTO(local_free_auto)

/* ------------------------------------------------------------------ accounts */

/* The user that we run as. */
struct user {
    union {
        TOKEN_USER user;
        BYTE space[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } token;
    PSID sid; /* within it, or NULL */
};

static void user_find(struct user *out)
{
    HANDLE AUTO_HANDLE token = NULL;
    DWORD size = 0;

    out->sid = NULL;
    if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token) &&
        GetTokenInformation(token, TokenUser, &out->token, sizeof out->token, &size))
        out->sid = out->token.user.User.Sid;
}

static char *sid_text(PSID sid)
{
    wchar_t AUTO_LOCAL *wide = NULL;

    return ConvertSidToStringSidW(sid, &wide) ? win32_utf8(wide) : mem_strdup("?");
}

char *win32_account_of_us(void)
{
    struct user us;
    wchar_t name[256];
    wchar_t domain[256];
    DWORD name_size = ARRAY_LEN(name);
    DWORD domain_size = ARRAY_LEN(domain);
    SID_NAME_USE use;
    char AUTO_FREE *name8 = NULL;
    char AUTO_FREE *domain8 = NULL;

    user_find(&us);
    if (!us.sid)
        return mem_strdup("?");
    if (!LookupAccountSidW(NULL, us.sid, name, &name_size, domain, &domain_size, &use)) {
        char AUTO_FREE *number = sid_text(us.sid);

        return mem_printf("*%s", number);
    }
    name8 = win32_utf8(name);
    domain8 = win32_utf8(domain);
    return mem_printf("%s%s%s", domain8, *domain8 ? "\\" : "", name8);
}

static bool may_be_granted(SID_NAME_USE use)
{
    return use == SidTypeUser || use == SidTypeGroup || use == SidTypeAlias || use == SidTypeWellKnownGroup ||
           use == SidTypeComputer;
}

/* "S-1-..." of the name of an account, or of an SID as it is.  `what` it is to be is for messages: any account will do.
 */
static enum err_code find_account(const char *what, const char *name, char **out, struct err *err)
{
    wchar_t AUTO_WIDE *wide = win32_wide(name);
    PSID AUTO_LOCAL given = NULL;
    BYTE sid[SECURITY_MAX_SID_SIZE];
    wchar_t domain[256];
    DWORD sid_size = sizeof sid;
    DWORD domain_size = ARRAY_LEN(domain);
    SID_NAME_USE use = SidTypeInvalid;

    if (text_ncasecmp(name, "S-1-", 4) == 0 && ConvertStringSidToSidW(wide, &given)) {
        *out = sid_text(given);
        return ERR_OK;
    }
    /* Nobody is "", which is looked up as the machine; and a machine or a domain is nobody. */
    if (*name && !LookupAccountNameW(NULL, wide, sid, &sid_size, domain, &domain_size, &use) &&
        GetLastError() != ERROR_NONE_MAPPED)
        return win32_err(err, ERR_USAGE, GetLastError(), "look up the account of", name);
    if (!may_be_granted(use))
        return err_set(err, ERR_USAGE, "there is no %s \"%s\" on this machine", what, name);
    *out = sid_text(sid);
    return ERR_OK;
}

/* ------------------------------------------------------------------ making */

#define READ_BIT 04U
#define WRITE_BIT 02U

/* An entry for three permission bits; none for none. */
static void put_entry(struct buf *sddl, enum win32_kind kind, unsigned bits, const char *sid)
{
    DWORD rights = 0;

    if (bits & READ_BIT)
        rights |= FILE_GENERIC_READ | (kind == WIN32_DIRECTORY ? FILE_GENERIC_EXECUTE : 0);
    if (bits & WRITE_BIT)
        rights |= FILE_GENERIC_WRITE | DELETE | (kind == WIN32_DIRECTORY ? FILE_DELETE_CHILD : 0);
    if (rights)
        buf_printf(sddl, "(A;%s;0x%lx;;;%s)", kind == WIN32_DIRECTORY ? "OICI" : "", rights, sid);
}

static enum err_code put_account(struct buf *sddl, enum win32_kind kind, unsigned bits, const char *what,
                                 const char *name, struct err *err)
{
    char AUTO_FREE *sid = NULL;
    enum err_code rc = name ? find_account(what, name, &sid, err) : ERR_OK;

    if (rc == ERR_OK && sid)
        put_entry(sddl, kind, bits, sid);
    return rc;
}

enum err_code win32_security_make(const struct platform_access *access, enum win32_kind kind,
                                  struct win32_security *out, struct err *err)
{
    struct buf AUTO_BUF sddl = BUF_INIT(SDDL_MAX);
    const char *flags = kind == WIN32_DIRECTORY ? "OICI" : "";
    wchar_t AUTO_WIDE *wide = NULL;
    PSECURITY_DESCRIPTOR descriptor = NULL;
    enum err_code rc;

    buf_printf(&sddl, "D:P(A;%s;FA;;;SY)(A;%s;FA;;;BA)(A;%s;FA;;;OW)", flags, flags, flags);
    rc = put_account(&sddl, kind, access->mode >> 6, "user", access->owner, err);
    if (rc == ERR_OK)
        rc = put_account(&sddl, kind, access->mode >> 3, "group", access->group, err);
    if (rc != ERR_OK)
        return rc;
    put_entry(&sddl, kind, access->mode, "WD"); /* Everyone, which wine knows as "others" */
    wide = win32_wide(buf_cstr(&sddl));
    if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(wide, SDDL_REVISION_1, &descriptor, NULL))
        return win32_err_plain(err, ERR_INTERNAL, GetLastError(), "make a security descriptor");
    *out = (struct win32_security){
        .attributes = {.nLength = sizeof out->attributes, .lpSecurityDescriptor = descriptor},
        .descriptor = descriptor,
    };
    return ERR_OK;
}

enum err_code win32_security_for_mode(unsigned mode, enum win32_kind kind, struct win32_security *out, struct err *err)
{
    const struct platform_access access = {.mode = mode};

    return win32_security_make(&access, kind, out, err);
}

void win32_security_done(struct win32_security *security)
{
    (void)LocalFree(security->descriptor);
    *security = (struct win32_security){.descriptor = NULL};
}

/* ------------------------------------------------------------------ judging */

struct known_sid {
    BYTE authority;
    BYTE count;
    DWORD parts[6];
};

/* Those who may do everything anyway, or are the owner by another name. */
static const struct known_sid trusted_sids[] = {
    {5, 1, {18}},                                                              /* SYSTEM */
    {5, 2, {32, 544}},                                                         /* Administrators */
    {5, 6, {80, 956008885, 3418522649U, 1831038044, 1853292631, 2271478464U}}, /* TrustedInstaller */
    {3, 1, {4}},                                                               /* OWNER RIGHTS */
    {3, 1, {0}},                                                               /* CREATOR OWNER */
};

static const struct known_sid world_sids[] = {
    {1, 1, {0}},       /* Everyone */
    {2, 1, {0}},       /* LOCAL */
    {5, 1, {2}},       /* NETWORK */
    {5, 1, {4}},       /* INTERACTIVE */
    {5, 1, {7}},       /* Anonymous */
    {5, 1, {11}},      /* Authenticated Users */
    {5, 1, {13}},      /* TERMINAL SERVER USER */
    {5, 1, {14}},      /* REMOTE INTERACTIVE LOGON */
    {5, 1, {15}},      /* This Organization */
    {5, 2, {32, 545}}, /* Users */
    {5, 2, {32, 546}}, /* Guests */
};

static bool is_among(PSID sid, const struct known_sid *known, size_t count)
{
    const SID_IDENTIFIER_AUTHORITY *authority = GetSidIdentifierAuthority(sid);
    BYTE parts = *GetSidSubAuthorityCount(sid);

    for (size_t i = 0; i < count; i++) {
        BYTE same = 0;

        if (authority->Value[5] != known[i].authority || parts != known[i].count)
            continue;
        while (same < parts && *GetSidSubAuthority(sid, same) == known[i].parts[same])
            same++;
        if (same == parts)
            return true;
    }
    return false;
}

/* Domain Users, Domain Guests, and the account Guest: S-1-5-21-<three numbers>-<513, 514, 501>. */
static bool is_domain_wide(PSID sid)
{
    BYTE parts = *GetSidSubAuthorityCount(sid);
    DWORD last;

    if (GetSidIdentifierAuthority(sid)->Value[5] != 5 || parts != 5 || *GetSidSubAuthority(sid, 0) != 21)
        return false;
    last = *GetSidSubAuthority(sid, 4);
    return last == DOMAIN_GROUP_RID_USERS || last == DOMAIN_GROUP_RID_GUESTS || last == DOMAIN_USER_RID_GUEST;
}

#define READ_RIGHTS ((DWORD)(FILE_READ_DATA | GENERIC_READ | GENERIC_ALL))
#define WRITE_RIGHTS                                                                                                   \
    ((DWORD)(FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_DELETE_CHILD | WRITE_DAC | WRITE_OWNER | GENERIC_WRITE |        \
             GENERIC_ALL))

static void count_rights(DWORD rights, enum platform_exposure whom, struct win32_access *out)
{
    if ((rights & READ_RIGHTS) && whom > out->readable)
        out->readable = whom;
    if (rights & WRITE_RIGHTS) {
        out->others_can_write = true;
        out->everybody_can_write |= whom == PLATFORM_WORLD_READABLE;
    }
}

static bool is_us_or(PSID sid, PSID owner, const struct user *us)
{
    return (owner && EqualSid(sid, owner)) || (us->sid && EqualSid(sid, us->sid)) ||
           is_among(sid, trusted_sids, ARRAY_LEN(trusted_sids));
}

/* What refuses something is not counted: an entry that grants it may come first, or be meant for more accounts. */
static void count_entry(ACE_HEADER *header, PSID owner, const struct user *us, struct win32_access *out)
{
    ACCESS_ALLOWED_ACE *entry = (ACCESS_ALLOWED_ACE *)(void *)header;
    PSID sid = &entry->SidStart;

    if (header->AceFlags & INHERIT_ONLY_ACE)
        return;
    switch (header->AceType) {
    case ACCESS_ALLOWED_ACE_TYPE:
    case ACCESS_ALLOWED_CALLBACK_ACE_TYPE: /* its condition may be met */
        if (is_us_or(sid, owner, us))
            return;
        count_rights(entry->Mask,
                     is_among(sid, world_sids, ARRAY_LEN(world_sids)) || is_domain_wide(sid) ? PLATFORM_WORLD_READABLE
                                                                                             : PLATFORM_GROUP_READABLE,
                     out);
        return;
    case ACCESS_ALLOWED_COMPOUND_ACE_TYPE: /* not for files; but whoever it is for has it */
    case ACCESS_ALLOWED_OBJECT_ACE_TYPE:
    case ACCESS_ALLOWED_CALLBACK_OBJECT_ACE_TYPE:
        count_rights(entry->Mask, PLATFORM_GROUP_READABLE, out);
        return;
    default:
        return;
    }
}

struct win32_access win32_access_by(ACL *acl, PSID owner)
{
    struct win32_access access = {.readable = PLATFORM_PRIVATE};
    struct user us;

    user_find(&us);
    access.owner_is_trusted = owner && is_us_or(owner, NULL, &us);
    if (!acl) /* no list, as on FAT: no limits */
        count_rights(GENERIC_ALL, PLATFORM_WORLD_READABLE, &access);
    for (DWORD i = 0; acl && i < acl->AceCount; i++) {
        void *entry = NULL;

        if (GetAce(acl, i, &entry))
            count_entry(entry, owner, &us, &access);
    }
    return access;
}

enum err_code win32_access_of(HANDLE handle, const char *path, struct win32_access *out, struct err *err)
{
    PSECURITY_DESCRIPTOR AUTO_LOCAL descriptor = NULL;
    PSID owner = NULL;
    ACL *acl = NULL;
    DWORD error = GetSecurityInfo(handle, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
                                  &owner, NULL, &acl, NULL, &descriptor);

    if (error != ERROR_SUCCESS)
        return win32_err(err, ERR_IO, error, "read the permissions of", path);
    *out = win32_access_by(acl, owner);
    return ERR_OK;
}

/* ------------------------------------------------------------------ changing */

enum err_code win32_set_mode(HANDLE handle, unsigned mode, enum win32_kind kind, const char *path, struct err *err)
{
    struct win32_security AUTO(win32_security_done) security = {.descriptor = NULL};
    enum err_code rc = win32_security_for_mode(mode, kind, &security, err);

    if (rc != ERR_OK)
        return rc;
    if (!SetKernelObjectSecurity(handle, DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION,
                                 security.descriptor))
        return win32_err(err, ERR_IO, GetLastError(), "change the permissions of", path);
    return ERR_OK;
}
