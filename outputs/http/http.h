/* SPDX-License-Identifier: Apache-2.0
 *
 * The http output: one request for each event, or (json_batch) one for a group of events.
 *
 * An item of a group is what its request needs that does not hold for all of them, then the body: see request.h.
 */
#ifndef MILLRACE_OUTPUTS_HTTP_HTTP_H
#define MILLRACE_OUTPUTS_HTTP_HTTP_H

#include "outputs/client_options.h"
#include "outputs/http/mapping.h"

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
    bool http_compression, retry_failed, follow_redirects, keepalive, cookies;
    struct option_strings retryable_codes, ignorable_codes;
    int64_t request_timeout_ms, connect_timeout_ms;
    int64_t pool_max, pool_max_per_route;
    struct str proxy, user, password;
    struct client_tls tls;
};

extern const struct option http_option_rows[];
bool http_options_check(void *self, const struct plugin_env *env, struct error *err);

#endif
