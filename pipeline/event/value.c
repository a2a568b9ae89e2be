/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/event/value.h"

#include <assert.h>

#include "base/mem.h"
#include "pipeline/event/value_store.h"

enum { ARRAY_FIRST_CAPACITY = 4 };

struct value value_str_dup(struct arena *arena, struct str text)
{
    return value_str(arena_dup(arena, text));
}

bool value_number(const struct value *value, double *out)
{
    if (value->type == VALUE_INT)
        *out = (double)value->as.integer;
    else if (value->type == VALUE_FLOAT)
        *out = value_as_float(value);
    else
        return value->type == VALUE_BIG_INT && str_to_double(value_as_str(value), out);
    return true;
}

/* ---- arrays ---- */

struct value value_array_span(const struct span *span)
{
    assert(span->arena->stays && span->len >= 2 && !span->changed);
    struct array *array = arena_alloc(span->arena, sizeof *array + sizeof *span);
    *array = (struct array){.count = span->count, .span = (struct span *)(array + 1)};
    *array->span = *span;
    return (struct value){.type = VALUE_ARRAY, .as.array = array};
}

struct value value_array_new(struct arena *arena, size_t capacity_hint)
{
    size_t capacity = capacity_hint ? capacity_hint : ARRAY_FIRST_CAPACITY;
    if (capacity > UINT32_MAX)
        mem_abort("array too large");
    struct array *array = arena_alloc(arena, sizeof *array + capacity * sizeof(struct value));
    *array = (struct array){.items = (struct value *)(array + 1), .capacity = (uint32_t)capacity};
    return (struct value){.type = VALUE_ARRAY, .as.array = array};
}

size_t value_array_count(const struct value *array)
{
    assert(array->type == VALUE_ARRAY);
    return array->as.array->count;
}

struct value *value_array_at(const struct value *array, size_t index)
{
    assert(index < array_of(array)->count);
    return &array_of(array)->items[index];
}

void value_array_push(struct arena *arena, struct value *array, struct value item)
{
    struct array *self = array_of(array);
    if (self->count == self->capacity) {
        size_t capacity = (size_t)self->capacity * 2 + ARRAY_FIRST_CAPACITY, size = sizeof item;
        if (capacity > UINT32_MAX)
            mem_abort("array too large");
        self->items = arena_grow(arena, self->items, self->count * size, capacity * size);
        self->capacity = (uint32_t)capacity;
    }
    self->items[self->count++] = item;
}

void value_array_remove(struct value *array, size_t index)
{
    struct array *self = array_of(array);
    assert(index < self->count);
    size_t behind = self->count - index - 1;
    memmove(&self->items[index], &self->items[index + 1], behind * sizeof *self->items);
    self->count--;
}

/* ---- whole values ---- */

static struct value dup_value(struct arena *arena, const struct value *value, bool share);

/* The same span for another arena. */
static struct span dup_span(struct arena *arena, const struct span *from, bool share)
{
    struct span to = *from;
    to.arena = arena;
    to.around = NULL;
    if (share)
        return to;
    to.text = arena_dup(arena, span_text(from)).ptr;
    to.members = arena_copy(arena, from->members, from->inside * sizeof *from->members);
    return to;
}

static struct value dup_array(struct arena *arena, const struct value *value, bool share)
{
    if (span_is_good(value->as.array->span) && arena->stays) {
        struct span span = dup_span(arena, value->as.array->span, share);
        return value_array_span(&span);
    }
    const struct array *from = array_look(value);
    struct value to = value_array_new(arena, from->count);
    for (uint32_t i = 0; i < from->count; i++)
        to.as.array->items[i] = dup_value(arena, &from->items[i], share);
    to.as.array->count = from->count;
    return to;
}

static struct value dup_object(struct arena *arena, const struct value *value, bool share)
{
    if (span_is_good(value->as.object->span) && arena->stays) {
        struct span span = dup_span(arena, value->as.object->span, share);
        return value_object_span(&span);
    }
    const struct object *from = object_look(value);
    struct value to = value_object_new(arena, from->live);
    for (uint32_t i = 0; i < from->used; i++) {
        const struct object_entry *entry = &from->entries[i];
        if (object_entry_is_dead(entry))
            continue;
        struct object_key key = entry->key;
        if (!share)
            key.ptr = arena_dup(arena, object_key_text(entry)).ptr;
        object_append(arena, to.as.object, &key, !from->has_odd_keys,
                      dup_value(arena, &entry->value, share));
    }
    return to;
}

static struct value decimal_dup(struct arena *arena, const struct value *value)
{
    struct value copy = *value;
    copy.as.text = arena_dup(arena, str_make(value->as.text, value->extra)).ptr;
    return copy;
}

static struct value dup_value(struct arena *arena, const struct value *value, bool share)
{
    switch (value_type(value)) {
    case VALUE_NULL:
    case VALUE_BOOL:
    case VALUE_INT:
    case VALUE_TIMESTAMP:
        return *value;
    case VALUE_FLOAT:
        return share || !value_is_decimal(value) ? *value : decimal_dup(arena, value);
    case VALUE_BIG_INT:
        return share ? *value : value_big_int(arena_dup(arena, value_as_str(value)));
    case VALUE_STRING:
        return share ? *value : value_str_dup(arena, value_as_str(value));
    case VALUE_ARRAY:
        return dup_array(arena, value, share);
    case VALUE_OBJECT:
        return dup_object(arena, value, share);
    }
    mem_abort("value of an unknown type");
}

struct value value_dup(struct arena *arena, const struct value *value)
{
    return dup_value(arena, value, false);
}

struct value value_dup_shared(struct arena *arena, const struct value *value)
{
    return dup_value(arena, value, true);
}

static bool arrays_equal(const struct array *a, const struct array *b)
{
    bool equal = a->count == b->count;
    for (uint32_t i = 0; equal && i < a->count; i++)
        equal = value_equal(&a->items[i], &b->items[i]);
    return equal;
}

static bool objects_equal(const struct value *a, const struct value *b)
{
    const struct object *self = object_look(a);
    bool equal = self->live == object_look(b)->live;
    for (uint32_t i = 0; equal && i < self->used; i++) {
        const struct object_entry *entry = &self->entries[i];
        if (object_entry_is_dead(entry))
            continue;
        const struct value *other = object_find(b, &entry->key);
        equal = other && value_equal(&entry->value, other);
    }
    return equal;
}

bool value_equal(const struct value *a, const struct value *b)
{
    if (a->type != b->type)
        return false;
    switch (value_type(a)) {
    case VALUE_NULL:
        return true;
    case VALUE_BOOL:
        return a->as.boolean == b->as.boolean;
    case VALUE_INT:
        return a->as.integer == b->as.integer;
    case VALUE_FLOAT:
        return value_as_float(a) == value_as_float(b);
    case VALUE_TIMESTAMP:
        return a->as.integer == b->as.integer && a->extra == b->extra;
    case VALUE_BIG_INT:
    case VALUE_STRING:
        return str_equal(value_as_str(a), value_as_str(b));
    case VALUE_ARRAY:
        return arrays_equal(array_look(a), array_look(b));
    case VALUE_OBJECT:
        return objects_equal(a, b);
    }
    mem_abort("value of an unknown type");
}

bool value_truthy(const struct value *value)
{
    if (!value || value->type == VALUE_NULL)
        return false;
    if (value->type == VALUE_BOOL)
        return value->as.boolean;
    if (value->type != VALUE_STRING)
        return true;
    struct str text = value_as_str(value);
    return text.len > 0 && !str_equal(text, STR("false"));
}
