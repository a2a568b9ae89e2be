/* SPDX-License-Identifier: Apache-2.0
 *
 * For targets that fuzz a filter as it stands in a pipeline file: options in the configuration language, a lane's
 * environment without an engine, an event with one message.
 */
#ifndef MILLRACE_TESTS_FUZZ_FILTER_H
#define MILLRACE_TESTS_FUZZ_FILTER_H

#include <stdint.h>

#include "conf/syntax.h"
#include "filters/filters.h"

/* What is built lives in the arena; the scratch of regular expressions is shared and has small limits. */
void fuzz_env_init(struct plugin_env *env, struct arena *arena);
/* Parses the options of one filter: they are the target's own, so they are right. */
struct conf_plugin *fuzz_parse(struct arena *arena, const char *options);
/* The value of its attribute number i, to put the input there: no quoting is needed then. */
struct conf_value *fuzz_value(struct conf_plugin *plugin, size_t i);
/* Binds and opens. NULL when the filter refuses its options: it has then said why. */
void *fuzz_open(const struct filter *filter, const struct plugin_env *env,
                const struct conf_plugin *plugin);
/* Applies the filter to an event with this message; what it leaves must be an event that can be written. */
void fuzz_apply(const struct filter *filter, void *self, struct arena *arena, struct str message);
/* Takes the first line off *rest, as valid UTF-8. */
struct str fuzz_line(struct arena *arena, struct str *rest);

#endif
