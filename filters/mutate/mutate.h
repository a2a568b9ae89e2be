/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to filters/mutate/: the options become a list of steps in the order in which Logstash runs the operations,
 * whatever their order in the file. A step is one operation on one field; the first that fails ends the filter.
 *   mutate.c   options, the order, running the steps
 *   fields.c   coerce, rename, update, replace, merge, copy
 *   convert.c  convert
 *   text.c     uppercase, lowercase, capitalize, strip, split, join
 *   gsub.c     gsub
 */
#ifndef MILLRACE_FILTERS_MUTATE_MUTATE_H
#define MILLRACE_FILTERS_MUTATE_MUTATE_H

#include "pipeline/plugin.h"
#include "pipeline/program/dynamic_regex.h"
#include "pipeline/program/evaluate.h"

struct mutate;
struct mutate_step;

/* False where Logstash raises: the event is tagged and the remaining steps are left out. */
typedef bool mutate_operation(struct mutate *self, struct mutate_step *step, struct event *event);

/* A field that the configuration names. One that is not a legal reference fails when it is used. */
struct mutate_field {
    bool is_legal;
    struct field_ref ref;
};

enum mutate_type {
    MUTATE_INTEGER,
    MUTATE_FLOAT,
    MUTATE_STRING,
    MUTATE_BOOLEAN,
    MUTATE_INTEGER_EU,
    MUTATE_FLOAT_EU,
};

struct mutate_pattern {
    struct dynamic_regex expression;
    struct template replacement;
    struct regex_replacement *parsed; /* NULL when it depends on the event */
};

struct mutate_step {
    mutate_operation *run;
    struct str given;            /* the name of the field, for the log */
    struct mutate_field field;   /* what is changed, or read by copy */
    struct template name;        /* rename: the old name; remove: the name */
    struct template value;       /* coerce, update, replace: the text; rename: the new name */
    struct str separator;        /* split, join */
    enum mutate_type type;       /* convert */
    struct mutate_field *others; /* merge: the sources; copy: the destination */
    size_t other_count;
    struct mutate_pattern pattern; /* gsub */
};

struct mutate {
    struct option_hash coerce, rename, update, replace, convert, split, join, merge, copy;
    struct option_strings gsub, uppercase, capitalize, lowercase, strip, remove;
    struct str tag_on_failure;

    const struct plugin_env *env;
    struct mutate_step *steps;
    size_t step_count;
    struct buf text; /* what gsub is writing */
    struct counter *failures;
    struct log_limit log_limit;
};

enum { MUTATE_TEXT_MAX_BYTES = 256 * 1024 * 1024, MUTATE_TEXT_KEEP_BYTES = 64 * 1024 };

mutate_operation mutate_coerce, mutate_rename, mutate_update, mutate_replace, mutate_remove,
    mutate_merge, mutate_copy;
mutate_operation mutate_convert, mutate_gsub;
mutate_operation mutate_uppercase, mutate_lowercase, mutate_capitalize, mutate_strip, mutate_split,
    mutate_join;

bool mutate_type_parse(struct str name, enum mutate_type *out);
/* The value converted, in *value; false where Logstash raises. */
bool mutate_convert_value(struct arena *arena, enum mutate_type type, struct value *value);

bool mutate_pattern_open(struct mutate *self, struct mutate_pattern *pattern, struct str expression,
                         struct str replacement, struct error *err);
void mutate_pattern_close(struct mutate_pattern *pattern);

#endif
