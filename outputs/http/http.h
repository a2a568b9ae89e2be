/* SPDX-License-Identifier: Apache-2.0
 *
 * The http output: one request for each event, or (json_batch) one for a group of events.
 *
 * An item of a group is what its request needs that does not hold for all of them, then the body: see request.h.
 */
#ifndef MILLRACE_OUTPUTS_HTTP_HTTP_H
#define MILLRACE_OUTPUTS_HTTP_HTTP_H

#include "outputs/http/mapping.h"
#include "pipeline/client_options.h"
#include "pipeline/delivery/retry.h"

enum http_format {
    HTTP_FORMAT_JSON,
    HTTP_FORMAT_JSON_BATCH,
    HTTP_FORMAT_FORM,
    HTTP_FORMAT_MESSAGE
};

struct http_options {
    struct template url, message;
    int method; /* enum http_method */
    int format; /* enum http_format */
    struct option_hash mapping, headers;
    struct str content_type;
    bool http_compression, retry_failed;
    struct option_strings retryable_codes, ignorable_codes;
    struct option_hash retry;
    int64_t retry_max_attempts, retry_max_age_ms;
    struct retry_table retry_rules; /* made by check */
    struct client_connection connection;
};

extern const struct option http_option_rows[];
bool http_options_check(void *self, const struct plugin_env *env, struct error *err);

#endif
