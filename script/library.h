/* SPDX-License-Identifier: Apache-2.0
 *
 * What of Ruby's standard library is bound in C. The Ruby half is in prelude/.
 */
#ifndef MILLRACE_SCRIPT_LIBRARY_H
#define MILLRACE_SCRIPT_LIBRARY_H

#include "script/vm.h"

/* number_class.c: Float#to_s, Float#round */
void script_define_numbers(struct script_vm *vm);
mrb_value script_float_text(mrb_state *mrb, double real);
/* format.c: format, sprintf, String#% */
void script_define_format(struct script_vm *vm);
/* json_class.c: JSON.parse, to_json */
void script_define_json(struct script_vm *vm);
mrb_noreturn void script_raise_json(mrb_state *mrb, const char *class_name, const char *text);
/* system_class.c: ENV, random numbers, digests, the host's name, reading files at start */
void script_define_system(struct script_vm *vm);
/* csv_class.c: a row of CSV */
void script_define_csv(struct script_vm *vm);
/* yaml_class.c: Psych's parser */
void script_define_yaml(struct script_vm *vm);
/* tests.c: test of a script file, and the class whose objects scripts are */
void script_define_tests(struct script_vm *vm);

#endif
