/* SPDX-License-Identifier: Apache-2.0
 *
 * A search as it was asked for: the body and the parameters of the URL, read and checked, not yet bound to an index.
 */
#ifndef MILLRACE_SERVICES_STORE_SEARCH_SEARCH_PLAN_H
#define MILLRACE_SERVICES_STORE_SEARCH_SEARCH_PLAN_H

#include "services/store/search/search.h"
#include "services/store/search/search_sort.h"
#include "services/store/search/source_filter.h"

enum { SEARCH_BODY_MAX = 16 * 1024 * 1024, SEARCH_FIELDS_MAX = 100 };
enum { TRACK_NOTHING = -1 };

/* One of "fields" or "docvalue_fields": a pattern of names, and a format for dates (ptr NULL: their own). */
struct field_wish {
    struct str pattern, format;
    bool from_doc_values;
};

struct search_plan {
    int64_t size, from;
    uint64_t track; /* hits are counted up to here; UINT64_MAX: all */
    bool hides_total, total_as_number, count_only;
    bool with_version, with_seq_no, with_score, has_min_score, hides_stored;
    double min_score;
    int64_t terminate_after;                                /* 0: never */
    const struct value *query, *post_filter, *aggregations; /* NULL: not there */
    struct query_string_options url_query;                  /* text.ptr NULL: not there */
    struct sort sort;
    struct source_filter source;
    struct field_wish wishes[SEARCH_FIELDS_MAX];
    size_t wish_count;
};

/* Texts borrow from the request and live in the arena. */
bool search_plan_read(struct search_plan *plan, struct arena *arena,
                      const struct search_request *request, struct api_error *err);

#endif
