/* SPDX-License-Identifier: Apache-2.0
 *
 * How far each file has been read and acknowledged, on disk in Logstash's form, a line for each file:
 *   inode major minor position last_active path
 * (older lines lack the last two). Behind the path, after a tab, stands the fingerprint of the file's first bytes, and after
 * another one "~N" when it was rewritten in place N times; Logstash does not look at them. The file is replaced whole, by rename, and is its owner's alone. Main thread.
 */
#ifndef MILLRACE_INPUTS_FILE_SINCEDB_H
#define MILLRACE_INPUTS_FILE_SINCEDB_H

#include <sys/stat.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"
#include "inputs/file/file_head.h"

struct file_identity {
    uint64_t inode, major, minor;
};

struct sincedb_record {
    struct file_identity identity;
    uint64_t position;
    double last_active; /* seconds since 1970 */
    char *path;         /* NULL: not known */
    struct file_head head;
    uint64_t
        rewritten; /* how often it was read from its beginning again: other events stand at its positions */
    bool watched; /* kept whatever its age */
    struct sincedb_record *next_expired;
};

struct sincedb {
    struct map records;
    bool changed;
};

enum { SINCEDB_MAX_BYTES = 64 * 1024 * 1024, SINCEDB_MAX_RECORDS = 1000000 };

void sincedb_init(struct sincedb *sincedb);
void sincedb_release(struct sincedb *sincedb);
/* No path, or /dev/null: nothing is kept. */
bool sincedb_is_nowhere(const char *path);
/* A path that is nowhere: nothing. A file that is not there is empty; a line that is none is left out. */
bool sincedb_load(struct sincedb *sincedb, const char *path, struct error *err);
/* Lines read from text are added. */
void sincedb_parse(struct sincedb *sincedb, struct str text);
void sincedb_format(const struct sincedb *sincedb, struct buf *out);
/* Forgets records that are older than not_before and not watched. */
void sincedb_expire(struct sincedb *sincedb, double not_before);
/* Survives the process; sincedb_sync makes it survive a power failure. */
bool sincedb_save(struct sincedb *sincedb, const char *path, struct error *err);
void sincedb_sync(const char *path); /* any thread; may take long */

struct file_identity file_identity_of(const struct stat *status);
struct str file_identity_key(const struct file_identity *identity); /* for a map */
bool file_identity_equal(struct file_identity a, struct file_identity b);

struct sincedb_record *sincedb_find(const struct sincedb *sincedb, struct file_identity identity);
struct sincedb_record *sincedb_add(struct sincedb *sincedb, struct file_identity identity);
void sincedb_remove(struct sincedb *sincedb, struct file_identity identity);
/* Marks the database as changed. */
void sincedb_move(struct sincedb *sincedb, struct sincedb_record *record, uint64_t position,
                  double now);
void sincedb_set_head(struct sincedb *sincedb, struct sincedb_record *record,
                      struct file_head head);
void sincedb_set_path(struct sincedb *sincedb, struct sincedb_record *record, const char *path);

#endif
