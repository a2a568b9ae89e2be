/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the mapping share.
 */
#ifndef MILLRACE_SERVICES_STORE_MAPPING_MAPPING_PRIVATE_H
#define MILLRACE_SERVICES_STORE_MAPPING_MAPPING_PRIVATE_H

#include "services/store/mapping/mapping_field.h"

enum { DYNAMIC_TEMPLATES_MAX = 1000 };

struct dynamic_template {
    struct str name;
    struct value body;    /* as it was given */
    struct value mapping; /* its part of that name, an object */
    struct str match, unmatch, path_match, path_unmatch,
        match_mapping_type; /* ptr NULL: not said */
};

struct mapping {
    struct field *root;
    size_t field_count; /* without the root */
    uint64_t version;
    bool date_detection, numeric_detection;
    bool says_date_detection, says_numeric_detection; /* the mapping names them: they are written */
    struct arena arena; /* of what templates say; documents add nothing to it */
    struct map formats; /* text to struct date_layout, in the arena */
    struct dynamic_template *templates;
    size_t template_count, template_capacity;
    struct str meta;      /* the JSON of _meta, ptr NULL: none */
    struct field **added; /* since the last commit, in order */
    size_t added_count, added_capacity;
};

/* ---- mapping.c ---- */
/* A new child; the mapping notes it until mapping_commit or mapping_rollback. */
struct field *mapping_add(struct mapping *mapping, struct field *parent, struct str name,
                          enum field_type type);
struct field *field_child(struct field *object, struct str name); /* NULL when there is none */
/* Keeps what was added. False, with nothing kept, when the fields are too many. */
bool mapping_commit(struct mapping *mapping, struct api_error *err);
void mapping_rollback(struct mapping *mapping);
void field_set_params(struct field *field, struct str params);
/* Compiled once for each text; NULL and *err when it is no format. */
const struct date_layout *mapping_format(struct mapping *mapping, struct str text,
                                         struct error *err);
enum field_dynamic field_dynamic(const struct field *object);
const char *field_type_name(enum field_type type);

/* ---- mapping_parse.c ---- */
/* The field `name` of `parent` as the definition has it, added or merged. */
bool mapping_define(struct mapping *mapping, struct field *parent, struct str name,
                    const struct value *definition, struct api_error *err);

/* ---- mapping_dynamic.c ---- */
bool mapping_parse_templates(struct mapping *mapping, const struct value *list,
                             struct api_error *err);
/* The field for a key that is new in an object that allows it; NULL and *err when it cannot be. */
struct field *mapping_introduce(struct mapping *mapping, struct field *parent, struct str name,
                                const struct value *value, struct api_error *err);

/* ---- mapping_check.c ---- */
/* One scalar (or object) for a leaf and its multi-fields. */
bool mapping_check_leaf(const struct field *field, struct str id, const struct value *value,
                        struct api_error *err);

#endif
