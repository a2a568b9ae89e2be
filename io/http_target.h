/* SPDX-License-Identifier: Apache-2.0
 *
 * The target of an HTTP request, "/index/_doc/a%2Fb?routing=x&pretty", taken apart: a path is split before its segments
 * are decoded, so that a slash may stand in one. Everything points into the text or the arena.
 */
#ifndef MILLRACE_IO_HTTP_TARGET_H
#define MILLRACE_IO_HTTP_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

enum { HTTP_SEGMENTS_MAX = 16, HTTP_PARAMETERS_MAX = 64 };

struct http_parameter {
    struct str name;
    struct str value; /* empty when there is no = */
};

struct http_target {
    struct str path;                        /* as it came, without the query */
    struct str segments[HTTP_SEGMENTS_MAX]; /* decoded; empty ones are left out */
    size_t segment_count;
    struct http_parameter *parameters; /* decoded, in order */
    size_t parameter_count;
};

/* False: a wrong escape, or more segments or parameters than the limits. */
bool http_target_parse(struct arena *arena, struct str text, struct http_target *out);
/* The first parameter of the name; NULL when there is none. */
const struct http_parameter *http_target_parameter(const struct http_target *target,
                                                   struct str name);

#endif
