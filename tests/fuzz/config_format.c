/* SPDX-License-Identifier: Apache-2.0
 *
 * Pipeline text that has no mistakes: its canonical form differs in blanks only, means the same, and has itself as
 * canonical form.
 */
#include <stdlib.h>

#include "conf/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct formatted {
    struct conf_source source;
    struct conf_tree tree;
    struct buf out;
};

/* False where there are mistakes. */
static bool format(struct arena *arena, struct str text, struct formatted *out)
{
    struct error_list errors;
    error_list_init(&errors);
    buf_init(&out->out, 64 * 1024 * 1024);
    conf_source_text(arena, text, "fuzz", &out->source);
    bool ok = conf_parse(arena, &out->source, &(struct conf_options){.as_written = true},
                         &out->tree, &errors);
    error_list_release(&errors);
    return ok && conf_format(&out->source, &out->out);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void must_be_same_but_blanks(struct str a, struct str b)
{
    size_t i = 0, j = 0;
    for (;; i++, j++) {
        while (i < a.len && is_blank(a.ptr[i]))
            i++;
        while (j < b.len && is_blank(b.ptr[j]))
            j++;
        if (i == a.len && j == b.len)
            return;
        if (i == a.len || j == b.len || a.ptr[i] != b.ptr[j])
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct formatted once = {0}, twice = {0};
    struct str text = str_make((const char *)data, size);
    arena_init(&arena, NULL);
    if (format(&arena, text, &once)) {
        must_be_same_but_blanks(text, buf_str(&once.out));
        if (!format(&arena, buf_str(&once.out), &twice) ||
            !conf_tree_same(&once.tree, &twice.tree) ||
            !str_equal(buf_str(&once.out), buf_str(&twice.out)))
            abort();
    }
    buf_release(&once.out);
    buf_release(&twice.out);
    arena_release(&arena);
    return 0;
}
