/* SPDX-License-Identifier: Apache-2.0
 *
 * What the process that runs pipelines sets about itself: memory, descriptors, signals, and what a list of processes
 * shows of it. Called by the main thread before any other is there.
 */
#ifndef MILLRACE_CMD_PROCESS_H
#define MILLRACE_CMD_PROCESS_H

#include "conf/settings.h"

/* Keeps freed memory for the next batch, allows as many descriptors as the hard limit does, and ignores SIGPIPE and,
 * until somebody watches for it, SIGHUP. */
void process_prepare(void);

/* Writes *** over those arguments that may hold a password: the text of a pipeline, and the API's passwords. What
 * settings points at must not be argv itself. */
void process_hide_arguments(const struct settings *settings, int argc, char **argv);

/* Bytes that events may take: what the settings say; otherwise 64 MiB, or a share of the memory that this process is
 * limited to where that is less. */
size_t process_memory_budget(const struct settings *settings);

#endif
