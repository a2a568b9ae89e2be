/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands that take flags of their own and those of `millrace run`.
 */
#ifndef MILLRACE_CMD_RUN_WORDS_H
#define MILLRACE_CMD_RUN_WORDS_H

#include "cmd/flags.h"

struct run_words {
    int ours_count, theirs_count;
    char **ours, **theirs; /* each with the command's name in front, and a NULL behind */
};

/* Parts argv: flags of `millrace run` that the table does not have, with their values, are theirs. All else is ours. */
void run_words_part(struct run_words *words, const struct flag *table, int argc, char **argv);
void run_words_release(struct run_words *words);

#endif
