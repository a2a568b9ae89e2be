/* SPDX-License-Identifier: Apache-2.0
 *
 * The program: a subcommand by its name, else run a pipeline.
 */
#include <string.h>

#include "cmd/commands.h"

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} COMMANDS[] = {
    {"generate", cmd_generate},
    {"grok", cmd_grok},
    {"plugins", cmd_plugins},
    {"run", cmd_run},
    {"send", cmd_send},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof COMMANDS / sizeof *COMMANDS; i++)
        if (strcmp(argv[1], COMMANDS[i].name) == 0)
            return COMMANDS[i].run(argc - 1, argv + 1);
    return cmd_run(argc, argv);
}
