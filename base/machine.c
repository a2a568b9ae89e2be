/* SPDX-License-Identifier: Apache-2.0 */
#include "base/machine.h"

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "base/str.h"

enum { SMALL_FILE_BYTES = 256 };

static bool read_small(const char *path, char out[SMALL_FILE_BYTES])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t len = read(fd, out, SMALL_FILE_BYTES - 1);
    close(fd);
    if (len <= 0)
        return false;
    out[len] = 0;
    return true;
}

static bool read_number(const char *path, int64_t *out)
{
    char text[SMALL_FILE_BYTES];
    return read_small(path, text) && str_to_int(str_trim(str_from(text)), out);
}

/* Quota and period in microseconds; false when there is no quota. */
static bool cpu_quota(int64_t *quota_out, int64_t *period_out)
{
    char text[SMALL_FILE_BYTES];
    long long quota, period;
    if (read_small("/sys/fs/cgroup/cpu.max", text)) {
        if (sscanf(text, "%lld %lld", &quota, &period) != 2)
            return false;
        *quota_out = quota;
        *period_out = period;
    } else if (!read_number("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", quota_out) ||
               !read_number("/sys/fs/cgroup/cpu/cpu.cfs_period_us", period_out)) {
        return false;
    }
    return *quota_out > 0 && *period_out > 0;
}

size_t machine_cores(void)
{
    cpu_set_t set;
    int cores = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    int64_t quota, period;
    if (cpu_quota(&quota, &period) && (quota + period - 1) / period < cores)
        cores = (int)((quota + period - 1) / period);
    return cores > 0 ? (size_t)cores : 1;
}

size_t machine_memory_limit(void)
{
    int64_t limit;
    if (!read_number("/sys/fs/cgroup/memory.max", &limit) &&
        !read_number("/sys/fs/cgroup/memory/memory.limit_in_bytes", &limit))
        return SIZE_MAX;
    return limit > 0 && limit < INT64_MAX / 2 ? (size_t)limit : SIZE_MAX;
}
