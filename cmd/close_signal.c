/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/close_signal.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>

void close_signal(uv_signal_t *handle)
{
    int number = handle->signum;
    assert(number > 0);
    sigset_t mask, before;
    sigemptyset(&mask);
    sigaddset(&mask, number);
    pthread_sigmask(SIG_BLOCK, &mask, &before);
    uv_close((uv_handle_t *)handle, NULL);
    signal(number, SIG_IGN);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}
