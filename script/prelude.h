/* SPDX-License-Identifier: Apache-2.0
 *
 * The bytecode of the Ruby files in prelude/, made by the build (compile_prelude.c).
 */
#ifndef MILLRACE_SCRIPT_PRELUDE_H
#define MILLRACE_SCRIPT_PRELUDE_H

#include <stdint.h>

extern const uint8_t script_prelude[];

#endif
