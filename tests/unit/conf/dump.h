/* SPDX-License-Identifier: Apache-2.0
 *
 * Parsing for tests, and trees as text: texts in "", barewords bare, fields in {}, expressions with all
 * their parentheses, blocks as name(option=value …).
 */
#ifndef MILLRACE_TESTS_UNIT_CONF_DUMP_H
#define MILLRACE_TESTS_UNIT_CONF_DUMP_H

#include "base/buf.h"
#include "conf/source.h"

struct parsed {
    struct arena arena;
    struct conf_source source;
    struct conf_tree tree;
    struct error_list errors;
    bool ok;
};

/* options may be NULL: no escapes, and of variables only SET (a value), LIST ([x, 'y']), QUOTED ('v')
 * and EMPTY are there. */
void parsed_init(struct parsed *parsed, struct str text, const struct conf_options *options);
void parsed_release(struct parsed *parsed);

void dump_value(const struct conf_value *value, struct buf *out);
void dump_expr(const struct conf_expr *expr, struct buf *out);
void dump_block(const struct conf_block *block, struct buf *out);
/* "LINE:COLUMN text" of each error, one a line; warnings begin with "warning ". */
void dump_errors(const struct error_list *errors, struct buf *out);

#endif
