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

/* With the patterns that ship, under their legacy or their ECS field names. They stay in their tables: a library costs the
 * places of its names only. */
struct grok_library *grok_library_new(enum grok_set set);
void grok_library_free(struct grok_library *library); /* NULL is ok */
/* Adds or replaces one pattern. origin: where it was read, for messages; may be empty. */
void grok_library_add(struct grok_library *library, struct str name, struct str pattern,
                      struct str origin);
/* Lines "NAME pattern"; blank lines and lines with '#' first are skipped. */
bool grok_library_load_file(struct grok_library *library, const char *path, struct error *err);
/* Every file of a directory whose name fits the glob, a single file, or every file that the path fits as a glob. Adds how many to
 * *files; none is no error. */
bool grok_library_load_path(struct grok_library *library, const char *path, const char *glob,
                            size_t *files, struct error *err);
/* Every file of $LOGSTASH_HOME/patterns, or of /usr/share/logstash/patterns while that is not set: whoever puts a pattern file
 * there finds it in each grok of Logstash without naming it. That there is no such directory is no error. */
bool grok_library_load_home(struct grok_library *library, struct error *err);

struct grok_definition {
    struct str text, origin; /* origin: "FILE:LINE", empty for those that ship */
};
/* False when there is none. What *out points to lives until the library is changed. */
bool grok_library_find(const struct grok_library *library, struct str name,
                       struct grok_definition *out);
/* The name that may have been meant, or NULL. */
const char *grok_library_nearest(const struct grok_library *library, struct str name);

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
    /* The first text between a name or field and the '}' of its reference, which means nothing, as in Logstash: mostly a
     * '}' is missing. Empty: none. */
    struct str ignored;
    /* From the first %{NAME on that has no '}' at all: it is matched as text. Empty: none. */
    struct str unclosed;
};

/* named_only: %{NAME} without a field captures nothing; else it captures under its own name. Everything but the regex lives
 * in arena. False and *err when a name is unknown, the nesting has no end, or the result is no expression.
 * A type holds for the first group only that one and the same written capture makes, as in Logstash: where
 * %{INT:[a]:int} stands in two alternatives, the second sets a text. */
bool grok_compile(struct arena *arena, const struct grok_library *library, struct str expression,
                  bool named_only, struct grok *out, struct error *err);
void grok_release(struct grok *grok);

#endif
