/* SPDX-License-Identifier: Apache-2.0
 *
 * "fields" and "docvalue_fields" of a hit: values by the types of the mapping, as JSON.
 */
#ifndef MILLRACE_SERVICES_STORE_SEARCH_SEARCH_FIELDS_H
#define MILLRACE_SERVICES_STORE_SEARCH_SEARCH_FIELDS_H

#include "services/store/search/search_plan.h"

struct search_fields;

/* The fields of the open index; NULL and *err when one cannot be shown. Lives in the context's arena. */
struct search_fields *search_fields_open(const struct search_plan *plan,
                                         const struct query_context *context,
                                         struct api_error *err);
/* The members of the object, without its braces; nothing when the document has none of the fields. */
bool search_fields_write(const struct search_fields *fields, const struct query_document *document,
                         struct buf *out);

#endif
