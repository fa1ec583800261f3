/* SPDX-License-Identifier: MIT
 *
 * The command line's entry point, separate from main() so that tests can call it in-process.
 */
#ifndef ACME_DME_CMD_CMD_H
#define ACME_DME_CMD_CMD_H

/* Run one command; returns the exit status. */
int cmd_main(int argc, char **argv);

#endif
