/* SPDX-License-Identifier: Apache-2.0
 *
 * Events that codecs make of text. `original` is what the codec's env->ecs says: whether [event][original] is kept.
 */
#ifndef MILLRACE_CODECS_TEXT_EVENT_H
#define MILLRACE_CODECS_TEXT_EVENT_H

#include "pipeline/plugin.h"

/* An event whose message is text (valid UTF-8 that lives as long as the arena). */
struct event *text_event_new(struct arena *arena, struct str text, bool original);
/* Says in the log, at a limited rate, that a line was longer than the limit. One for each codec instance. */
struct long_lines {
    const struct log *log;
    struct log_limit limit;
};
void long_lines_init(struct long_lines *lines, const struct plugin_env *env);
void long_lines_note(struct long_lines *lines, size_t max_bytes);
/* An event that stands for a line longer than max_bytes, tagged _linetoolong; the log says so too. */
void text_event_emit_too_long(struct event_sink *sink, struct long_lines *lines, size_t max_bytes);
/* Sets [event][original] unless it is there. */
void text_event_keep_original(struct event *event, struct str text);

/* How plain and line write an event: `format`, or "timestamp host message". */
struct text_format {
    struct template template;
    bool is_default;
};
void text_format_init(struct text_format *format, const struct template *given);
bool text_format_append(const struct text_format *format, const struct event *event,
                        struct buf *out);

#endif
