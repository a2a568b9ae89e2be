/* SPDX-License-Identifier: Apache-2.0
 *
 * Pipeline text: the parser with every way of reading it, and the printing of its errors.
 */
#include <stdio.h>
#include <stdlib.h>

#include "conf/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *lookup(void *ctx, const char *name)
{
    (void)ctx;
    return name[0] == 'A' ? "[a, 'b']" : NULL;
}

static void parse_once(struct str text, bool support_escapes)
{
    struct arena arena;
    struct conf_source source;
    struct conf_tree tree;
    struct error_list errors;
    struct conf_options options = {.support_escapes = support_escapes, .lookup = lookup};
    arena_init(&arena, NULL);
    error_list_init(&errors);
    conf_source_text(&arena, text, "fuzz", &source);
    bool ok = conf_parse(&arena, &source, &options, &tree, &errors);
    if (ok != (errors.errors == 0))
        abort();
    char *printed = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&printed, &len);
    if (out) {
        conf_print_errors(out, &source, &errors);
        fclose(out);
        free(printed);
    }
    error_list_release(&errors);
    arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_make((const char *)data, size);
    /* files of the machine are not part of the input */
    if (size > 0 && memmem(data, size, "${file:/", 8))
        return 0;
    parse_once(text, false);
    parse_once(text, true);
    return 0;
}
