/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/host_name.h"

static const struct field_ref host_field = FIELD_REF_TOP("host");
static const struct field_ref host_name_field = {
    .text = STR_INIT("[host][name]"),
    .root = FIELD_ROOT_EVENT,
    .parts = (struct field_part[]){FIELD_PART("host"), FIELD_PART("name")},
    .count = 2,
};

void host_name_set(const struct plugin_env *env, struct event *event)
{
    const struct field_ref *field = env->ecs == ECS_DISABLED ? &host_field : &host_name_field;
    event_set_missing(event, field, value_str(str_from(env->settings->host_name)));
}
