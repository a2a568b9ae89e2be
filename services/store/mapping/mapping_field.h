/* SPDX-License-Identifier: Apache-2.0
 *
 * A field of a mapping, for those who look for its values: queries, sorting, aggregations. Fields live as long as their
 * mapping and are changed by nobody but it.
 */
#ifndef MILLRACE_SERVICES_STORE_MAPPING_MAPPING_FIELD_H
#define MILLRACE_SERVICES_STORE_MAPPING_MAPPING_FIELD_H

#include "base/map.h"
#include "services/store/mapping/date_layout.h"
#include "services/store/mapping/mapping.h"

enum field_type {
    FIELD_OBJECT,
    FIELD_KEYWORD,
    FIELD_TEXT,
    FIELD_BYTE,
    FIELD_SHORT,
    FIELD_INTEGER,
    FIELD_LONG,
    FIELD_HALF_FLOAT,
    FIELD_FLOAT,
    FIELD_DOUBLE,
    FIELD_BOOLEAN,
    FIELD_DATE,
    FIELD_IP,
    FIELD_OPAQUE, /* a type that is kept and cannot be searched: geo_point, nested, ... */
};

enum field_dynamic { DYNAMIC_INHERITED, DYNAMIC_TRUE, DYNAMIC_FALSE, DYNAMIC_STRICT };

struct field {
    struct field *parent; /* NULL: the root */
    struct str name;      /* the last part of path */
    struct str path;      /* a.b.c */
    enum field_type type;
    const char *type_name;
    enum field_dynamic dynamic; /* of objects */
    bool is_disabled;           /* an object with enabled: false */
    bool is_multi_field;        /* its values are those of its parent */
    bool is_search_disabled, has_no_doc_values;
    bool ignores_malformed, refuses_coercion;
    uint32_t ignore_above; /* characters; 0: no limit */
    const struct date_layout *format;
    struct str params;       /* what else the mapping said, as the inside of a JSON object */
    struct field **children; /* of an object; of others the multi-fields */
    size_t count, capacity;
    size_t last;       /* where the last child was found */
    struct map *index; /* by name, when there are many */
};

/* NULL when there is none; "" is the root. */
const struct field *mapping_find(const struct mapping *mapping, struct str path);
/* The field whose values in a document are the field's own: itself, or the parent of a multi-field. */
static inline const struct field *field_source(const struct field *field)
{
    return field->is_multi_field ? field->parent : field;
}
static inline bool field_is_integer(const struct field *field)
{
    return field->type >= FIELD_BYTE && field->type <= FIELD_LONG;
}
static inline bool field_is_real(const struct field *field)
{
    return field->type >= FIELD_HALF_FLOAT && field->type <= FIELD_DOUBLE;
}

#endif
