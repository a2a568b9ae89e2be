/* SPDX-License-Identifier: Apache-2.0
 *
 * What the answer to a bulk request means for the items it was about. Pure: the groups are the caller's.
 */
#ifndef MILLRACE_OUTPUTS_ELASTICSEARCH_BULK_H
#define MILLRACE_OUTPUTS_ELASTICSEARCH_BULK_H

#include "io/http_client.h"
#include "outputs/elasticsearch/options.h"
#include "outputs/elasticsearch/reply.h"
#include "pipeline/delivery/group.h"

/* What to do with a whole request. */
enum bulk_answer {
    BULK_ITEMS,    /* the body says it item by item */
    BULK_SPLIT,    /* too large, or not understood: smaller pieces, and a single item is refused */
    BULK_AGAIN,    /* later */
    BULK_OVERLOAD, /* later, and less of it */
    BULK_NEXT_HOST /* nothing was sent */
};
enum bulk_answer bulk_judge(const struct http_result *result);

enum verdict bulk_item_verdict(const struct elasticsearch_options *options,
                               const struct bulk_item *item);

enum { BULK_REASON_MAX = 400 };
/* "404 index_not_found_exception: no such index [x]", with JSON's escapes taken out. */
struct str bulk_item_reason(const struct bulk_item *item, char out[BULK_REASON_MAX]);

#endif
