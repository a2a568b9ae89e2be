/* SPDX-License-Identifier: Apache-2.0
 *
 * What encoding tests share: an arena, an environment, events from JSON, templates from text.
 */
#ifndef MILLRACE_TESTS_UNIT_OUTPUTS_FIXTURE_H
#define MILLRACE_TESTS_UNIT_OUTPUTS_FIXTURE_H

#include "pipeline/plugin.h"

struct fixture {
    struct arena arena;
    struct plugin_settings settings;
    struct plugin_env env;
    struct buf out;
    struct error err;
};

void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture);
/* An event with the fields of the JSON object ('@metadata' among them); @timestamp is given or now. */
struct event *fixture_event(struct fixture *fixture, const char *json);
struct template fixture_template(struct fixture *fixture, const char *text);
/* out as a C string; empties it. */
const char *fixture_taken(struct fixture *fixture);

#endif
