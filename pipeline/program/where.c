/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/program/where.h"

#include "conf/source.h"

static const struct conf_expr *only_condition(const struct conf_tree *tree)
{
    if (tree->filters.count != 1 || tree->filters.statements[0].arm_count != 1)
        return NULL;
    return tree->filters.statements[0].arms[0].condition;
}

/* The text is put where a condition stands, and must be nothing but one. */
struct condition *where_compile(struct arena *arena, struct str text, enum field_escape escape,
                                struct error *err)
{
    struct conf_source source;
    struct conf_tree tree = {.broken = false};
    struct conf_options options = {.support_escapes = false};
    struct error_list errors;
    struct condition *condition = NULL;
    error_list_init(&errors);
    conf_source_text(arena, arena_printf(arena, "filter { if %.*s\n{ } }", STR_FMT(text)), "where",
                     &source);
    bool parsed = conf_parse(arena, &source, &options, &tree, &errors);
    const struct conf_expr *expr = parsed ? only_condition(&tree) : NULL;
    if (expr)
        condition = condition_compile(arena, expr, escape, &errors);
    if (errors.count > 0)
        error_set(err, ERROR_CONFIG, "'%.*s' is no condition: %s", STR_FMT(text),
                  errors.items[0].text);
    else if (!condition)
        error_set(err, ERROR_CONFIG, "'%.*s' is no condition", STR_FMT(text));
    if (errors.count > 0 && condition) {
        condition_release(condition);
        condition = NULL;
    }
    error_list_release(&errors);
    return condition;
}
