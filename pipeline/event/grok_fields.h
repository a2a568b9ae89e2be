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
    uint8_t
        parent; /* the object that it stands in; GROK_NO_PARENT: has to be asked for by its path */
};

struct grok_parent;

/* Those of an expression. Captures often stand in objects that they share ([http][request][method], [http][version]): what is
 * found for one of them is there for the others. */
struct grok_fields {
    struct grok_target *targets; /* of each capture */
    struct grok_parent *parents;
    size_t parent_count;
};

enum { GROK_PARENTS_MAX = 48, GROK_NO_PARENT = UINT8_MAX };

/* With a target for each capture, all zero. */
void grok_fields_init(struct arena *arena, const struct grok *grok, struct grok_fields *out);
/* When fields and overwrite of the targets are known. */
void grok_fields_share(struct arena *arena, const struct grok *grok, struct grok_fields *fields);

/* Sets the fields of the match that scratch holds of text, which lives as long as the event. keep_empty: also for groups that
 * are empty or took no part. False when a field cannot be set; those before it stay. */
bool grok_fields_set(const struct grok *grok, const struct grok_fields *fields,
                     const struct regex_scratch *scratch, struct str text, bool keep_empty,
                     struct event *event);

#endif
