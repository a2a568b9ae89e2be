/* SPDX-License-Identifier: Apache-2.0
 *
 * Which parts of a document an answer shows: _source as true, false, a pattern, a list, or includes and excludes. A
 * pattern names a path (a.b, a.*, *.c) and all that lies below it.
 */
#ifndef MILLRACE_SERVICES_STORE_SEARCH_SOURCE_FILTER_H
#define MILLRACE_SERVICES_STORE_SEARCH_SOURCE_FILTER_H

#include "pipeline/event/value.h"
#include "services/store/api_error.h"

enum { SOURCE_PATTERNS_MAX = 256 };

struct source_filter {
    bool is_hidden; /* false as _source */
    const struct str *includes, *excludes;
    size_t include_count, exclude_count;
};

/* The value of `_source` in a body. Texts are borrowed from it. */
bool source_filter_parse(struct arena *arena, const struct value *value, struct source_filter *out,
                         struct api_error *err);
/* "true", "false", "a,b*" of a URL; includes and excludes may be empty. */
bool source_filter_from_url(struct arena *arena, struct str source, struct str includes,
                            struct str excludes, struct source_filter *out);
static inline bool source_filter_shows_all(const struct source_filter *filter)
{
    return !filter->is_hidden && filter->include_count == 0 && filter->exclude_count == 0;
}
/* What is left of the document, an object. */
struct value source_filter_apply(const struct source_filter *filter, struct arena *arena,
                                 const struct value *document);

#endif
