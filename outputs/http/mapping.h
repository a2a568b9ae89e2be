/* SPDX-License-Identifier: Apache-2.0
 *
 * The mapping option: a hash of hashes, lists and texts, of which every text is a template and every result a JSON
 * string. It is compiled once into the JSON it makes, cut where a template stands:
 *   { "a" => ["x", "%{b}"] }   becomes   {"a":["x",   %{b}   ]}
 */
#ifndef MILLRACE_OUTPUTS_HTTP_MAPPING_H
#define MILLRACE_OUTPUTS_HTTP_MAPPING_H

#include "pipeline/plugin.h"

enum { MAPPING_MAX_DEPTH = 64 };

struct mapping_piece {
    struct str text;                 /* JSON as it is */
    const struct template *template; /* then this one's text as a JSON string; NULL at the end */
};

struct mapping {
    struct mapping_piece *pieces;
    size_t count;
};

/* One key of the mapping, for a form. */
struct mapping_field {
    struct str key;
    struct mapping value;
    const struct template *text; /* when the value is a text: without quotes and escapes */
};

struct mapping_fields {
    struct mapping_field *items;
    size_t count;
};

bool mapping_compile(struct arena *arena, const struct option_hash *option,
                     enum field_escape escape, struct mapping *out, struct error *err);
/* The top-level keys one by one. */
bool mapping_compile_fields(struct arena *arena, const struct option_hash *option,
                            enum field_escape escape, struct mapping_fields *out,
                            struct error *err);

enum mapping_result {
    MAPPING_DONE,
    MAPPING_FULL,
    MAPPING_NO_TEXT /* a template that Logstash fails on */
};
enum mapping_result mapping_append(const struct mapping *mapping, const struct event *event,
                                   struct arena *scratch, struct buf *out);

#endif
