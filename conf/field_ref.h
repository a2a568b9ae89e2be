/* SPDX-License-Identifier: Apache-2.0
 *
 * A field reference, parsed once at configuration time: `name` is a top-level key with any characters,
 * `[a][b]` a path. Rules: Logstash's FieldReference (strict mode).
 */
#ifndef MILLRACE_CONF_FIELD_REF_H
#define MILLRACE_CONF_FIELD_REF_H

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

enum { FIELD_REF_MAX_DEPTH = 64 };

enum field_escape { FIELD_ESCAPE_NONE, FIELD_ESCAPE_PERCENT, FIELD_ESCAPE_AMPERSAND };

struct field_part {
    struct str name;
    int64_t index;  /* the name as an array index, negative from the end */
    bool is_index;  /* the whole name is an integer that fits */
    bool is_plain;  /* JSON is known to write the name without escapes */
    bool is_marked; /* the mark is known */
    uint32_t mark;  /* str_mark of the name */
};

/* What setting it has to look at; by its first part. */
enum field_kind {
    FIELD_NOT_LOOKED_AT, /* of some references that are written down as constants */
    FIELD_COMMON,
    FIELD_TIMESTAMP,
    FIELD_TAGS,
};

enum field_root { FIELD_ROOT_EVENT, FIELD_ROOT_METADATA };

struct field_ref {
    struct str text;      /* as written */
    enum field_root root; /* METADATA: parts are the path below @metadata, count 0 is all of it */
    enum field_kind kind; /* of root EVENT */
    const struct field_part *parts;
    size_t count;
};

bool field_ref_parse(struct arena *arena, struct str text, enum field_escape escape,
                     struct field_ref *out, struct error *err);

/* False for one that an option left as it was: all of the event is nothing that can be named. */
static inline bool field_ref_is_given(const struct field_ref *ref)
{
    return ref->count > 0 || ref->root == FIELD_ROOT_METADATA;
}

/* The kind of a field of an event whose path begins with this name. */
enum field_kind field_kind_of(struct str name);

/* The name is a literal that JSON writes without escapes. */
#define FIELD_PART(literal)                                                                        \
    {                                                                                              \
        .name = STR_INIT(literal), .is_plain = true                                                \
    }
/* Compilers take a mark for a constant in an array that has a name, not in one that has none. */
#define FIELD_PART_MARKED(literal)                                                                 \
    {                                                                                              \
        .name = STR_INIT(literal), .mark = STR_MARK(literal), .is_marked = true, .is_plain = true  \
    }
/* No rule is about most names. */
#define FIELD_KIND(literal)                                                                        \
    (STR_BYTE_AT(literal, 0) == '@' || STR_BYTE_AT(literal, 0) == 't' ? FIELD_NOT_LOOKED_AT        \
                                                                      : FIELD_COMMON)

/* References that each event is asked for, at file scope: FIELD_REF_TOP_AS(MESSAGE, "message"); */
#define FIELD_REF_TOP_AS(as, literal)                                                              \
    static const struct field_part as##_parts[] = {FIELD_PART_MARKED(literal)};                    \
    static const struct field_ref as = {.text = STR_INIT(literal),                                 \
                                        .root = FIELD_ROOT_EVENT,                                  \
                                        .kind = FIELD_KIND(literal),                               \
                                        .parts = as##_parts,                                       \
                                        .count = 1}
#define FIELD_REF_METADATA_AS(as, literal)                                                         \
    static const struct field_part as##_parts[] = {FIELD_PART_MARKED(literal)};                    \
    static const struct field_ref as = {.text = STR_INIT("[@metadata][" literal "]"),              \
                                        .root = FIELD_ROOT_METADATA,                               \
                                        .parts = as##_parts,                                       \
                                        .count = 1}
/* [host][ip] */
#define FIELD_REF_BELOW_AS(as, parent, child)                                                      \
    static const struct field_part as##_parts[] = {FIELD_PART_MARKED(parent),                      \
                                                   FIELD_PART_MARKED(child)};                      \
    static const struct field_ref as = {.text = STR_INIT("[" parent "][" child "]"),               \
                                        .root = FIELD_ROOT_EVENT,                                  \
                                        .kind = FIELD_KIND(parent),                                \
                                        .parts = as##_parts,                                       \
                                        .count = 2}
/* [log][file][path] */
#define FIELD_REF_BELOW_TWO_AS(as, first, second, third)                                           \
    static const struct field_part as##_parts[] = {                                                \
        FIELD_PART_MARKED(first), FIELD_PART_MARKED(second), FIELD_PART_MARKED(third)};            \
    static const struct field_ref as = {.text = STR_INIT("[" first "][" second "][" third "]"),    \
                                        .root = FIELD_ROOT_EVENT,                                  \
                                        .kind = FIELD_KIND(first),                                 \
                                        .parts = as##_parts,                                       \
                                        .count = 3}

/* Others, which may also stand in tables: static const struct field_ref PORT = FIELD_REF_TOP("port"); */
#define FIELD_REF_TOP(literal)                                                                     \
    {                                                                                              \
        .text = STR_INIT(literal), .root = FIELD_ROOT_EVENT,                                       \
        .parts = (struct field_part[]){FIELD_PART(literal)}, .count = 1                            \
    }
#define FIELD_REF_BELOW(parent, child)                                                             \
    {                                                                                              \
        .text = STR_INIT("[" parent "][" child "]"), .root = FIELD_ROOT_EVENT,                     \
        .parts = (struct field_part[]){FIELD_PART(parent), FIELD_PART(child)}, .count = 2          \
    }
#define FIELD_REF_METADATA(literal)                                                                \
    {                                                                                              \
        .text = STR_INIT("[@metadata][" literal "]"), .root = FIELD_ROOT_METADATA,                 \
        .parts = (struct field_part[]){FIELD_PART(literal)}, .count = 1                            \
    }

#endif
