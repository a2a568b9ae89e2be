/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the keystore of a folder with settings is, and the password that the environment has for it.
 */
#ifndef MILLRACE_CMD_KEYSTORE_H
#define MILLRACE_CMD_KEYSTORE_H

#include "base/arena.h"

const char *keystore_path(struct arena *arena, struct str settings);
const char *keystore_password(void); /* NULL: none */

#endif
