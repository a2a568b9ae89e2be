/* SPDX-License-Identifier: Apache-2.0
 *
 * The fields of events that a program wrote: this machine, and the command.
 */
#ifndef MILLRACE_INPUTS_COMMAND_FIELDS_H
#define MILLRACE_INPUTS_COMMAND_FIELDS_H

#include "pipeline/plugin.h"

/* Both unless the event has them. The command lives as long as the event. */
void command_fields_set(const struct plugin_env *env, struct event *event, struct str command);

#endif
