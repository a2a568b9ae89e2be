/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/engine/data_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

enum { DIRECTORY_MODE = 0700, FILE_MODE = 0600, PID_TEXT = 32 };

struct data_use {
    struct data_use *next;
    char *file, *user;
    char *announcer;
};

void data_path_init(struct data_path *data, const char *path)
{
    *data = (struct data_path){.path = path, .lock_fd = -1};
}

static bool make_directories(struct arena *arena, const char *path, struct error *err)
{
    char *part = arena_cstr(arena, str_from(path));
    for (char *at = part + 1;; at++) {
        if (*at != '/' && *at != 0)
            continue;
        char kept = *at;
        *at = 0;
        if (mkdir(part, DIRECTORY_MODE) != 0 && errno != EEXIST)
            return error_set(err, ERROR_IO, "cannot make '%s': %s; choose another directory", part,
                             strerror(errno));
        *at = kept;
        if (kept == 0)
            return true;
    }
}

/* Says who holds the lock, as far as the file tells. */
static bool already_locked(int fd, const char *path, struct error *err)
{
    char pid[PID_TEXT] = "";
    ssize_t len = pread(fd, pid, sizeof pid - 1, 0);
    if (len > 0)
        pid[strcspn(pid, "\n")] = 0;
    close(fd);
    return error_set(err, ERROR_BUSY,
                     "'%s' is in use by another millrace (pid %s); give each its own directory",
                     path, len > 0 ? pid : "unknown");
}

static bool claim(struct data_path *data, struct arena *arena, struct error *err)
{
    if (data->lock_fd >= 0)
        return true;
    if (!make_directories(arena, data->path, err))
        return false;
    struct str lock = arena_printf(arena, "%s/.lock", data->path);
    int fd = open(lock.ptr, O_RDWR | O_CREAT | O_CLOEXEC, FILE_MODE);
    if (fd < 0)
        return error_set(err, ERROR_IO, "cannot open '%s': %s", lock.ptr, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        return already_locked(fd, data->path, err);
    if (ftruncate(fd, 0) != 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
        close(fd);
        return error_set(err, ERROR_IO, "cannot write '%s': %s", lock.ptr, strerror(errno));
    }
    data->lock_fd = fd;
    return true;
}

bool data_path_make(struct data_path *data, const char *below, struct arena *arena,
                    const char **out, struct error *err)
{
    if (!claim(data, arena, err))
        return false;
    *out = arena_printf(arena, "%s/%s", data->path, below).ptr;
    return make_directories(arena, *out, err);
}

void data_path_announce(struct data_path *data, const char *file, const char *user)
{
    struct data_use **last = &data->uses;
    while (*last)
        last = &(*last)->next;
    *last = mem_zero(1, sizeof **last);
    (*last)->file = mem_strdup(file);
    (*last)->user = mem_strdup(user);
    (*last)->announcer = mem_strdup(data->announcer ? data->announcer : "");
}

const char *data_path_user(const struct data_path *data, const char *file, size_t at)
{
    for (const struct data_use *use = data->uses; use; use = use->next) {
        if (strcmp(use->file, file) == 0 && at-- == 0)
            return use->user;
    }
    return NULL;
}

struct data_use *data_path_take(struct data_path *data, const char *announcer)
{
    struct data_use *taken = NULL, **end = &taken, **at = &data->uses;
    while (*at) {
        struct data_use *use = *at;
        if (strcmp(use->announcer, announcer) != 0) {
            at = &use->next;
            continue;
        }
        *at = use->next;
        use->next = NULL;
        *end = use;
        end = &use->next;
    }
    return taken;
}

void data_path_put(struct data_path *data, struct data_use *uses)
{
    struct data_use **last = &data->uses;
    while (*last)
        last = &(*last)->next;
    *last = uses;
}

void data_path_free_uses(struct data_use *uses)
{
    while (uses) {
        struct data_use *use = uses;
        uses = use->next;
        mem_free(use->file);
        mem_free(use->user);
        mem_free(use->announcer);
        mem_free(use);
    }
}

void data_path_release(struct data_path *data)
{
    data_path_free_uses(data->uses);
    data->uses = NULL;
    if (data->lock_fd >= 0)
        close(data->lock_fd);
    data->lock_fd = -1;
}
