/* SPDX-License-Identifier: Apache-2.0
 *
 * A dead letter as it is read back from its record (dead_letters.h has the form).
 */
#ifndef MILLRACE_PIPELINE_DELIVERY_DEAD_LETTER_H
#define MILLRACE_PIPELINE_DELIVERY_DEAD_LETTER_H

#include "base/error.h"
#include "pipeline/event/event.h"
#include "pipeline/event/event_json.h"

struct read_letter {
    struct str time; /* when it was refused, ISO 8601 */
    struct str plugin_type, plugin_id, reason;
    int64_t attempts;
    /* As it was when it was refused, with [@metadata][dead_letter_queue] as Logstash's input gives it: plugin_type, plugin_id,
     * reason, entry_time. */
    struct event *event;
    bool came_back; /* it had come from a dead letter queue when it was refused */
};

/* Everything in the arena; the record's bytes have to live as long. False and *err when the record is none that this
 * program writes. */
bool dead_letter_read(struct arena *arena, struct json_reader *json, struct str record,
                      struct read_letter *out, struct error *err);

#endif
