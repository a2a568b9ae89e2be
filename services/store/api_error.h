/* SPDX-License-Identifier: Apache-2.0
 *
 * An answer that is an error, in the words of the REST API: an HTTP status, the name of an exception, a reason, and
 * often what caused it. Types are literals; the text is cut at its maximum. Functions that fail return false.
 */
#ifndef MILLRACE_SERVICES_STORE_API_ERROR_H
#define MILLRACE_SERVICES_STORE_API_ERROR_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

enum { API_REASON_MAX = 640, API_INDEX_MAX = 256 };

struct api_error {
    int status; /* of HTTP */
    bool
        of_search; /* a search failed on its index: the real type and reason become those of a failed shard */
    const char *type; /* illegal_argument_exception, ... */
    char reason[API_REASON_MAX];
    const char *cause_type; /* NULL: none */
    char cause[API_REASON_MAX];
    char index
        [API_INDEX_MAX]; /* of_search: where it failed; "" when it failed nowhere in particular */
};

/* Fills *err, without a cause, and returns false. */
bool api_error_set(struct api_error *err, int status, const char *type, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Adds a cause. Returns false. */
bool api_error_cause(struct api_error *err, const char *type, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The body of an HTTP answer: {"error":{"root_cause":[…],…},"status":400}. False when out is at its maximum. */
bool api_error_write(const struct api_error *err, struct buf *out);
/* The error of an item of a bulk answer: {"type":…,"reason":…,"caused_by":{…}}. */
bool api_error_write_item(const struct api_error *err, struct buf *out);

#endif
