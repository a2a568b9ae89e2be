/* SPDX-License-Identifier: Apache-2.0
 *
 * A condition given as a text, as it would stand behind an `if`: what --where of commands and `where` of options take.
 */
#ifndef MILLRACE_PIPELINE_PROGRAM_WHERE_H
#define MILLRACE_PIPELINE_PROGRAM_WHERE_H

#include "pipeline/program/evaluate.h"

/* In the arena, to be released with condition_release. NULL and *err when it is no condition. */
struct condition *where_compile(struct arena *arena, struct str text, enum field_escape escape,
                                struct error *err);

#endif
