/* SPDX-License-Identifier: Apache-2.0 */
#include "filters/http_calls.h"

#include <assert.h>
#include <stdio.h>

#include "base/account.h"
#include "base/mem.h"
#include "pipeline/engine/lane.h"

enum { URL_MAX_BYTES = 64 * 1024, BODY_MAX_BYTES = 1024 * 1024 * 1024 };

void http_calls_init(struct http_calls *calls, const struct plugin_env *env,
                     struct http_client *client)
{
    *calls = (struct http_calls){
        .env = env,
        .client = client,
        .charged = env->lane ? lane_memory(env->lane) : NULL,
    };
}

bool http_calls_are_full(const struct http_calls *calls)
{
    return calls->under_way >= HTTP_CALLS_MAX;
}

static bool is_worth_another_try(const struct http_call *call, const struct http_result *result)
{
    const struct http_calls *calls = call->calls;
    if (call->tries_left == 0 || result->outcome == HTTP_CANCELLED)
        return false;
    if (result->outcome != HTTP_ANSWERED)
        return true;
    for (size_t i = 0; i < calls->retry_status_count; i++)
        if (calls->retry_statuses[i] == result->status)
            return true;
    return false;
}

static void on_answered(void *ctx, const struct http_result *result)
{
    struct http_call *call = ctx;
    assert(!call->done);
    if (is_worth_another_try(call, result)) {
        call->tries_left--;
        http_client_send(call->calls->client, &call->request);
        return;
    }
    call->done = true;
    assert(call->calls->under_way > 0);
    call->calls->under_way--;
    call->outcome = result->outcome;
    call->status = result->status;
    buf_append_str(&call->answer, result->body);
    account_charge(call->calls->charged, call->answer.len);
    buf_append_str(&call->headers, result->headers);
    snprintf(call->error, sizeof call->error, "%s", result->error);
    if (result->outcome != HTTP_CANCELLED)
        filter_ready(call->calls->env);
}

static void link_call(struct http_calls *calls, struct http_call *call)
{
    call->calls = calls;
    call->next = calls->first;
    if (calls->first)
        calls->first->previous = call;
    calls->first = call;
}

struct http_call *http_calls_begin(struct http_calls *calls,
                                   const struct http_call_request *request)
{
    assert(!http_calls_are_full(calls));
    struct http_call *call = mem_zero(1, sizeof *call);
    link_call(calls, call);
    buf_init(&call->url, URL_MAX_BYTES);
    buf_init(&call->body, BODY_MAX_BYTES);
    buf_init(&call->answer, calls->env->settings->max_event_bytes);
    buf_init(&call->headers, HTTP_HEADERS_MAX_BYTES);
    call->sent = request->headers;
    call->tries_left = calls->retries;
    if (!buf_append_str(&call->url, request->url) || !buf_append_str(&call->body, request->body)) {
        call->done = true;
        call->outcome = HTTP_NOT_CONNECTED;
        snprintf(call->error, sizeof call->error, "the URL or the body is too long");
        return call;
    }
    call->request = (struct http_request){
        .method = request->method,
        .url = buf_str(&call->url),
        .body = buf_str(&call->body),
        .headers = call->sent ? call->sent : request->shared_headers,
        .wants_headers = true,
        .done = on_answered,
        .ctx = call,
    };
    calls->under_way++;
    http_client_send(calls->client, &call->request);
    return call;
}

bool http_call_succeeded(const struct http_call *call)
{
    assert(call->done);
    return call->outcome == HTTP_ANSWERED && call->status >= 200 && call->status <= 299;
}

struct str http_call_failure(struct arena *arena, const struct http_call *call)
{
    assert(!http_call_succeeded(call));
    return call->outcome == HTTP_ANSWERED ? arena_printf(arena, "status %d", call->status)
                                          : arena_printf(arena, "%s", call->error);
}

static void free_call(struct http_call *call)
{
    account_return(call->calls->charged, call->answer.len);
    http_headers_free(call->sent);
    buf_release(&call->url);
    buf_release(&call->body);
    buf_release(&call->answer);
    buf_release(&call->headers);
    mem_free(call);
}

void http_call_end(struct http_call *call)
{
    struct http_calls *calls = call->calls;
    assert(call->done);
    if (call->previous)
        call->previous->next = call->next;
    else
        calls->first = call->next;
    if (call->next)
        call->next->previous = call->previous;
    free_call(call);
}

void http_calls_close(struct http_calls *calls)
{
    http_client_close(calls->client); /* answers what is under way */
    while (calls->first) {
        struct http_call *call = calls->first;
        calls->first = call->next;
        free_call(call);
    }
    *calls = (struct http_calls){0};
}
