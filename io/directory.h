/* SPDX-License-Identifier: Apache-2.0
 *
 * Directories on disk.
 */
#ifndef MILLRACE_IO_DIRECTORY_H
#define MILLRACE_IO_DIRECTORY_H

#include <sys/types.h>

#include "base/error.h"

/* Makes path and its parents with these permissions; what is there already is fine. */
bool directory_make(const char *path, mode_t mode, struct error *err);
/* The directory that a file is in. */
bool directory_make_for(const char *file_path, mode_t mode, struct error *err);

#endif
