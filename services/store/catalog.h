/* SPDX-License-Identifier: Apache-2.0
 *
 * What indices there are, as one connection sees it. The writer changes them inside a transaction and saves what
 * changed before the commit; after a rollback it loads again. A reader loads inside its transaction.
 *
 * Documents of an index are the rows of a table of its own. A row's number is the sequence number of the write that
 * made it, so a new version of a document is a new row, and the order of rows is that of writes. One thread.
 */
#ifndef MILLRACE_SERVICES_STORE_CATALOG_H
#define MILLRACE_SERVICES_STORE_CATALOG_H

#include "base/map.h"
#include "pipeline/event/event_json.h"
#include "services/store/database.h"
#include "services/store/index_name.h"
#include "services/store/mapping/mapping.h"

enum { CATALOG_INDICES_MAX = 5000, INDEX_TAG_BYTES = 9, INDEX_UUID_MAX = 32 };

struct store_index {
    int64_t id;
    struct str name; /* NUL-terminated, owned */
    unsigned char
        tag[INDEX_TAG_BYTES]; /* random: the first part of identifiers that the store makes */
    char uuid[INDEX_UUID_MAX];
    int64_t created_ms;
    int64_t next_seq, docs, deleted, bytes;
    int64_t newest_ms;           /* the newest @timestamp ever; INT64_MIN: there was none */
    int64_t mapping_version;     /* as it is saved */
    struct mapping *mapping;     /* NULL: not loaded */
    int64_t loaded_version;      /* the saved version that mapping is */
    uint64_t written_version;    /* mapping_version() when it was loaded or saved */
    struct store_alias *aliases; /* aliases.h */
    size_t alias_count;
    bool dirty, seen;
    sqlite3_stmt *insert, *remove, *read, *read_row;
};

/* Which indices are meant: a name, a list, patterns; empty: all of them. */
struct index_selection {
    struct str expression;
    bool lenient;  /* plain names may be missing */
    bool concrete; /* aliases do not count */
};

struct index_list {
    struct store_index **items;
    size_t count;
};
int64_t index_list_documents(const struct index_list *list); /* of all */

struct catalog {
    struct database *database;
    struct json_reader *json;
    struct map indices; /* by name */
    unsigned prepared;  /* indices that hold statements */
    int64_t data_version;
    bool loaded;
};

void catalog_init(struct catalog *catalog, struct database *database);
void catalog_release(struct catalog *catalog);

/* Reads the list of indices, unless nothing was committed since the last time. Inside a transaction. */
bool catalog_load(struct catalog *catalog);
/* Forgets what a rolled back transaction has left in memory. */
void catalog_forget(struct catalog *catalog);
/* Writes what changed. */
bool catalog_save(struct catalog *catalog);

struct store_index *catalog_find(const struct catalog *catalog, struct str name); /* or NULL */
/* The indices of an expression, by name, in the arena. A plain name that is not there: 404, unless lenient. */
bool catalog_resolve(struct catalog *catalog, struct arena *arena, struct index_selection which,
                     struct index_list *out, struct api_error *err);
bool catalog_not_found(struct str name, struct api_error *err);

/* Creates an index; body: settings, mappings and aliases of the request (NULL: none). What templates say comes first. */
struct store_index *catalog_create(struct catalog *catalog, struct str name,
                                   const struct value *body, struct api_error *err);
bool catalog_drop(struct catalog *catalog, struct store_index *index);
/* Loads the mapping when it is not there. False when the database failed. */
bool catalog_need_mapping(struct catalog *catalog, struct store_index *index);
/* Settings or aliases as JSON text, in the arena. */
struct str catalog_column(struct catalog *catalog, struct arena *arena,
                          const struct store_index *index, const char *column);
bool catalog_put_settings(struct catalog *catalog, const struct store_index *index,
                          struct str settings);

/* An error of the database, as an answer. Returns false. */
bool catalog_failed(const struct catalog *catalog, struct api_error *err);

#endif
