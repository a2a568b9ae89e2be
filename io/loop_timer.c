/* SPDX-License-Identifier: Apache-2.0 */
#include "io/loop_timer.h"

#include "base/mem.h"

struct loop_timer {
    uv_timer_t uv;
    void (*run)(void *ctx);
    void *ctx;
};

static void on_timer(uv_timer_t *uv)
{
    struct loop_timer *timer = uv->data;
    timer->run(timer->ctx);
}

static void on_closed(uv_handle_t *handle)
{
    mem_free(handle->data);
}

struct loop_timer *loop_timer_new(uv_loop_t *loop, void (*run)(void *ctx), void *ctx)
{
    struct loop_timer *timer = mem_zero(1, sizeof *timer);
    uv_timer_init(loop, &timer->uv);
    uv_unref((uv_handle_t *)&timer->uv);
    timer->uv.data = timer;
    timer->run = run;
    timer->ctx = ctx;
    return timer;
}

void loop_timer_start(struct loop_timer *timer, uint64_t delay_ms)
{
    uv_timer_start(&timer->uv, on_timer, delay_ms, 0);
}

void loop_timer_stop(struct loop_timer *timer)
{
    uv_timer_stop(&timer->uv);
}

bool loop_timer_is_set(const struct loop_timer *timer)
{
    return uv_is_active((const uv_handle_t *)&timer->uv);
}

void loop_timer_close(struct loop_timer *timer)
{
    if (timer)
        uv_close((uv_handle_t *)&timer->uv, on_closed);
}
