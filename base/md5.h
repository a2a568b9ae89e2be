/* SPDX-License-Identifier: Apache-2.0
 *
 * MD5 (RFC 1321), for names that must be the same as Logstash's. Not for anything that has to be safe.
 */
#ifndef MILLRACE_BASE_MD5_H
#define MILLRACE_BASE_MD5_H

#include "base/str.h"

enum { MD5_TEXT_LEN = 32 };

/* Lower-case hexadecimal digits and a NUL. */
void md5_text(struct str bytes, char out[MD5_TEXT_LEN + 1]);

#endif
