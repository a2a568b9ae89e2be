/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "inputs/file/file_input.h"

enum {
    GONE_GRACE_MS = 60 * 1000, /* a file without a name may still be written to */
    PATTERN_TOLD_MAX = 4096 + 16,
};

/* ---- finding files ------------------------------------------------------------------------------ */

static struct str path_in_arena(struct file_input *input, const char *path)
{
    struct str *known = map_get(&input->paths, str_from(path));
    if (known)
        return *known;
    struct str *added = arena_alloc(input->env->arena, sizeof *added);
    *added = arena_dup(input->env->arena, str_from(path));
    map_set(&input->paths, str_from(path), added);
    return *added;
}

static void set_path(struct watched_file *file, const char *path)
{
    if (file->path && strcmp(file->path, path) == 0)
        return;
    mem_free(file->path);
    file->path = mem_strdup(path);
    file->shared_path = path_in_arena(file->input, path);
    file->reads_archive =
        file->input->options.mode == FILE_MODE_READ && gzip_source_is_name(path) && !file->stream;
}

static bool is_too_old(const struct file_input *input, const struct stat *status)
{
    int64_t limit = input->options.ignore_older_ms;
    double age_ms = (file_input_now(input) - (double)status->st_mtim.tv_sec) * 1000;
    return limit > 0 && age_ms > (double)limit;
}

/* Where reading a file begins that no record says anything about. */
static uint64_t first_position(const struct file_input *input, const struct stat *status)
{
    const struct file_options *options = &input->options;
    bool from_end = options->mode == FILE_MODE_TAIL && options->start_position == FILE_START_END &&
                    !input->discovered;
    return from_end || is_too_old(input, status) ? (uint64_t)status->st_size : 0;
}

double watch_not_before(const struct file_input *input)
{
    return file_input_now(input) - (double)input->options.sincedb_clean_after_ms / 1000;
}

/* A record that has expired still counts when its fingerprint says that it is this file's. */
static struct sincedb_record *find_record(struct file_input *input, struct file_identity identity)
{
    struct sincedb_record *record = sincedb_find(&input->sincedb, identity);
    if (record && record->head.len == 0 && record->last_active > 0 &&
        record->last_active < watch_not_before(input)) {
        sincedb_remove(&input->sincedb, identity);
        return NULL;
    }
    return record;
}

static void begin_record(struct watched_file *file, const struct stat *status)
{
    struct file_input *input = file->input;
    struct sincedb_record *record = find_record(input, file->identity);
    if (!record) {
        record = sincedb_add(&input->sincedb, file->identity);
        sincedb_move(&input->sincedb, record, first_position(input, status), file_input_now(input));
    } else if (record->head.len == 0) {
        file->record_active = record->last_active;
        file->record_renamed = record->path && strcmp(record->path, file->path) != 0;
    }
    record->watched = true;
    sincedb_set_path(&input->sincedb, record, file->path);
    file->head = record->head;
    file->position = record->position;
}

static struct watched_file *new_file(struct file_input *input, const char *path,
                                     const struct stat *status)
{
    struct watched_file *file = mem_zero(1, sizeof *file);
    file->input = input;
    file->identity = file_identity_of(status);
    file->fd = -1;
    file->modified_ms = status->st_mtim.tv_sec * 1000 + status->st_mtim.tv_nsec / 1000000;
    file->last_read_ms = uv_now(input->env->loop);
    set_path(file, path);
    begin_record(file, status);
    map_set(&input->files, file_identity_key(&file->identity), file);
    input->unfinished++;
    return file;
}

void watch_forget(struct watched_file *file)
{
    struct file_input *input = file->input;
    assert(!file->stream && file->fd < 0 && !file->list);
    assert(file->state == WATCHED_CLOSED);
    struct sincedb_record *record = sincedb_find(&input->sincedb, file->identity);
    if (record)
        record->watched = false;
    map_remove(&input->files, file_identity_key(&file->identity));
    if (!file->finished)
        input->unfinished--;
    mem_free(file->path);
    mem_free(file);
}

static int compare_found(const void *left, const void *right)
{
    const struct watched_file *a = *(struct watched_file *const *)left;
    const struct watched_file *b = *(struct watched_file *const *)right;
    const struct file_options *options = &a->input->options;
    int order = strcmp(a->path, b->path);
    if (options->sort_by == FILE_SORT_MODIFIED && a->modified_ms != b->modified_ms)
        order = a->modified_ms < b->modified_ms ? -1 : 1;
    return options->sort_direction == FILE_DESCENDING ? -order : order;
}

/* A path that matches. The file when it is a new one. */
static struct watched_file *look_at(struct file_input *input, const char *path,
                                    const struct stat *status)
{
    struct file_identity identity = file_identity_of(status);
    struct watched_file *file = map_get(&input->files, file_identity_key(&identity));
    bool is_new = !file;
    if (is_new && input->stopping)
        return NULL;
    if (is_new) {
        file = new_file(input, path, status);
    } else if (!file->seen && file->state != WATCHED_READING) {
        struct sincedb_record *record = sincedb_find(&input->sincedb, identity);
        set_path(file, path); /* it may have been renamed; a second hard link changes nothing */
        if (record)
            sincedb_set_path(&input->sincedb, record, path);
    }
    file->seen = true;
    file->gone = false;
    return is_new ? file : NULL;
}

static void mark_gone(struct file_input *input)
{
    size_t at = 0;
    struct str key;
    void *value;
    while (map_next(&input->files, &at, &key, &value)) {
        struct watched_file *file = value;
        file->gone = file->gone || !file->seen;
        file->seen = false;
    }
}

/* ---- what the paths lead to --------------------------------------------------------------------- */

struct discovery {
    struct file_input *input;
    struct arena arena;
    struct path_list paths;
    struct watched_file **found; /* the new ones */
    size_t count;
};

static void tell_unreadable(void *ctx, const char *path, int number)
{
    struct file_input *input = ctx;
    if (told_is_new(&input->told, path))
        log_warn(input->env->log, "path_unreadable",
                 "cannot look for files, trying again each time new files are looked for",
                 LOG_CSTR("path", path), LOG_CSTR("reason", strerror(number)));
}

/* A path without wildcards says itself why it leads nowhere. */
static bool is_out_of_reach(struct file_input *input, struct str pattern)
{
    char path[PATH_MAX];
    struct stat status;
    if (pattern.len >= sizeof path)
        return false;
    (void)snprintf(path, sizeof path, "%.*s", STR_FMT(pattern));
    if (strpbrk(path, "*?[{") || stat(path, &status) == 0 || errno == ENOENT || errno == ENOTDIR)
        return false;
    tell_unreadable(input, path, errno);
    return true;
}

static void tell_no_file(struct file_input *input, struct str pattern)
{
    char thing[PATTERN_TOLD_MAX];
    if (is_out_of_reach(input, pattern))
        return;
    (void)snprintf(thing, sizeof thing, "pattern %.*s", STR_FMT(pattern));
    if (told_is_new(&input->told, thing))
        log_warn(input->env->log, "no_file_matches", "no file matches a path so far",
                 LOG_STR("path", pattern));
}

/* Lines of an archive can only be read in read mode. */
static bool is_left_out(struct file_input *input, const char *path)
{
    if (input->options.mode == FILE_MODE_READ || !gzip_source_is_name(path))
        return false;
    if (!input->told_archive)
        log_warn(input->env->log, "archives_left_out",
                 "compressed files are left out, mode => \"tail\" follows text; mode => \"read\" "
                 "reads them",
                 LOG_CSTR("path", path));
    input->told_archive = true;
    return true;
}

static bool is_readable_kind(struct file_input *input, const char *path, const struct stat *status)
{
    if (S_ISREG(status->st_mode))
        return true;
    if (!S_ISDIR(status->st_mode) && told_is_new(&input->told, path))
        log_warn(input->env->log, "not_a_file",
                 "a path leads to something that is no regular file, it is left out",
                 LOG_CSTR("path", path));
    return false;
}

/* True when the path counts as a match of its pattern. */
static bool look_at_path(struct discovery *look, const char *path)
{
    struct file_input *input = look->input;
    struct stat status;
    if (stat(path, &status) != 0) {
        if (errno != ENOENT && errno != ENOTDIR)
            tell_unreadable(input, path, errno);
        return false;
    }
    if (!is_readable_kind(input, path, &status))
        return false;
    if (is_left_out(input, path))
        return true;
    struct watched_file *file = look_at(input, path, &status);
    if (file)
        look->found[look->count++] = file;
    return true;
}

static void look_at_paths(struct discovery *look)
{
    struct file_input *input = look->input;
    const struct option_strings *patterns = &input->options.path;
    size_t *ends = arena_alloc(&look->arena, (patterns->count + 1) * sizeof *ends);
    look->paths = (struct path_list){.unreadable = tell_unreadable, .ctx = input};
    for (size_t i = 0; i < patterns->count; i++) {
        path_match(&look->arena, patterns->items[i], &input->options.exclude, &look->paths);
        ends[i] = look->paths.count;
    }
    look->found =
        arena_alloc(&look->arena, (look->paths.count + 1) * sizeof(struct watched_file *));
    for (size_t i = 0, at = 0; i < patterns->count; i++) {
        bool matched = false;
        for (; at < ends[i]; at++)
            matched = look_at_path(look, look->paths.items[at]) || matched;
        if (!matched)
            tell_no_file(input, patterns->items[i]);
    }
}

void watch_discover(struct file_input *input)
{
    struct discovery look = {.input = input};
    arena_init(&look.arena, NULL);
    told_begin(&input->told);
    look_at_paths(&look);
    told_end(&input->told);
    mark_gone(input);
    input->discovered = true;
    sincedb_expire(&input->sincedb, watch_not_before(input));
    if (look.count > 0)
        qsort(look.found, look.count, sizeof(struct watched_file *), compare_found);
    for (size_t i = 0; i < look.count; i++)
        states_enqueue(look.found[i]);
    arena_release(&look.arena);
}

/* ---- looking after files ------------------------------------------------------------------------ */

static bool is_quiet(const struct watched_file *file, int64_t for_ms)
{
    return uv_now(file->input->env->loop) - file->last_read_ms >= (uint64_t)for_ms &&
           stream_in_flight(file->stream) == 0;
}

/* Reads on where something has changed, after a look at the first bytes. */
static void follow(struct watched_file *file, const struct stat *status)
{
    bool changed = identify_has_changed(file, status);
    if (file->checked && !changed)
        return;
    file->checked = false;
    if (changed)
        file->archive_is_whole = false;
    states_enqueue(file);
}

/* No path leads there any more: true when it can be forgotten. */
static bool leave_gone(struct watched_file *file)
{
    if (file->state == WATCHED_BLOCKED)
        states_set(file, WATCHED_CLOSED);
    if (file->state == WATCHED_CLOSED)
        return true;
    if (file->state != WATCHED_IDLE || !file->stream || !is_quiet(file, GONE_GRACE_MS))
        return false;
    struct stat status;
    bool deleted = fstat(file->fd, &status) == 0 && status.st_nlink == 0;
    if (reader_held(file) > 0) {
        reader_flush(file); /* it comes back here when that is acknowledged */
        return false;
    }
    opening_close(file);
    states_set(file, WATCHED_CLOSED);
    if (deleted && sincedb_find(&file->input->sincedb, file->identity))
        sincedb_remove(&file->input->sincedb, file->identity);
    return true;
}

/* Whether the path leads to another file now, or nowhere. */
static bool has_moved(const struct watched_file *file, struct stat *status)
{
    return stat(file->path, status) != 0 ||
           !file_identity_equal(file_identity_of(status), file->identity);
}

/* Codecs that hold lines say for how long after the last bytes. */
static bool holds_too_long(const struct watched_file *file)
{
    const struct codec_instance *codec = file->stream ? stream_codec(file->stream) : NULL;
    unsigned after_ms =
        codec && codec->codec->flush_after_ms ? codec->codec->flush_after_ms(codec->self) : 0;
    return after_ms > 0 && is_quiet(file, after_ms);
}

/* True when the paths should be looked at again. */
static bool look_after_idle(struct watched_file *file, struct stat *status)
{
    int64_t close_older = file->input->options.close_older_ms;
    follow(file, status);
    if (file->state != WATCHED_IDLE)
        return false;
    if (holds_too_long(file))
        reader_flush(file);
    if (file->stream && close_older > 0 && is_quiet(file, close_older)) {
        opening_close(file);
        states_set(file, WATCHED_CLOSED);
    }
    return !file->gone && has_moved(file, status);
}

static bool look_after(struct watched_file *file)
{
    struct stat status;
    if (file->finished && file->input->options.exit_after_read)
        return false;
    if (file->state == WATCHED_IDLE)
        return fstat(file->fd, &status) == 0 && look_after_idle(file, &status);
    if (file->state != WATCHED_CLOSED)
        return false;
    if (has_moved(file, &status))
        return true;
    follow(file, &status);
    return false;
}

static void forget_all(struct watched_file *forgotten)
{
    while (forgotten) {
        struct watched_file *next = forgotten->next;
        forgotten->next = NULL;
        watch_forget(forgotten);
        forgotten = next;
    }
}

void watch_tick(struct file_input *input)
{
    bool moved = false;
    size_t at = 0;
    struct str key;
    void *value;
    struct watched_file *forgotten = NULL;
    while (map_next(&input->files, &at, &key, &value)) {
        struct watched_file *file = value;
        if (file->gone && leave_gone(file)) {
            assert(!file->list);
            file->next = forgotten; /* the map is not to change meanwhile */
            forgotten = file;
        } else if (look_after(file)) {
            moved = true;
        }
    }
    forget_all(forgotten);
    descriptors_wake(input);
    input->ticks++;
    bool due = input->ticks % (uint64_t)input->options.discover_interval == 0;
    if ((due || moved) && !input->options.exit_after_read)
        watch_discover(input);
}

/* ---- before the stop ---------------------------------------------------------------------------- */

static bool is_lost_sight_of(const struct watched_file *file)
{
    struct stat status;
    return file->fd >= 0 && !file->gone && has_moved(file, &status);
}

void watch_look_again(struct file_input *input)
{
    size_t at = 0;
    struct str key;
    void *value;
    assert(input->stopping);
    while (map_next(&input->files, &at, &key, &value)) {
        if (is_lost_sight_of(value)) {
            watch_discover(input);
            return;
        }
    }
}
