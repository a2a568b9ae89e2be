/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/documents.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"

/* before and after: the statement around the table's name. */
static sqlite3_stmt *prepared(struct catalog *catalog, const struct store_index *index,
                              sqlite3_stmt **slot, const char *before, const char *after)
{
    if (!*slot)
        *slot =
            database_prepare(catalog->database, "%s d%lld %s", before, (long long)index->id, after);
    return *slot;
}

/* The row of an identifier that the store has made: that row, while it has no identifier of its own. */
static bool by_seq(struct catalog *catalog, sqlite3_stmt *statement, int64_t seq)
{
    sqlite3_bind_int64(statement, 1, seq);
    return database_step(catalog->database, statement);
}

static bool by_id(struct catalog *catalog, sqlite3_stmt *statement, struct str id)
{
    database_bind_blob(statement, 1, id);
    return database_step(catalog->database, statement);
}

static void take_row(sqlite3_stmt *row, struct document_row *out)
{
    *out = (struct document_row){.seq = sqlite3_column_int64(row, 0),
                                 .version = sqlite3_column_int64(row, 1),
                                 .bytes = sqlite3_column_int64(row, 2)};
}

static const char COLUMNS[] = "SELECT seq, version, length(source), source FROM";

static bool look(struct catalog *catalog, struct store_index *index, struct str id,
                 struct arena *arena, struct document_row *out)
{
    int64_t seq;
    sqlite3_stmt *row = NULL;
    bool found = false;
    *out = (struct document_row){.seq = -1};
    if (document_id_read(index->tag, id, &seq)) {
        row = prepared(catalog, index, &index->read_row, COLUMNS, "WHERE seq = ? AND id IS NULL");
        found = row && by_seq(catalog, row, seq);
        if (row && !found)
            sqlite3_reset(row);
    }
    if (!found) {
        row = prepared(catalog, index, &index->read, COLUMNS, "WHERE id = ?");
        found = row && by_id(catalog, row, id);
    }
    if (found) {
        take_row(row, out);
        if (arena)
            out->source = arena_dup(arena, database_text(row, 3));
    }
    if (row)
        sqlite3_reset(row);
    return !catalog->database->failed;
}

bool documents_find(struct catalog *catalog, struct store_index *index, struct str id,
                    struct document_row *out)
{
    return look(catalog, index, id, NULL, out);
}

bool documents_read(struct catalog *catalog, struct store_index *index, struct str id,
                    struct arena *arena, struct document_row *out)
{
    return look(catalog, index, id, arena, out);
}

bool documents_insert(struct catalog *catalog, struct store_index *index,
                      const struct document_new *document, int64_t *seq_out)
{
    sqlite3_stmt *insert =
        prepared(catalog, index, &index->insert, "INSERT INTO", "VALUES (?, ?, ?, ?, ?)");
    if (!insert)
        return false;
    int64_t seq = index->next_seq;
    sqlite3_bind_int64(insert, 1, seq);
    if (document->id.len > 0)
        database_bind_blob(insert, 2, document->id);
    else
        sqlite3_bind_null(insert, 2);
    sqlite3_bind_int64(insert, 3, document->version);
    if (document->has_time)
        sqlite3_bind_int64(insert, 4, document->time_ms);
    else
        sqlite3_bind_null(insert, 4);
    database_bind_blob(insert, 5, document->source);
    if (!database_execute(catalog->database, insert))
        return false;
    index->next_seq++;
    index->docs++;
    index->bytes += (int64_t)document->source.len;
    if (document->has_time && document->time_ms > index->newest_ms)
        index->newest_ms = document->time_ms;
    index->dirty = true;
    *seq_out = seq;
    return true;
}

bool documents_remove(struct catalog *catalog, struct store_index *index,
                      const struct document_row *row, int64_t *seq_out)
{
    assert(row->seq >= 0);
    sqlite3_stmt *statement =
        prepared(catalog, index, &index->remove, "DELETE FROM", "WHERE seq = ?");
    if (!statement)
        return false;
    sqlite3_bind_int64(statement, 1, row->seq);
    if (!database_execute(catalog->database, statement))
        return false;
    index->docs--;
    index->deleted++;
    index->bytes -= row->bytes;
    index->dirty = true;
    if (seq_out)
        *seq_out = index->next_seq++;
    assert(index->docs >= 0 && index->bytes >= 0);
    return true;
}

/* ---- searching ---- */

enum { SCAN_SEQ, SCAN_ID, SCAN_VERSION, SCAN_SOURCE };

static bool add_row(const struct store_index *index, sqlite3_stmt *row, struct search *search,
                    struct api_error *err)
{
    char made[DOCUMENT_ID_BYTES];
    struct search_document document = {.seq_no = sqlite3_column_int64(row, SCAN_SEQ),
                                       .id = database_text(row, SCAN_ID),
                                       .version = sqlite3_column_int64(row, SCAN_VERSION),
                                       .source = database_text(row, SCAN_SOURCE),
                                       .primary_term = DOCUMENTS_PRIMARY_TERM};
    if (sqlite3_column_type(row, SCAN_ID) == SQLITE_NULL) {
        document_id_make(index->tag, document.seq_no, made);
        document.id = str_make(made, sizeof made);
    }
    return search_add(search, &document, err);
}

static bool search_rows(struct catalog *catalog, struct store_index *index, sqlite3_stmt *rows,
                        struct search *search, struct api_error *err)
{
    bool good = true;
    while (good && !search_is_done(search) && database_step(catalog->database, rows))
        good = add_row(index, rows, search, err);
    return good;
}

static int compare_seqs(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* Only some identifiers can match: they are looked up, in the order of their rows. */
static bool search_some(struct catalog *catalog, struct store_index *index, struct search *search,
                        struct api_error *err)
{
    const struct str *ids;
    size_t count = search_ids(search, &ids);
    int64_t *seqs = mem_alloc((count + 1) * sizeof *seqs);
    size_t found = 0;
    for (size_t i = 0; i < count; i++) {
        struct document_row row;
        if (documents_find(catalog, index, ids[i], &row) && row.seq >= 0)
            seqs[found++] = row.seq;
    }
    qsort(seqs, found, sizeof *seqs, compare_seqs);
    sqlite3_stmt *rows = database_prepare(
        catalog->database, "SELECT seq, id, version, source FROM d%lld WHERE seq = ?",
        (long long)index->id);
    bool good = true;
    for (size_t i = 0; i < found && good && rows; i++) {
        if (i > 0 && seqs[i] == seqs[i - 1])
            continue;
        sqlite3_bind_int64(rows, 1, seqs[i]);
        good = search_rows(catalog, index, rows, search, err);
        sqlite3_reset(rows);
    }
    sqlite3_finalize(rows);
    mem_free(seqs);
    return good;
}

bool documents_search(struct catalog *catalog, struct store_index *index, struct search *search,
                      struct api_error *err)
{
    const struct str *ids;
    int64_t from_ms, to_ms;
    bool good;
    if (search_ids(search, &ids) != SIZE_MAX) {
        good = search_some(catalog, index, search, err);
    } else {
        bool ranged = search_time_range(search, &from_ms, &to_ms);
        sqlite3_stmt *rows = database_prepare(
            catalog->database, "SELECT seq, id, version, source FROM d%lld%s ORDER BY seq",
            (long long)index->id, ranged ? " WHERE at IS NULL OR at BETWEEN ?1 AND ?2" : "");
        if (ranged && rows) {
            sqlite3_bind_int64(rows, 1, from_ms);
            sqlite3_bind_int64(rows, 2, to_ms);
        }
        good = search_rows(catalog, index, rows, search, err);
        sqlite3_finalize(rows);
    }
    return good && (!catalog->database->failed || catalog_failed(catalog, err));
}
