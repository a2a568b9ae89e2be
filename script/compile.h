/* SPDX-License-Identifier: Apache-2.0
 *
 * A script as compile.c makes it, for tests.c, which runs the tests of a script file on scripts of its own.
 */
#ifndef MILLRACE_SCRIPT_COMPILE_H
#define MILLRACE_SCRIPT_COMPILE_H

#include "script/vm.h"

enum { SCRIPT_FILE_MAX = 4 * 1024 * 1024 };

struct script {
    struct script_vm *vm;
    const struct plugin_env *env;
    mrb_value self;   /* the filter's object */
    mrb_value lambda; /* the code; nil for a file */
    struct watched watched;
    bool is_file;
};

/* Nothing is loaded yet. Ends with script_close. */
struct script *script_new(struct script_vm *vm, const struct plugin_env *env,
                          const struct script_source *source);
bool script_read_file(const char *path, struct buf *out, struct error *err);
/* Runs the text of a script file, which has to define filter(event). Between begin and finish, in no protected call. */
bool script_load_text(struct script *script, const char *path, struct str text, struct error *err);

/* Around whatever runs Ruby code; call lives until the end. finish cuts the objects of events off from their memory. */
void script_begin(struct script *script, struct script_call *call);
void script_finish(struct script_vm *vm);

#endif
