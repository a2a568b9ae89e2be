/* SPDX-License-Identifier: Apache-2.0
 *
 * A process stands in a group whose limits are those of the group and of all groups above it. /proc/self/cgroup names the
 * group: "0::PATH" in the unified hierarchy (v2), "N:CONTROLLERS:PATH" in those of v1. In a container the path may be
 * that of the host and lead nowhere below the mount; then its last parts are missing and what is there is read.
 */
#include "base/machine.h"

#include <assert.h>
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/str.h"

enum { SMALL_FILE_BYTES = 256, CGROUP_FILE_BYTES = 8192, PATH_BYTES = 4096 };

/* One hierarchy, and the directory in it that is looked at. */
struct cgroup {
    char path[PATH_BYTES];
    size_t mount_len; /* of the part that is the mount */
};

/* Reads the beginning of a small file as a C string. */
static bool read_file(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t len = read(fd, out, size - 1);
    close(fd);
    if (len <= 0)
        return false;
    out[len] = 0;
    return true;
}

static bool read_here(const struct cgroup *group, const char *file, char out[SMALL_FILE_BYTES])
{
    char path[PATH_BYTES + SMALL_FILE_BYTES];
    snprintf(path, sizeof path, "%s/%s", group->path, file);
    return read_file(path, out, SMALL_FILE_BYTES);
}

static bool read_number(const struct cgroup *group, const char *file, int64_t *out)
{
    char text[SMALL_FILE_BYTES];
    return read_here(group, file, text) && str_to_int(str_trim(str_from(text)), out);
}

/* ---- the group of this process ---- */

static struct str take_until(struct str *rest, char end)
{
    const char *at = rest->len > 0 ? memchr(rest->ptr, end, rest->len) : NULL;
    struct str part = at ? str_make(rest->ptr, (size_t)(at - rest->ptr)) : *rest;
    *rest = str_from_offset(*rest, at ? part.len + 1 : part.len);
    return part;
}

static bool has_controller(struct str list, const char *name)
{
    if (!*name)
        return list.len == 0;
    while (list.len > 0)
        if (str_equal(take_until(&list, ','), str_from(name)))
            return true;
    return false;
}

/* The path below the mount of a controller's hierarchy ("": the unified one); empty when it is not named. */
static struct str own_path(struct str lines, const char *controller)
{
    while (lines.len > 0) {
        struct str line = take_until(&lines, '\n');
        take_until(&line, ':');
        if (has_controller(take_until(&line, ':'), controller))
            return str_equal(line, STR("/")) ? STR("") : line;
    }
    return STR("");
}

/* root: "" for this machine; tests have a tree of their own. */
static void cgroup_open(const char *root, const char *controller, struct cgroup *out)
{
    char file[PATH_BYTES], lines[CGROUP_FILE_BYTES];
    snprintf(file, sizeof file, "%s/proc/self/cgroup", root);
    struct str path = STR("");
    if (read_file(file, lines, sizeof lines))
        path = own_path(str_from(lines), controller);
    snprintf(out->path, sizeof out->path, "%s/sys/fs/cgroup%s%s", root, *controller ? "/" : "",
             controller);
    out->mount_len = strlen(out->path);
    if (path.len < sizeof out->path - out->mount_len)
        snprintf(out->path + out->mount_len, sizeof out->path - out->mount_len, "%.*s",
                 STR_FMT(path));
}

/* To the group above; false at the mount. */
static bool cgroup_up(struct cgroup *group)
{
    char *slash = strrchr(group->path, '/');
    assert(slash);
    if (slash < group->path + group->mount_len)
        return false;
    *slash = 0;
    return true;
}

/* ---- limits ---- */

/* Cores that a quota in microseconds allows, rounded up; INT64_MAX without one. */
static int64_t cores_of_quota(int64_t quota, int64_t period)
{
    if (quota <= 0 || period <= 0)
        return INT64_MAX;
    return quota / period + (quota % period != 0);
}

static int64_t quota_here(const struct cgroup *group)
{
    char text[SMALL_FILE_BYTES];
    long long quota, period;
    if (read_here(group, "cpu.max", text))
        return sscanf(text, "%lld %lld", &quota, &period) == 2 ? cores_of_quota(quota, period)
                                                               : INT64_MAX;
    int64_t old_quota, old_period;
    if (read_number(group, "cpu.cfs_quota_us", &old_quota) &&
        read_number(group, "cpu.cfs_period_us", &old_period))
        return cores_of_quota(old_quota, old_period);
    return INT64_MAX;
}

static int64_t memory_here(const struct cgroup *group)
{
    int64_t limit;
    if (!read_number(group, "memory.max", &limit) &&
        !read_number(group, "memory.limit_in_bytes", &limit))
        return INT64_MAX;
    return limit > 0 && limit < INT64_MAX / 2 ? limit : INT64_MAX;
}

/* The least of a limit over this group and those above it, in both kinds of hierarchies. */
static int64_t least(const char *root, const char *controller,
                     int64_t (*here)(const struct cgroup *group))
{
    const char *const hierarchies[] = {"", controller};
    int64_t limit = INT64_MAX;
    for (size_t i = 0; i < sizeof hierarchies / sizeof *hierarchies; i++) {
        struct cgroup group;
        cgroup_open(root, hierarchies[i], &group);
        do {
            int64_t found = here(&group);
            limit = found < limit ? found : limit;
        } while (cgroup_up(&group));
    }
    return limit;
}

size_t machine_cores_at(const char *root)
{
    cpu_set_t set;
    int cores = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    int64_t quota = least(root, "cpu", quota_here);
    if (quota < cores)
        cores = (int)quota;
    return cores > 0 ? (size_t)cores : 1;
}

size_t machine_memory_limit_at(const char *root)
{
    int64_t limit = least(root, "memory", memory_here);
    return limit == INT64_MAX ? SIZE_MAX : (size_t)limit;
}

size_t machine_cores(void)
{
    return machine_cores_at("");
}

size_t machine_memory_limit(void)
{
    return machine_memory_limit_at("");
}

enum { KEPT_PART = 4, KEPT_MIN = 16, KEPT_MAX = 1024 };

size_t machine_descriptors(void)
{
    struct rlimit limit = {.rlim_cur = RLIM_INFINITY};
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > INT32_MAX ? INT32_MAX : (size_t)limit.rlim_cur;
}

size_t machine_descriptors_for_inputs(void)
{
    size_t all = machine_descriptors(), kept = all / KEPT_PART;
    kept = kept < KEPT_MIN ? KEPT_MIN : kept > KEPT_MAX ? KEPT_MAX : kept;
    return all > 2 * kept ? all - kept : all / 2;
}
