/* SPDX-License-Identifier: Apache-2.0
 *
 * The subcommands. Each reads its own flags (argv[0] is its name) and returns the exit status:
 * 0 done, 1 configuration or start-up error, 2 usage.
 */
#ifndef MILLRACE_CMD_COMMANDS_H
#define MILLRACE_CMD_COMMANDS_H

#include <stdio.h>

#include "cmd/flags.h"
#include "pipeline/plugin.h"

enum { EXIT_DONE = 0, EXIT_ERROR = 1, EXIT_USAGE = 2 };

/* What a command takes beside flags. */
enum command_operand {
    OPERAND_NONE,
    OPERAND_FILE,
    OPERAND_PLUGIN,
    OPERAND_COMMAND,
    OPERAND_SHELL,
};

struct command {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
    const struct flag *flags; /* NULL: the flags of the settings (conf/settings.h) */
    enum command_operand operand;
};

/* The one list of commands (main.c), from which help, manual and completions are made. Ends with name NULL. */
extern const struct command commands[];

int cmd_run(int argc, char **argv); /* without a subcommand: run a pipeline */
int cmd_completions(int argc, char **argv);
int cmd_demo(int argc, char **argv);
int cmd_diff(int argc, char **argv);
int cmd_dlq(int argc, char **argv);
int cmd_format(int argc, char **argv);
int cmd_generate(int argc, char **argv);
int cmd_grok(int argc, char **argv);
int cmd_keystore(int argc, char **argv);
int cmd_lag(int argc, char **argv);
int cmd_plugins(int argc, char **argv);
int cmd_queue(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_send(int argc, char **argv);
int cmd_store(int argc, char **argv);
int cmd_tap(int argc, char **argv);
int cmd_test(int argc, char **argv);
int cmd_trace(int argc, char **argv);

extern const struct flag completions_flags[];
extern const struct flag demo_flags[];
extern const struct flag diff_flags[];
extern const struct flag dlq_flags[];
extern const struct flag format_flags[];
extern const struct flag generate_flags[];
extern const struct flag grok_flags[];
extern const struct flag keystore_flags[];
extern const struct flag lag_flags[];
extern const struct flag plugins_flags[];
extern const struct flag queue_flags[];
extern const struct flag report_flags[];
extern const struct flag send_flags[];
extern const struct flag store_flags[];
extern const struct flag tap_flags[];
extern const struct flag test_flags[];
extern const struct flag trace_flags[];

/* The environment variable that names the pid of a process to end with, however that ends. */
#define END_WITH "MILLRACE_END_WITH"

/* The environment variable that, when it is set, allows core dumps and debuggers. */
#define CORE_DUMPS "MILLRACE_CORE_DUMPS"

/* All commands, and the flags of run. */
void print_help(FILE *out);

/* The one list of what is built in (plugins.c). */
extern const struct plugin_list builtin_plugins;

#endif
