/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/http_poller/fields.h"

static const struct field_ref FAILURE = FIELD_REF_TOP("http_request_failure");
static const struct field_ref ERROR_MESSAGE = FIELD_REF_BELOW("error", "message");
static const struct field_ref URL_FULL = FIELD_REF_BELOW("url", "full");
static const struct field_ref HOST_NAME = FIELD_REF_BELOW("host", "hostname");
static const struct field_ref DURATION = FIELD_REF_BELOW("event", "duration");
static const struct field_ref HTTP_REQUEST = FIELD_REF_BELOW("http", "request");

const char *const http_poller_methods[] = {"get", "head", "post", "put", "patch", "delete", NULL};

static void put(struct arena *arena, struct value *object, const char *name, struct value value)
{
    value_object_set(arena, object, str_from(name), value);
}

static struct value text(struct arena *arena, struct str from)
{
    return value_str_dup(arena, from);
}

static struct str method_name(const struct polled *poll)
{
    return str_from(http_poller_methods[poll->method]);
}

static struct value request_of(const struct polled *poll, struct arena *arena)
{
    struct value request = value_object_new(arena, 3);
    put(arena, &request, "method", value_str(method_name(poll)));
    put(arena, &request, "url", value_str(poll->url));
    if (poll->body.len > 0)
        put(arena, &request, "body", value_str(poll->body));
    return request;
}

static struct value headers_of(const struct http_result *result, struct arena *arena)
{
    struct value headers = value_object_new(arena, 8);
    struct str rest = result->headers, name, value;
    while (http_header_next(&rest, &name, &value)) {
        char *lower = arena_cstr(arena, name);
        for (size_t i = 0; i < name.len; i++)
            lower[i] = lower[i] >= 'A' && lower[i] <= 'Z' ? (char)(lower[i] + 'a' - 'A') : lower[i];
        value_object_set(arena, &headers, str_make(lower, name.len), text(arena, value));
    }
    return headers;
}

static const char *message_of(int status)
{
    static const struct {
        int status;
        const char *message;
    } MESSAGES[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {413, "Payload Too Large"},
        {422, "Unprocessable Entity"},
        {429, "Too Many Requests"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < sizeof MESSAGES / sizeof *MESSAGES; i++)
        if (MESSAGES[i].status == status)
            return MESSAGES[i].message;
    return "";
}

static double seconds_of(const struct http_result *result)
{
    return (double)result->elapsed_us / 1e6;
}

static struct value plain_metadata(const struct polled *poll, const struct http_result *result,
                                   struct arena *arena)
{
    struct value object = value_object_new(arena, 8);
    put(arena, &object, "name", value_str(poll->name));
    put(arena, &object, "host", value_str(str_from(poll->host)));
    put(arena, &object, "request", request_of(poll, arena));
    put(arena, &object, "runtime_seconds", value_float(seconds_of(result)));
    if (result->outcome != HTTP_ANSWERED)
        return object;
    put(arena, &object, "code", value_int(result->status));
    put(arena, &object, "response_headers", headers_of(result, arena));
    put(arena, &object, "response_message", value_str(str_from(message_of(result->status))));
    put(arena, &object, "times_retried", value_int(0));
    return object;
}

/* elapsed_time_ns counts microseconds, as in Logstash. */
static struct value ecs_metadata(const struct polled *poll, const struct http_result *result,
                                 struct arena *arena)
{
    struct value host = value_object_new(arena, 1), request = value_object_new(arena, 4);
    struct value response = value_object_new(arena, 4), object = value_object_new(arena, 2);
    struct value poller = value_object_new(arena, 1), input = value_object_new(arena, 1);
    put(arena, &host, "hostname", value_str(str_from(poll->host)));
    put(arena, &request, "host", host);
    put(arena, &request, "name", value_str(poll->name));
    put(arena, &request, "original", request_of(poll, arena));
    put(arena, &request, "retry_count", value_int(0));
    put(arena, &response, "elapsed_time_ns", value_int((int64_t)result->elapsed_us));
    if (result->outcome == HTTP_ANSWERED) {
        put(arena, &response, "status_code", value_int(result->status));
        put(arena, &response, "headers", headers_of(result, arena));
        put(arena, &response, "status_message", value_str(str_from(message_of(result->status))));
    }
    put(arena, &object, "request", request);
    put(arena, &object, "response", response);
    put(arena, &poller, "http_poller", object);
    put(arena, &input, "input", poller);
    return input;
}

void http_poller_set_metadata(const struct polled *poll, const struct http_result *result, bool ecs,
                              const struct field_ref *target, struct event *event)
{
    struct value object =
        ecs ? ecs_metadata(poll, result, event->arena) : plain_metadata(poll, result, event->arena);
    if (target->count > 0) {
        (void)event_set(event, target, object, NULL);
        return;
    }
    for (size_t i = 0; i < value_object_count(&object); i++) {
        struct field_part part;
        const struct value *value = value_object_at(&object, i, &part.name);
        part = (struct field_part){.name = part.name};
        struct field_ref field = {
            .text = part.name, .root = FIELD_ROOT_METADATA, .parts = &part, .count = 1};
        (void)event_set(event, &field, *value, NULL);
    }
}

static void fail_plain(const struct polled *poll, const struct http_result *result,
                       struct event *event)
{
    struct arena *arena = event->arena;
    struct value failure = value_object_new(arena, 4);
    put(arena, &failure, "request", request_of(poll, arena));
    put(arena, &failure, "name", value_str(poll->name));
    put(arena, &failure, "error", text(arena, str_from(result->error)));
    put(arena, &failure, "backtrace", value_null());
    put(arena, &failure, "runtime_seconds", value_float(seconds_of(result)));
    (void)event_set(event, &FAILURE, failure, NULL);
}

static void fail_ecs(const struct polled *poll, const struct http_result *result,
                     struct event *event)
{
    struct value request = value_object_new(event->arena, 1);
    put(event->arena, &request, "method", value_str(method_name(poll)));
    (void)event_set(event, &ERROR_MESSAGE, text(event->arena, str_from(result->error)), NULL);
    (void)event_set(event, &URL_FULL, value_str(poll->url), NULL);
    (void)event_set(event, &HOST_NAME, value_str(str_from(poll->host)), NULL);
    (void)event_set(event, &DURATION, value_int((int64_t)result->elapsed_us), NULL);
    (void)event_set(event, &HTTP_REQUEST, request, NULL);
}

void http_poller_set_failure(const struct polled *poll, const struct http_result *result, bool ecs,
                             struct event *event)
{
    if (ecs)
        fail_ecs(poll, result, event);
    else
        fail_plain(poll, result, event);
}
