/* SPDX-License-Identifier: Apache-2.0
 *
 * Threads beside the main one.
 */
#ifndef MILLRACE_BASE_THREAD_H
#define MILLRACE_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Runs run(ctx) in a thread that takes no signals: those are the main thread's. It is to be joined (a uv_thread_t is a pthread_t).
 * False: there are no more threads to be had, and none was started. */
bool thread_start(pthread_t *out, void (*run)(void *ctx), void *ctx);

#endif
