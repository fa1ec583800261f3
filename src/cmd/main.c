/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"
#include "platform/platform.h"

int main(int argc, char **argv)
{
    platform_arguments(&argc, &argv);
    return cmd_main(argc, argv);
}
