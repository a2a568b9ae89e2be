/* SPDX-License-Identifier: Apache-2.0
 *
 * What a grok expression captured becomes fields of an event, as Logstash's grok does it.
 */
#ifndef MILLRACE_PIPELINE_EVENT_GROK_FIELDS_H
#define MILLRACE_PIPELINE_EVENT_GROK_FIELDS_H

#include "base/grok/grok.h"
#include "pipeline/event/event.h"

/* Where a capture goes. */
struct grok_target {
    struct field_ref field; /* text.ptr NULL: no field has such a name */
    bool overwrite; /* replaces what is there; else a text becomes a list of both, a list longer */
};

/* Sets the fields of the match that scratch holds of text, which lives as long as the event. keep_empty: also for groups that
 * are empty or took no part. False when a field cannot be set; those before it stay. */
bool grok_fields_set(const struct grok *grok, const struct grok_target *targets,
                     const struct regex_scratch *scratch, struct str text, bool keep_empty,
                     struct event *event);

#endif
