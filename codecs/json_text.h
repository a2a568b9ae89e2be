/* SPDX-License-Identifier: Apache-2.0
 *
 * One JSON text to events: an object is one, an array one for each of its objects. Anything else, and text that is not
 * JSON, becomes an event with the text as message and the tag _jsonparsefailure. What follows a complete text is not looked at.
 */
#ifndef MILLRACE_CODECS_JSON_TEXT_H
#define MILLRACE_CODECS_JSON_TEXT_H

#include "pipeline/plugin.h"

struct json_text {
    struct json_reader *reader;
    const struct field_ref *target;
    bool original;
    bool inspects; /* a message that is no UTF-8 is shown in Ruby's form, else mended */
    const struct log *log;
    struct log_limit log_limit;
};

/* target: borrowed. */
void json_text_init(struct json_text *json, const struct plugin_env *env,
                    const struct field_ref *target);
/* text: valid UTF-8 is not needed here, the JSON reader mends strings. It lives as long as sink->arena. */
void json_text_decode(struct json_text *json, struct str text, struct event_sink *sink);

#endif
