/* SPDX-License-Identifier: Apache-2.0
 *
 * The text of a pipeline: one string, or the files that a path, directory or glob names, joined in
 * name order (files ending in '~' are skipped), with the way back from an offset to the real file.
 */
#ifndef MILLRACE_CONF_SOURCE_H
#define MILLRACE_CONF_SOURCE_H

#include <stdio.h>

#include "base/arena.h"
#include "base/error.h"
#include "conf/syntax.h"

enum { CONF_SOURCE_MAX_BYTES = 64 * 1024 * 1024 };

struct conf_part {
    const char *file; /* "-e" for text from the command line */
    size_t start;     /* offset of its first byte in the joined text */
};

struct conf_source {
    struct str text;
    struct conf_part *parts;
    size_t count;
};

/* path: a file, a directory, a glob, or file://… */
bool conf_source_load(struct arena *arena, const char *path, struct conf_source *out,
                      struct error *err);
void conf_source_text(struct arena *arena, struct str text, const char *name,
                      struct conf_source *out);
struct error_position conf_source_position(const struct conf_source *source, size_t offset);

/* How ${NAME} is looked up: NULL means "not there". */
struct conf_options {
    bool as_written; /* variables are not filled in */
    bool support_escapes;
    const char *(*lookup)(void *ctx, const char *name); /* NULL: the environment */
    void *lookup_ctx;
    /* Whether any section has a plugin of this name, to tell a missing bracket from a missing arrow. NULL:
     * not known. */
    bool (*is_plugin)(struct str name);
};

/* Parses; false when any error was added. The tree lives in arena and points into source. */
bool conf_parse(struct arena *arena, const struct conf_source *source,
                const struct conf_options *options, struct conf_tree *out,
                struct error_list *errors);

/* source may be NULL (then without the line). Prints each error as "FILE:LINE:COLUMN: error: TEXT", the line
 * of the file without its secrets and a caret below it, and at the end how many there were. In colours
 * where `out` is a terminal that shows them. (report.c) */
void conf_print_errors(FILE *out, const struct conf_source *source,
                       const struct error_list *errors);

#endif
