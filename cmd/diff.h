/* SPDX-License-Identifier: Apache-2.0
 *
 * `millrace diff`: what a change of configuration changes. The parts: both
 * pipelines over a sample (diff.c), what is different sorted by kind
 * (diff_changes.c), and how it is shown (diff_show.c).
 */
#ifndef MILLRACE_CMD_DIFF_H
#define MILLRACE_CMD_DIFF_H

#include "base/map.h"
#include "cmd/check_pipeline.h"

enum diff_kind {
    DIFF_DROPPED,     /* events came out of it before, and none does now */
    DIFF_LET_THROUGH, /* the other way round */
    DIFF_MORE,        /* more events than before come out, */
    DIFF_FEWER,       /* or fewer */
    DIFF_FIELD_ADDED,
    DIFF_FIELD_REMOVED,
    DIFF_FIELD_CHANGED,
    DIFF_ROUTE_ADDED,
    DIFF_ROUTE_REMOVED,
    DIFF_REFUSED, /* an output could send it before, and cannot now */
    DIFF_TAKEN,   /* the other way round */
    DIFF_REQUEST, /* an output sends it otherwise: to another index, with another
                   key, … */
    DIFF_BYTES,   /* the same event, written otherwise */
};

enum { DIFF_EXAMPLES = 3 };

struct diff_example {
    uint64_t line; /* of the sample; 0: at its end */
    struct value before, after;
};

/* All changes of one kind to one field or output. */
struct diff_change {
    struct diff_change *next;
    enum diff_kind kind;
    struct str field;  /* a path; of a request: the member's name */
    struct str output; /* of routes and requests */
    uint64_t count;
    struct diff_example examples[DIFF_EXAMPLES];
};

struct diff {
    struct arena arena;
    struct map by_key;
    struct diff_change *first, *last; /* as they were found */
    uint64_t lines, same;             /* of the sample */
};

void diff_init(struct diff *diff);
void diff_release(struct diff *diff);
/* What the two pipelines made of this line of the sample. */
void diff_line(struct diff *diff, uint64_t line, struct str text, const struct check_world *before,
               const struct check_world *after);

void diff_show_text(const struct diff *diff, const struct terminal *terminal, struct buf *out);
void diff_show_json(const struct diff *diff, struct buf *out);

#endif
