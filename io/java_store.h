/* SPDX-License-Identifier: Apache-2.0
 *
 * Trusted certificates out of a key store in Java's own format (JKS), as keytool made them before Java 9. Keys in it are
 * passed over. Any thread; nothing is kept.
 */
#ifndef MILLRACE_IO_JAVA_STORE_H
#define MILLRACE_IO_JAVA_STORE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

enum { JAVA_STORE_MAX_BYTES = 4 * 1024 * 1024 };

bool java_store_is(struct str bytes);
/* Appends each certificate that is trusted as PEM. NULL, or what is wrong with the store. A password that is empty is not
 * compared with the store's, as in Java: nothing here is encrypted, the password only shows changes. Passwords are ASCII. */
const char *java_store_authorities(struct str bytes, struct str password, struct buf *out);

#endif
