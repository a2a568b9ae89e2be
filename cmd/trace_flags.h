/* SPDX-License-Identifier: Apache-2.0
 *
 * What the commands have in common that put a pipeline on trial (trial.h):
 * flags, settings, samples. What is wrong is said on standard error.
 */
#ifndef MILLRACE_CMD_TRACE_FLAGS_H
#define MILLRACE_CMD_TRACE_FLAGS_H

#include "cmd/flags.h"
#include "cmd/run_words.h"
#include "conf/settings.h"
#include "pipeline/event/event_json.h"

/* --now TIME: the clock stands. */
bool take_now(const struct flags *flags);
/* --format text|json */
bool take_format(const struct flags *flags, bool *json_out);
/* The settings of the one pipeline that words.theirs names, or that is at path
 * (NULL: none). */
bool load_trial_settings(struct settings *settings, struct arena *arena,
                         const struct run_words *words, const char *path, int *status_out);
/* A text that is one JSON object stands for an event with these fields. In
 * arena, text copied. */
bool sample_is_event(struct json_reader *reader, struct arena *arena, struct str text,
                     struct value *fields_out);

#endif
