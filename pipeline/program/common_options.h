/* SPDX-License-Identifier: Apache-2.0
 *
 * The options that every input, filter, output or codec has. The engine binds them beside the plugin's own and applies
 * them; a plugin's own row of the same name comes first.
 */
#ifndef MILLRACE_PIPELINE_PROGRAM_COMMON_OPTIONS_H
#define MILLRACE_PIPELINE_PROGRAM_COMMON_OPTIONS_H

#include "pipeline/plugin.h"

enum on_error { ON_ERROR_TAG, ON_ERROR_DEAD_LETTER, ON_ERROR_DROP };
enum on_full { ON_FULL_BLOCK, ON_FULL_SPOOL, ON_FULL_DROP_OLDEST, ON_FULL_DEAD_LETTER };

struct common_field {
    struct template name;
    struct template *values; /* one, or the items of a list */
    size_t count;
};

/* One struct for all kinds; a kind's table names the members it has. */
struct common_options {
    struct str id;
    struct str ecs_compatibility;
    bool enable_metric;
    struct option_hash add_field;
    struct option_strings tags;      /* input */
    struct str type;                 /* input */
    struct option_templates add_tag; /* filter */
    struct option_templates remove_tag;
    struct option_templates remove_field;
    bool periodic_flush;
    int on_error; /* filter; enum on_error */
    const struct conf_plugin *codec;
    int64_t hold_max_ms, spool_max_bytes; /* output */
    int on_full;                          /* output; enum on_full */

    /* Made from add_field by common_options_compile. */
    struct common_field *fields;
    size_t field_count;
    bool decorates; /* anything to do on success */
    enum field_escape escape;
};

/* The table for a section. */
const struct option *common_options_table(enum conf_section section);
/* The plugin's own ecs_compatibility; *mode stays as it is when none is given. False when it is no mode: an error was
 * added. */
bool common_options_ecs(const struct common_options *common, struct error_position position,
                        struct error_list *errors, enum ecs_mode *mode);
void common_options_compile(struct common_options *common, struct arena *arena,
                            enum field_escape escape);
/* add_field, remove_field, add_tag, remove_tag, in Logstash's order. False where Logstash raises (an illegal
 * reference, a parent that is no object): what came before stays. */
bool common_options_decorate(const struct common_options *common, struct event *event);
/* type (when the event has none), add_field, tags. */
void common_options_decorate_input(const struct common_options *common, struct event *event);

#endif
