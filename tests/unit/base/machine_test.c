/* SPDX-License-Identifier: Apache-2.0
 *
 * Trees as the kernel shows them, in a folder of the test.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/machine.h"
#include "tests/unit/base/suites.h"

enum { FILES_MAX = 4, PATH_BYTES = 512 };

static char root[] = "/tmp/millrace-machine-XXXXXX";

struct file {
    const char *path, *text;
};

static const struct {
    struct file files[FILES_MAX];
    size_t memory;
    bool one_core;
} TREES[] = {
    {{{"proc/self/cgroup", "0::/\n"}}, SIZE_MAX, false},
    /* v2: of a container with a namespace of its own */
    {{{"proc/self/cgroup", "0::/\n"},
      {"sys/fs/cgroup/memory.max", "33554432\n"},
      {"sys/fs/cgroup/cpu.max", "50000 100000\n"}},
     33554432,
     true},
    /* of a unit of systemd; "max" is no limit */
    {{{"proc/self/cgroup", "0::/system.slice/millrace.service\n"},
      {"sys/fs/cgroup/system.slice/millrace.service/memory.max", "1000000\n"},
      {"sys/fs/cgroup/system.slice/millrace.service/cpu.max", "max 100000\n"}},
     1000000,
     false},
    /* a limit of a group above holds as well */
    {{{"proc/self/cgroup", "0::/a/b\n"},
      {"sys/fs/cgroup/a/b/memory.max", "max\n"},
      {"sys/fs/cgroup/a/memory.max", "500\n"},
      {"sys/fs/cgroup/a/cpu.max", "100000 100000\n"}},
     500,
     true},
    /* the path of the host, which is not seen here */
    {{{"proc/self/cgroup", "0::/kubepods/pod1\n"}, {"sys/fs/cgroup/memory.max", "700\n"}},
     700,
     false},
    /* v1 */
    {{{"proc/self/cgroup", "3:cpu,cpuacct:/x\n4:memory:/docker/1\n0::/\n"},
      {"sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes", "900\n"},
      {"sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "20000\n"},
      {"sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n"}},
     900,
     true},
    {{{"proc/self/cgroup", "4:memory:/\n"},
      {"sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"},
      {"sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"},
      {"sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"}},
     SIZE_MAX,
     false},
    {{{NULL, NULL}}, SIZE_MAX, false},
};

static void make_root(void)
{
    memset(root + strlen(root) - 6, 'X', 6);
    ck_assert_ptr_nonnull(mkdtemp(root));
}

static void remove_root(void)
{
    char command[PATH_BYTES];
    snprintf(command, sizeof command, "rm -rf '%s'", root);
    ck_assert_int_eq(system(command), 0);
}

static void put_file(const struct file *file)
{
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s/%s", root, file->path);
    for (char *slash = strchr(path + strlen(root) + 1, '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(path, 0700);
        *slash = '/';
    }
    FILE *out = fopen(path, "w");
    ck_assert_ptr_nonnull(out);
    fputs(file->text, out);
    fclose(out);
}

START_TEST(reads_the_limits_of_its_group)
{
    for (size_t i = 0; i < FILES_MAX && TREES[_i].files[i].path; i++)
        put_file(&TREES[_i].files[i]);
    ck_assert_uint_eq(machine_memory_limit_at(root), TREES[_i].memory);
    size_t without_limit = machine_cores_at("/nowhere");
    ck_assert_uint_ge(without_limit, 1);
    ck_assert_uint_eq(machine_cores_at(root), TREES[_i].one_core ? 1 : without_limit);
}
END_TEST

Suite *machine_suite(void)
{
    Suite *suite = suite_create("machine");
    TCase *cases = tcase_create("machine");
    tcase_add_checked_fixture(cases, make_root, remove_root);
    tcase_add_loop_test(cases, reads_the_limits_of_its_group, 0, sizeof TREES / sizeof *TREES);
    suite_add_tcase(suite, cases);
    return suite;
}
