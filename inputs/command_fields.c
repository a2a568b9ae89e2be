/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/command_fields.h"

#include "inputs/host_name.h"

static const struct field_ref COMMAND = FIELD_REF_TOP("command");
static const struct field_ref COMMAND_LINE = FIELD_REF_BELOW("process", "command_line");

void command_fields_set(const struct plugin_env *env, struct event *event, struct str command)
{
    host_name_set(env, event);
    event_set_missing(event, env->ecs == ECS_DISABLED ? &COMMAND : &COMMAND_LINE,
                      value_str(command));
}
