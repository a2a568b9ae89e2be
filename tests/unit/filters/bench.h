/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs one filter on events written as JSON, for tables of (options, events, results). Its clock stands at
 * 2026-11-23T21:00:00Z until bench_advance. Everything returned lives in the bench's arena.
 */
#ifndef MILLRACE_TESTS_UNIT_FILTERS_BENCH_H
#define MILLRACE_TESTS_UNIT_FILTERS_BENCH_H

#include "pipeline/plugin.h"

struct bench {
    struct arena arena;
    struct plugin_settings settings;
    struct plugin_env env;
    const struct filter *filter;
    void *self;
    void *shared;
    struct counter counter; /* all of them */
    bool with_timestamp;    /* show @timestamp */
    uint64_t drawn;         /* random numbers so far: 1, 2, … times a large odd number */
};

/* The one of a test file that needs no more, with its checked fixture. */
extern struct bench the_bench;
void bench_set_up(void);
void bench_tear_down(void);

void bench_init(struct bench *bench);
void bench_release(struct bench *bench);

/* Binds the options ("match => [...]") and opens the filter. NULL, or why it was refused. */
const char *bench_open(struct bench *bench, const struct filter *filter, const char *options);
/* "matched", "skipped" or "cancelled", a blank and the event without @version (and @timestamp); then " + " and each event
 * that the filter made. */
const char *bench_apply(struct bench *bench, const char *event);
/* A tick: " + " and each event that the filter made. */
const char *bench_tick(struct bench *bench, uint64_t now_ms, bool final);
/* The clock goes on; bench_init sets it back. */
void bench_advance(int64_t seconds);
/* Another instance of the same plugin, as on another lane: the same shared bytes. */
void bench_reopen(struct bench *bench);

#endif
