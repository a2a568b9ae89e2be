/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/aggregation.h"

struct aggregations *aggregations_new(const struct value *tree, int64_t now_ms,
                                      struct api_error *err)
{
    (void)tree;
    (void)now_ms;
    api_error_set(err, 501, "unsupported_operation_exception", "aggregations are not supported");
    return NULL;
}
void aggregations_free(struct aggregations *aggregations)
{
    (void)aggregations;
}
bool aggregations_open(struct aggregations *aggregations, const struct query_context *context,
                       struct api_error *err)
{
    (void)context;
    (void)err;
    return aggregations;
}
bool aggregations_add(struct aggregations *aggregations, const struct query_document *document,
                      struct api_error *err)
{
    (void)document;
    (void)err;
    return aggregations;
}
bool aggregations_write(struct aggregations *aggregations, struct buf *out, struct api_error *err)
{
    (void)out;
    (void)err;
    return aggregations;
}
