/* SPDX-License-Identifier: Apache-2.0
 *
 * What search.c and search_write.c share.
 */
#ifndef MILLRACE_SERVICES_STORE_SEARCH_SEARCH_PRIVATE_H
#define MILLRACE_SERVICES_STORE_SEARCH_SEARCH_PRIVATE_H

#include "services/store/search/aggregation.h"
#include "services/store/search/query_private.h"
#include "services/store/search/search_fields.h"
#include "services/store/search/search_hits.h"
#include "services/store/search/search_plan.h"

struct json_reader;

struct search {
    struct arena arena;          /* the request */
    struct arena index_arena;    /* what is compiled for the open index */
    struct arena document_arena; /* one document */
    struct json_reader *reader;
    int64_t now_ms;
    struct search_plan plan;
    struct aggregations *aggregations; /* NULL: none */
    /* the open index */
    struct str index_name;
    const struct query *query, *post_filter;
    struct search_fields *fields;
    bool needs_document; /* its JSON is looked at */
    /* so far */
    size_t indices;
    uint64_t number, total;
    double max_score;
    struct hits hits;
    struct hit *scratch_hit;
};

#endif
