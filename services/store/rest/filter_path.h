/* SPDX-License-Identifier: Apache-2.0
 *
 * The parameter filter_path of the REST API: only those members of an answer that one of its paths names,
 * "took,items.*.error,hits.**._id,-hits.max_score". One thread.
 */
#ifndef MILLRACE_SERVICES_STORE_REST_FILTER_PATH_H
#define MILLRACE_SERVICES_STORE_REST_FILTER_PATH_H

#include "pipeline/event/event_json.h"

enum { FILTER_PATHS_MAX = 64, FILTER_PATH_BYTES_MAX = 4096 };

/* Replaces the JSON in out by what the filter leaves of it. False: the filter has too many parts. */
bool filter_path_apply(struct str filter, struct json_reader *json, struct buf *out);
#endif
