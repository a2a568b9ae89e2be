/* SPDX-License-Identifier: Apache-2.0
 *
 * What the kernel says of this process, under the names that Prometheus' own clients use.
 */
#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "services/api/api_private.h"

enum {
    PROCESS_START,
    PROCESS_OPEN_FDS,
    PROCESS_MAX_FDS,
    PROCESS_VIRTUAL,
    PROCESS_RESIDENT,
    PROCESS_CPU,
    PROCESS_METRICS
};

static const struct metric PROCESS[PROCESS_METRICS] = {
    [PROCESS_START] = {.name = "start_time_in_millis",
                       .family = "process_start_time_seconds",
                       .help = "When the process started, since 1970.",
                       .kind = METRIC_GAUGE,
                       .is_milli = true},
    [PROCESS_OPEN_FDS] = {.name = "open_file_descriptors",
                          .family = "process_open_fds",
                          .help = "Descriptors in use.",
                          .kind = METRIC_GAUGE},
    [PROCESS_MAX_FDS] = {.name = "max_file_descriptors",
                         .family = "process_max_fds",
                         .help = "Descriptors that may be in use.",
                         .kind = METRIC_GAUGE},
    [PROCESS_VIRTUAL] = {.name = "total_virtual_in_bytes",
                         .group = "mem",
                         .family = "process_virtual_memory_bytes",
                         .help = "Address space in use.",
                         .kind = METRIC_GAUGE},
    [PROCESS_RESIDENT] = {.name = "resident_in_bytes",
                          .group = "mem",
                          .family = "process_resident_memory_bytes",
                          .help = "Memory that is in RAM.",
                          .kind = METRIC_GAUGE},
    [PROCESS_CPU] = {.name = "total_in_millis",
                     .group = "cpu",
                     .family = "process_cpu_seconds",
                     .help = "Processor time used, in user and kernel mode.",
                     .kind = METRIC_COUNTER,
                     .is_milli = true},
};

static size_t count_entries(const char *path)
{
    size_t count = 0;
    DIR *directory = opendir(path);
    if (!directory)
        return 0;
    while (readdir(directory))
        count++;
    closedir(directory);
    return count > 2 ? count - 2 : 0; /* . and .. */
}

size_t api_process_threads(void)
{
    return count_entries("/proc/self/task");
}

static uint64_t millis(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_usec / 1000;
}

static void read_memory(uint64_t values[PROCESS_METRICS])
{
    unsigned long long pages = 0, resident = 0;
    uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return;
    if (fscanf(file, "%llu %llu", &pages, &resident) == 2) {
        values[PROCESS_VIRTUAL] = pages * page_bytes;
        values[PROCESS_RESIDENT] = resident * page_bytes;
    }
    fclose(file);
}

void api_process_metrics(const struct api *api, struct metric_page *page)
{
    uint64_t values[PROCESS_METRICS] = {0};
    struct rusage usage;
    struct rlimit limit;
    values[PROCESS_START] = (uint64_t)api->started.seconds * 1000;
    values[PROCESS_OPEN_FDS] = count_entries("/proc/self/fd");
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        values[PROCESS_MAX_FDS] = limit.rlim_cur;
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        values[PROCESS_CPU] = millis(usage.ru_utime) + millis(usage.ru_stime);
    read_memory(values);
    for (size_t i = 0; i < PROCESS_METRICS; i++)
        metric_add(page, &page->values, &PROCESS[i], values[i]);
}
