/* SPDX-License-Identifier: Apache-2.0
 *
 * /_node/hot_threads: the process's threads by the processor time that they took. There are no stack traces: that is what
 * perf and gdb are for.
 */
#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text/utf8.h"
#include "services/api/api_private.h"

enum { THREADS_SHOWN_MAX = 500, THREADS_DEFAULT = 10, NAME_MAX_BYTES = 32, PATH_BYTES = 64 };

struct thread {
    long id;
    char name[NAME_MAX_BYTES];
    char state;
    uint64_t ticks;
};

/* "ID (NAME) STATE …": the name may have blanks and parentheses, so its end is the last one. */
static bool read_thread(long id, struct thread *out)
{
    char path[PATH_BYTES], line[512];
    unsigned long long user, kernel;
    snprintf(path, sizeof path, "/proc/self/task/%ld/stat", id);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    bool read = fgets(line, sizeof line, file);
    fclose(file);
    char *begins = read ? strchr(line, '(') : NULL, *ends = read ? strrchr(line, ')') : NULL;
    if (!begins || !ends ||
        sscanf(ends + 1, " %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &out->state,
               &user, &kernel) != 3)
        return false;
    *ends = 0;
    snprintf(out->name, sizeof out->name, "%s", begins + 1);
    out->id = id;
    out->ticks = user + kernel;
    return true;
}

static size_t read_threads(struct thread *out)
{
    size_t count = 0;
    DIR *directory = opendir("/proc/self/task");
    const struct dirent *entry;
    while (directory && count < THREADS_SHOWN_MAX && (entry = readdir(directory))) {
        int64_t id;
        if (str_to_int(str_from(entry->d_name), &id) && read_thread((long)id, &out[count]))
            count++;
    }
    if (directory)
        closedir(directory);
    return count;
}

static int compare(const void *a, const void *b)
{
    const struct thread *left = a, *right = b;
    return left->ticks < right->ticks ? 1 : left->ticks > right->ticks ? -1 : 0;
}

static const char *state_name(char state)
{
    return state == 'R' ? "runnable" : state == 'D' ? "blocked" : "timed_waiting";
}

static struct value thread_json(struct arena *arena, const struct thread *thread, double uptime_ms)
{
    enum { SHOWN = 100, MS = 1000, PERCENT = 100 };
    struct value object = value_object_new(arena, 0);
    double used_ms = (double)thread->ticks * MS / (double)sysconf(_SC_CLK_TCK);
    double percent = uptime_ms > 0 ? used_ms * PERCENT / uptime_ms : 0;
    value_object_set(arena, &object, STR("name"),
                     value_str(utf8_repair(arena, arena_dup(arena, str_from(thread->name)))));
    value_object_set(arena, &object, STR("thread_id"), value_int(thread->id));
    value_object_set(arena, &object, STR("percent_of_cpu_time"),
                     value_float((double)(int64_t)(percent * SHOWN) / SHOWN));
    value_object_set(arena, &object, STR("state"), value_str(str_from(state_name(thread->state))));
    value_object_set(arena, &object, STR("traces"), value_array_new(arena, 0));
    return object;
}

struct value api_hot_threads(struct arena *arena, uint64_t uptime_ms, size_t most)
{
    struct thread *threads = arena_alloc(arena, THREADS_SHOWN_MAX * sizeof *threads);
    struct value hot = value_object_new(arena, 0), list = value_array_new(arena, 0);
    char time[INSTANT_TEXT_MAX];
    size_t count = read_threads(threads);
    qsort(threads, count, sizeof *threads, compare);
    if (most == 0)
        most = THREADS_DEFAULT;
    count = count < most ? count : most;
    struct str now = arena_dup(arena, str_make(time, instant_format(clock_now(), time)));
    value_object_set(arena, &hot, STR("time"), value_str(now));
    value_object_set(arena, &hot, STR("busiest_threads"), value_int((int64_t)count));
    for (size_t i = 0; i < count; i++)
        value_array_push(arena, &list, thread_json(arena, &threads[i], (double)uptime_ms));
    value_object_set(arena, &hot, STR("threads"), list);
    return hot;
}

struct str api_hot_threads_text(struct arena *arena, const struct value *hot)
{
    const struct value *threads = value_object_get(hot, STR("threads"));
    struct str text = arena_printf(arena, "::: hot threads at %.*s, busiest %zu threads:\n",
                                   STR_FMT(value_as_str(value_object_get(hot, STR("time")))),
                                   value_array_count(threads));
    for (size_t i = 0; i < value_array_count(threads); i++) {
        const struct value *thread = value_array_at(threads, i);
        text = arena_printf(
            arena, "%.*s%.2f %% of cpu usage, state: %.*s, thread name: '%.*s', thread id: %lld\n",
            STR_FMT(text), value_as_float(value_object_get(thread, STR("percent_of_cpu_time"))),
            STR_FMT(value_as_str(value_object_get(thread, STR("state")))),
            STR_FMT(value_as_str(value_object_get(thread, STR("name")))),
            (long long)value_as_int(value_object_get(thread, STR("thread_id"))));
    }
    return text;
}
