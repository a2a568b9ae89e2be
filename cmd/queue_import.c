/* SPDX-License-Identifier: Apache-2.0
 *
 * `millrace queue import`: lines become records of a queue that nobody has open.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/queue.h"
#include "io/directory.h"
#include "io/segment_format.h"
#include "io/segment_log.h"
#include "pipeline/delivery/disk_queue.h"
#include "pipeline/delivery/queue_line.h"
#include "pipeline/delivery/queue_record.h"

enum {
    RECORD_BYTES = 1024 * 1024,
    RECORD_EVENTS = 2000,
    LINE_MAX_BYTES = 200 * 1024 * 1024, /* a record of such a line is smaller than one may be */
    SEGMENT_BYTES = 8 * 1024 * 1024,
};

struct import {
    struct segment_log *log;
    struct arena events;
    struct json_reader *json;
    struct buf record;
    struct queue_record_writer writer;
    uint64_t count, line;
};

static bool end_record(struct import *import, struct error *err)
{
    if (import->writer.count == 0)
        return true;
    (void)queue_record_end(&import->writer);
    bool written = segment_log_append(import->log, buf_str(&import->record), err);
    import->record.len = 0;
    import->writer.count = 0;
    return written;
}

static bool take_line(struct import *import, struct str line, struct error *err)
{
    import->line++;
    if (str_trim(line).len == 0)
        return true;
    arena_reset(&import->events);
    const struct event *event = queue_line_read(&import->events, import->json, line, err);
    if (!event)
        return error_prefix(err, "line %" PRIu64, import->line);
    if (import->writer.count == 0)
        (void)queue_record_begin(&import->writer, &import->record);
    if (!queue_record_add(&import->writer, event))
        return error_set(err, ERROR_LIMIT, "line %" PRIu64 " is too large for a queue",
                         import->line);
    import->writer.events.record = NULL; /* it was in the arena */
    import->count++;
    return (import->record.len < RECORD_BYTES && import->writer.count < RECORD_EVENTS) ||
           end_record(import, err);
}

static bool take_all(struct import *import, struct error *err)
{
    char *line = NULL;
    size_t capacity = 0;
    bool fine = true;
    for (ssize_t len; fine && (len = getline(&line, &capacity, stdin)) >= 0;)
        fine = len <= LINE_MAX_BYTES
                   ? take_line(import, str_make(line, (size_t)len), err)
                   : error_set(err, ERROR_LIMIT, "line %" PRIu64 " is too long", import->line + 1);
    free(line); /* the system's */
    if (fine && ferror(stdin))
        fine = error_set(err, ERROR_IO, "cannot read standard input");
    return fine && end_record(import, err) && segment_log_sync(import->log, err);
}

/* The segments behind the last one that was there before. */
static void take_back(const char *folder, uint64_t last)
{
    size_t count;
    uint64_t *numbers = segment_list(folder, &count);
    for (size_t i = 0; i < count; i++) {
        char path[SEGMENT_PATH_MAX];
        if (numbers[i] > last && segment_path(path, folder, numbers[i], "log"))
            (void)unlink(path);
    }
    mem_free(numbers);
}

static uint64_t last_number(const char *folder)
{
    size_t count;
    uint64_t *numbers = segment_list(folder, &count);
    uint64_t last = count > 0 ? numbers[count - 1] : 0;
    mem_free(numbers);
    return last;
}

static bool import_into(const char *folder, struct import *import, struct error *err)
{
    uint64_t last = last_number(folder);
    import->log = segment_log_open(folder, SEGMENT_BYTES, err);
    if (!import->log)
        return false;
    arena_init(&import->events, NULL);
    buf_init(&import->record, SEGMENT_RECORD_MAX);
    import->json = json_reader_new();
    bool fine = take_all(import, err);
    segment_log_close(import->log);
    if (!fine)
        take_back(folder, last);
    json_reader_free(import->json);
    buf_release(&import->record);
    arena_release(&import->events);
    return fine;
}

int queue_import(const struct queue_command *command)
{
    struct import import = {.count = 0};
    struct error err = {0};
    int lock_fd = -1;
    struct str pipeline = command->settings.pipeline_id;
    const char *folder = queue_command_folder(command, pipeline);
    bool fine = directory_make(folder, 0700, &err) && disk_queue_claim(folder, &lock_fd, &err) &&
                import_into(folder, &import, &err);
    if (lock_fd >= 0)
        (void)close(lock_fd);
    if (!fine) {
        fprintf(stderr, "millrace queue: %s; nothing was imported\n", err.text);
        return EXIT_ERROR;
    }
    printf("%" PRIu64 " event%s imported into the queue of pipeline '%.*s'\n", import.count,
           import.count == 1 ? "" : "s", STR_FMT(pipeline));
    return EXIT_DONE;
}
