/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks into containers that stayed text (value_store.h). What is in one was noted when its document was scanned, so the text
 * is not read again: the members become values, and the containers among them stay text.
 */
#include <assert.h>

#include "base/mem.h"
#include "pipeline/event/json_private.h"
#include "pipeline/event/value_store.h"

/* A container that was looked into may get a few more members. */
enum { SPARE = 2 };

struct cutter {
    struct json_builder builder;
    struct span *around;
    const struct json_member *next;
    const char *at; /* where the next member begins */
};

static struct cutter cutter_of(struct span *span)
{
    assert(span && !span->changed);
    return (struct cutter){
        .builder = {.arena = span->arena,
                    .text = span_text(span),
                    .keep_decimals = span->keep_decimals},
        .around = span,
        .next = span->members,
        .at = span->text + 1,
    };
}

static inline struct json_token token_of(const struct cutter *cutter,
                                         const struct json_member *member, const char *at)
{
    size_t offset = (size_t)(at - cutter->around->text);
    assert(offset + member->len <= cutter->around->len);
    return (struct json_token){.at = (uint32_t)offset,
                               .end = (uint32_t)offset + member->len,
                               .type = member->type,
                               .escapes = member->escapes};
}

static struct value cut_container(const struct cutter *cutter, const struct json_member *member)
{
    struct span span = *cutter->around;
    span.text = cutter->at;
    span.members = member + 1;
    span.len = member->len;
    span.count = member->count;
    span.inside = member->inside;
    span.around = cutter->around;
    return member->type == JSON_ARRAY ? value_array_span(&span) : value_object_span(&span);
}

/* The value where the cutter stands, which goes behind it and the comma or bracket there. */
static struct value cut_value(struct cutter *cutter)
{
    const struct json_member *member = cutter->next++;
    const char *at = cutter->at;
    struct json_token token;
    cutter->at = at + member->len + 1;
    switch ((enum json_token_type)member->type) {
    case JSON_NULL:
        return value_null();
    case JSON_FALSE:
    case JSON_TRUE:
        return value_bool(member->type == JSON_TRUE);
    case JSON_INTEGER:
    case JSON_DECIMAL:
        token = token_of(cutter, member, at);
        return json_token_number(&cutter->builder, &token);
    case JSON_STRING:
        assert(*at == '"' && at[member->len + 1] == '"');
        token = token_of(cutter, member, at + 1);
        cutter->at += 2;
        return json_token_string(&cutter->builder, &token);
    case JSON_ARRAY:
    case JSON_OBJECT:
        break;
    }
    struct cutter here = *cutter;
    here.at = at;
    cutter->next += member->inside;
    return cut_container(&here, member);
}

static inline struct object_key cut_key(struct cutter *cutter)
{
    struct str key = str_make(cutter->at + 1, cutter->next->key_len);
    cutter->at = key.ptr + key.len + 2;
    assert(key.ptr[-1] == '"' && cutter->at[-1] == ':');
    return object_key(key);
}

static void check_end(const struct cutter *cutter)
{
    const struct span *span = cutter->around;
    assert(!cutter->builder.failed && cutter->next == span->members + span->inside);
    assert(span->count == 0 || cutter->at == span->text + span->len);
    (void)span;
}

void json_fill_array(struct array *array)
{
    struct cutter cutter = cutter_of(array->span);
    struct value filled = value_array_new(cutter.builder.arena, array->count + SPARE);
    for (uint32_t i = 0; i < array->count; i++)
        filled.as.array->items[i] = cut_value(&cutter);
    check_end(&cutter);
    array->items = filled.as.array->items;
    array->capacity = filled.as.array->capacity;
}

/* It is as written, so no key is there twice. */
static void fill_small(struct cutter *cutter, struct object *object)
{
    struct object_entry *entry = object->entries;
    for (uint32_t i = 0; i < object->live; i++, entry++) {
        entry->key = cut_key(cutter);
        entry->value = cut_value(cutter);
        object->shapes |= object_key_shape(&entry->key);
    }
}

static void fill_large(struct cutter *cutter, struct object *object)
{
    struct object_fill fill;
    object_fill_begin(&fill, cutter->builder.arena, object->live, object->live + SPARE);
    for (uint32_t i = 0; i < object->live; i++) {
        struct object_entry entry = {.key = cut_key(cutter)};
        entry.value = cut_value(cutter);
        object_fill_new(&fill, &entry, false);
    }
    struct span *span = object->span;
    *object = *object_fill_end(&fill).as.object;
    object->span = span;
}

void json_fill_object(struct object *object)
{
    struct cutter cutter = cutter_of(object->span);
    assert(object->live == object->span->count && object->shapes == 0);
    if (object->live > OBJECT_LINEAR_MAX) {
        fill_large(&cutter, object);
    } else {
        object->capacity = object->live + SPARE;
        object->entries =
            arena_alloc(cutter.builder.arena, object->capacity * sizeof *object->entries);
        fill_small(&cutter, object);
    }
    check_end(&cutter);
}

/* Moves the cutter to the value of a key that JSON writes as it is; NULL: it is not there. */
static const struct json_member *find_member(struct cutter *cutter, const struct object_key *key)
{
    for (unsigned i = 0; i < cutter->around->count; i++) {
        const struct json_member *member = cutter->next;
        const char *name = cutter->at + 1;
        cutter->at = name + member->key_len + 2;
        if (member->key_len == key->len && memcmp(name, key->ptr, key->len) == 0)
            return member;
        enum { QUOTES = 2 };
        cutter->at += member->len + 1 + (member->type == JSON_STRING ? QUOTES : 0);
        cutter->next += 1 + (member->type >= JSON_ARRAY ? member->inside : 0);
    }
    return NULL;
}

static bool is_same_key(const struct object_key *a, const struct object_key *b)
{
    return object_key_tag(a) == object_key_tag(b) && object_key_same_text(a, b->ptr);
}

/* The cutter is at the member's value. The text of its key is the one in the document. */
static const struct value *note_read(struct cutter *cutter, const struct object_key *key,
                                     struct span_member **reads)
{
    enum { BEHIND_KEY = 2 };
    struct span_member *read = arena_alloc(cutter->builder.arena, sizeof *read);
    read->entry.key = *key;
    read->entry.key.ptr = cutter->at - BEHIND_KEY - key->len;
    read->entry.value = cut_value(cutter);
    read->before = *reads;
    *reads = read;
    return &read->entry.value;
}

bool json_read_member(struct object *object, const struct object_key *key, const struct value **out)
{
    enum { READS_MAX = 3 }; /* whoever reads more pays less when it is filled */
    unsigned count = 0;
    for (struct span_member *read = object->span->read; read; read = read->before, count++) {
        *out = &read->entry.value;
        if (is_same_key(&read->entry.key, key))
            return true;
    }
    if (object_key_is_odd(key))
        return false;
    struct cutter cutter = cutter_of(object->span);
    const struct json_member *member = find_member(&cutter, key);
    *out = NULL;
    if (!member)
        return true;
    if (member->type >= JSON_ARRAY || count == READS_MAX)
        return false;
    *out = note_read(&cutter, key, &object->span->read);
    return true;
}
