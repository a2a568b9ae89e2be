/* SPDX-License-Identifier: Apache-2.0
 *
 * Ruby code of a pipeline, run by mruby.
 *
 * A script_vm is one lane's mruby. All Ruby filters of the lane share it, as all of Logstash's share one Ruby: a
 * constant, a global or a class that one defines is seen by the others, while @variables belong to the filter's own
 * object. The bare machine and the prelude take a few hundred KiB, so one for each filter would be dear. What scripts
 * allocate is bounded by SCRIPT_HEAP_MAX; beyond it they get a NoMemoryError.
 *
 * A script is one filter's code. Nothing here blocks a lane except the script itself; one that does not return is named by
 * the watchdog (watchdog.h).
 *
 * One thread: the lane's.
 */
#ifndef MILLRACE_SCRIPT_SCRIPT_H
#define MILLRACE_SCRIPT_SCRIPT_H

#include "conf/option.h"
#include "pipeline/plugin.h"

enum { SCRIPT_HEAP_MAX = 64 * 1024 * 1024 };

struct script_vm;
struct script;

/* The vm in *slot, made when it is NULL. Each call is paired with script_vm_unref, the last of which clears *slot. */
struct script_vm *script_vm_ref(struct script_vm **slot, const struct plugin_env *env,
                                struct error *err);
void script_vm_unref(struct script_vm *vm);
size_t script_vm_heap_bytes(const struct script_vm *vm);

/* Either code (with init, may be empty) or path (with params). */
struct script_source {
    struct str code, init, path;
    const struct option_hash *params; /* NULL: none */
    uint64_t timeout_ms;              /* a run that takes longer is reported; 0: none is */
};

/* Parses code and init without running anything; the bare parser needs no vm. False on a syntax error. */
bool script_check(const struct script_source *source, struct error *err);

/* Loads the file and runs the tests that it carries, in a vm and an arena of their own: nothing of them is seen by the
 * pipeline. False when it does not load or an expectation is not met; *err names all of these, as far as they fit. Of env
 * only id, log and settings are used. */
bool script_test(const struct plugin_env *env, const struct script_source *source,
                 struct error *err);

/* Of a pipeline that is only checked: one vm for all of its filters, as a lane has. */
struct script_trial;
/* Whether script_open would succeed; *trial is made at first. Of env id, position, log and settings are used. */
bool script_try(struct script_trial **trial, const struct plugin_env *env,
                const struct script_source *source, struct error *err);
void script_trial_free(struct script_trial *trial); /* NULL is ok */

/* Compiles; runs init, or loads the file and calls register(params). A syntax error says line and column. */
struct script *script_open(struct script_vm *vm, const struct plugin_env *env,
                           const struct script_source *source, struct error *err);
void script_close(struct script *script); /* NULL is ok */

enum script_result {
    SCRIPT_DONE,
    SCRIPT_RAISED,    /* *err says what; what was changed before stays changed */
    SCRIPT_BAD_VALUE, /* a file's filter() returned no array of events */
};
/* Runs the script on an event. Events that it makes go to `more`. A file's filter() that leaves the event out of what
 * it returns cancels it. */
enum script_result script_run(struct script *script, struct event *event, struct event_sink *more,
                              struct error *err);

/* A method that `init` defined, called on the script's object with values. What it returns is copied into the arena. */
struct script_invocation {
    const char *method;
    const struct value *arguments;
    size_t count; /* at most 8 */
    struct arena *arena;
};
/* False when it raised: *err says what. result_out may be NULL. */
bool script_invoke(struct script *script, const struct script_invocation *invocation,
                   struct value *result_out, struct error *err);

#endif
