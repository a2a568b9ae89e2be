/* SPDX-License-Identifier: Apache-2.0
 *
 * What the commands have in common that put a pipeline on trial (trial.h):
 * flags, settings, samples. What is wrong is said on standard error.
 */
#ifndef MILLRACE_CMD_TRACE_FLAGS_H
#define MILLRACE_CMD_TRACE_FLAGS_H

#include <stdio.h>

#include "cmd/flags.h"
#include "cmd/run_words.h"
#include "conf/settings.h"
#include "pipeline/event/event_json.h"

/* The flags of every such command; a command's own begin at TRIAL_FLAG_COUNT. */
enum { TRIAL_INPUT, TRIAL_LINE, TRIAL_OFFLINE, TRIAL_NOW, TRIAL_FORMAT, TRIAL_FLAG_COUNT };

/* clang-format off */
#define TRIAL_FLAGS                                                                                \
    {"input", 0, true, TRIAL_INPUT},                                                               \
    {"line", 0, false, TRIAL_LINE},                                                                \
    {"offline", 0, false, TRIAL_OFFLINE},                                                          \
    {"now", 0, true, TRIAL_NOW},                                                                   \
    {"format", 0, true, TRIAL_FORMAT}
/* clang-format on */

struct trial_flags {
    struct str input_name; /* --input; empty: not given */
    bool as_line;          /* --line: a JSON object is a line too */
    bool offline;          /* --offline: without filters that ask elsewhere */
    bool has_now;          /* --now: the clock stands */
    bool json;             /* --format json */
};

/* One of TRIAL_FLAGS. */
bool take_trial_flag(struct trial_flags *trial, const struct flags *flags, int id);
/* --now TIME: the clock stands. */
bool take_now(const struct flags *flags);
/* The settings of the one pipeline that words.theirs names, or that is at path
 * (NULL: none). */
bool load_trial_settings(struct settings *settings, struct arena *arena,
                         const struct run_words *words, const char *path, int *status_out);
/* Each line that is not empty, without its end, until take says false. False then, or when reading fails, which is said. */
bool samples_of(const char *command, FILE *in, bool (*take)(void *ctx, struct str line), void *ctx);
/* A text that is one JSON object stands for an event with these fields. In
 * arena, text copied. */
bool sample_is_event(struct json_reader *reader, struct arena *arena, struct str text,
                     struct value *fields_out);

#endif
