/* SPDX-License-Identifier: Apache-2.0
 *
 * An event of the disk queue as a line of JSON, with all that it takes to put it into a queue again (millrace queue export):
 *
 *   {"version":1,"written":ISO8601,"event":{…}[,"metadata":{…}][,"origin":{…}][,"path":n,"made":n]}
 *   origin  {"place":…,"position":n,"raw":…,"ordinal":n}; bytes that are no UTF-8 are "place_base64", "raw_base64"
 *
 * What JSON has no type for becomes text: times in other fields than @timestamp.
 */
#ifndef MILLRACE_PIPELINE_DELIVERY_QUEUE_LINE_H
#define MILLRACE_PIPELINE_DELIVERY_QUEUE_LINE_H

#include "base/error.h"
#include "pipeline/event/event.h"
#include "pipeline/event/event_json.h"

/* Appends the line without its end. The event's arena is used. */
bool queue_line_write(const struct event *event, uint64_t written_ms, struct buf *out);
/* NULL and *err: it is no such line. In the arena; the text has to live as long. An object without "version" is an event. */
struct event *queue_line_read(struct arena *arena, struct json_reader *json, struct str line,
                              struct error *err);

#endif
