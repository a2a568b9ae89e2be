/* SPDX-License-Identifier: Apache-2.0
 *
 * Events that codecs make of text. `original` is what the codec's env->ecs says: whether [event][original] is kept.
 */
#ifndef MILLRACE_CODECS_TEXT_EVENT_H
#define MILLRACE_CODECS_TEXT_EVENT_H

#include "pipeline/plugin.h"

/* An event whose message is text (valid UTF-8 that lives as long as the arena). */
struct event *text_event_new(struct arena *arena, struct str text, bool original);
/* An event that stands for a line longer than max_bytes, tagged _linetoolong. */
void text_event_emit_too_long(struct event_sink *sink, size_t max_bytes);
/* Sets [event][original] unless it is there. */
void text_event_keep_original(struct event *event, struct str text);

/* How plain and line write an event: `format`, or "timestamp host message". */
struct text_format {
    struct template template;
    bool with_timestamp;
};
void text_format_init(struct text_format *format, const struct plugin_env *env,
                      const struct template *given);
bool text_format_append(const struct text_format *format, const struct event *event,
                        struct buf *out);

#endif
