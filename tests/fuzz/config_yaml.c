/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings files and dictionaries: YAML into a tree.
 */
#include <stdint.h>
#include <stdlib.h>

#include "conf/yaml_tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_nodes(const struct yaml_tree *node)
{
    size_t count = 1;
    for (size_t i = 0; i < node->count; i++)
        count += count_nodes(&node->items[i]) + (node->type == YAML_TREE_MAP);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct yaml_tree tree;
    struct error err = {0};
    arena_init(&arena, NULL);
    if (yaml_tree_parse(&arena, str_make((const char *)data, size), "fuzz", &tree, &err)) {
        if (count_nodes(&tree) > 4 * size + 4) /* a key or item may be left out */
            abort();
    } else if (err.code == ERROR_NONE) {
        abort();
    }
    arena_release(&arena);
    return 0;
}
