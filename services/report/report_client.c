/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <math.h>

#include "io/http_ask.h"
#include "services/report/report_private.h"

enum {
    CONNECT_MS = 10 * 1000,
    ANSWER_MS = 120 * 1000,
    ANSWER_MAX_BYTES = 16 * 1024 * 1024,
    SHOWN_MAX_BYTES = 120,
};

void report_client_open(struct report_client *client, uv_loop_t *loop, struct arena *arena)
{
    struct http_client_options options = {
        .loop = loop,
        .max_connections = 2,
        .max_host_connections = 1,
        .connect_timeout_ms = CONNECT_MS,
        .timeout_ms = ANSWER_MS,
        .max_response_bytes = ANSWER_MAX_BYTES,
        .user_agent = "millrace-report/" MILLRACE_VERSION,
    };
    *client = (struct report_client){.loop = loop, .arena = arena};
    client->http = http_client_new(&options);
    client->headers = http_headers_new();
    client->json = json_reader_new();
    bool good = http_headers_add(client->headers, STR("Content-Type"), STR("application/json"));
    assert(good);
    (void)good;
}

void report_client_close(struct report_client *client)
{
    http_client_close(client->http);
    http_headers_free(client->headers);
    json_reader_free(client->json);
}

bool report_ask(struct report_client *client, struct str url, struct str body, int *status_out,
                struct value *out, struct error *err)
{
    struct http_request request = {
        .method = body.len > 0 ? HTTP_POST : HTTP_GET,
        .url = url,
        .body = body,
        .headers = client->headers,
    };
    struct http_answer answer = http_ask(client->http, client->loop, client->arena, request);
    if (answer.outcome != HTTP_ANSWERED)
        return error_set(err, ERROR_IO, "%.*s", STR_FMT(answer.error));
    *status_out = answer.status;
    if (answer.status != 200 && answer.status != 404) {
        if (answer.body.len > SHOWN_MAX_BYTES)
            answer.body.len = SHOWN_MAX_BYTES;
        return error_set(err, ERROR_PROTOCOL, "status %d: %.*s", answer.status,
                         STR_FMT(answer.body));
    }
    return json_decode(client->json, client->arena, answer.body, out, err) ||
           error_prefix(err, "the answer is no JSON");
}

const struct value *report_find(const struct value *value, const char *const *path)
{
    for (; value && *path; path++) {
        int64_t place;
        if (value_type(value) == VALUE_OBJECT)
            value = value_object_get(value, str_from(*path));
        else if (value_type(value) == VALUE_ARRAY && str_to_int(str_from(*path), &place) &&
                 place >= 0 && (size_t)place < value_array_count(value))
            value = value_array_at(value, (size_t)place);
        else
            return NULL;
    }
    return value;
}

double report_number_at(const struct value *value, const char *const *path)
{
    const struct value *found = report_find(value, path);
    double number;
    if (found && value_number(found, &number))
        return number;
    if (value_is_str(found) && str_to_double(value_as_str(found), &number))
        return number;
    return (double)NAN;
}
