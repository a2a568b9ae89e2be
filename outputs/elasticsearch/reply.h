/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads the answer to a bulk request: {"errors":…,"items":[{"index":{"status":201,…}},…]}. An item is handed
 * out when it has ended and not kept, because an answer is as long as the request. Nothing is copied; what it hands out points
 * into the body and is as it stands there, JSON escapes and all.
 */
#ifndef MILLRACE_OUTPUTS_ELASTICSEARCH_REPLY_H
#define MILLRACE_OUTPUTS_ELASTICSEARCH_REPLY_H

#include <stdbool.h>

#include "base/str.h"

struct bulk_item {
    int status;                          /* 0: none given */
    struct str error_type, error_reason; /* empty when there was no error */
    struct str cause_type, cause_reason; /* of the innermost caused_by, empty when there is none */
};

struct bulk_reply {
    bool is_whole; /* the body is one JSON object, to its end */
    bool has_errors_flag, errors;
    bool has_items;
    size_t items;
    struct bulk_item failure; /* of the request as a whole: top-level "error" and "status" */
};

struct json_tape;

/* The tape is the caller's to keep for the next one. on_item is called for each item in order, also when the body turns out to
 * be cut off later. */
void bulk_reply_read(struct json_tape *tape, struct str body,
                     void (*on_item)(void *ctx, size_t index, const struct bulk_item *item),
                     void *ctx, struct bulk_reply *out);

#endif
