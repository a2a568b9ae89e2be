/* SPDX-License-Identifier: Apache-2.0
 *
 * The subcommands. Each reads its own flags (argv[0] is its name) and returns the exit status:
 * 0 done, 1 configuration or start-up error, 2 usage.
 */
#ifndef MILLRACE_CMD_COMMANDS_H
#define MILLRACE_CMD_COMMANDS_H

#include <stdio.h>

#include "pipeline/plugin.h"

enum { EXIT_DONE = 0, EXIT_ERROR = 1, EXIT_USAGE = 2 };

int cmd_run(int argc, char **argv); /* without a subcommand: run a pipeline */
int cmd_generate(int argc, char **argv);
int cmd_grok(int argc, char **argv);
int cmd_plugins(int argc, char **argv);
int cmd_send(int argc, char **argv);

/* All commands, and the flags of run. */
void print_help(FILE *out);

/* The one list of what is built in (plugins.c). */
extern const struct plugin_list builtin_plugins;

#endif
