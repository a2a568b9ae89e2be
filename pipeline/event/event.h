/* SPDX-License-Identifier: Apache-2.0
 *
 * An event: an object of fields, its @metadata beside it, and a few marks. All of it lives in one arena,
 * that of its batch. The rules for @timestamp, @version, tags and @metadata are Logstash's (Event.java).
 *
 * A pointer returned by event_get is good until the event is next changed.
 */
#ifndef MILLRACE_PIPELINE_EVENT_EVENT_H
#define MILLRACE_PIPELINE_EVENT_EVENT_H

#include "base/arena.h"
#include "conf/field_ref.h"
#include "conf/option.h"
#include "pipeline/event/value.h"

struct origin_record;

struct event {
    struct arena *arena;
    struct value fields;   /* OBJECT; has @timestamp and @version unless a filter removed them */
    struct value metadata; /* OBJECT */
    bool cancelled;
    /* Provenance (origin.h) */
    uint32_t ordinal;             /* which one of its record */
    struct origin_record *record; /* NULL: none is kept, or it has none */
    uint64_t path;                /* through filters that made events; 0: as it came */
    uint32_t made;                /* events that filters made of it */
};

/* An event with @timestamp now and @version "1", nothing else. */
struct event *event_new(struct arena *arena);
/* Takes an object (decoded from JSON, say) as the fields and applies the rules of creation: @timestamp parsed or
 * now (tag _timestampparsefailure, what was given in _@timestamp), @version "1" when absent, tags checked (_tags,
 * _tagsparsefailure), @metadata moved beside the data. */
struct event *event_from_object(struct arena *arena, struct value object);
/* A deep copy with its provenance in another arena; in the same one the text is shared. */
struct event *event_clone(struct arena *arena, const struct event *event);

/* NULL when missing; a field that holds null gives a VALUE_NULL. @metadata itself gives its object. */
const struct value *event_get(const struct event *event, const struct field_ref *ref);
bool event_has(const struct event *event, const struct field_ref *ref);
/* Makes missing parents. False where Logstash raises: a scalar or null in the way, a value that tags or @timestamp does
 * not take (err, which may be NULL, says which). A name that is no index, below a list: nothing happens. The value's text must live in the event's arena or longer. */
bool event_set(struct event *event, const struct field_ref *ref, struct value value,
               struct error *err);
/* Sets it unless it is there. Where event_set would answer false nothing happens. Not for @metadata itself. */
void event_set_missing(struct event *event, const struct field_ref *ref, struct value value);
/* Where a field is, for one who looks at it and then writes it: a null is put there when it is missing, and missing parents
 * are made. NULL where event_set has to be asked: for tags and @timestamp, in a list, behind a scalar. The place is good
 * until the event is next changed. */
struct value *event_place(struct event *event, const struct field_ref *ref);
/* Makes fields of the members of an object that nothing was removed from, from one of them on, each by its name; stops at one
 * that event_set has to be asked for: its name is a reference, has an '@', or is tags. Returns its position, or the count. */
size_t event_take_members(struct event *event, const struct value *object, size_t from);
/* False when there was nothing. *out (may be NULL) is the value that was there. */
bool event_remove(struct event *event, const struct field_ref *ref, struct value *out);
/* Adds to tags without duplicates; a string tags becomes a list. */
void event_add_tag(struct event *event, struct str tag);
/* Several: what a plugin's tag_on_failure lists. */
void event_add_tags(struct event *event, const struct option_strings *tags);
/* Adds to tags, also what is there already. */
void event_append_tag(struct event *event, struct str tag);
void event_remove_tag(struct event *event, struct str tag);
/* add_field of the common options: an existing value becomes a list of both (Logstash's decorator). */
bool event_append_field(struct event *event, const struct field_ref *ref, struct value value,
                        struct error *err);
/* The instant of @timestamp; false when the event has none. */
bool event_timestamp(const struct event *event, struct instant *out);
void event_set_timestamp(struct event *event, struct instant at);
void event_cancel(struct event *event);

#endif
