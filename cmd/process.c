/* SPDX-License-Identifier: Apache-2.0 */
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "base/machine.h"
#include "cmd/process.h"

enum {
    MEMORY_DEFAULT_BYTES = 64 * 1024 * 1024,
    MEMORY_CGROUP_PERCENT = 35,
    KEPT_FREE_BYTES = 8 * 1024 * 1024,
    MMAP_FROM_BYTES = 4 * 1024 * 1024,
};

/* Batches come and go: their memory is kept for the next one instead of going back to the kernel each time. */
static void keep_memory(void)
{
    mallopt(M_TRIM_THRESHOLD, KEPT_FREE_BYTES);
    mallopt(M_MMAP_THRESHOLD, MMAP_FROM_BYTES);
}

/* Whoever may list processes sees their arguments. What may hold a password is taken out of them: the text of a
 * pipeline, and the API's password. */
static void hide_argument(int argc, char **argv, struct str text)
{
    static const struct str MARK = STR_INIT("***");
    for (int i = 1; text.len > 0 && i < argc; i++) {
        struct str word = str_from(argv[i]);
        if (!str_ends_with(word, text))
            continue;
        char *at = argv[i] + word.len - text.len;
        memset(at, 0, text.len);
        memcpy(at, MARK.ptr, text.len < MARK.len ? text.len : MARK.len);
    }
}

void process_hide_arguments(const struct settings *settings, int argc, char **argv)
{
    hide_argument(argc, argv, settings->config_string);
    hide_argument(argc, argv, settings->api_password);
    hide_argument(argc, argv, settings->api_keystore_password);
}

/* Files and connections may take as many descriptors as this process is allowed to have. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

void process_prepare(void)
{
    keep_memory();
    raise_descriptor_limit();
    signal(SIGPIPE, SIG_IGN); /* a reader that went away is an error of that write */
    signal(SIGHUP, SIG_IGN);  /* until there is a loop that knows what to do with it */
}

size_t process_memory_budget(const struct settings *settings)
{
    if (settings->memory_bytes > 0)
        return (size_t)settings->memory_bytes;
    size_t limit = machine_memory_limit();
    size_t share = limit == SIZE_MAX ? SIZE_MAX : limit / 100 * MEMORY_CGROUP_PERCENT;
    return share < MEMORY_DEFAULT_BYTES ? share : MEMORY_DEFAULT_BYTES;
}
