/* SPDX-License-Identifier: Apache-2.0
 *
 * The file input's own declarations. One instance on the main lane; each file that is open has a stream.
 *
 *   watch.c      finds files, notices growth, truncation and rotation, on timers
 *   reader.c     reads the files that have something, one after the other, and hands batches over
 *   completed.c  what happens to a file that read mode has finished
 *   sincedb.c    how far each file is acknowledged
 *
 * A file is known by its inode, not by its name. Its states, and who changes them:
 *
 *            ┌────────────── watch: grown ──────────────┐
 *            ▼                                          │
 *   CLOSED ─watch─▶ QUEUED ──reader: at its end──▶ IDLE ┘──watch: older than close_older──▶ CLOSED
 *                   │ ▲ ▲
 *      no memory ───┘ │ └── READING (bytes that were not in memory: read in the thread pool)
 *      (WAITING) ─────┘
 *                   └──reader: read mode, at its end──▶ DRAINING ──all acknowledged──▶ CLOSED
 *
 * Only an acknowledged position is written to the sincedb. A token is the generation of the file (how often it was
 * truncated) above the position after the last event of the batch.
 */
#ifndef MILLRACE_INPUTS_FILE_FILE_INPUT_H
#define MILLRACE_INPUTS_FILE_FILE_INPUT_H

#include "base/map.h"
#include "codecs/tokenizer.h"
#include "inputs/file/gzip_source.h"
#include "inputs/file/path_match.h"
#include "inputs/file/sincedb.h"
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
    WATCHED_IDLE,
    WATCHED_DRAINING,
};

struct file_input;

struct watched_file {
    struct origin origin; /* first */
    struct file_input *input;
    struct file_identity identity;
    char *path;
    struct str shared_path; /* the same in the input's arena: events in flight point at it */
    int64_t modified_ms;    /* when it was found */
    enum watched_state state;
    int fd;                   /* -1: not open */
    struct stream *stream;    /* NULL: none */
    struct gzip_source *gzip; /* NULL: not compressed */
    bool splits; /* the input splits lines itself, because its delimiter is not the codec's */
    struct tokenizer splitter;
    uint64_t position; /* of the next byte to read */
    uint64_t generation;
    uint64_t turn_bytes;   /* read since it became first in the queue */
    size_t admitted;       /* bytes that may be read without asking the stream */
    size_t want;           /* how much to read at once */
    uint64_t last_read_ms; /* on the loop's clock */
    bool gone;             /* no path leads to it any more */
    bool finished;         /* completed, or never to be */
    bool broken;           /* a damaged archive: not read again */
    bool archive_is_whole; /* checked */
    bool seen;             /* by the discovery under way */
    uv_fs_t request;
    char *reading; /* where the request puts its bytes; libuv forgets it */
    uv_work_t work;
    struct watched_file *next_queued;
};

struct file_input {
    struct file_options options; /* first: bound */
    const struct plugin_env *env;
    const char *sincedb_path; /* NULL: positions are not kept */
    struct sincedb sincedb;
    uint64_t sincedb_durable_ms; /* when it was last written durably */
    struct map files;            /* identity to struct watched_file */
    struct map paths;            /* path to its text in the arena */
    struct watched_file *queue_first, *queue_last;
    size_t open_count;
    size_t unfinished; /* files that are not finished */
    size_t background; /* requests in the thread pool */
    uint64_t ticks;
    bool discovered, stopping, finished, syncing;
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
void watch_tick(struct file_input *input);
void watch_forget(struct watched_file *file); /* frees it; its stream must be closed */

/* reader.c */
void reader_set_state(struct watched_file *file, enum watched_state state);
void reader_enqueue(struct watched_file *file);
void reader_hand_over(struct watched_file *file);
void reader_on_idle(uv_idle_t *idle);
void reader_restart_from(struct watched_file *file, uint64_t position); /* truncated */
void reader_flush(struct watched_file *file); /* what the codec holds becomes events, handed over */
void reader_finished(struct watched_file *file);
void reader_close(struct watched_file *file); /* what was not handed over will be read again */

/* completed.c */
void completed_run(struct watched_file *file);

/* file.c */
double file_input_now(const struct file_input *input); /* seconds since 1970 */
void file_input_save_soon(struct file_input *input);
void file_input_check_finished(struct file_input *input);

#endif
