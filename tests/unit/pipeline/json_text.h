/* SPDX-License-Identifier: Apache-2.0
 *
 * Values written as JSON in tests. Everything lives in the arena that is given.
 */
#ifndef MILLRACE_TESTS_UNIT_PIPELINE_JSON_TEXT_H
#define MILLRACE_TESTS_UNIT_PIPELINE_JSON_TEXT_H

#include "pipeline/event/event.h"
#include "pipeline/event/value.h"

/* Fails the test when the text is not JSON. */
struct value value_from_json(struct arena *arena, const char *text);
/* NUL-terminated. */
const char *json_from_value(struct arena *arena, const struct value *value);
/* An event made from an object, as a codec makes it. */
struct event *event_from_json(struct arena *arena, const char *text);
/* The event without @timestamp and @version, which say nothing in most tests. */
const char *json_from_event(struct arena *arena, const struct event *event);

#endif
