/* SPDX-License-Identifier: Apache-2.0
 *
 * Instants inside Ruby objects: Time, and LogStash::Timestamp, both stored in the object itself (no allocation of
 * their own).
 */
#ifndef MILLRACE_SCRIPT_TIME_H
#define MILLRACE_SCRIPT_TIME_H

#include "script/vm.h"

enum script_zone { SCRIPT_ZONE_UTC, SCRIPT_ZONE_LOCAL, SCRIPT_ZONE_FIXED };

struct script_time {
    int64_t seconds;
    uint32_t nanoseconds;
    int32_t offset_seconds; /* east of UTC */
    uint32_t zone;          /* enum script_zone */
};

mrb_value script_new_time(struct script_vm *vm, struct script_time time);
/* NULL when the object is neither a Time nor a Timestamp. */
const struct script_time *script_time_of(struct script_vm *vm, mrb_value object);
struct civil script_civil(const struct script_time *time);
/* The offset of this machine's zone at an instant. */
int32_t script_local_offset(int64_t seconds);
/* Reads a number of seconds (Integer or Float) that Time.at takes. */
struct instant script_instant_from_number(mrb_state *mrb, mrb_value seconds);
/* Splits a difference in seconds into whole seconds and nanoseconds and adds it. */
struct instant script_instant_add(struct instant at, double seconds);

void script_define_time(struct script_vm *vm);
/* Time#strftime. Raises when the result would be unreasonably long. */
mrb_value script_strftime(mrb_state *mrb, const struct script_time *time, struct str format);

#endif
