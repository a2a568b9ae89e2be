/* SPDX-License-Identifier: Apache-2.0
 *
 * The flags of a subcommand: --name value, --name=value, -n value, -nvalue; `--` ends them, what is no flag is an operand.
 * (getopt_long's struct option is not ours.)
 *
 *   struct flags flags = {argc, argv, TABLE, .at = 1};
 *   for (int id; (id = flags_next(&flags)) != FLAGS_END;)
 *       FLAGS_BAD: a message was printed; FLAGS_OPERAND: flags.value; else the id of the row, flags.value its value
 */
#ifndef MILLRACE_CMD_FLAGS_H
#define MILLRACE_CMD_FLAGS_H

#include <stdbool.h>
#include <stdint.h>

enum { FLAGS_END = -1, FLAGS_BAD = -2, FLAGS_OPERAND = -3 };

struct flag {
    const char *name; /* NULL ends the table */
    char letter;      /* 0: none */
    bool takes_value;
    int id; /* 0 or more */
};

struct flags {
    int argc;
    char **argv;
    const struct flag *table;
    int at;
    const char *name; /* of the flag last returned, for messages */
    const char *value;
    bool only_operands;
};

int flags_next(struct flags *flags);
/* The value as a number from min to max; false with a message on standard error. */
bool flags_number(const struct flags *flags, uint64_t min, uint64_t max, uint64_t *out);

/* What was given and not expected, on standard error; false. */
bool flags_unexpected(const struct flags *flags);
/* What was not given and is needed ("--to HOST:PORT"), on standard error. */
void flags_missing(const struct flags *flags, const char *what);
/* How a command ends whose flags asked for help, or were wrong, which was said: prints the usage, or how to see it;
 * returns the exit status. */
int flags_end(const struct flags *flags, bool asked, const char *usage);

#endif
