/* SPDX-License-Identifier: Apache-2.0
 *
 * Why a grok expression does not match a text: the innermost piece that stopped it. The piece is found by trying longer and
 * longer front parts of the expression with the same compiled code that pipelines use, then front parts of the pattern
 * that the piece stands for, and of each alternative in it, as long as that gets further into the text.
 */
#ifndef MILLRACE_CMD_GROK_EXPLAIN_H
#define MILLRACE_CMD_GROK_EXPLAIN_H

#include "base/grok/grok.h"

struct grok_trial {
    struct arena *arena;
    const struct grok_library *library;
    struct regex_scratch *scratch;
    struct str text;
};

struct grok_stop {
    struct str piece; /* that did not match; len 0: every front part matches */
    struct str
        behind; /* what matched before it, in the innermost pattern where that is more than nothing */
    struct str
        inside[GROK_MAX_DEPTH]; /* the patterns that the piece stands in, the outermost first */
    size_t depth;
    size_t reached; /* offset in the text */
};

void grok_explain(const struct grok_trial *trial, struct str expression, struct grok_stop *out);

#endif
