/* SPDX-License-Identifier: Apache-2.0
 *
 * The name of this machine in events, where several inputs put it.
 */
#ifndef MILLRACE_INPUTS_HOST_NAME_H
#define MILLRACE_INPUTS_HOST_NAME_H

#include "pipeline/plugin.h"

/* `host`, or [host][name] with ECS, unless the event has it. */
void host_name_set(const struct plugin_env *env, struct event *event);

#endif
