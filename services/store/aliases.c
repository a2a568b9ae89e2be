/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/aliases.h"

#include "base/mem.h"

static bool is_true(const struct value *alias, struct str key)
{
    const struct value *member =
        value_type(alias) == VALUE_OBJECT ? value_object_get(alias, key) : NULL;
    return member && value_type(member) == VALUE_BOOL && value_as_bool(member);
}

void aliases_release(struct store_index *index)
{
    for (size_t i = 0; i < index->alias_count; i++)
        mem_free((char *)(uintptr_t)index->aliases[i].name.ptr);
    mem_free(index->aliases);
    index->aliases = NULL;
    index->alias_count = 0;
}

void aliases_set(struct store_index *index, const struct value *object)
{
    aliases_release(index);
    if (!object || value_type(object) != VALUE_OBJECT || value_object_count(object) == 0)
        return;
    index->alias_count = value_object_count(object);
    index->aliases = mem_zero(index->alias_count, sizeof *index->aliases);
    for (size_t i = 0; i < index->alias_count; i++) {
        struct str name;
        const struct value *alias = value_object_at(object, i, &name);
        char *copy = mem_alloc(name.len + 1);
        if (name.len > 0)
            memcpy(copy, name.ptr, name.len);
        index->aliases[i] = (struct store_alias){
            .name = str_make(copy, name.len),
            .is_write_index = is_true(alias, STR("is_write_index")),
            .filters = value_type(alias) == VALUE_OBJECT && value_object_get(alias, STR("filter")),
        };
    }
}

const struct store_alias *aliases_find(const struct store_index *index, struct str name)
{
    for (size_t i = 0; i < index->alias_count; i++)
        if (str_equal(index->aliases[i].name, name))
            return &index->aliases[i];
    return NULL;
}

bool aliases_match(const struct store_index *index, struct str expression)
{
    for (size_t i = 0; i < index->alias_count; i++)
        if (index_expression_has(expression, index->aliases[i].name))
            return true;
    return false;
}

bool catalog_has_alias(const struct catalog *catalog, struct str name)
{
    size_t at = 0;
    struct str key;
    void *index;
    while (map_next(&catalog->indices, &at, &key, &index))
        if (aliases_find(index, name))
            return true;
    return false;
}

struct store_index *catalog_write_index(const struct catalog *catalog, struct str name,
                                        struct api_error *err)
{
    struct store_index *only = catalog_find(catalog, name);
    size_t at = 0, count = 0;
    struct str key;
    void *found;
    err->status = 0;
    if (only)
        return only;
    while (map_next(&catalog->indices, &at, &key, &found)) {
        struct store_index *index = found;
        const struct store_alias *alias = aliases_find(index, name);
        if (alias && alias->is_write_index)
            return index;
        if (alias) {
            only = index;
            count++;
        }
    }
    if (count < 2)
        return only;
    api_error_set(err, 400, "illegal_argument_exception",
                  "no write index is defined for alias [%.*s]. The write index may be explicitly "
                  "disabled using is_write_index=false or the alias points to multiple indices "
                  "without one being designated as a write index",
                  STR_FMT(name));
    return NULL;
}

bool catalog_put_aliases(struct catalog *catalog, struct store_index *index,
                         const struct value *object, struct api_error *err)
{
    struct buf text;
    buf_init(&text, SIZE_MAX / 2);
    json_encode_value(object, &text);
    sqlite3_stmt *statement = database_prepare(
        catalog->database, "UPDATE indices SET aliases = ? WHERE id = %lld", (long long)index->id);
    database_bind_text(statement, 1, buf_str(&text));
    bool done = database_execute(catalog->database, statement);
    sqlite3_finalize(statement);
    buf_release(&text);
    aliases_set(index, object);
    return done || catalog_failed(catalog, err);
}
