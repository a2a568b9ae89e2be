/* SPDX-License-Identifier: Apache-2.0
 *
 * The words and columns that a trace for people (trace_text.c) is made of: places, heads of steps, changes of fields.
 * All of it is appended to the writer's buffer, in its look.
 */
#ifndef MILLRACE_CMD_TRACE_WORDS_H
#define MILLRACE_CMD_TRACE_WORDS_H

#include "cmd/trace.h"

enum {
    TRACE_RESULT_COLUMN = 48,
    TRACE_TIME_MAX = 32,
    TRACE_TEXT_MAX_BYTES = 1024 * 1024 * 1024,
};

struct trace_writer {
    const struct trace *trace;
    const struct trace_look *look;
    struct buf *out;
    bool several_files, numbered;
};

/* A newline at the end of text stays outside of the style. */
void trace_put(const struct trace_writer *writer, enum style style, struct str text);
void trace_blanks(const struct trace_writer *writer, size_t count);
/* "#3" */
void trace_number(const struct trace_writer *writer, unsigned event);

/* A value in so many columns at most; 0: as many as it needs. Initialises out, which the caller releases. */
void trace_shown_in(const struct trace_writer *writer, const struct value *value, size_t columns,
                    struct buf *out);
/* "84 µs", zero-terminated. */
void trace_time(const struct trace_writer *writer, uint64_t ns, char out[static TRACE_TIME_MAX]);
/* What is behind the last slash. */
const char *trace_base_name(const char *path);

/* The head of a step, its line and name, up to the column of its results. */
void trace_head(const struct trace_writer *writer, const struct trace_step *step, struct str name,
                enum style style);
/* What stands in front of a line below a head. */
void trace_margin(const struct trace_writer *writer, const struct trace_step *step);
/* Which event the lines below are about, where the step had several. */
void trace_subject(const struct trace_writer *writer, const struct trace_step *step,
                   const struct trace_effect *effect);
/* A line for each field that came, went or changed. */
void trace_changes(const struct trace_writer *writer, const struct trace_step *step,
                   const struct event_diff *diff);

#endif
