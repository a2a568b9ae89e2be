/* SPDX-License-Identifier: Apache-2.0
 *
 * One line of comma-separated values, read strictly as Ruby's CSV library reads it. Pure; results live in the arena or
 * point into the text.
 */
#ifndef MILLRACE_BASE_TEXT_CSV_LINE_H
#define MILLRACE_BASE_TEXT_CSV_LINE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

enum { CSV_COLUMNS_MAX = 16 * 1024 };

struct csv_style {
    struct str separator; /* at least one byte */
    struct str quote;     /* one character */
};

struct csv_row {
    struct str
        *values; /* ptr NULL: nothing between the separators; quoted nothing is an empty text */
    size_t count;
};

enum csv_result {
    CSV_ROW,
    CSV_NO_ROW, /* the text is empty */
    CSV_MALFORMED,
};

/* Reads the first row of the text; lines end where the text's first line end says they do. */
enum csv_result csv_line_parse(struct arena *arena, const struct csv_style *style, struct str text,
                               struct csv_row *out, struct error *err);

#endif
