/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to condition.c and condition_compile.c: the compiled form of a condition. Operands are constants,
 * fields or a list of constants; which of them stand where was decided when it was compiled.
 */
#ifndef MILLRACE_PIPELINE_PROGRAM_CONDITION_H
#define MILLRACE_PIPELINE_PROGRAM_CONDITION_H

#include "pipeline/program/evaluate.h"

enum operand_type { OPERAND_CONSTANT, OPERAND_LIST, OPERAND_FIELD };

struct operand {
    enum operand_type type;
    struct value value; /* CONSTANT; LIST: an object whose keys are the texts of its constants */
    struct field_ref ref;
};

struct condition {
    enum conf_expr_type type; /* never CONF_OPERAND; NE, NO_MATCH and NOT_IN stand as they are */
    struct condition *left, *right;
    struct operand a, b; /* of tests */
    struct regex *regex; /* MATCH, NO_MATCH */
};

#endif
