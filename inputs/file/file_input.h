/* SPDX-License-Identifier: Apache-2.0
 *
 * The file input's own declarations. One instance on the main lane; each file that is open has a stream.
 *
 *   watch.c        finds files, notices growth, truncation and rotation, on timers
 *   opening.c      opens and closes them
 *   reader.c       reads the files that have something, one after the other, and hands batches over
 *   identify.c     before a file is read (on): is it still the one that its record is about?
 *   descriptors.c  how many files may be open, and who gives a descriptor up
 *   states.c       states, and lists of files that wait
 *   completed.c    what happens to a file that read mode has finished
 *   sincedb.c      how far each file is acknowledged
 *   told.c         what stands still, said once
 *
 * A file is known by device, inode and the fingerprint of its first bytes, not by its name. Its states, and who changes
 * them:
 *
 *            ┌────────────── watch: changed ────────────┐
 *            ▼                                          │
 *   CLOSED ─watch─▶ QUEUED ──reader: at its end──▶ IDLE ┘──watch: older than close_older──▶ CLOSED
 *                   │ ▲ ▲                           └──descriptors: another file waits──▶ CLOSED
 *                   │ │ └── READING (bytes that were not in memory: read in the thread pool)
 *      no memory ───┤ │
 *      (WAITING) ───┼─┤
 *   no descriptor ──┘ │
 *      (BLOCKED) ─────┘
 *                   QUEUED ──reader: read mode, at its end──▶ DRAINING ──all acknowledged──▶ CLOSED
 *                   QUEUED ──identify: nothing to read, or not to be opened──▶ CLOSED
 *
 * Each way into QUEUED that begins with a change of the file also begins with a look at its first bytes (`checked` is
 * false until then), so nothing is read from the middle of what has been replaced.
 *
 * Any of them with a stream ──reader: something was abandoned──▶ QUEUED, without a stream, at the position acknowledged last.
 *
 * Only an acknowledged position is written to the sincedb. A token is the generation of the file (how often it was
 * truncated or replaced) above the position after the last event of the batch.
 */
#ifndef MILLRACE_INPUTS_FILE_FILE_INPUT_H
#define MILLRACE_INPUTS_FILE_FILE_INPUT_H

#include "base/map.h"
#include "codecs/tokenizer.h"
#include "inputs/file/gzip_source.h"
#include "inputs/file/path_match.h"
#include "inputs/file/sincedb.h"
#include "inputs/file/sincedb_place.h"
#include "inputs/file/told.h"
#include "pipeline/engine/stream.h"

enum file_mode { FILE_MODE_TAIL, FILE_MODE_READ };
enum file_start { FILE_START_BEGINNING, FILE_START_END };
enum file_sort { FILE_SORT_MODIFIED, FILE_SORT_PATH };
enum file_direction { FILE_ASCENDING, FILE_DESCENDING };
enum file_action { FILE_DELETE, FILE_LOG, FILE_LOG_AND_DELETE };

struct file_options {
    struct option_strings path, exclude;
    int mode, start_position, sort_by, sort_direction, completed_action;
    struct str delimiter, sincedb_path, completed_log_path;
    int64_t stat_interval_ms, discover_interval, sincedb_write_interval_ms, sincedb_clean_after_ms;
    int64_t ignore_older_ms, close_older_ms, max_open_files, chunk_bytes, chunk_count;
    bool exit_after_read, check_archive_validity;
    const struct conf_plugin *codec;
};

enum watched_state {
    WATCHED_CLOSED,
    WATCHED_QUEUED,
    WATCHED_READING,
    WATCHED_WAITING,
    WATCHED_BLOCKED,
    WATCHED_IDLE,
    WATCHED_DRAINING,
};

struct file_input;
struct watched_file;

/* Files in an order. */
struct file_list {
    struct watched_file *first, *last;
};

/* What tells that a file was changed since. */
struct file_stamp {
    uint64_t size;
    struct timespec modified, changed;
};

/* Numbers, and the name of a machine. */
enum { FILE_PLACE_MAX = 192 };

struct watched_file {
    struct origin origin; /* first */
    struct file_input *input;
    struct file_identity identity;
    char *path;
    struct str shared_path; /* the same in the input's arena: events in flight point at it */
    int64_t modified_ms;    /* when it was found */
    enum watched_state state;
    bool checked;            /* its first bytes were looked at since it changed */
    struct file_stamp stamp; /* at that look */
    struct file_head head;
    double record_active; /* when its record was last moved, if that has no fingerprint; else 0 */
    bool record_renamed;  /* and had another path */
    bool reads_archive;   /* in read mode, by its name */
    bool skips_nuls; /* it was truncated: its writer may have left a hole before the next line */
    int fd;          /* -1: not open */
    struct stream *stream;    /* NULL: none */
    struct gzip_source *gzip; /* NULL: not compressed */
    bool splits; /* the input splits lines itself, because its delimiter is not the codec's */
    struct tokenizer splitter;
    uint64_t position; /* of the next byte to read */
    uint64_t generation;
    char place[FILE_PLACE_MAX]; /* its name for provenance (file_place.c); empty: nobody wants it */
    uint64_t turn_bytes;        /* read since it became first in the queue */
    size_t want;                /* how much to read at once */
    uint64_t last_read_ms;      /* on the loop's clock */
    bool gone;                  /* no path leads to it any more */
    bool finished;              /* completed, or never to be */
    bool archive_is_whole;      /* checked */
    bool seen;                  /* by the discovery under way */
    bool leaving;               /* at the stop: read to its end, nobody finds it again */
    bool goes_back; /* something of it was abandoned while it was read in the thread pool */
    struct told_at troubled; /* that it cannot be opened or read */
    uv_fs_t request;
    char *reading; /* where the request puts its bytes; libuv forgets it */
    uv_work_t work;
    struct watched_file *next, *previous; /* in list */
    struct file_list *list;               /* NULL: in none */
};

struct file_input {
    struct file_options options; /* first: bound */
    const struct plugin_env *env;
    struct sincedb_place place;
    const char *sincedb_path; /* NULL: positions are not kept */
    struct sincedb sincedb;
    uint64_t sincedb_durable_ms; /* when it was last written durably */
    struct map files;            /* identity to struct watched_file */
    struct map paths;            /* path to its text in the arena */
    struct file_list queue, idle_files, blocked;
    size_t open_count;
    int descriptor_limit; /* a descriptor from here on is kept for others */
    size_t leaving;       /* files */
    struct told told;
    bool told_blocked, told_archive;
    size_t unfinished; /* files that are not finished */
    size_t background; /* requests in the thread pool */
    uint64_t ticks;
    bool discovered, stopping, finished, syncing;
    bool closing; /* close() waits for what is in the thread pool */
    bool save_failed;
    uv_work_t sync_work;
    uv_timer_t *stat_timer, *save_timer;
    uv_idle_t *idle;
    unsigned open_handles;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* watch.c */
void watch_discover(struct file_input *input);
void watch_look_again(
    struct file_input *input); /* which files have no path any more; finds no new ones */
void watch_tick(struct file_input *input);
void watch_forget(struct watched_file *file);            /* frees it; its stream must be closed */
double watch_not_before(const struct file_input *input); /* records that are older are forgotten */

/* states.c */
void states_set(struct watched_file *file, enum watched_state state);
void states_enqueue(struct watched_file *file); /* QUEUED, as the last */
void states_enqueue_first(struct watched_file *file);
void states_unlink(
    struct watched_file *file); /* out of the list it is in, if any; its state stays */

/* opening.c */
/* A QUEUED file without a descriptor. False: it has another state now. */
bool opening_open(struct watched_file *file);
/* An open file whose first bytes were looked at: opens its stream. False when it has nothing to read, or not yet; it has
 * another state then. */
bool opening_begin(struct watched_file *file);
void opening_close(struct watched_file *file); /* what was not handed over will be read again */
void opening_close_stream(struct watched_file *file);
void opening_leave(struct watched_file *file);    /* closes it; CLOSED */
void opening_has_left(struct watched_file *file); /* a leaving file is at its end */

/* reader.c */
void reader_on_acked(struct origin *origin, uint64_t token);
void reader_on_resume(struct origin *origin);
void reader_on_abandoned(struct origin *origin);
bool reader_goes_back(
    struct watched_file *file); /* after a read in the thread pool; true: it does */
void reader_hand_over(struct watched_file *file);
void reader_on_idle(uv_idle_t *idle);
size_t reader_held(
    const struct watched_file *file); /* bytes that are read and no events yet; it has a stream */
uint64_t reader_safe_position(const struct watched_file *file); /* before what is held */
void reader_restart(struct watched_file *file); /* from its beginning: truncated, or replaced */
void reader_flush(struct watched_file *file); /* what the codec holds becomes events, handed over */
void reader_failed(struct watched_file *file, int number); /* an errno, or EBADMSG */
void reader_finished(struct watched_file *file);
void reader_stop(
    struct file_input *input); /* reads on only in files that nobody would find again */

/* identify.c */
/* Looks at the first bytes of a file that is open and QUEUED. False: the file waits for them, or they could not be read;
 * it has another state then. */
bool identify_check(struct watched_file *file);
void identify_grow(
    struct watched_file *file); /* the fingerprint, when the file has grown; it is open */
bool identify_has_changed(const struct watched_file *file, const struct stat *status);

/* descriptors.c */
enum descriptor_result { DESCRIPTOR_OPEN, DESCRIPTOR_FAILED, DESCRIPTOR_BLOCKED };
void descriptors_init(struct file_input *input);
/* Opens file->fd; it may close other files for that. FAILED leaves errno. */
enum descriptor_result descriptors_open(struct watched_file *file);
void descriptors_close(struct watched_file *file);
void descriptors_wake(
    struct file_input *input); /* a file may have become one that can give its descriptor up */

/* file_place.c */
void file_place_find(struct watched_file *file); /* its stream was opened */
/* What is decoded next ends so many bytes before what was read. */
void file_place_set(struct watched_file *file, size_t rest);
void file_place_rewritten(struct watched_file *file); /* other bytes stand at its positions now */

/* completed.c */
void completed_run(struct watched_file *file);

/* file.c */
double file_input_now(const struct file_input *input); /* seconds since 1970 */
void file_input_save_now(struct file_input *input);
void file_input_save_soon(struct file_input *input);
void file_input_check_finished(struct file_input *input);
/* A request in the thread pool is over. True: close() waited for it, and nothing of the input may be touched any more. */
bool file_input_background_over(struct file_input *input);

#endif
