/* SPDX-License-Identifier: Apache-2.0
 *
 * How mruby is built for millrace: put before its include/mrbconf.h, so that the library and what uses it agree.
 */
#define MRB_UTF8_STRING                 /* strings count characters */
#define MRB_INT64                       /* beyond these mruby-bigint goes on */
#define MRB_WORDBOX_NO_FLOAT_TRUNCATE   /* floats of 64 bits; else two of them are lost */
#define MRB_USE_DEBUG_HOOK              /* a script can be ended between two instructions */
#define MRB_STR_LENGTH_MAX            0 /* the heap has a limit, which is enough */
#define MRB_ARY_LENGTH_MAX            0
#define MRB_BIGINT_MAX_BITS           (1 << 20) /* of mruby.patch: beyond it an operation takes too long */
