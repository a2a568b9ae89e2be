/* SPDX-License-Identifier: Apache-2.0 */
#include "io/http_ask.h"

#include <assert.h>

struct waiting {
    struct arena *arena;
    bool answered;
    struct http_answer answer;
};

static void on_answer(void *ctx, const struct http_result *result)
{
    struct waiting *waiting = ctx;
    assert(!waiting->answered);
    waiting->answered = true;
    waiting->answer = (struct http_answer){
        .outcome = result->outcome,
        .status = result->status,
        .body = arena_dup(waiting->arena, result->body),
        .error = arena_dup(waiting->arena, str_from(result->error)),
    };
}

struct http_answer http_ask(struct http_client *client, uv_loop_t *loop, struct arena *arena,
                            struct http_request request)
{
    struct waiting waiting = {.arena = arena};
    assert(!request.done && !request.ctx);
    request.done = on_answer;
    request.ctx = &waiting;
    http_client_send(client, &request);
    while (!waiting.answered)
        uv_run(loop, UV_RUN_ONCE);
    return waiting.answer;
}
