/* SPDX-License-Identifier: Apache-2.0
 *
 * Aggregations: the tree of a request ("aggs"), bound to one index after another, collecting from each document that
 * matches, and written as the "aggregations" of an answer. A bucket has the aggregations below it for itself.
 *
 * Memory: what buckets, sets and digests take is counted and limited (AGGREGATION_MEMORY_MAX); the answer has at most
 * SEARCH_BUCKETS_MAX buckets.
 */
#ifndef MILLRACE_SERVICES_STORE_SEARCH_AGGREGATION_H
#define MILLRACE_SERVICES_STORE_SEARCH_AGGREGATION_H

#include "services/store/search/query.h"

enum { AGGREGATION_DEPTH_MAX = 16, AGGREGATIONS_MAX = 256 };
enum { AGGREGATION_MEMORY_MAX = 256 * 1024 * 1024 };

struct aggregations;

/* NULL and *err when the request is wrong (400) or asks for what is not there (501). tree lives as long. */
struct aggregations *aggregations_new(const struct value *tree, int64_t now_ms,
                                      struct api_error *err);
void aggregations_free(struct aggregations *aggregations); /* NULL is ok */
/* What follows is of this index; the context's arena lives until the next one. */
bool aggregations_open(struct aggregations *aggregations, const struct query_context *context,
                       struct api_error *err);
bool aggregations_add(struct aggregations *aggregations, const struct query_document *document,
                      struct api_error *err);
/* The object. False with *err when there are too many buckets; false with err->status 0 when out is full. */
bool aggregations_write(struct aggregations *aggregations, struct buf *out, struct api_error *err);

#endif
