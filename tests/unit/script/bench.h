/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a script on one event and shows what came out, for tables of (code, event, result).
 */
#ifndef MILLRACE_TESTS_UNIT_SCRIPT_BENCH_H
#define MILLRACE_TESTS_UNIT_SCRIPT_BENCH_H

#include "script/script.h"

struct bench {
    struct arena arena;
    struct plugin_settings settings;
    struct plugin_env env;
    struct script_vm *vm;
    struct event_sink sink;
    struct buf made; /* JSON of the events that the script made, one a line */
};

void bench_init(struct bench *bench);
void bench_release(struct bench *bench);

/* Compiles code and runs it on the event written as JSON, `times` times on the same one. The event's JSON without
 * @version and @timestamp follows, or "raised: …" before it, or "refused: …" alone. In the bench's arena. */
const char *bench_run(struct bench *bench, const struct script_source *source, const char *event,
                      int times);
/* The same for plain code, once. */
const char *bench_code(struct bench *bench, const char *code, const char *event);

/* An expression and its value as JSON. */
struct bench_row {
    const char *code, *json;
};
/* Evaluates all of them in one vm, so that what one leaves behind would be met by the next; names each that differs. */
void bench_check_rows(const struct bench_row *rows, size_t count);

#endif
