/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that come with the program: index templates, pipelines. They stand in deploy/ of the tree, and in share/millrace
 * where they are installed, under the same names.
 */
#ifndef MILLRACE_CMD_SHIPPED_H
#define MILLRACE_CMD_SHIPPED_H

#include "base/arena.h"

/* Where `name` ("templates", "pipelines/payment.conf") is: beside the program's folder in the tree, else installed beside
 * it, else where it was built to be installed (and then it may be absent). */
const char *shipped_path(struct arena *arena, const char *name);

#endif
