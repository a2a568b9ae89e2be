/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/event/event.h"

#include <assert.h>

#include "pipeline/event/event_path.h"
#include "pipeline/event/origin.h"

/* Setting [list][n] pads the list with nulls up to n, and n may come from an event. */
enum { EVENT_LIST_MAX = 100000 };

/* What a line of a file has before a grok filter adds its captures, and with them. */
enum { METADATA_FIRST_CAPACITY = 2, FIELDS_FIRST_CAPACITY = 16 };

static const struct str TIMESTAMP = STR_INIT("@timestamp");
static const struct str VERSION = STR_INIT("@version");
static const struct str TAGS = STR_INIT("tags");
static const struct str METADATA = STR_INIT("@metadata");

/* ---- making ---- */

static struct event *event_alloc(struct arena *arena)
{
    struct event *event = arena_alloc(arena, sizeof *event);
    *event = (struct event){.arena = arena};
    return event;
}

/* One of the names above, which is not there. */
static inline void append_special(struct event *event, struct str name, struct value value)
{
    struct object_key key = object_key(name);
    struct object *fields = object_of(&event->fields);
    if (object_has_room(fields))
        *object_add_small(fields, &key) = value;
    else
        object_append(event->arena, fields, &key, true, value);
}

struct event *event_new(struct arena *arena)
{
    struct event *event = event_alloc(arena);
    event->metadata = value_object_new(arena, METADATA_FIRST_CAPACITY);
    event->fields = value_object_new(arena, FIELDS_FIRST_CAPACITY);
    append_special(event, TIMESTAMP, value_timestamp(clock_now()));
    append_special(event, VERSION, value_str(STR("1")));
    return event;
}

static void set_field(struct event *event, struct str key, struct value value)
{
    value_object_set(event->arena, &event->fields, key, value);
}

static bool is_tags_value(const struct value *value)
{
    if (value->type != VALUE_ARRAY)
        return value->type == VALUE_STRING;
    for (size_t i = 0; i < value_array_count(value); i++)
        if (value_array_at(value, i)->type != VALUE_STRING)
            return false;
    return true;
}

static struct value list_of(struct arena *arena, struct value item)
{
    struct value list = value_array_new(arena, 1);
    list.as.array->items[0] = item;
    list.as.array->count = 1;
    return list;
}

/* Where the fields are that mean something to an event, or -1. */
struct special_fields {
    int64_t timestamp, version, tags, metadata;
};

static inline int64_t special_at(const struct object *fields, struct str name)
{
    struct object_key key = object_key(name);
    return fields->shapes & object_key_shape(&key) ? object_position(fields, &key) : -1;
}

static struct special_fields find_special(const struct object *fields)
{
    return (struct special_fields){
        .timestamp = special_at(fields, TIMESTAMP),
        .version = special_at(fields, VERSION),
        .tags = special_at(fields, TAGS),
        .metadata = special_at(fields, METADATA),
    };
}

/* Text in ISO 8601 becomes an instant; what cannot is kept in _@timestamp. */
static void take_timestamp(struct event *event, const struct value *given)
{
    struct instant at;
    bool read = given->type == VALUE_STRING && instant_parse_timestamp(value_as_str(given), &at);
    event_set_timestamp(event, read ? at : clock_now());
    if (read || given->type == VALUE_NULL)
        return;
    event_add_tag(event, STR("_timestampparsefailure"));
    set_field(event, STR("_@timestamp"), *given);
}

static void take_tags(struct event *event, const struct value *tags)
{
    if (is_tags_value(tags))
        return;
    set_field(event, TAGS, list_of(event->arena, value_str(STR("_tagsparsefailure"))));
    set_field(event, STR("_tags"), list_of(event->arena, *tags));
}

/* Of what is there, copied, because the object changes. */
static struct value value_there(const struct object *fields, int64_t at)
{
    return at < 0 ? value_null() : fields->entries[at].value;
}

struct event *event_from_object(struct arena *arena, struct value object)
{
    assert(object.type == VALUE_OBJECT);
    struct event *event = event_alloc(arena);
    struct object *fields = object_of(&object);
    event->fields = object;
    struct special_fields at = find_special(fields);
    struct value timestamp = value_there(fields, at.timestamp), tags = value_there(fields, at.tags);
    event->metadata = value_there(fields, at.metadata);
    if (event->metadata.type != VALUE_OBJECT)
        event->metadata = value_object_new(arena, METADATA_FIRST_CAPACITY);
    if (at.metadata >= 0)
        object_remove_at(fields, (uint32_t)at.metadata);
    if (at.version < 0)
        append_special(event, VERSION, value_str(STR("1")));
    if (at.tags >= 0)
        take_tags(event, &tags);
    if (at.timestamp < 0)
        append_special(event, TIMESTAMP, value_timestamp(clock_now()));
    else if (timestamp.type != VALUE_TIMESTAMP)
        take_timestamp(event, &timestamp);
    return event;
}

static struct origin_record *copy_record(struct arena *arena, const struct origin_record *from)
{
    struct origin_record *copy = origin_record_new(arena, arena_dup(arena, from->raw),
                                                   arena_dup(arena, from->place), from->position);
    copy->events = from->events;
    return copy;
}

struct event *event_clone(struct arena *arena, const struct event *event)
{
    struct event *copy = event_alloc(arena);
    bool share = arena == event->arena;
    copy->fields =
        share ? value_dup_shared(arena, &event->fields) : value_dup(arena, &event->fields);
    copy->metadata =
        share ? value_dup_shared(arena, &event->metadata) : value_dup(arena, &event->metadata);
    copy->cancelled = event->cancelled;
    copy->ordinal = event->ordinal;
    copy->path = event->path;
    copy->made = event->made;
    if (event->record)
        copy->record = share ? event->record : copy_record(arena, event->record);
    return copy;
}

/* ---- reading ---- */

/* The index that a part means in an array of this size; false when there is no such item. */
static bool array_index(const struct field_part *part, size_t size, size_t *out)
{
    if (!part->is_index || part->index >= (int64_t)size || part->index < -(int64_t)size)
        return false;
    *out = (size_t)(part->index < 0 ? part->index + (int64_t)size : part->index);
    return true;
}

static const struct value *look_in_array(const struct value *parent, const struct field_part *part)
{
    size_t index;
    if (parent->type == VALUE_ARRAY && array_index(part, value_array_count(parent), &index))
        return &array_look(parent)->items[index];
    return NULL;
}

static inline const struct value *look(const struct value *parent, const struct field_part *part)
{
    if (parent->type != VALUE_OBJECT)
        return look_in_array(parent, part);
    struct object_key key = field_part_key(part);
    return object_find(parent, &key);
}

/* To be changed. */
static struct value *item_of(const struct value *parent, const struct field_part *part)
{
    size_t index;
    if (parent->type == VALUE_ARRAY && array_index(part, value_array_count(parent), &index))
        return value_array_at(parent, index);
    return NULL;
}

static const struct value *root_of(const struct event *event, const struct field_ref *ref)
{
    assert(ref->root == FIELD_ROOT_METADATA || ref->count > 0);
    return ref->root == FIELD_ROOT_METADATA ? &event->metadata : &event->fields;
}

/* The value behind the first `count` parts. */
static const struct value *walk(const struct event *event, const struct field_ref *ref,
                                size_t count)
{
    const struct value *at = root_of(event, ref);
    for (size_t i = 0; at && i < count; i++)
        at = look(at, &ref->parts[i]);
    return at;
}

const struct value *event_get(const struct event *event, const struct field_ref *ref)
{
    return ref->count == 1 ? look(root_of(event, ref), ref->parts) : walk(event, ref, ref->count);
}

bool event_has(const struct event *event, const struct field_ref *ref)
{
    if (ref->count == 0)
        return true;
    const struct value *parent = walk(event, ref, ref->count - 1);
    const struct value *found = parent ? look(parent, &ref->parts[ref->count - 1]) : NULL;
    return found && (parent->type == VALUE_OBJECT || found->type != VALUE_NULL);
}

/* ---- setting ---- */

static bool set_array_item(struct arena *arena, struct value *array, const struct field_part *part,
                           struct value value)
{
    size_t size = value_array_count(array), index;
    if (array_index(part, size, &index)) {
        *value_array_at(array, index) = value;
        return true;
    }
    if (!part->is_index)
        return true; /* nothing happens */
    if (part->index < 0 || part->index >= EVENT_LIST_MAX)
        return false;
    while (value_array_count(array) < (size_t)part->index)
        value_array_push(arena, array, value_null());
    value_array_push(arena, array, value);
    return true;
}

static bool set_child(struct arena *arena, struct value *parent, const struct field_part *part,
                      struct value value)
{
    if (parent->type == VALUE_OBJECT) {
        struct object_key key = field_part_key(part);
        *object_place(arena, object_of(parent), &key, part->is_plain) = value;
        return true;
    }
    return parent->type == VALUE_ARRAY && set_array_item(arena, parent, part, value);
}

/* make_child for what is no object. */
static bool make_item(struct arena *arena, struct value *parent, const struct field_part *part,
                      struct value **out)
{
    *out = item_of(parent, part);
    if (*out)
        return (*out)->type != VALUE_NULL;
    if (!set_child(arena, parent, part, value_object_new(arena, 0)))
        return false;
    *out = item_of(parent, part);
    return true;
}

/* The child on the way to a field, made where it is missing. NULL below a list that has no such item. False: raises. */
static bool make_child(struct arena *arena, struct value *parent, const struct field_part *part,
                       struct value **out)
{
    if (parent->type != VALUE_OBJECT)
        return make_item(arena, parent, part, out);
    struct object *object = object_of(parent);
    struct object_key key = field_part_key(part);
    uint32_t before = object->live;
    *out = object_place(arena, object, &key, part->is_plain);
    if (object->live > before)
        **out = value_object_new(arena, 0);
    return (*out)->type != VALUE_NULL;
}

/* The object or list that the last part stands in; missing ones are made. *out NULL: nothing is to be set (below a list).
 * False: a scalar or null is in the way. */
static bool make_parents(struct event *event, const struct field_ref *ref, struct value **out)
{
    *out = ref->root == FIELD_ROOT_METADATA ? &event->metadata : &event->fields;
    for (size_t i = 0; *out && i + 1 < ref->count; i++)
        if (!make_child(event->arena, *out, &ref->parts[i], out))
            return false;
    return true;
}

static bool set_path(struct event *event, const struct field_ref *ref, struct value value)
{
    struct value *parent;
    return make_parents(event, ref, &parent) &&
           (!parent || set_child(event->arena, parent, &ref->parts[ref->count - 1], value));
}

static inline enum field_kind kind_of(const struct field_ref *ref)
{
    if (ref->root != FIELD_ROOT_EVENT)
        return FIELD_COMMON;
    if (ref->kind != FIELD_NOT_LOOKED_AT)
        return ref->kind;
    struct str name = ref->parts[0].name;
    bool may_be_special = name.len > 0 && (*name.ptr == '@' || *name.ptr == 't');
    return may_be_special ? field_kind_of(name) : FIELD_COMMON;
}

/* tags and @timestamp do not take everything. */
static bool check_special(const struct field_ref *ref, const struct value *value, struct error *err)
{
    enum field_kind kind = kind_of(ref);
    if (kind == FIELD_TAGS && (ref->count > 1 || !is_tags_value(value)))
        return error_set(err, ERROR_FORMAT, "tags takes a string or a list of strings");
    if (kind == FIELD_TIMESTAMP && ref->count == 1 && value->type != VALUE_TIMESTAMP)
        return error_set(err, ERROR_FORMAT, "@timestamp takes a timestamp");
    return true;
}

static __attribute__((noinline)) bool set_any(struct event *event, const struct field_ref *ref,
                                              struct value value, struct error *err)
{
    if (ref->root == FIELD_ROOT_METADATA && ref->count == 0) {
        if (value.type != VALUE_OBJECT)
            return error_set(err, ERROR_FORMAT, "@metadata takes an object");
        event->metadata = value;
        return true;
    }
    assert(ref->count > 0);
    return check_special(ref, &value, err) &&
           (set_path(event, ref, value) ||
            error_set(err, ERROR_FORMAT, "'%.*s' cannot be set: its parent is not an object",
                      STR_FMT(ref->text)));
}

/* Where a field is that no rule is about, below objects that are there or are made. NULL: a list or a scalar is in the way. A
 * place that was made holds a null. */
static struct value *place_in_objects(struct event *event, const struct field_ref *ref)
{
    struct object *object = object_of(root_of(event, ref));
    const struct field_part *part = ref->parts, *last = part + ref->count - 1;
    for (; object && part < last; part++)
        object = field_part_object(event->arena, object, part);
    return object ? field_part_place(event->arena, object, last) : NULL;
}

bool event_set(struct event *event, const struct field_ref *ref, struct value value,
               struct error *err)
{
    struct value *place = NULL;
    enum field_kind kind = ref->count > 0 ? kind_of(ref) : FIELD_TAGS;
    if (kind == FIELD_COMMON || (kind == FIELD_TIMESTAMP && value.type == VALUE_TIMESTAMP))
        place = ref->count == 1
                    ? field_part_place(event->arena, object_of(root_of(event, ref)), ref->parts)
                    : place_in_objects(event, ref);
    if (!place)
        return set_any(event, ref, value, err);
    *place = value;
    return true;
}

void event_set_missing(struct event *event, const struct field_ref *ref, struct value value)
{
    if (ref->count == 1 && kind_of(ref) == FIELD_COMMON) {
        struct object *object = object_of(root_of(event, ref));
        uint32_t before = object->live;
        struct value *place = field_part_place(event->arena, object, ref->parts);
        if (object->live > before)
            *place = value;
        return;
    }
    struct object_key key = field_part_key(ref->parts);
    if (!object_find(root_of(event, ref), &key) || !event_has(event, ref))
        (void)event_set(event, ref, value, NULL);
}

struct value *event_place(struct event *event, const struct field_ref *ref)
{
    return ref->count > 0 && kind_of(ref) == FIELD_COMMON ? place_in_objects(event, ref) : NULL;
}

/* Ruby's Array(): a list is itself, null is empty, an object is a list of its pairs. */
static struct value as_list(struct arena *arena, const struct value *value)
{
    struct value list = value_array_new(arena, 2);
    if (value->type == VALUE_ARRAY)
        return *value;
    if (value->type == VALUE_OBJECT) {
        for (size_t i = 0; i < value_object_count(value); i++) {
            struct str key;
            struct value item = *value_object_at(value, i, &key);
            struct value pair = list_of(arena, value_str(key));
            value_array_push(arena, &pair, item);
            value_array_push(arena, &list, pair);
        }
    } else if (value->type != VALUE_NULL) {
        value_array_push(arena, &list, *value);
    }
    return list;
}

bool event_append_field(struct event *event, const struct field_ref *ref, struct value value,
                        struct error *err)
{
    const struct value *old = event_has(event, ref) ? event_get(event, ref) : NULL;
    if (!old)
        return event_set(event, ref, value, err);
    struct value list = as_list(event->arena, old);
    value_array_push(event->arena, &list, value);
    if (event_set(event, ref, list, err))
        return true;
    if (old->type == VALUE_ARRAY)
        value_array_remove(&list, value_array_count(&list) - 1);
    return false;
}

/* ---- removing ---- */

bool event_remove(struct event *event, const struct field_ref *ref, struct value *out)
{
    if (ref->count == 0) {
        assert(ref->root == FIELD_ROOT_METADATA);
        if (out)
            *out = event->metadata;
        event->metadata = value_object_new(event->arena, 1);
        return true;
    }
    const struct value *parent = walk(event, ref, ref->count - 1);
    const struct field_part *last = &ref->parts[ref->count - 1];
    const struct value *found = parent ? look(parent, last) : NULL;
    if (!found)
        return false;
    if (out)
        *out = *found;
    struct value holder = *parent; /* shares the container */
    size_t index;
    if (holder.type == VALUE_OBJECT)
        value_object_remove(&holder, last->name);
    else if (array_index(last, value_array_count(&holder), &index))
        value_array_remove(&holder, index);
    return true;
}

/* ---- tags and time ---- */

static size_t find_tag(const struct value *tags, struct str tag)
{
    size_t count = value_array_count(tags);
    for (size_t i = 0; i < count; i++) {
        const struct value *item = &array_look(tags)->items[i];
        if (value_is_str(item) && str_equal(value_as_str(item), tag))
            return i;
    }
    return count;
}

static void append_tag(struct event *event, struct value *tags, struct str tag)
{
    if (!tags) {
        append_special(event, TAGS, list_of(event->arena, value_str(tag)));
        return;
    }
    if (tags->type == VALUE_NULL) {
        *tags = list_of(event->arena, value_str(tag));
        return;
    }
    if (tags->type != VALUE_ARRAY)
        *tags = list_of(event->arena, *tags);
    value_array_push(event->arena, tags, value_str(tag));
}

void event_append_tag(struct event *event, struct str tag)
{
    append_tag(event, value_object_get(&event->fields, TAGS), tag);
}

void event_add_tag(struct event *event, struct str tag)
{
    struct value *tags = value_object_get(&event->fields, TAGS);
    bool known = false;
    if (tags && tags->type == VALUE_ARRAY)
        known = find_tag(tags, tag) < value_array_count(tags);
    else if (tags && tags->type == VALUE_STRING)
        known = str_equal(value_as_str(tags), tag);
    if (!known)
        append_tag(event, tags, tag);
}

void event_add_tags(struct event *event, const struct option_strings *tags)
{
    for (size_t i = 0; i < tags->count; i++)
        event_add_tag(event, tags->items[i]);
}

void event_remove_tag(struct event *event, struct str tag)
{
    struct value *tags = value_object_get(&event->fields, TAGS);
    if (!tags || tags->type == VALUE_NULL)
        return;
    struct value list = tags->type == VALUE_ARRAY ? *tags : list_of(event->arena, *tags);
    for (size_t at; (at = find_tag(&list, tag)) < value_array_count(&list);)
        value_array_remove(&list, at);
    set_field(event, TAGS, list);
}

bool event_timestamp(const struct event *event, struct instant *out)
{
    struct object_key key = object_key(TIMESTAMP);
    const struct value *at = object_find(&event->fields, &key);
    if (!at || at->type != VALUE_TIMESTAMP)
        return false;
    *out = value_as_instant(at);
    return true;
}

void event_set_timestamp(struct event *event, struct instant at)
{
    struct object_key key = object_key(TIMESTAMP);
    *object_place(event->arena, object_of(&event->fields), &key, true) = value_timestamp(at);
}

void event_cancel(struct event *event)
{
    event->cancelled = true;
}
