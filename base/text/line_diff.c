/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text/line_diff.h"

#include <assert.h>
#include <stdio.h>

#include "base/mem.h"

struct lines {
    struct str *items;
    size_t count;
    bool open; /* the last one has no newline */
};

/* A line of the result. `before` and `after` count the lines of each text in front of it. */
struct edit {
    char mark;
    size_t before, after;
};

struct difference {
    struct lines before, after;
    struct edit *edits;
    size_t count;
};

/* ---- lines ---------------------------------------------------------------------------------------- */

static struct lines lines_of(struct str text)
{
    struct lines lines = {.open = text.len > 0 && text.ptr[text.len - 1] != '\n'};
    size_t count = lines.open;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '\n';
    lines.items = mem_zero(count + 1, sizeof *lines.items);
    while (lines.count < count) {
        const char *end = text.len > 0 ? memchr(text.ptr, '\n', text.len) : NULL;
        size_t len = end ? (size_t)(end - text.ptr) : text.len;
        lines.items[lines.count++] = str_make(text.ptr, len);
        text = str_from_offset(text, len + 1);
    }
    return lines;
}

/* A last line with a newline is not the same as one without. */
static bool same(const struct difference *d, size_t i, size_t j)
{
    bool open = d->before.open && i + 1 == d->before.count;
    bool other = d->after.open && j + 1 == d->after.count;
    return open == other && str_equal(d->before.items[i], d->after.items[j]);
}

/* ---- the edits ------------------------------------------------------------------------------------ */

static void add(struct difference *d, char mark, size_t before, size_t after)
{
    assert(d->count < d->before.count + d->after.count);
    d->edits[d->count++] = (struct edit){mark, before, after};
}

/* The stretch between what both begin and end with. */
struct stretch {
    size_t start, rows, columns;
};

/* table[i][j]: how long the longest common sequence of what is behind i and j is. */
static uint32_t *measure(const struct difference *d, const struct stretch *s)
{
    size_t width = s->columns + 1;
    uint32_t *table = mem_zero((s->rows + 1) * width, sizeof *table);
    for (size_t i = s->rows; i-- > 0;)
        for (size_t j = s->columns; j-- > 0;) {
            uint32_t down = table[(i + 1) * width + j], right = table[i * width + j + 1];
            table[i * width + j] = same(d, s->start + i, s->start + j)
                                       ? table[(i + 1) * width + j + 1] + 1
                                   : down > right ? down
                                                  : right;
        }
    return table;
}

/* table NULL: nothing is common. */
static void add_stretch(struct difference *d, const struct stretch *s, const uint32_t *table)
{
    size_t i = 0, j = 0, width = s->columns + 1;
    while (i < s->rows || j < s->columns) {
        size_t before = s->start + i, after = s->start + j;
        bool both = table && i < s->rows && j < s->columns;
        if (both && same(d, before, after)) {
            add(d, ' ', before, after);
            i++, j++;
        } else if (i < s->rows &&
                   (!both || table[(i + 1) * width + j] >= table[i * width + j + 1])) {
            add(d, '-', before, after);
            i++;
        } else {
            add(d, '+', before, after);
            j++;
        }
    }
}

static void compare(struct difference *d)
{
    size_t before = d->before.count, after = d->after.count, end = 0;
    struct stretch s = {0};
    while (s.start < before && s.start < after && same(d, s.start, s.start))
        s.start++;
    while (end < before - s.start && end < after - s.start &&
           same(d, before - end - 1, after - end - 1))
        end++;
    s.rows = before - s.start - end;
    s.columns = after - s.start - end;
    for (size_t i = 0; i < s.start; i++)
        add(d, ' ', i, i);
    bool small = s.rows == 0 || s.columns < LINE_DIFF_MAX_CELLS / s.rows;
    uint32_t *table = small ? measure(d, &s) : NULL;
    add_stretch(d, &s, table);
    mem_free(table);
    for (; end > 0; end--)
        add(d, ' ', before - end, after - end);
}

/* ---- giving out ----------------------------------------------------------------------------------- */

static void emit_edit(const struct difference *d, const struct edit *edit, line_diff_emit *emit,
                      void *ctx)
{
    bool added = edit->mark == '+';
    const struct lines *lines = added ? &d->after : &d->before;
    size_t at = added ? edit->after : edit->before;
    emit(ctx, edit->mark, lines->items[at]);
    if (lines->open && at + 1 == lines->count)
        emit(ctx, '\\', STR(" No newline at end of file"));
}

/* "@@ -3,7 +3,8 @@"; a side without lines is named by the line before it. */
static void emit_heading(const struct difference *d, size_t from, size_t to, line_diff_emit *emit,
                         void *ctx)
{
    char text[128];
    size_t before = 0, after = 0;
    for (size_t i = from; i < to; i++) {
        before += d->edits[i].mark != '+';
        after += d->edits[i].mark != '-';
    }
    int len =
        snprintf(text, sizeof text, "@@ -%zu,%zu +%zu,%zu @@", d->edits[from].before + (before > 0),
                 before, d->edits[from].after + (after > 0), after);
    assert(len > 0 && (size_t)len < sizeof text);
    emit(ctx, '@', str_make(text, (size_t)len));
}

/* Where the hunk ends whose first change is at `at`: behind the context of the last change near the others. */
static size_t hunk_end(const struct difference *d, size_t at)
{
    size_t last = at;
    for (size_t i = at; i < d->count && i <= last + 2 * LINE_DIFF_CONTEXT + 1; i++)
        if (d->edits[i].mark != ' ')
            last = i;
    size_t end = last + 1 + LINE_DIFF_CONTEXT;
    return end < d->count ? end : d->count;
}

static bool give_out(const struct difference *d, line_diff_emit *emit, void *ctx)
{
    bool any = false;
    for (size_t at = 0; at < d->count;) {
        if (d->edits[at].mark == ' ') {
            at++;
            continue;
        }
        size_t from = at > LINE_DIFF_CONTEXT ? at - LINE_DIFF_CONTEXT : 0, end = hunk_end(d, at);
        emit_heading(d, from, end, emit, ctx);
        for (size_t i = from; i < end; i++)
            emit_edit(d, &d->edits[i], emit, ctx);
        any = true;
        at = end;
    }
    return any;
}

bool line_diff(struct str before, struct str after, line_diff_emit *emit, void *ctx)
{
    struct difference d = {.before = lines_of(before), .after = lines_of(after)};
    d.edits = mem_zero(d.before.count + d.after.count + 1, sizeof *d.edits);
    compare(&d);
    bool any = give_out(&d, emit, ctx);
    mem_free(d.edits);
    mem_free(d.after.items);
    mem_free(d.before.items);
    return any;
}
