/* SPDX-License-Identifier: Apache-2.0
 *
 * One aggregation while it is read. Functions that fail return false, or NULL, with the error set.
 */
#ifndef MILLRACE_SERVICES_STORE_SEARCH_AGGREGATION_PARSE_H
#define MILLRACE_SERVICES_STORE_SEARCH_AGGREGATION_PARSE_H

#include "services/store/search/aggregation_private.h"

struct aggregation_parsing {
    struct aggregations *all;
    struct aggregation *aggregation;
    const char *kind;
    struct api_error *err;
};

/* ---- aggregation_options.c ---- */
bool aggregation_field_failed(struct aggregation_parsing *in, struct str key);
/* 501 for a part of the aggregation. */
bool aggregation_missing(struct aggregation_parsing *in, const char *what);
bool aggregation_number(struct aggregation_parsing *in, struct str key, const struct value *value,
                        double *out);
bool aggregation_takes_option(enum aggregation_kind kind, struct str name);
bool aggregation_option(struct aggregation_parsing *in, struct str key, const struct value *value);

/* ---- aggregation_finish.c ---- */
/* Room for so many buckets that are known beforehand. */
struct fixed *aggregation_fixed_list(struct aggregation_parsing *in, size_t count);
/* After the last option. */
bool aggregation_finish(struct aggregation_parsing *in);

#endif
