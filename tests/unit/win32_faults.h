/* SPDX-License-Identifier: MIT
 *
 * Calls of Windows that fail, or end the process before they are made, and what they were asked for.  A program linked
 * with win32_faults.c makes them through it.
 */
#ifndef ACME_DME_TESTS_UNIT_WIN32_FAULTS_H
#define ACME_DME_TESTS_UNIT_WIN32_FAULTS_H

#include <stdbool.h>

/* What changes something on the disk: making, writing, flushing, linking, renaming, removing; and locking, which is
 * not counted among them. */
enum fault_call {
    FAULT_MAKE_FILE, /* CreateFileW() where it may make one */
    FAULT_MAKE_DIRECTORY,
    FAULT_WRITE,
    FAULT_FLUSH,
    FAULT_LINK,
    FAULT_MOVE,
    FAULT_DELETE,
    FAULT_REMOVE_DIRECTORY,
    FAULT_LOCK,
    FAULT_CALLS
};

/* All calls of that kind fail from now on; 0: no more. */
void faults_fail(enum fault_call call, unsigned long error);

/* Of the changes from now on the nth, from 1, fails with `error`, or, for 0, the process ends before it.  nth 0: none
 * does. */
void faults_at(unsigned nth, unsigned long error);
/* How many changes there were since then. */
unsigned faults_changes(void);

/* The access with which the last file or directory was made, as SDDL; "" for none of its own.  Wine keeps but a part of
 * it on the disk. */
const char *faults_access(void);
/* Was the last rename to be on the disk when it returned? */
bool faults_moved_durably(void);
/* Where the byte is that was locked last.  On Windows nobody else can read it; Wine does not care. */
unsigned long long faults_locked_byte(void);

#endif
