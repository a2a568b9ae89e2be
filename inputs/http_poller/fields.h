/* SPDX-License-Identifier: Apache-2.0
 *
 * What events of http_poller say of their request and its answer, under Logstash's names.
 */
#ifndef MILLRACE_INPUTS_HTTP_POLLER_FIELDS_H
#define MILLRACE_INPUTS_HTTP_POLLER_FIELDS_H

#include "io/http_client.h"
#include "pipeline/event/event.h"

/* A request, which lives as long as its events. */
struct polled {
    struct str name, url, body;
    enum http_method method;
    const char *host; /* the name of this machine */
};

extern const char
    *const http_poller_methods[]; /* in the order of enum http_method; NULL-terminated */

/* target: the field that gets it; without parts, @metadata. */
void http_poller_set_metadata(const struct polled *poll, const struct http_result *result, bool ecs,
                              const struct field_ref *target, struct event *event);
/* Why there was no answer. */
void http_poller_set_failure(const struct polled *poll, const struct http_result *result, bool ecs,
                             struct event *event);

#endif
