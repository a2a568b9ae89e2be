/* SPDX-License-Identifier: Apache-2.0
 *
 * Binding: the attributes of one plugin in the file, held against its option tables, become a filled
 * struct. All problems are added to the list with their position; nothing else is touched on error.
 */
#ifndef MILLRACE_CONF_BIND_H
#define MILLRACE_CONF_BIND_H

#include "base/arena.h"
#include "base/error.h"
#include "base/text/suggest.h"
#include "conf/option.h"

/* One table and the struct its rows point into. A plugin has two: its own and the common options. */
struct bind_target {
    const struct option *options;
    void *self;
};

struct bind_context {
    struct arena *arena;
    enum field_escape escape;
    struct error_list *errors;
};

/* kind: "filter", "input", "output", "codec" (for messages). Repeated attributes are merged as Logstash
 * merges them: hash into hash, array to array, scalars to a list. False when an error was added. */
bool bind_plugin(const struct bind_context *ctx, const char *kind, const struct conf_plugin *plugin,
                 const struct bind_target *targets, size_t target_count);

/* Fills the defaults of a table into self, as if no attribute were given (required rows stay zero). */
bool bind_defaults(const struct bind_context *ctx, const struct option *options, void *self);

/* A value as Logstash prints it: texts and whole numbers as they are, 1.50 as 1.5, lists and hashes as
 * ["a", 1] and {"k"=>"v"}. */
struct str bind_text(struct arena *arena, const struct conf_value *value);

/* Reads a number with a unit as OPTION_BYTES and OPTION_DURATION_MS do. */
bool bind_parse_bytes(struct str text, int64_t *out);
bool bind_parse_duration_ms(struct str text, int64_t unit_ms, int64_t *out);

/* What may have been meant: base/text/suggest.h. */
static inline const char *bind_suggest(struct str written, const char *const *names)
{
    return suggest_name(written, names);
}

#endif
