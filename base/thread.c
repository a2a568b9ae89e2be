/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"

#include <signal.h>

#include "base/mem.h"

struct start {
    void (*run)(void *ctx);
    void *ctx;
};

static void *begin(void *arg)
{
    struct start start = *(struct start *)arg;
    mem_free(arg);
    start.run(start.ctx);
    return NULL;
}

bool thread_start(pthread_t *out, void (*run)(void *ctx), void *ctx)
{
    struct start *start = mem_zero(1, sizeof *start);
    *start = (struct start){run, ctx};
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(out, NULL, begin, start);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        mem_free(start);
    return !failed;
}
