/* SPDX-License-Identifier: MIT
 *
 * Feeds the files named on the command line to a fuzz target, where libFuzzer is not there to do it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

#define INPUT_MAX (1024 * 1024)

static int replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    uint8_t *space = malloc(INPUT_MAX);
    uint8_t *exact;
    size_t len;

    if (!file || !space) {
        perror(path);
        return EXIT_FAILURE;
    }
    len = fread(space, 1, INPUT_MAX, file);
    (void)fclose(file);
    /* Of exactly the input's size, so that reading past its end is noticed. */
    exact = malloc(len ? len : 1);
    if (!exact)
        return EXIT_FAILURE;
    for (size_t i = 0; i < len; i++)
        exact[i] = space[i];
    (void)LLVMFuzzerTestOneInput(exact, len);
    free(exact);
    free(space);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (replay(argv[i]) != EXIT_SUCCESS)
            return EXIT_FAILURE;
    (void)printf("%d inputs\n", argc - 1);
    return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
