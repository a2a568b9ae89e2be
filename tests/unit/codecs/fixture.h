/* SPDX-License-Identifier: Apache-2.0
 *
 * A codec opened with options as a user writes them, fed with bytes; what it makes is collected as JSON lines. A test
 * starts from {0} and may set env.ecs and env.stream before.
 */
#ifndef MILLRACE_TESTS_UNIT_CODECS_FIXTURE_H
#define MILLRACE_TESTS_UNIT_CODECS_FIXTURE_H

#include "codecs/codecs.h"

enum { FIXTURE_MAX_EVENT_BYTES = 64 };

struct fixture {
    struct event_sink sink; /* first */
    struct arena arena;
    struct plugin_settings settings;
    struct plugin_env env;
    const struct codec *codec;
    void *self;
    struct buf out; /* events without @timestamp and @version, a line for each */
};

/* options: "charset => \"CP1252\"", or "". Fails the test when the codec cannot be opened. */
void fixture_open(struct fixture *fixture, const struct codec *codec, const char *options);
/* False and *err when it cannot be opened; only fixture_close is to be called then. */
bool fixture_try_open(struct fixture *fixture, const struct codec *codec, const char *options,
                      struct error *err);
void fixture_feed(struct fixture *fixture, struct str bytes);
void fixture_flush(struct fixture *fixture);
/* What was collected, NUL-terminated; it starts anew. */
const char *fixture_take(struct fixture *fixture);
void fixture_close(struct fixture *fixture);

#endif
