/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/delivery/dead_letters.h"

#include <assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include <uv.h>

#include "base/mem.h"
#include "base/thread.h"
#include "base/time/clock.h"
#include "io/directory.h"
#include "io/segment_log.h"
#include "pipeline/engine/receipt.h"
#include "pipeline/event/event_json.h"

enum {
    SEGMENT_BYTES = 8 * 1024 * 1024,
    SEGMENT_MIN_BYTES = 1024,
    SEGMENTS_OF_ALL = 8, /* what is dropped at once is an eighth of what may be kept */
    LETTER_MAX_BYTES = 512 * 1024 * 1024,
    PARCEL_MAX_BYTES = 512 * 1024 * 1024,
    AGAIN_MS = 1000, /* after a write that failed, and while there is no room */
    WARN_LINES = 1,  /* for each WARN_WINDOW_MS */
    WARN_WINDOW_MS = 60000,
    NEARLY_FULL_PERCENT = 90,
};

struct parcel_letter {
    size_t len; /* of its record, behind those before it */
    struct receipt *receipt;
};

struct dead_letter_parcel {
    struct dead_letter_parcel *next;
    struct buf records;
    struct parcel_letter *letters;
    size_t count, capacity;
    size_t written; /* letters in the log, or given up; not synced yet */
    size_t kept;    /* of those, in the log */
    size_t written_bytes;
};

struct dead_letters {
    struct dead_letter_options options;
    uv_mutex_t lock;
    uv_cond_t wake;
    uv_thread_t thread;
    bool running; /* the thread was started */
    bool closing;
    struct dead_letter_parcel *first, *last;
    char last_error[DEAD_LETTER_ERROR_MAX]; /* empty: none */
    atomic_uint_fast64_t written_letters, dropped, expired, waiting;
    /* The thread's own. */
    struct segment_log *log;
    int lock_fd;  /* of the folder: one process writes there */
    bool useless; /* there is no place to keep anything (L3) */
    struct log_limit warnings;
};

struct dead_letters *dead_letters_new(const struct dead_letter_options *options)
{
    struct dead_letters *letters = mem_zero(1, sizeof *letters);
    letters->options = *options;
    letters->warnings = (struct log_limit){.window_ms = WARN_WINDOW_MS, .burst = WARN_LINES};
    letters->lock_fd = -1;
    uv_mutex_init(&letters->lock);
    uv_cond_init(&letters->wake);
    return letters;
}

/* ---- letters -------------------------------------------------------------------------------------- */

static bool append_member(struct buf *out, const char *name, struct str text)
{
    return buf_printf(out, ",\"%s\":", name) && json_encode_str(text, out);
}

static bool append_letter(const struct dead_letters *letters, const struct dead_letter *letter,
                          struct buf *out)
{
    char time[INSTANT_TEXT_MAX];
    size_t len = instant_format(clock_now(), time);
    return buf_printf(out, "{\"version\":1,\"time\":\"%.*s\"", (int)len, time) &&
           append_member(out, "pipeline", str_from(letters->options.pipeline_id)) &&
           append_member(out, "plugin_type", letter->plugin_type) &&
           append_member(out, "plugin_id", letter->plugin_id) &&
           append_member(out, "reason", letter->reason) &&
           buf_printf(out, ",\"attempts\":%u", letter->attempts) &&
           (letter->metadata.len == 0 || (buf_append_str(out, STR(",\"metadata\":")) &&
                                          buf_append_str(out, letter->metadata))) &&
           buf_append_str(out, STR(",\"event\":")) && buf_append_str(out, letter->event) &&
           buf_append_char(out, '}');
}

void dead_letter_add(struct dead_letters *letters, struct dead_letter_parcel **parcel,
                     struct account *account, const struct dead_letter *letter,
                     struct receipt *receipt)
{
    if (!*parcel) {
        *parcel = mem_zero(1, sizeof **parcel);
        buf_init(&(*parcel)->records, PARCEL_MAX_BYTES);
        (*parcel)->records.charged = account;
    }
    struct dead_letter_parcel *to = *parcel;
    size_t before = to->records.len;
    bool fits = append_letter(letters, letter, &to->records);
    if (!fits) { /* more than half a gigabyte at once: hand in, and begin another */
        to->records.len = before;
        assert(to->count > 0);
        dead_letters_put(letters, parcel);
        dead_letter_add(letters, parcel, account, letter, receipt);
        return;
    }
    to->letters = mem_grow(to->letters, to->count, &to->capacity, sizeof *to->letters);
    to->letters[to->count++] =
        (struct parcel_letter){.len = to->records.len - before, .receipt = receipt};
}

void dead_letter_add_event(struct dead_letters *letters, struct dead_letter_parcel **parcel,
                           struct account *account, struct dead_letter letter,
                           const struct event *event, struct receipt *receipt)
{
    struct buf text, metadata;
    buf_init(&text, LETTER_MAX_BYTES);
    buf_init(&metadata, LETTER_MAX_BYTES);
    bool fits = json_encode_event(event, &text) && (value_object_count(&event->metadata) == 0 ||
                                                    json_encode_value(&event->metadata, &metadata));
    assert(fits);
    (void)fits;
    letter.event = buf_str(&text);
    letter.metadata = buf_str(&metadata);
    receipt_hold(receipt, 1);
    dead_letter_add(letters, parcel, account, &letter, receipt);
    buf_release(&text);
    buf_release(&metadata);
}

static void settle_parcel(struct dead_letters *letters, struct dead_letter_parcel *parcel,
                          enum receipt_outcome outcome)
{
    atomic_fetch_add(&letters->written_letters, parcel->kept);
    atomic_fetch_sub(&letters->waiting, parcel->count);

    for (size_t i = 0; i < parcel->count; i++)
        receipt_release(parcel->letters[i].receipt, 1, outcome);
    buf_release(&parcel->records);
    mem_free(parcel->letters);
    mem_free(parcel);
}

/* ---- writing: the thread -------------------------------------------------------------------------- */

static void warn(struct dead_letters *letters, const char *event, const char *sentence,
                 const char *reason)
{
    uint64_t held_back;
    if (log_limit_allow(&letters->warnings, clock_monotonic_ms(), &held_back))
        log_warn(letters->options.log, event, sentence, LOG_CSTR("reason", reason),
                 LOG_CSTR("path", letters->options.folder),
                 LOG_INT_IF("not_logged_before", held_back));
}

/* What goes wrong, not what might. */
static void warn_of_error(struct dead_letters *letters, const char *event, const char *sentence,
                          const char *reason)
{
    uv_mutex_lock(&letters->lock);
    (void)snprintf(letters->last_error, sizeof letters->last_error, "%s", reason);
    uv_mutex_unlock(&letters->lock);
    warn(letters, event, sentence, reason);
}

static bool claim(struct dead_letters *letters, struct error *err)
{
    char path[PATH_MAX];
    int len = snprintf(path, sizeof path, "%s/lock", letters->options.folder);
    if (len < 0 || len >= (int)sizeof path)
        return error_set(err, ERROR_LIMIT, "the path is too long");
    letters->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (letters->lock_fd < 0)
        return error_set(err, ERROR_IO, "cannot open '%s': %s", path, strerror(errno));
    if (flock(letters->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return true;
    (void)close(letters->lock_fd);
    letters->lock_fd = -1;
    return error_set(err, ERROR_BUSY, "another process keeps its dead letters there");
}

static uint64_t segment_bytes(const struct dead_letters *letters)
{
    uint64_t bytes = letters->options.max_bytes / SEGMENTS_OF_ALL;
    if (bytes < SEGMENT_MIN_BYTES)
        return SEGMENT_MIN_BYTES;
    return bytes < SEGMENT_BYTES ? bytes : SEGMENT_BYTES;
}

static bool open_log(struct dead_letters *letters)
{
    struct error err = {0};
    if (letters->log)
        return true;
    letters->log = segment_log_open(letters->options.folder, segment_bytes(letters), &err);
    if (letters->log && claim(letters, &err)) {
        log_warn(
            letters->options.log, "dead_letters",
            "events that are refused are kept as dead letters: see them with 'millrace dlq list'",
            LOG_CSTR("path", letters->options.folder));
        return true;
    }
    segment_log_close(letters->log);
    letters->log = NULL;
    letters->useless = true;
    warn_of_error(letters, "no_dead_letters", "events that are refused are not kept", err.text);
    return false;
}

/* Segments that nobody wrote to for longer than letters are kept. */
static void expire(struct dead_letters *letters)
{
    if (letters->options.retain_ms > 0)
        atomic_fetch_add(&letters->expired,
                         segment_log_drop_older(letters->log, letters->options.retain_ms));
}

/* Whether another record of so many bytes may be written. */
static bool has_room(struct dead_letters *letters, size_t len)
{
    const struct dead_letter_options *options = &letters->options;
    if (segment_log_bytes(letters->log) + len <= options->max_bytes)
        return true;
    (void)segment_log_roll(letters->log, NULL);
    segment_log_look(letters->log); /* somebody may have sent them again, or thrown them away */
    while (segment_log_bytes(letters->log) + len > options->max_bytes) {
        uint64_t records;
        if (options->policy != DEAD_LETTERS_DROP_OLDER ||
            !segment_log_drop_oldest(letters->log, &records))
            return options->policy == DEAD_LETTERS_DROP_OLDER;
        atomic_fetch_add(&letters->dropped, records);
        warn_of_error(letters, "dead_letters_full",
                      "the oldest dead letters are dropped for new ones",
                      "dead_letter_queue.max_bytes is reached");
    }
    return true;
}

/* Written, or given up; false: later. */
static bool write_letter(struct dead_letters *letters, struct dead_letter_parcel *parcel,
                         struct str record)
{
    struct error err = {0};
    if (letters->useless || !open_log(letters)) {
        atomic_fetch_add(&letters->dropped, 1);
        return true;
    }
    if (!has_room(letters, record.len)) {
        bool drops = letters->options.policy == DEAD_LETTERS_DROP_NEWER;
        warn_of_error(
            letters, "dead_letters_full",
            drops ? "there is no room for more dead letters: new ones are dropped"
                  : "there is no room for more dead letters: what is refused waits until there is",
            "dead_letter_queue.max_bytes is reached");
        atomic_fetch_add(&letters->dropped, drops);
        return drops;
    }
    if (segment_log_append(letters->log, record, &err)) {
        parcel->kept++;
        return true;
    }
    warn_of_error(letters, "dead_letter_failed", "a dead letter cannot be written and waits",
                  err.text);
    return false;
}

static void warn_when_nearly_full(struct dead_letters *letters)
{
    uint64_t bytes = segment_log_bytes(letters->log);
    if (bytes > letters->options.max_bytes / 100 * NEARLY_FULL_PERCENT)
        warn(letters, "dead_letters_nearly_full", "there is little room left for dead letters",
             "nine tenths of dead_letter_queue.max_bytes are used");
}

/* All of the parcel is on the disk, or given up. False: not yet. */
static bool write_parcel(struct dead_letters *letters, struct dead_letter_parcel *parcel)
{
    struct error err = {0};
    while (parcel->written < parcel->count) {
        size_t len = parcel->letters[parcel->written].len;
        struct str record = str_make(parcel->records.ptr + parcel->written_bytes, len);
        if (!write_letter(letters, parcel, record))
            break;
        parcel->written++;
        parcel->written_bytes += len;
    }
    bool synced = !letters->log || segment_log_sync(letters->log, &err);
    if (!synced) { /* nothing is known of what was written: all of it again, for better twice than never */
        parcel->written = parcel->written_bytes = parcel->kept = 0;
        warn_of_error(letters, "dead_letter_failed", "a dead letter cannot be written and waits",
                      err.text);
    }
    if (letters->log) {
        warn_when_nearly_full(letters);
        expire(letters);
    }
    return synced && parcel->written == parcel->count;
}

/* NULL: closing, and nothing is left. */
static struct dead_letter_parcel *next_parcel(struct dead_letters *letters)
{
    uv_mutex_lock(&letters->lock);
    while (!letters->first && !letters->closing)
        uv_cond_wait(&letters->wake, &letters->lock);
    struct dead_letter_parcel *parcel = letters->first;
    if (parcel)
        letters->first = parcel->next;
    uv_mutex_unlock(&letters->lock);
    return parcel;
}

/* Waits before another try; true: no, it is the end. */
static bool wait_again(struct dead_letters *letters)
{
    uv_mutex_lock(&letters->lock);
    if (!letters->closing)
        (void)uv_cond_timedwait(&letters->wake, &letters->lock, AGAIN_MS * UINT64_C(1000000));
    bool closing = letters->closing;
    uv_mutex_unlock(&letters->lock);
    return closing;
}

static void run(void *arg)
{
    struct dead_letters *letters = arg;
    for (struct dead_letter_parcel *parcel; (parcel = next_parcel(letters));) {
        bool done = write_parcel(letters, parcel);
        while (!done && !wait_again(letters))
            done = write_parcel(letters, parcel);
        settle_parcel(letters, parcel, done ? RECEIPT_DELIVERED : RECEIPT_ABANDONED);
    }
}

/* ---- handing in ----------------------------------------------------------------------------------- */

void dead_letters_put(struct dead_letters *letters, struct dead_letter_parcel **parcel)
{
    struct dead_letter_parcel *put = *parcel;
    *parcel = NULL;
    if (!put)
        return;
    atomic_fetch_add(&letters->waiting, put->count);
    uv_mutex_lock(&letters->lock);
    assert(!letters->closing);
    put->next = NULL;
    if (letters->first)
        letters->last->next = put;
    else
        letters->first = put;
    letters->last = put;
    if (!letters->running && thread_start(&letters->thread, run, letters))
        letters->running = true;
    uv_cond_signal(&letters->wake);
    uv_mutex_unlock(&letters->lock);
}

/* ---- figures -------------------------------------------------------------------------------------- */

void dead_letters_figures(struct dead_letters *letters, struct dead_letter_figures *out)
{
    static const char *const POLICIES[] = {[DEAD_LETTERS_BLOCK] = "block",
                                           [DEAD_LETTERS_DROP_NEWER] = "drop_newer",
                                           [DEAD_LETTERS_DROP_OLDER] = "drop_older"};
    *out = (struct dead_letter_figures){
        .bytes = segment_list_bytes(letters->options.folder), /* others take letters out */
        .max_bytes = letters->options.max_bytes,
        .written = atomic_load(&letters->written_letters),
        .dropped = atomic_load(&letters->dropped),
        .expired = atomic_load(&letters->expired),
        .waiting = atomic_load(&letters->waiting),
        .policy = POLICIES[letters->options.policy],
    };
    uv_mutex_lock(&letters->lock);
    (void)snprintf(out->last_error, sizeof out->last_error, "%s",
                   letters->last_error[0] ? letters->last_error : "no errors");
    uv_mutex_unlock(&letters->lock);
}

/* ---- closing -------------------------------------------------------------------------------------- */

void dead_letters_close(struct dead_letters *letters)
{
    if (!letters)
        return;
    uv_mutex_lock(&letters->lock);
    letters->closing = true;
    uv_cond_signal(&letters->wake);
    uv_mutex_unlock(&letters->lock);
    if (letters->running)
        uv_thread_join(&letters->thread);
    for (struct dead_letter_parcel *parcel; (parcel = letters->first);) {
        letters->first = parcel->next;
        settle_parcel(letters, parcel, RECEIPT_ABANDONED);
    }
    segment_log_close(letters->log);
    if (letters->lock_fd >= 0)
        (void)close(letters->lock_fd);
    uv_mutex_destroy(&letters->lock);
    uv_cond_destroy(&letters->wake);
    mem_free(letters);
}
