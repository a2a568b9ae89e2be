/* SPDX-License-Identifier: Apache-2.0
 *
 * The program: a subcommand by its name, else run a pipeline; and the help that lists the subcommands.
 */
#include <string.h>
#include <unistd.h>

#include "cmd/commands.h"
#include "conf/bind.h"
#include "conf/settings.h"

static int cmd_help(int argc, char **argv);

static const struct command {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
} COMMANDS[] = {
    {"run", "run pipelines, the same as without a command", cmd_run},
    {"send", "send lines to a Beats server, as Filebeat does", cmd_send},
    {"generate", "write log lines of a made-up payment service", cmd_generate},
    {"grok", "try a grok pattern on a text: what matched, or what stopped it", cmd_grok},
    {"plugins", "list the plugins; the options of one", cmd_plugins},
    {"help", "print this, or what a command takes", cmd_help},
};

enum { COMMAND_COUNT = sizeof COMMANDS / sizeof *COMMANDS, COMMAND_WIDTH = 10 };

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(name, COMMANDS[i].name) == 0)
            return &COMMANDS[i];
    return NULL;
}

static int unknown(const char *name)
{
    const char *names[COMMAND_COUNT + 1] = {0};
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = COMMANDS[i].name;
    const char *near = bind_suggest(str_from(name), names);
    fprintf(stderr, "millrace: there is no command '%s'%s%s%s; 'millrace help' lists them\n", name,
            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    return EXIT_USAGE;
}

void print_help(FILE *out)
{
    fputs("usage: millrace -f PATH [FLAGS]\n"
          "       millrace -e TEXT [FLAGS]\n"
          "       millrace COMMAND [FLAGS]\n"
          "\n"
          "Runs Logstash pipeline files.\n"
          "\n"
          "Commands ('millrace help COMMAND' says what one takes)\n",
          out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-*s %s\n", COMMAND_WIDTH, COMMANDS[i].name, COMMANDS[i].summary);
    fputc('\n', out);
    settings_print_help(out);
}

static int cmd_help(int argc, char **argv)
{
    static char help[] = "--help";
    const struct command *command = argc > 1 ? find(argv[1]) : NULL;
    if (argc > 1 && argv[1][0] != '-' && !command)
        return unknown(argv[1]);
    if (!command || command->run == cmd_help) {
        print_help(stdout);
        return EXIT_DONE;
    }
    char *words[] = {argv[1], help, NULL};
    return command->run(2, words);
}

int main(int argc, char **argv)
{
    if (argc < 2 || argv[1][0] == '-')
        return cmd_run(argc, argv);
    const struct command *command = find(argv[1]);
    if (command)
        return command->run(argc - 1, argv + 1);
    /* The file of a pipeline is given with -f, and the flags say so. */
    return access(argv[1], F_OK) == 0 ? cmd_run(argc, argv) : unknown(argv[1]);
}
