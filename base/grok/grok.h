/* SPDX-License-Identifier: Apache-2.0
 *
 * Grok expressions: regular expressions with named parts, %{NAME}, %{NAME:field} and %{NAME:field:type}. A library holds
 * the parts by name; an expression is expanded into one regular expression whose groups are numbered, with a table from
 * group to field, so that a field may have any name and may occur twice. Both are immutable once made and shared by lanes.
 */
#ifndef MILLRACE_BASE_GROK_GROK_H
#define MILLRACE_BASE_GROK_GROK_H

#include "base/arena.h"
#include "base/error.h"
#include "base/regex/regex.h"
#include "base/str.h"

enum {
    GROK_MAX_DEPTH = 64,                   /* patterns within patterns */
    GROK_MAX_EXPANDED_BYTES = 1024 * 1024, /* of one expression */
    GROK_MAX_FILE_BYTES = 16 * 1024 * 1024,
};

enum grok_set { GROK_SET_LEGACY, GROK_SET_ECS };

struct grok_library;

/* With the patterns that ship, under their legacy or their ECS field names. */
struct grok_library *grok_library_new(enum grok_set set);
void grok_library_free(struct grok_library *library); /* NULL is ok */
/* Adds or replaces one pattern. */
void grok_library_add(struct grok_library *library, struct str name, struct str pattern);
/* Lines "NAME pattern"; blank lines and lines with '#' first are skipped. */
bool grok_library_load_file(struct grok_library *library, const char *path, struct error *err);
/* Every file of a directory whose name fits the glob, or a single file. */
bool grok_library_load_path(struct grok_library *library, const char *path, const char *glob,
                            struct error *err);
struct str grok_library_get(const struct grok_library *library,
                            struct str name); /* ptr NULL: none */

enum grok_type { GROK_STRING, GROK_INT, GROK_FLOAT };

struct grok_capture {
    struct str field; /* "clientip" or "[source][address]" */
    enum grok_type type;
    unsigned group;
};

struct grok {
    struct regex *regex;
    struct grok_capture *captures; /* in the order of their groups */
    size_t count;
    struct str expanded; /* the regular expression, for people */
};

/* named_only: %{NAME} without a field captures nothing; else it captures under its own name. Everything but the regex lives
 * in arena. False and *err when a name is unknown, the nesting has no end, or the result is no expression. */
bool grok_compile(struct arena *arena, const struct grok_library *library, struct str expression,
                  bool named_only, struct grok *out, struct error *err);
void grok_release(struct grok *grok);

#endif
