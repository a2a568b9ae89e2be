/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/catalog.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "services/store/aliases.h"
#include "services/store/template.h"

enum { CATALOG_PREPARED_MAX = 64 }; /* indices that keep their statements */

void catalog_init(struct catalog *catalog, struct database *database)
{
    *catalog = (struct catalog){.database = database, .json = json_reader_new()};
    map_init(&catalog->indices);
}

static void drop_statements(struct store_index *index)
{
    sqlite3_stmt **all[] = {&index->insert, &index->remove, &index->read, &index->read_row};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        sqlite3_finalize(*all[i]);
        *all[i] = NULL;
    }
}

static void free_index(struct store_index *index)
{
    drop_statements(index);
    aliases_release(index);
    mapping_free(index->mapping);
    mem_free((char *)(uintptr_t)index->name.ptr);
    mem_free(index);
}

void catalog_forget(struct catalog *catalog)
{
    size_t at = 0;
    struct str name;
    void *index;
    while (map_next(&catalog->indices, &at, &name, &index))
        free_index(index);
    map_release(&catalog->indices);
    map_init(&catalog->indices);
    catalog->loaded = false;
    catalog->prepared = 0;
}

void catalog_release(struct catalog *catalog)
{
    catalog_forget(catalog);
    map_release(&catalog->indices);
    json_reader_free(catalog->json);
}

bool catalog_failed(const struct catalog *catalog, struct api_error *err)
{
    return api_error_set(err, 503, "storage_exception", "%s", catalog->database->error.text);
}

/* ---- loading ---- */

static struct store_index *add_index(struct catalog *catalog, struct str name)
{
    struct store_index *index = mem_zero(1, sizeof *index);
    char *copy = mem_alloc(name.len + 1);
    memcpy(copy, name.ptr, name.len);
    copy[name.len] = 0;
    index->name = str_make(copy, name.len);
    index->newest_ms = INT64_MIN;
    map_set(&catalog->indices, name, index);
    return index;
}

static void remove_index(struct catalog *catalog, struct store_index *index)
{
    map_remove(&catalog->indices, index->name);
    free_index(index);
}

enum {
    COLUMN_ID,
    COLUMN_NAME,
    COLUMN_TAG,
    COLUMN_UUID,
    COLUMN_CREATED,
    COLUMN_SEQ,
    COLUMN_DOCS,
    COLUMN_DELETED,
    COLUMN_BYTES,
    COLUMN_NEWEST,
    COLUMN_MAPPING,
    COLUMN_ALIASES
};

static void load_aliases(struct catalog *catalog, struct store_index *index, struct str text)
{
    struct arena arena;
    struct value object;
    if (text.len <= 2 && index->alias_count == 0) /* {} */
        return;
    arena_init(&arena, NULL);
    bool read = json_decode(catalog->json, &arena, arena_dup(&arena, text), &object, NULL);
    aliases_set(index, read ? &object : NULL);
    arena_release(&arena);
}

static void load_row(struct catalog *catalog, sqlite3_stmt *row)
{
    struct str name = database_text(row, COLUMN_NAME);
    struct store_index *index = map_get(&catalog->indices, name);
    if (index && index->id != sqlite3_column_int64(row, COLUMN_ID)) {
        remove_index(catalog, index); /* dropped and created again */
        index = NULL;
    }
    if (!index)
        index = add_index(catalog, name);
    index->seen = true;
    index->id = sqlite3_column_int64(row, COLUMN_ID);
    struct str tag = database_text(row, COLUMN_TAG);
    memcpy(index->tag, tag.ptr, tag.len < INDEX_TAG_BYTES ? tag.len : INDEX_TAG_BYTES);
    snprintf(index->uuid, sizeof index->uuid, "%.*s", STR_FMT(database_text(row, COLUMN_UUID)));
    index->created_ms = sqlite3_column_int64(row, COLUMN_CREATED);
    index->next_seq = sqlite3_column_int64(row, COLUMN_SEQ);
    index->docs = sqlite3_column_int64(row, COLUMN_DOCS);
    index->deleted = sqlite3_column_int64(row, COLUMN_DELETED);
    index->bytes = sqlite3_column_int64(row, COLUMN_BYTES);
    index->newest_ms = sqlite3_column_type(row, COLUMN_NEWEST) == SQLITE_NULL
                           ? INT64_MIN
                           : sqlite3_column_int64(row, COLUMN_NEWEST);
    index->mapping_version = sqlite3_column_int64(row, COLUMN_MAPPING);
    load_aliases(catalog, index, database_text(row, COLUMN_ALIASES));
    if (index->mapping && index->loaded_version != index->mapping_version) {
        mapping_free(index->mapping);
        index->mapping = NULL;
    }
}

static struct store_index **list(const struct catalog *catalog, struct arena *arena,
                                 size_t *count_out)
{
    struct store_index **items = arena_alloc(arena, (catalog->indices.count + 1) * sizeof *items);
    size_t at = 0, count = 0;
    struct str name;
    void *index;
    while (map_next(&catalog->indices, &at, &name, &index))
        items[count++] = index;
    assert(count == catalog->indices.count);
    *count_out = count;
    return items;
}

static void remove_unseen(struct catalog *catalog)
{
    struct arena arena;
    arena_init(&arena, NULL);
    size_t count;
    struct store_index **items = list(catalog, &arena, &count);
    for (size_t i = 0; i < count; i++) {
        if (!items[i]->seen)
            remove_index(catalog, items[i]);
        else
            items[i]->seen = false;
    }
    arena_release(&arena);
}

bool catalog_load(struct catalog *catalog)
{
    struct database *database = catalog->database;
    int64_t version = database_number(database, "PRAGMA data_version");
    if (catalog->loaded && version == catalog->data_version)
        return !database->failed;
    sqlite3_stmt *rows = database_prepare(
        database,
        "SELECT id, name, tag, uuid, created_ms, next_seq, docs, deleted, bytes, newest_ms,"
        " mapping_version, aliases FROM indices JOIN states USING (id)");
    while (database_step(database, rows))
        load_row(catalog, rows);
    sqlite3_finalize(rows);
    if (database->failed)
        return false;
    remove_unseen(catalog);
    catalog->loaded = true;
    catalog->data_version = version;
    return true;
}

bool catalog_need_mapping(struct catalog *catalog, struct store_index *index)
{
    if (index->mapping)
        return true;
    struct arena arena;
    arena_init(&arena, NULL);
    sqlite3_stmt *row = database_prepare(
        catalog->database, "SELECT body FROM mappings WHERE id = %lld", (long long)index->id);
    struct value body;
    struct api_error err;
    index->mapping = mapping_new();
    if (database_step(catalog->database, row) &&
        json_decode(catalog->json, &arena, database_text(row, 0), &body, NULL)) {
        bool merged = mapping_merge(index->mapping, &body, &err);
        assert(merged);
        (void)merged;
    }
    index->loaded_version = index->mapping_version;
    index->written_version = mapping_version(index->mapping);
    sqlite3_finalize(row);
    arena_release(&arena);
    return !catalog->database->failed;
}

struct str catalog_column(struct catalog *catalog, struct arena *arena,
                          const struct store_index *index, const char *column)
{
    sqlite3_stmt *row = database_prepare(
        catalog->database, "SELECT %s FROM indices WHERE id = %lld", column, (long long)index->id);
    struct str text =
        database_step(catalog->database, row) ? arena_dup(arena, database_text(row, 0)) : STR("{}");
    sqlite3_finalize(row);
    return text;
}

bool catalog_put_settings(struct catalog *catalog, const struct store_index *index,
                          struct str settings)
{
    sqlite3_stmt *statement = database_prepare(
        catalog->database, "UPDATE indices SET settings = ? WHERE id = %lld", (long long)index->id);
    database_bind_text(statement, 1, settings);
    bool done = database_execute(catalog->database, statement);
    sqlite3_finalize(statement);
    return done;
}

/* ---- saving ---- */

static bool save_mapping(struct catalog *catalog, struct store_index *index)
{
    uint64_t version = mapping_version(index->mapping);
    if (index->mapping_version >= 0 && version == index->written_version)
        return true;
    struct buf text;
    buf_init(&text, SIZE_MAX / 2);
    mapping_write(index->mapping, &text);
    sqlite3_stmt *statement =
        database_prepare(catalog->database, "INSERT OR REPLACE INTO mappings VALUES (%lld, ?)",
                         (long long)index->id);
    database_bind_text(statement, 1, buf_str(&text));
    bool done = database_execute(catalog->database, statement);
    sqlite3_finalize(statement);
    buf_release(&text);
    index->loaded_version = ++index->mapping_version;
    index->written_version = version;
    return done;
}

static bool save_index(struct catalog *catalog, struct store_index *index)
{
    char newest[INT_TEXT_MAX + 1] = "NULL";
    if (index->newest_ms != INT64_MIN)
        snprintf(newest, sizeof newest, "%lld", (long long)index->newest_ms);
    if (index->mapping && !save_mapping(catalog, index))
        return false;
    sqlite3_stmt *statement = database_prepare(
        catalog->database,
        "UPDATE states SET next_seq = %lld, docs = %lld, deleted = %lld, bytes = %lld,"
        " newest_ms = %s, mapping_version = %lld WHERE id = %lld",
        (long long)index->next_seq, (long long)index->docs, (long long)index->deleted,
        (long long)index->bytes, newest, (long long)index->mapping_version, (long long)index->id);
    bool done = database_execute(catalog->database, statement);
    sqlite3_finalize(statement);
    index->dirty = false;
    return done;
}

bool catalog_save(struct catalog *catalog)
{
    size_t at = 0;
    struct str name;
    void *found;
    catalog->prepared = 0;
    while (map_next(&catalog->indices, &at, &name, &found)) {
        struct store_index *index = found;
        if (index->dirty && !save_index(catalog, index))
            return false;
        if ((index->insert || index->read) && ++catalog->prepared > CATALOG_PREPARED_MAX)
            drop_statements(index);
    }
    return !catalog->database->failed;
}

/* ---- finding ---- */

struct store_index *catalog_find(const struct catalog *catalog, struct str name)
{
    return map_get(&catalog->indices, name);
}

int64_t index_list_documents(const struct index_list *list)
{
    int64_t sum = 0;
    for (size_t i = 0; i < list->count; i++)
        sum += list->items[i]->docs;
    return sum;
}

bool catalog_not_found(struct str name, struct api_error *err)
{
    api_error_set(err, 404, "index_not_found_exception", "no such index [%.*s]", STR_FMT(name));
    snprintf(err->index, sizeof err->index, "%.*s", STR_FMT(name));
    return false;
}

static int by_name(const void *a, const void *b)
{
    return str_compare((*(struct store_index *const *)a)->name,
                       (*(struct store_index *const *)b)->name);
}

static bool check_name(const struct catalog *catalog, struct index_selection which, struct str name,
                       struct api_error *err)
{
    if (catalog_find(catalog, name))
        return true;
    bool is_alias = catalog_has_alias(catalog, name);
    if (is_alias && which.concrete)
        return api_error_set(err, 400, "illegal_argument_exception",
                             "The provided expression [%.*s] matches an alias, specify the "
                             "corresponding concrete indices instead.",
                             STR_FMT(name));
    return is_alias || which.lenient || catalog_not_found(name, err);
}

static bool check_names(const struct catalog *catalog, struct index_selection which,
                        struct api_error *err)
{
    struct str part, expression = which.expression;
    bool after_wildcard = false;
    while (index_expression_next(&expression, &part)) {
        bool wild = memchr(part.ptr, '*', part.len) || str_equal(part, STR("_all"));
        if (!wild && !(after_wildcard && part.ptr[0] == '-') &&
            !check_name(catalog, which, part, err))
            return false;
        after_wildcard = after_wildcard || wild;
    }
    return true;
}

bool catalog_resolve(struct catalog *catalog, struct arena *arena, struct index_selection which,
                     struct index_list *out, struct api_error *err)
{
    if (!check_names(catalog, which, err))
        return false;
    size_t all, count = 0;
    struct store_index **items = list(catalog, arena, &all);
    for (size_t i = 0; i < all; i++)
        if (index_expression_has(which.expression, items[i]->name) ||
            (!which.concrete && aliases_match(items[i], which.expression)))
            items[count++] = items[i];
    qsort(items, count, sizeof(*items), by_name);
    *out = (struct index_list){items, count};
    return true;
}

/* ---- creating and dropping ---- */

static bool insert_index(struct catalog *catalog, struct store_index *index,
                         const struct template_content *content)
{
    struct database *database = catalog->database;
    struct buf settings, aliases;
    buf_init(&settings, SIZE_MAX / 2);
    buf_init(&aliases, SIZE_MAX / 2);
    json_encode_value(&content->settings, &settings);
    json_encode_value(&content->aliases, &aliases);
    sqlite3_randomness(INDEX_TAG_BYTES, index->tag);
    uint64_t random[2];
    sqlite3_randomness(sizeof random, random);
    snprintf(index->uuid, sizeof index->uuid, "%016llx%06llx", (unsigned long long)random[0],
             (unsigned long long)(random[1] & 0xffffff));
    struct instant now = clock_now();
    index->created_ms = now.seconds * 1000 + now.nanoseconds / 1000000;
    sqlite3_stmt *statement =
        database_prepare(database,
                         "INSERT INTO indices (name, tag, uuid, created_ms, settings, aliases)"
                         " VALUES (?, ?, '%s', %lld, ?, ?)",
                         index->uuid, (long long)index->created_ms);
    database_bind_text(statement, 1, index->name);
    database_bind_blob(statement, 2, str_make((const char *)index->tag, INDEX_TAG_BYTES));
    database_bind_text(statement, 3, buf_str(&settings));
    database_bind_text(statement, 4, buf_str(&aliases));
    database_execute(database, statement);
    sqlite3_finalize(statement);
    buf_release(&settings);
    buf_release(&aliases);
    index->id = sqlite3_last_insert_rowid(database->sqlite);
    return !database->failed;
}

static bool create_tables(struct database *database, int64_t id)
{
    char sql[512];
    snprintf(sql, sizeof sql,
             "INSERT INTO states VALUES (%lld, 0, 0, 0, 0, NULL, -1);"
             "CREATE TABLE d%lld (seq INTEGER PRIMARY KEY, id BLOB, version INTEGER NOT NULL,"
             " at INTEGER, source BLOB NOT NULL);"
             "CREATE UNIQUE INDEX i%lld ON d%lld (id) WHERE id IS NOT NULL;",
             (long long)id, (long long)id, (long long)id, (long long)id);
    return database_run(database, sql);
}

static bool may_create(const struct catalog *catalog, struct str name, struct api_error *err)
{
    if (!index_name_check(name, err))
        return false;
    if (catalog_find(catalog, name))
        return api_error_set(err, 400, "resource_already_exists_exception",
                             "index [%.*s] already exists", STR_FMT(name));
    if (catalog_has_alias(catalog, name))
        return api_error_set(err, 400, "invalid_index_name_exception",
                             "Invalid index name [%.*s], already exists as alias", STR_FMT(name));
    return catalog->indices.count < CATALOG_INDICES_MAX ||
           api_error_set(err, 400, "validation_exception",
                         "Validation Failed: 1: this store holds at most [%d] indices;",
                         CATALOG_INDICES_MAX);
}

struct store_index *catalog_create(struct catalog *catalog, struct str name,
                                   const struct value *body, struct api_error *err)
{
    if (!may_create(catalog, name, err))
        return NULL;
    struct arena arena;
    arena_init(&arena, NULL);
    struct template_content content = {mapping_new(), value_object_new(&arena, 8),
                                       value_object_new(&arena, 2)};
    struct store_index *index = NULL;
    if (template_apply_stored(&content, &arena, catalog->database, name, err) &&
        (!body || template_apply(&content, &arena, body, err))) {
        index = add_index(catalog, name);
        index->mapping = content.mapping;
        content.mapping = NULL;
        index->mapping_version = -1;
        index->dirty = true;
        aliases_set(index, &content.aliases);
        if (!insert_index(catalog, index, &content) ||
            !create_tables(catalog->database, index->id)) {
            catalog_failed(catalog, err);
            index = NULL; /* the transaction is lost, and all of the catalog is read again */
        }
    }
    mapping_free(content.mapping);
    arena_release(&arena);
    return index;
}

bool catalog_drop(struct catalog *catalog, struct store_index *index)
{
    char sql[512];
    long long id = index->id;
    snprintf(sql, sizeof sql,
             "DROP TABLE d%lld; DELETE FROM indices WHERE id = %lld;"
             "DELETE FROM states WHERE id = %lld; DELETE FROM mappings WHERE id = %lld;",
             id, id, id, id);
    drop_statements(index);
    remove_index(catalog, index);
    return database_run(catalog->database, sql);
}
