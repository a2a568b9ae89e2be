/* SPDX-License-Identifier: Apache-2.0
 *
 * Queries: the tree of a request compiled for one index, and asked for each document. What a query means depends on
 * the types of its fields, so it is compiled again for each index; a compiled query lives in the arena.
 *
 * Scores are constant: a clause that matches adds its boost (1), filters add nothing. A query that OpenSearch scores
 * by relevance (term and match of texts) therefore finds the same documents with other scores.
 */
#ifndef MILLRACE_SERVICES_STORE_SEARCH_QUERY_H
#define MILLRACE_SERVICES_STORE_SEARCH_QUERY_H

#include "base/arena.h"
#include "services/store/api_error.h"
#include "services/store/mapping/mapping.h"

enum { QUERY_DEPTH_MAX = 20, QUERY_CLAUSES_MAX = 1024, QUERY_TERMS_MAX = 65536 };
/* Of all clauses, those that a query on every field becomes too. */
enum { QUERY_NODES_MAX = 100000 };

struct query;

struct query_context {
    struct arena *arena;
    const struct mapping *mapping;
    struct str index;
    int64_t now_ms;
};

struct query_document {
    const struct value *tree;
    struct str id;
};

/* NULL and *err when it cannot be. tree lives as long as the query. */
const struct query *query_compile(const struct query_context *context, const struct value *tree,
                                  struct api_error *err);
/* The same for the q of a URL, with its df, default_operator and lenient. */
struct query_string_options {
    struct str text, default_field; /* ptr NULL: all fields */
    bool all_required, is_lenient;
};
const struct query *query_compile_string(const struct query_context *context,
                                         const struct query_string_options *options,
                                         struct api_error *err);
const struct query *query_all(void);

/* *score gets what the query says of the document; good only when it matches. */
bool query_matches(const struct query *query, const struct query_document *document, double *score);

/* Narrows [*from, *to] to what the query says of the date field at path; false when it says nothing. */
bool query_date_range(const struct query *query, struct str path, int64_t *from, int64_t *to);
/* The only identifiers that can match; SIZE_MAX: any. */
size_t query_ids(const struct query *query, const struct str **ids_out);

#endif
