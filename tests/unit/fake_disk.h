/* SPDX-License-Identifier: MIT
 *
 * A disk on which writes go wrong.  Programs that link fake_disk.c with FAKE_DISK_WRAP (tests/unit/local.mk) write
 * and remove files through it; until fake_disk_fail() is called nothing is different.
 */
#ifndef ACME_DME_TESTS_UNIT_FAKE_DISK_H
#define ACME_DME_TESTS_UNIT_FAKE_DISK_H

#include <stddef.h>

enum fake_disk_fault {
    FAKE_DISK_FINE,
    FAKE_DISK_FULL,     /* ERR_IO, and nothing has changed; of several files that were to be replaced, some are */
    FAKE_DISK_UNSYNCED, /* ERR_IO, but the change is there */
    FAKE_DISK_KILL,     /* this process dies, and the change is there */
    FAKE_DISK_FAULT_COUNT
};

const char *fake_disk_fault_name(enum fake_disk_fault fault);

/* From now on changes `first` (from 0) to first + count - 1 of files whose path contains `where` go wrong. */
void fake_disk_fail(enum fake_disk_fault fault, const char *where, size_t first, size_t count);
/* Nothing goes wrong any more, and changes are counted from 0. */
void fake_disk_heal(void);
/* Changes since. */
size_t fake_disk_changes(void);

#endif
