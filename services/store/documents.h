/* SPDX-License-Identifier: Apache-2.0
 *
 * The rows of documents. Failures of the database are kept there; a function that returns false has met one.
 */
#ifndef MILLRACE_SERVICES_STORE_DOCUMENTS_H
#define MILLRACE_SERVICES_STORE_DOCUMENTS_H

#include "services/store/catalog.h"
#include "services/store/document_id.h"
#include "services/store/search/search.h"

enum { DOCUMENTS_PRIMARY_TERM = 1 };

struct document_row {
    int64_t seq; /* -1: there is none */
    int64_t version;
    int64_t bytes;
    struct str source; /* in the arena, of documents_read only */
};

bool documents_find(struct catalog *catalog, struct store_index *index, struct str id,
                    struct document_row *out);
bool documents_read(struct catalog *catalog, struct store_index *index, struct str id,
                    struct arena *arena, struct document_row *out);

struct document_new {
    struct str id; /* empty: the store makes one */
    int64_t version;
    bool has_time;
    int64_t time_ms; /* of a single @timestamp */
    struct str source;
};

/* Adds a row; its number is *seq_out. */
bool documents_insert(struct catalog *catalog, struct store_index *index,
                      const struct document_new *document, int64_t *seq_out);
/* Takes an existing row away. The write that does so has the number *seq_out, unless NULL (an insert follows). */
bool documents_remove(struct catalog *catalog, struct store_index *index,
                      const struct document_row *row, int64_t *seq_out);

/* Hands the documents of the index to a search that was opened on it. False: the search failed with *err. */
bool documents_search(struct catalog *catalog, struct store_index *index, struct search *search,
                      struct api_error *err);

#endif
