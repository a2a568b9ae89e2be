/* SPDX-License-Identifier: Apache-2.0
 *
 * What this process may use: cores and memory, by its cgroup (v2, or v1 where that is mounted), else by its affinity mask
 * and the machine.
 */
#ifndef MILLRACE_BASE_MACHINE_H
#define MILLRACE_BASE_MACHINE_H

#include <stddef.h>

/* At least 1: the CPU quota rounded up, never more than the affinity mask. */
size_t machine_cores(void);
/* Bytes that the cgroup and those above it allow; SIZE_MAX when there is no limit. */
size_t machine_memory_limit(void);

/* How many descriptors may be open at once (the soft limit). */
size_t machine_descriptors(void);
/* open() and accept() give the lowest number that is free: descriptors from this number on are kept for outputs and for
 * what the program itself writes, so an input gives such a one back. */
size_t machine_descriptors_for_inputs(void);

/* The same with another directory in the place of /, for tests. */
size_t machine_cores_at(const char *root);
size_t machine_memory_limit_at(const char *root);

#endif
