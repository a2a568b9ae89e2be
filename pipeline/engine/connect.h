/* SPDX-License-Identifier: Apache-2.0
 *
 * Trying the destinations of a pipeline without running it (-t --connect): each output that can be tried is opened on
 * a loop of its own, asked, and closed again. Blocks until all have answered or their time is over.
 */
#ifndef MILLRACE_PIPELINE_ENGINE_CONNECT_H
#define MILLRACE_PIPELINE_ENGINE_CONNECT_H

#include "pipeline/program/plan.h"

/* Appends what was found to *said, and an error with the output's position for each that cannot be used. */
bool connect_plugins(const struct plan *plan, const struct log *log,
                     const struct plugin_settings *settings, struct buf *said,
                     struct error_list *errors);

#endif
