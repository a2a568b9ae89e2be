/* SPDX-License-Identifier: Apache-2.0
 *
 * The events of the demo: a file of made-up log lines, and which of them have to raise an alert. That is worked out from
 * the lines alone, so that the pipeline is held against it.
 */
#ifndef MILLRACE_CMD_DEMO_LINES_H
#define MILLRACE_CMD_DEMO_LINES_H

#include "base/error.h"
#include "base/map.h"

/* Writes `count` lines, the last of about now. The lines that have to raise an alert become keys of *alarming, which the
 * caller has initialised; their values are NULL. */
bool demo_lines_write(const char *path, uint64_t count, struct map *alarming, struct error *err);

#endif
