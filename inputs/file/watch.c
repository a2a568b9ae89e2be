/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "inputs/file/file_input.h"

enum { GONE_GRACE_MS = 60 * 1000 }; /* a file without a name may still be written to */

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

static uint64_t begin_record(struct watched_file *file, const struct stat *status)
{
    struct file_input *input = file->input;
    uint64_t size = (uint64_t)status->st_size;
    struct sincedb_record *record = sincedb_find(&input->sincedb, file->identity);
    if (!record) {
        record = sincedb_add(&input->sincedb, file->identity);
        sincedb_move(&input->sincedb, record, first_position(input, status), file_input_now(input));
    } else if (record->position > size) { /* truncated, or another file with a used inode */
        sincedb_move(&input->sincedb, record, 0, file_input_now(input));
    }
    record->watched = true;
    sincedb_set_path(&input->sincedb, record, file->path);
    return record->position;
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
    file->position = begin_record(file, status);
    map_set(&input->files, file_identity_key(&file->identity), file);
    input->unfinished++;
    return file;
}

void watch_forget(struct watched_file *file)
{
    struct file_input *input = file->input;
    assert(!file->stream && file->fd < 0);
    assert(file->state == WATCHED_CLOSED || file->state == WATCHED_IDLE);
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

static bool is_finished_archive(const struct watched_file *file, const struct stat *status)
{
    return file->input->options.mode == FILE_MODE_READ && gzip_source_is_name(file->path) &&
           file->position == (uint64_t)status->st_size;
}

static void begin_file(struct watched_file *file)
{
    struct stat status;
    if (stat(file->path, &status) != 0)
        return;
    bool archive = file->input->options.mode == FILE_MODE_READ && gzip_source_is_name(file->path);
    if (archive && !is_finished_archive(file, &status))
        file->position = 0; /* a part of an archive has no position */
    bool read_mode = file->input->options.mode == FILE_MODE_READ;
    bool has_more = (uint64_t)status.st_size > file->position;
    if (has_more || (read_mode && status.st_size == 0))
        reader_enqueue(file);
    else if (read_mode)
        reader_finished(file);
}

void watch_discover(struct file_input *input)
{
    struct arena arena;
    arena_init(&arena, NULL);
    struct path_list paths = {0};
    for (size_t i = 0; i < input->options.path.count; i++)
        path_match(&arena, input->options.path.items[i], &input->options.exclude, &paths);
    struct watched_file **found = arena_alloc(&arena, paths.count * sizeof(struct watched_file *));
    size_t count = 0;
    for (size_t i = 0; i < paths.count; i++) {
        struct stat status;
        if (stat(paths.items[i], &status) != 0 || !S_ISREG(status.st_mode))
            continue;
        struct watched_file *file = look_at(input, paths.items[i], &status);
        if (file)
            found[count++] = file;
    }
    mark_gone(input);
    input->discovered = true;
    if (count > 0)
        qsort(found, count, sizeof(struct watched_file *), compare_found);
    for (size_t i = 0; i < count; i++)
        begin_file(found[i]);
    arena_release(&arena);
}

/* ---- looking after files ------------------------------------------------------------------------ */

static bool is_quiet(const struct watched_file *file, int64_t for_ms)
{
    return uv_now(file->input->env->loop) - file->last_read_ms >= (uint64_t)for_ms &&
           stream_in_flight(file->stream) == 0;
}

/* Reads on where the size says so. */
static void follow_size(struct watched_file *file, const struct stat *status)
{
    uint64_t size = (uint64_t)status->st_size;
    if (size < file->position && !gzip_source_is_name(file->path)) {
        struct sincedb_record *record = sincedb_find(&file->input->sincedb, file->identity);
        log_info(file->input->env->log, "file_truncated",
                 "a file was truncated, reading it from its start", LOG_CSTR("path", file->path));
        reader_restart_from(file, 0);
        if (record)
            sincedb_move(&file->input->sincedb, record, 0, file_input_now(file->input));
    }
    if (size > file->position)
        reader_enqueue(file);
}

/* No path leads there any more: true when it can be forgotten. */
static bool leave_gone(struct watched_file *file)
{
    if (file->state == WATCHED_CLOSED)
        return true;
    if (file->state != WATCHED_IDLE || !is_quiet(file, GONE_GRACE_MS))
        return false;
    struct stat status;
    bool deleted = fstat(file->fd, &status) == 0 && status.st_nlink == 0;
    if (stream_codec_pending(file->stream) > 0) {
        reader_flush(file); /* it comes back here when that is acknowledged */
        return false;
    }
    reader_close(file);
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
static bool look_after(struct watched_file *file)
{
    int64_t close_older = file->input->options.close_older_ms;
    bool followed = !file->broken && !(file->finished && file->input->options.exit_after_read);
    struct stat status;
    if (file->state == WATCHED_CLOSED && followed) {
        if (has_moved(file, &status))
            return true;
        follow_size(file, &status);
    } else if (file->state == WATCHED_IDLE && followed && fstat(file->fd, &status) == 0) {
        follow_size(file, &status);
        if (file->state != WATCHED_IDLE)
            return false;
        if (holds_too_long(file))
            reader_flush(file);
        if (file->stream && close_older > 0 && is_quiet(file, close_older)) {
            reader_close(file);
            reader_set_state(file, WATCHED_CLOSED);
        }
        return !file->gone && has_moved(file, &status);
    }
    return false;
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
            file->next_queued = forgotten;
            forgotten = file;
        } else if (look_after(file)) {
            moved = true;
        }
    }
    while (forgotten) {
        struct watched_file *next = forgotten->next_queued;
        watch_forget(forgotten);
        forgotten = next;
    }
    input->ticks++;
    bool due = input->ticks % (uint64_t)input->options.discover_interval == 0;
    if ((due || moved) && !input->options.exit_after_read)
        watch_discover(input);
}
