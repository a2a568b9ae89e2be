/* SPDX-License-Identifier: Apache-2.0
 *
 * The program: a subcommand by its name, else run a pipeline; and the help that lists the subcommands.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cmd/commands.h"
#include "conf/bind.h"
#include "conf/settings.h"
#include "io/openssl_start.h"
#include "io/standard_fd.h"

static int cmd_help(int argc, char **argv);

static const struct flag NO_FLAGS[] = {{NULL, 0, false, 0}};

const struct command commands[] = {
    {"run", "run pipelines, the same as without a command", cmd_run, NULL, OPERAND_NONE},
    {"demo", "see the payment pipeline work, with nothing to install", cmd_demo, demo_flags,
     OPERAND_NONE},
    {"test", "run tests of pipelines: events, and what is to become of them", cmd_test, test_flags,
     OPERAND_FILE},
    {"trace", "show what a pipeline does with an event, step by step", cmd_trace, trace_flags,
     OPERAND_NONE},
    {"diff", "show what a change of configuration changes, over a sample", cmd_diff, diff_flags,
     OPERAND_FILE},
    {"send", "send lines to a Beats server, as Filebeat does", cmd_send, send_flags, OPERAND_FILE},
    {"format", "print or rewrite pipeline files in canonical form", cmd_format, format_flags,
     OPERAND_FILE},
    {"generate", "write log lines of a made-up payment service", cmd_generate, generate_flags,
     OPERAND_NONE},
    {"grok", "try a grok pattern on a text: what matched, or what stopped it", cmd_grok, grok_flags,
     OPERAND_NONE},
    {"store", "keep documents behind a part of the REST API of Elasticsearch", cmd_store,
     store_flags, OPERAND_NONE},
    {"lag", "say how far a pipeline's Kafka inputs are behind", cmd_lag, lag_flags, OPERAND_NONE},
    {"tap", "see events of a running pipeline as they pass, at any point of it", cmd_tap, tap_flags,
     OPERAND_NONE},
    {"dlq", "what destinations refused: list, show, replay, purge", cmd_dlq, dlq_flags,
     OPERAND_FILE},
    {"queue", "what waits in disk queues: verify, cat, export, import", cmd_queue, queue_flags,
     OPERAND_NONE},
    {"keystore", "keep secrets for ${NAME} in pipelines: create, add, list, remove", cmd_keystore,
     keystore_flags, OPERAND_FILE},
    {"report", "say what the payment services did on one day", cmd_report, report_flags,
     OPERAND_NONE},
    {"plugins", "list the plugins; the options of one", cmd_plugins, plugins_flags, OPERAND_PLUGIN},
    {"completions", "print what a shell needs to complete the words of a command line",
     cmd_completions, completions_flags, OPERAND_SHELL},
    {"help", "print this, or what a command takes", cmd_help, NO_FLAGS, OPERAND_COMMAND},
    {NULL, NULL, NULL, NULL, OPERAND_NONE},
};

enum { COMMAND_COUNT = sizeof commands / sizeof *commands - 1, COMMAND_WIDTH = 12 };

static const struct command *find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(name, commands[i].name) == 0)
            return &commands[i];
    return NULL;
}

static int unknown(const char *name)
{
    const char *names[COMMAND_COUNT + 1] = {0};
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i].name;
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
        fprintf(out, "  %-*s %s\n", COMMAND_WIDTH, commands[i].name, commands[i].summary);
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

/* A child of `millrace demo` ends when its parent does, also when that was killed. */
static void end_with_parent(void)
{
    const char *parent = getenv(END_WITH);
    int64_t pid;
    if (!parent || !str_to_int(str_from(parent), &pid))
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != pid) /* it ended before */
        _exit(EXIT_ERROR);
    unsetenv(END_WITH);
}

/* Passwords and events are in this memory: neither a core file nor a debugger of another process shows it, unless it is asked
 * for. Sanitizers look at it from a process of their own. */
static void keep_memory_private(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    struct rlimit none = {0};
    if (getenv(CORE_DUMPS))
        return;
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
#endif
}

int main(int argc, char **argv)
{
    standard_fd_reserve();
    openssl_start();
    keep_memory_private();
    end_with_parent();
    if (argc < 2 || argv[1][0] == '-')
        return cmd_run(argc, argv);
    const struct command *command = find(argv[1]);
    if (command)
        return command->run(argc - 1, argv + 1);
    /* The file of a pipeline is given with -f, and the flags say so. */
    return access(argv[1], F_OK) == 0 ? cmd_run(argc, argv) : unknown(argv[1]);
}
