/* SPDX-License-Identifier: Apache-2.0
 *
 * What the answer to a bulk request means for the items it was about. Pure: the groups are the caller's.
 */
#ifndef MILLRACE_OUTPUTS_ELASTICSEARCH_BULK_H
#define MILLRACE_OUTPUTS_ELASTICSEARCH_BULK_H

#include "io/http_client.h"
#include "outputs/elasticsearch/options.h"
#include "outputs/elasticsearch/reply.h"
#include "pipeline/delivery/retry.h"

/* What became of a request as a whole; after SEND_ANSWERED the body says the rest. */
enum send_cause bulk_judge(const struct http_result *result);

/* What the statuses of single items mean. In arena. */
struct retry_table bulk_verdicts(struct arena *arena, const struct elasticsearch_options *options);

enum { BULK_REASON_MAX = 400 };
/* "404 index_not_found_exception: no such index [x]", with JSON's escapes taken out. */
struct str bulk_item_reason(const struct bulk_item *item, char out[BULK_REASON_MAX]);

#endif
