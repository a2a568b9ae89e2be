/* SPDX-License-Identifier: Apache-2.0
 *
 * A YAML document as a tree in an arena: settings files, lists of pipelines, dictionaries. Scalars are
 * texts; whether one was quoted is kept, because only a plain `null`, `~` or nothing is no value.
 * Aliases and documents after the first are refused.
 */
#ifndef MILLRACE_CONF_YAML_TREE_H
#define MILLRACE_CONF_YAML_TREE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

enum { YAML_MAX_BYTES = 64 * 1024 * 1024, YAML_MAX_DEPTH = 64 };

enum yaml_type { YAML_TREE_SCALAR, YAML_TREE_LIST, YAML_TREE_MAP };

struct yaml_tree {
    enum yaml_type type;
    struct error_position position;
    struct str text; /* SCALAR; a NUL follows */
    bool is_plain;   /* not quoted */
    struct str
        tag; /* SCALAR: as written, resolved: "tag:yaml.org,2002:str"; ptr NULL without one */
    struct yaml_tree *items;
    struct yaml_tree *keys; /* MAP: scalars, as many as items */
    size_t count;
};

/* An empty file gives an empty map. */
bool yaml_tree_read(struct arena *arena, const char *path, struct yaml_tree *out,
                    struct error *err);
/* name: what errors call the text. */
bool yaml_tree_parse(struct arena *arena, struct str text, const char *name, struct yaml_tree *out,
                     struct error *err);
bool yaml_tree_is_null(const struct yaml_tree *node);

#endif
