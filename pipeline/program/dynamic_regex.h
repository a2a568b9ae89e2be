/* SPDX-License-Identifier: Apache-2.0
 *
 * An expression of the configuration that may hold %{}: compiled once, or again when its text for an event differs from
 * the last one (events mostly give the same text). One thread.
 */
#ifndef MILLRACE_PIPELINE_PROGRAM_DYNAMIC_REGEX_H
#define MILLRACE_PIPELINE_PROGRAM_DYNAMIC_REGEX_H

#include "base/regex/regex.h"
#include "conf/template.h"
#include "pipeline/event/event.h"

enum { DYNAMIC_REGEX_MAX_BYTES = 64 * 1024 };

struct dynamic_regex {
    struct template text;
    bool is_dynamic;
    struct regex *regex;
    struct buf compiled; /* the text that a dynamic regex was compiled from */
};

/* dynamic: %{} in the text is filled in for each event; else the text is the expression. */
bool dynamic_regex_open(struct dynamic_regex *self, struct arena *arena, struct str text,
                        enum field_escape escape, bool dynamic, struct error *err);
void dynamic_regex_close(struct dynamic_regex *self); /* one that was zeroed is ok */
/* NULL when the text for this event is not an expression. */
const struct regex *dynamic_regex_for(struct dynamic_regex *self, const struct event *event);

#endif
