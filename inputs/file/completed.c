/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "inputs/file/file_input.h"

static void write_log(const struct watched_file *file)
{
    const struct file_input *input = file->input;
    struct arena arena;
    arena_init(&arena, NULL);
    const char *log_path = arena_cstr(&arena, input->options.completed_log_path);
    struct str line = arena_printf(&arena, "%s\n", file->path);
    int fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, line.ptr, line.len) != (ssize_t)line.len)
        log_error(input->env->log, "file_completed_log", "cannot write file_completed_log_path",
                  LOG_CSTR("path", log_path), LOG_CSTR("reason", strerror(errno)));
    if (fd >= 0)
        close(fd);
    arena_release(&arena);
}

static void delete_file(struct watched_file *file)
{
    struct file_input *input = file->input;
    if (unlink(file->path) != 0 && errno != ENOENT) {
        log_error(input->env->log, "file_not_deleted", "cannot delete a file that was read",
                  LOG_CSTR("path", file->path), LOG_CSTR("reason", strerror(errno)));
        return;
    }
    sincedb_remove(&input->sincedb, file->identity);
    file->gone = true;
}

/* The file under its path is still the one that was read, and nothing was written to it since it was opened. What was,
 * the next look finds. */
static bool is_all_read(const struct watched_file *file, struct stat *status)
{
    return stat(file->path, status) == 0 &&
           file_identity_equal(file_identity_of(status), file->identity) &&
           (file->gzip || (uint64_t)status->st_size <= file->position);
}

void completed_run(struct watched_file *file)
{
    assert(file->state == WATCHED_DRAINING && stream_in_flight(file->stream) == 0);
    struct file_input *input = file->input;
    int action = input->options.completed_action;
    struct stat status;
    bool complete = is_all_read(file, &status);
    struct sincedb_record *record = sincedb_find(&input->sincedb, file->identity);
    bool archive = file->gzip;
    opening_close(file);
    if (complete && archive) {
        file->position = (uint64_t)status.st_size;
        if (record)
            sincedb_move(&input->sincedb, record, file->position, file_input_now(input));
    }
    states_set(file, WATCHED_CLOSED);
    if (complete && action != FILE_DELETE)
        write_log(file);
    if (complete && action != FILE_LOG)
        delete_file(file);
    if (complete || input->options.exit_after_read)
        reader_finished(file);
}
