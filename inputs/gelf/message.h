/* SPDX-License-Identifier: Apache-2.0
 *
 * A GELF message becomes an event, as Logstash's input makes it.
 */
#ifndef MILLRACE_INPUTS_GELF_MESSAGE_H
#define MILLRACE_INPUTS_GELF_MESSAGE_H

#include "pipeline/event/event_json.h"

struct gelf_rules {
    bool remap;            /* full_message or short_message becomes message */
    bool strip_underscore; /* _x becomes x */
};

/* text: JSON, not compressed, that lives as long as the event, as sender does. What is no object becomes an event with its text
 * and the tag _jsonparsefailure. */
struct event *gelf_event(struct json_reader *json, struct arena *arena, struct str text,
                         struct str sender, const struct gelf_rules *rules);

#endif
