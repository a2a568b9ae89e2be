/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads a log from its first segment on, over whatever is damaged.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "io/directory.h"
#include "io/segment_format.h"
#include "io/segment_log.h"

enum {
    WINDOW_BYTES = 64 * 1024,
    WINDOW_MAX = SEGMENT_RECORD_MAX + WINDOW_BYTES,
    KEPT_APART_STEP = 1000000000,     /* a number that was kept apart before comes again */
    DONE_FILE_MAX = 64 * 1024 * 1024, /* four million marks */
};

/* What is known of a segment that is not all done. */
struct segment_state {
    uint64_t number;
    uint32_t salt;
    bool knows_salt;
    bool ended; /* read to its end, and nothing comes behind it any more */
    bool marks_unsynced;
    bool marks_missing;     /* some could not be written */
    uint64_t open;          /* whole records that were read and are not done */
    uint64_t damaged_bytes; /* seen so far */
    uint64_t *done;         /* offsets, ascending */
    size_t done_count, done_capacity;
    int done_fd; /* -1: not open */
};

struct segment_reader {
    char folder[SEGMENT_PATH_MAX];
    struct segment_state *states; /* ascending; the last one is being read while fd is open */
    size_t state_count, state_capacity;
    uint64_t last_number; /* of the segment read last; 0: none yet */
    int fd;
    uint64_t size, offset;
    uint64_t searched_size; /* of the file when the rest of it was searched in vain */
    struct buf window;
    uint64_t window_at;
    struct segment_damage damage;
};

struct segment_reader *segment_reader_open(const char *folder)
{
    struct segment_reader *reader = mem_zero(1, sizeof *reader);
    (void)snprintf(reader->folder, sizeof reader->folder, "%s", folder);
    reader->fd = -1;
    buf_init(&reader->window, WINDOW_MAX);
    return reader;
}

static void release_state(struct segment_state *state)
{
    if (state->done_fd >= 0)
        (void)close(state->done_fd);
    mem_free(state->done);
}

static void close_file(struct segment_reader *reader)
{
    if (reader->fd >= 0)
        (void)close(reader->fd);
    reader->fd = -1;
    buf_clear(&reader->window, WINDOW_BYTES * 2);
}

void segment_reader_rewind(struct segment_reader *reader)
{
    close_file(reader);
    for (size_t i = 0; i < reader->state_count; i++)
        release_state(&reader->states[i]);
    reader->state_count = 0;
    reader->last_number = 0;
    reader->damage = (struct segment_damage){0};
}

void segment_reader_close(struct segment_reader *reader)
{
    if (!reader)
        return;
    segment_reader_rewind(reader);
    buf_release(&reader->window);
    mem_free(reader->states);
    mem_free(reader);
}

struct segment_damage segment_reader_damage(const struct segment_reader *reader)
{
    return reader->damage;
}

/* ---- bytes of the file ---------------------------------------------------------------------------- */

static void look_at_size(struct segment_reader *reader)
{
    struct stat status;
    if (fstat(reader->fd, &status) == 0)
        reader->size = (uint64_t)status.st_size;
}

static bool fill_window(struct segment_reader *reader, uint64_t offset, size_t len)
{
    size_t want = len > WINDOW_BYTES ? len : WINDOW_BYTES;
    buf_clear(&reader->window, want > WINDOW_BYTES ? want : WINDOW_BYTES * 2);
    if (!buf_reserve(&reader->window, want))
        return false;
    reader->window_at = offset;
    while (reader->window.len < want) {
        ssize_t got = pread(reader->fd, reader->window.ptr + reader->window.len,
                            want - reader->window.len, (off_t)(offset + reader->window.len));
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        reader->window.len += (size_t)got;
    }
    return reader->window.len >= len;
}

/* `len` bytes at an offset, valid until the next call; NULL when there are not so many. */
static const unsigned char *bytes_at(struct segment_reader *reader, uint64_t offset, size_t len)
{
    bool inside =
        offset >= reader->window_at && offset - reader->window_at + len <= reader->window.len;
    if (!inside && (offset + len > reader->size || !fill_window(reader, offset, len)))
        return NULL;
    return (const unsigned char *)reader->window.ptr + (offset - reader->window_at);
}

/* ---- records -------------------------------------------------------------------------------------- */

static struct segment_state *reading(struct segment_reader *reader)
{
    assert(reader->state_count > 0);
    return &reader->states[reader->state_count - 1];
}

static bool whole_record(struct segment_reader *reader, uint64_t offset, struct str *payload)
{
    struct segment_state *state = reading(reader);
    const unsigned char *at = bytes_at(reader, offset, SEGMENT_RECORD_HEAD_BYTES);
    if (!at)
        return false;
    struct segment_record_head head = segment_record_head_read(at);
    uint64_t end = offset + SEGMENT_RECORD_HEAD_BYTES + head.len;
    if ((state->knows_salt && head.salt != state->salt) || head.len > SEGMENT_RECORD_MAX ||
        end > reader->size)
        return false;
    at = bytes_at(reader, offset, SEGMENT_RECORD_HEAD_BYTES + head.len);
    if (!at || !segment_record_is_whole(&head, at + SEGMENT_RECORD_HEAD_BYTES))
        return false;
    state->salt = head.salt;
    state->knows_salt = true;
    *payload = str_make((const char *)at + SEGMENT_RECORD_HEAD_BYTES, head.len);
    return true;
}

static void count_damage(struct segment_reader *reader, uint64_t bytes)
{
    reading(reader)->damaged_bytes += bytes;
    reader->damage.bytes += bytes;
    reader->damage.places++;
}

/* The record at the offset, else the next whole one behind what is damaged there. */
static bool find_record(struct segment_reader *reader, struct str *payload)
{
    if (whole_record(reader, reader->offset, payload))
        return true;
    if (reader->searched_size == reader->size)
        return false;
    for (uint64_t at = reader->offset + 1; at + SEGMENT_RECORD_HEAD_BYTES <= reader->size; at++) {
        if (!whole_record(reader, at, payload))
            continue;
        count_damage(reader, at - reader->offset);
        reader->offset = at;
        return true;
    }
    reader->searched_size = reader->size;
    return false;
}

/* ---- marks ---------------------------------------------------------------------------------------- */

static size_t mark_index(const struct segment_state *state, uint64_t offset)
{
    size_t low = 0, high = state->done_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (state->done[middle] < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_done(const struct segment_state *state, uint64_t offset)
{
    size_t at = mark_index(state, offset);
    return at < state->done_count && state->done[at] == offset;
}

static void remember_done(struct segment_state *state, uint64_t offset)
{
    size_t at = mark_index(state, offset);
    if (at < state->done_count && state->done[at] == offset)
        return;
    state->done =
        mem_grow(state->done, state->done_count, &state->done_capacity, sizeof *state->done);
    memmove(state->done + at + 1, state->done + at, (state->done_count - at) * sizeof *state->done);
    state->done[at] = offset;
    state->done_count++;
}

/* The salt is known when the head is whole; marks of a segment with a damaged head are taken when a record has told it. */
static void load_marks(struct segment_reader *reader, struct segment_state *state)
{
    char path[SEGMENT_PATH_MAX];
    unsigned char mark[SEGMENT_MARK_BYTES];
    FILE *file =
        segment_path(path, reader->folder, state->number, "done") ? fopen(path, "re") : NULL;
    size_t bytes = 0;
    uint64_t offset;
    while (file && bytes < DONE_FILE_MAX && fread(mark, 1, sizeof mark, file) == sizeof mark) {
        if (segment_mark_read(mark, state->salt, &offset))
            remember_done(state, offset);
        bytes += sizeof mark;
    }
    if (file)
        (void)fclose(file);
}

static struct segment_state *state_of(struct segment_reader *reader, uint64_t number)
{
    for (size_t i = 0; i < reader->state_count; i++)
        if (reader->states[i].number == number)
            return &reader->states[i];
    return NULL;
}

/* Behind a mark that was torn by a crash or a full disk none would be read. */
static bool cut_torn_mark(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 &&
           (status.st_size % SEGMENT_MARK_BYTES == 0 ||
            ftruncate(fd, status.st_size - status.st_size % SEGMENT_MARK_BYTES) == 0);
}

static bool open_marks(struct segment_reader *reader, struct segment_state *state)
{
    char path[SEGMENT_PATH_MAX];
    if (state->done_fd < 0 && segment_path(path, reader->folder, state->number, "done"))
        state->done_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    return state->done_fd >= 0 && cut_torn_mark(state->done_fd);
}

static bool write_mark(struct segment_reader *reader, struct segment_state *state, uint64_t offset)
{
    unsigned char mark[SEGMENT_MARK_BYTES];
    segment_mark_write(mark, state->salt, offset);
    if ((state->done_fd >= 0 || open_marks(reader, state)) &&
        write(state->done_fd, mark, sizeof mark) == (ssize_t)sizeof mark)
        return true;
    state->marks_missing = true;
    return false;
}

bool segment_reader_done(struct segment_reader *reader, struct segment_position at,
                         struct error *err)
{
    struct segment_state *state = state_of(reader, at.segment);
    if (!state || is_done(state, at.offset))
        return true;
    remember_done(state, at.offset);
    state->open -= state->open > 0; /* it was read, unless somebody changed the files meanwhile */
    if (!write_mark(reader, state, at.offset))
        return error_set(err, ERROR_IO, "cannot mark a record of '%s' as done: %s", reader->folder,
                         strerror(errno));
    state->marks_unsynced = true;
    return true;
}

/* All marks anew, behind what is there. */
static bool write_missing_marks(struct segment_reader *reader, struct segment_state *state)
{
    if (!open_marks(reader, state))
        return false;
    for (size_t i = 0; i < state->done_count; i++)
        if (!write_mark(reader, state, state->done[i]))
            return false;
    state->marks_missing = false;
    return state->marks_unsynced = true;
}

/* FOLDER/damaged/segment-N.log, and what was kept under that name before stays. */
static void keep_apart(const struct segment_reader *reader, uint64_t number, const char *path)
{
    char apart[SEGMENT_PATH_MAX], kept[SEGMENT_PATH_MAX];
    int len = snprintf(apart, sizeof apart, "%s/damaged", reader->folder);
    if (len < 0 || len >= (int)sizeof apart || !directory_make(apart, 0700, NULL))
        return;
    while (segment_path(kept, apart, number, "log") && access(kept, F_OK) == 0)
        number += KEPT_APART_STEP;
    (void)rename(path, kept);
}

static void remove_segment(const struct segment_reader *reader, const struct segment_state *state)
{
    char path[SEGMENT_PATH_MAX];
    bool named = segment_path(path, reader->folder, state->number, "log");
    if (named && state->damaged_bytes > 0)
        keep_apart(reader, state->number, path);
    else if (named)
        (void)unlink(path);
    if (segment_path(path, reader->folder, state->number, "done"))
        (void)unlink(path);
}

static bool is_over(const struct segment_state *state)
{
    return state->ended && state->open == 0;
}

static bool sync_state(struct segment_reader *reader, struct segment_state *state,
                       struct error *err)
{
    if ((state->marks_missing && !write_missing_marks(reader, state)) ||
        (state->marks_unsynced && fdatasync(state->done_fd) != 0))
        return error_set(err, ERROR_IO, "cannot sync what is done of '%s': %s", reader->folder,
                         strerror(errno));
    state->marks_unsynced = false;
    return true;
}

bool segment_reader_sync(struct segment_reader *reader, struct error *err)
{
    size_t kept = 0;
    bool synced = true;
    for (size_t i = 0; i < reader->state_count; i++) {
        struct segment_state state = reader->states[i];
        if (is_over(&state)) { /* nobody asks for its marks: a full disk does not hinder that */
            remove_segment(reader, &state);
            release_state(&state);
            continue;
        }
        synced = sync_state(reader, &state, synced ? err : NULL) && synced;
        reader->states[kept++] = state;
    }
    reader->state_count = kept;
    return synced;
}

/* ---- segments ------------------------------------------------------------------------------------- */

/* The first segment behind the last one that was read; 0: there is none. */
static uint64_t next_number(const struct segment_reader *reader)
{
    size_t count;
    uint64_t next = 0, *numbers = segment_list(reader->folder, &count);
    for (size_t i = 0; i < count && next == 0; i++)
        if (numbers[i] > reader->last_number)
            next = numbers[i];
    mem_free(numbers);
    return next;
}

/* A segment that was copied under another number would be read twice. */
static bool is_copy(const struct segment_reader *reader, uint64_t number, uint64_t written_as)
{
    char path[SEGMENT_PATH_MAX];
    return number != written_as && segment_path(path, reader->folder, written_as, "log") &&
           access(path, F_OK) == 0;
}

static void begin_segment(struct segment_reader *reader, uint64_t number)
{
    struct segment_state state = {.number = number, .done_fd = -1};
    reader->states = mem_grow(reader->states, reader->state_count, &reader->state_capacity,
                              sizeof *reader->states);
    reader->states[reader->state_count++] = state;
    reader->offset = reader->searched_size = 0;
    buf_clear(&reader->window, WINDOW_BYTES * 2);
    look_at_size(reader);
    uint64_t written_as;
    const unsigned char *head = bytes_at(reader, 0, SEGMENT_HEAD_BYTES);
    struct segment_state *at = reading(reader);
    if (!head || !segment_head_read(head, &at->salt, &written_as))
        return;
    at->knows_salt = true;
    reader->offset = is_copy(reader, number, written_as) ? reader->size : SEGMENT_HEAD_BYTES;
    if (reader->offset == reader->size && reader->size > SEGMENT_HEAD_BYTES)
        count_damage(reader, reader->size);
    load_marks(reader, at);
}

static bool open_next(struct segment_reader *reader)
{
    char path[SEGMENT_PATH_MAX];
    for (uint64_t number; (number = next_number(reader)) != 0;) {
        reader->last_number = number;
        reader->fd = segment_path(path, reader->folder, number, "log")
                         ? open(path, O_RDONLY | O_CLOEXEC)
                         : -1;
        if (reader->fd < 0)
            continue; /* somebody removed it */
        begin_segment(reader, number);
        return true;
    }
    return false;
}

static void end_segment(struct segment_reader *reader)
{
    uint64_t rest = reader->size > reader->offset ? reader->size - reader->offset : 0;
    if (rest > 0)
        count_damage(reader, rest);
    reading(reader)->ended = true;
    close_file(reader);
}

/* Once there is a newer segment nothing is written to this one: what is not there now never comes. */
static bool find_last_record(struct segment_reader *reader, struct str *payload, bool *is_last)
{
    *is_last = next_number(reader) == 0;
    look_at_size(reader);
    return find_record(reader, payload);
}

bool segment_reader_next(struct segment_reader *reader, struct str *payload,
                         struct segment_position *at)
{
    while (reader->fd >= 0 || open_next(reader)) {
        bool knew_salt = reading(reader)->knows_salt, is_last = false;
        look_at_size(reader);
        if (!find_record(reader, payload) && !find_last_record(reader, payload, &is_last)) {
            if (is_last)
                return false;
            end_segment(reader);
            continue;
        }
        struct segment_state *state = reading(reader);
        if (!knew_salt)
            load_marks(reader, state);
        *at = (struct segment_position){.segment = state->number, .offset = reader->offset};
        reader->offset += SEGMENT_RECORD_HEAD_BYTES + payload->len;
        if (is_done(state, at->offset))
            continue;
        state->open++;
        return true;
    }
    return false;
}

uint64_t segment_count(const char *folder, uint64_t number)
{
    struct segment_reader *reader = segment_reader_open(folder);
    struct segment_position at;
    struct str payload;
    uint64_t count = 0;
    assert(number > 0);
    reader->last_number = number - 1;
    while (segment_reader_next(reader, &payload, &at) && at.segment == number)
        count++;
    segment_reader_close(reader);
    return count;
}

/* To the segment, if the one that is read is at its end. */
static bool go_to_segment(struct segment_reader *reader, uint64_t number)
{
    if (reader->fd >= 0 && reading(reader)->number != number) {
        look_at_size(reader);
        if (reader->offset != reader->size || next_number(reader) != number)
            return false;
        end_segment(reader);
    }
    return (reader->fd >= 0 || open_next(reader)) && reading(reader)->number == number;
}

bool segment_reader_pass(struct segment_reader *reader, struct segment_position at, size_t len)
{
    if (!go_to_segment(reader, at.segment))
        return false;
    struct segment_state *state = reading(reader);
    if (!state->knows_salt || reader->offset != at.offset || is_done(state, at.offset))
        return false;
    reader->offset += SEGMENT_RECORD_HEAD_BYTES + len;
    state->open++;
    return true;
}

void segment_reader_finish(struct segment_reader *reader)
{
    if (reader->fd >= 0)
        end_segment(reader);
}
