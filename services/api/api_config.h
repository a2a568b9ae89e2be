/* SPDX-License-Identifier: Apache-2.0
 *
 * The configuration of a plugin as it may be shown: without passwords, tokens, users of URLs, and what came from variables, which
 * are named instead. The rules err towards hiding.
 */
#ifndef MILLRACE_SERVICES_API_API_CONFIG_H
#define MILLRACE_SERVICES_API_API_CONFIG_H

#include "pipeline/event/value.h"
#include "pipeline/program/plan.h"

/* An object: the options that are written, in their order. */
struct value api_config(struct arena *arena, const struct plan_plugin *plugin);

#endif
