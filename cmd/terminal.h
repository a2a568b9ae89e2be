/* SPDX-License-Identifier: Apache-2.0
 *
 * What an output can show: colours on a terminal that wants them, and how wide it is. Text is made in a buf by functions
 * that know its display width; nothing here writes.
 */
#ifndef MILLRACE_CMD_TERMINAL_H
#define MILLRACE_CMD_TERMINAL_H

#include "base/buf.h"

enum { TERMINAL_COLUMNS = 80, TERMINAL_MIN_COLUMNS = 60 };

enum style { STYLE_PLAIN, STYLE_BOLD, STYLE_DIM, STYLE_GOOD, STYLE_CHANGED, STYLE_BAD };

struct terminal {
    bool is_terminal; /* a line may be written over */
    bool colours;
    bool ascii;     /* the locale knows nothing else: other characters are shown as '?' */
    size_t columns; /* at most TERMINAL_COLUMNS, so that lines stay readable */
};

/* As base/colour.h says of the descriptor and the environment. */
struct terminal terminal_of(int fd);

void terminal_text(const struct terminal *terminal, enum style style, struct str text,
                   struct buf *out);
__attribute__((format(printf, 4, 5))) void terminal_printf(const struct terminal *terminal,
                                                           enum style style, struct buf *out,
                                                           const char *format, ...);
/* Valid text in exactly `columns` columns: cut with an ellipsis, or filled up with blanks. */
void terminal_cell(const struct terminal *terminal, enum style style, struct str text,
                   size_t columns, struct buf *out);
/* The same without filling up. */
void terminal_cut(const struct terminal *terminal, enum style style, struct str text,
                  size_t columns, struct buf *out);
/* share (0..1) of `columns` as a bar, in eighths of a column; what is not nothing has at least one. */
void terminal_bar(const struct terminal *terminal, enum style style, double share, size_t columns,
                  struct buf *out);
/* 1234567 as 1,234,567. */
enum { COUNT_TEXT_MAX = 32 };
const char *count_text(uint64_t count, char out[COUNT_TEXT_MAX]);

#endif
