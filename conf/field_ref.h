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
    int64_t index; /* the name as an array index, negative from the end */
    bool is_index; /* the whole name is an integer that fits */
};

enum field_root { FIELD_ROOT_EVENT, FIELD_ROOT_METADATA };

struct field_ref {
    struct str text;      /* as written */
    enum field_root root; /* METADATA: parts are the path below @metadata, count 0 is all of it */
    struct field_part *parts;
    size_t count;
};

bool field_ref_parse(struct arena *arena, struct str text, enum field_escape escape,
                     struct field_ref *out, struct error *err);

/* A reference to one top-level field, for constants at file scope:
 * static const struct field_ref MESSAGE = FIELD_REF_TOP("message"); */
#define FIELD_REF_TOP(literal)                                                                     \
    {                                                                                              \
        .text = STR_INIT(literal), .root = FIELD_ROOT_EVENT,                                       \
        .parts = (struct field_part[]){{.name = STR_INIT(literal)}}, .count = 1                    \
    }
/* One below another: [host][ip]. */
#define FIELD_REF_BELOW(parent, child)                                                             \
    {                                                                                              \
        .text = STR_INIT("[" parent "][" child "]"), .root = FIELD_ROOT_EVENT,                     \
        .parts = (struct field_part[]){{.name = STR_INIT(parent)}, {.name = STR_INIT(child)}},     \
        .count = 2                                                                                 \
    }
#define FIELD_REF_METADATA(literal)                                                                \
    {                                                                                              \
        .text = STR_INIT("[@metadata][" literal "]"), .root = FIELD_ROOT_METADATA,                 \
        .parts = (struct field_part[]){{.name = STR_INIT(literal)}}, .count = 1                    \
    }

#endif
