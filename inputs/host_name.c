/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/host_name.h"

FIELD_REF_TOP_AS(host_field, "host");
FIELD_REF_BELOW_AS(host_name_field, "host", "name");

void host_name_set(const struct plugin_env *env, struct event *event)
{
    const struct field_ref *field = env->ecs == ECS_DISABLED ? &host_field : &host_name_field;
    event_set_missing(event, field, value_str(str_from(env->settings->host_name)));
}
