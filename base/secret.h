/* SPDX-License-Identifier: Apache-2.0
 *
 * Comparing what somebody gives with a secret. Any thread.
 */
#ifndef MILLRACE_BASE_SECRET_H
#define MILLRACE_BASE_SECRET_H

#include "base/str.h"

/* Takes as long for a wrong text as for the right one, so the time tells nothing. */
bool secret_equal(struct str given, struct str wanted);

#endif
