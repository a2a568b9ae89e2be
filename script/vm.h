/* SPDX-License-Identifier: Apache-2.0
 *
 * Between the files of script/. mrb->ud is the struct script_vm.
 *
 * While a script runs, vm->call says on which event; the Ruby object of an event points at the struct event and is cut
 * off from it when the call ends, because the event's memory goes with its batch. Ruby exceptions are longjmps: C
 * methods hold nothing on the heap while they call what may raise.
 */
#ifndef MILLRACE_SCRIPT_VM_H
#define MILLRACE_SCRIPT_VM_H

#include <mruby.h>
#include <mruby/array.h>
#include <mruby/class.h>
#include <mruby/compile.h>
#include <mruby/data.h>
#include <mruby/error.h>
#include <mruby/hash.h>
#include <mruby/istruct.h>
#include <mruby/numeric.h>
#include <mruby/proc.h>
#include <mruby/range.h>
#include <mruby/string.h>
#include <mruby/variable.h>

#include "base/map.h"
#include "script/script.h"
#include "script/watchdog.h"

/* A string that the script got from an event: when the script changes it in place, the event sees it. */
struct fetched {
    struct event *event;
    const struct field_ref *ref;
    struct str text; /* as it was in the event */
    mrb_value object;
};

enum {
    FETCHED_MAX = 256,             /* strings followed in one call; further ones are plain copies */
    REF_CACHE_SLOTS = 256,         /* field references found by the address of their literal */
    REF_CACHE_MAX_BYTES = 1 << 20, /* beyond it references are parsed for each use */
    VALUE_MAX_DEPTH = 256,
    GROUP_SYMBOLS = 10,
};

struct script_call {
    struct event *event;     /* NULL while init or register runs */
    struct event_sink *more; /* NULL likewise */
    struct arena *arena;     /* for new events and values */
};

struct script_vm {
    mrb_state *mrb;
    struct script_vm **slot;
    unsigned references;
    size_t heap_bytes;
    struct account *charged; /* of the memory budget; may be NULL */
    size_t charged_bytes;
    struct watch watch;
    struct script_call *call;     /* NULL: no script runs */
    const struct plugin_env *env; /* of the filter whose script runs */
    struct arena arena; /* field references, outside-of-call values; lives as long as the vm */
    struct map refs;    /* text -> struct field_ref * */
    const struct field_ref *ref_slots[REF_CACHE_SLOTS];
    mrb_value regexps; /* Hash: flags and source -> Regexp */
    struct regex_scratch *scratch;
    struct json_reader *json;
    struct fetched fetched[FETCHED_MAX];
    size_t fetched_count;
    struct buf json_text; /* scratch for one text; here because what follows may raise */
    mrb_value roots;      /* an array: keeps what C holds during a call alive */
    mrb_value new_event_block;
    mrb_sym group_symbols[GROUP_SYMBOLS];
    unsigned groups_set;     /* $1 .. $n were set by the last match */
    bool wants_surroundings; /* some script names $& $` or $' */
    struct RClass *event_class, *timestamp_class, *time_class, *filter_class, *timeout_class;
    struct RClass *regexp_class, *match_class;
};

static inline struct script_vm *script_vm_of(mrb_state *mrb)
{
    return mrb->ud;
}
static inline struct str script_str(mrb_value string)
{
    return str_make(RSTRING_PTR(string), (size_t)RSTRING_LEN(string));
}
static inline mrb_value script_new_str(mrb_state *mrb, struct str text)
{
    return mrb_str_new(mrb, text.ptr, text.len);
}

/* ---- vm.c ---- */
/* The arena of the running call, else the vm's. */
struct arena *script_arena(struct script_vm *vm);
/* Turns mrb->exc into *err ("NoMethodError: undefined …, code:3") and clears it. */
void script_take_exception(struct script_vm *vm, struct error *err);
/* For loops of our own in which mruby runs no instruction: raises when the script is to end. */
void script_check_end(struct script_vm *vm);
/* The script has returned, or what was said of one before is over. */
void script_go_on(struct script_vm *vm);
/* The parsed reference of that text; raises when it is not one. Lives as long as every event of the call. */
const struct field_ref *script_field_ref(struct script_vm *vm, struct str text);
mrb_noreturn void script_raise(mrb_state *mrb, const char *class_name, const char *text);

/* ---- convert.c ---- */
mrb_value script_from_value(struct script_vm *vm, const struct value *value);
/* Raises TypeError for what an event cannot hold. Everything is copied into the arena. */
struct value script_to_value(struct script_vm *vm, struct arena *arena, mrb_value object);
mrb_value script_from_conf(struct script_vm *vm, const struct conf_value *value);

/* ---- the classes ---- */
void script_define_event(struct script_vm *vm);
void script_define_timestamp(struct script_vm *vm);
mrb_value script_new_event(struct script_vm *vm, struct event *event);
/* NULL when the object is no event; raises when the event is gone. */
struct event *script_event_of(struct script_vm *vm, mrb_value object);
/* Writes strings that were changed in place back into their events. */
void script_write_back(struct script_vm *vm);
void script_cut_off(mrb_value event_object);
mrb_value script_new_timestamp(struct script_vm *vm, struct instant at);
bool script_instant_of(struct script_vm *vm, mrb_value object, struct instant *out);

#endif
