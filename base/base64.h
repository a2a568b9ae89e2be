/* SPDX-License-Identifier: Apache-2.0
 *
 * Standard base64 (RFC 4648), padded.
 */
#ifndef MILLRACE_BASE_BASE64_H
#define MILLRACE_BASE_BASE64_H

#include "base/arena.h"
#include "base/str.h"

struct str base64_encode(struct arena *arena, struct str bytes);
/* The value of an Authorization header: "Basic ..." (RFC 7617). */
struct str base64_credentials(struct arena *arena, struct str user, struct str password);
/* Padding may be left out; false when there is anything but base64. */
bool base64_decode(struct arena *arena, struct str text, struct str *out);

#endif
