/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection to the SQLite file of a store. The first failure is kept until the transaction is ended; everything
 * after it fails as well, so that callers need to look once. One thread.
 *
 * The file is in WAL mode with one writer; readers see the state of their transaction's begin and hold up nobody.
 */
#ifndef MILLRACE_SERVICES_STORE_DATABASE_H
#define MILLRACE_SERVICES_STORE_DATABASE_H

#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/str.h"

enum { DATABASE_FORMAT = 1 };

/* What a commit has survived when it returns: FULL also a loss of power, NORMAL the end of the process. */
enum database_sync { DATABASE_SYNC_FULL, DATABASE_SYNC_NORMAL };

struct database {
    sqlite3 *sqlite;
    bool failed;
    struct error error;
    const atomic_bool *stop; /* when it becomes true, what runs is given up; may be NULL */
    bool gave_back;          /* in this transaction */
};

/* Opens or creates the file for the one writer. Refuses a file of another format. */
bool database_open_writer(struct database *database, const char *path, enum database_sync sync,
                          struct error *err);
bool database_open_reader(struct database *database, const char *path, const atomic_bool *stop,
                          struct error *err);
void database_close(struct database *database);

bool database_begin(struct database *database);
/* False: nothing of the transaction is there; the error is in *err, and the connection is ready for the next one. */
bool database_end(struct database *database, struct error *err);
/* Throws the transaction away. */
void database_rollback(struct database *database);

/* Gives free pages back to the file system, at most so many: those of deleted rows and tables, also those of this
 * transaction. Pages at the file's end move into the gaps, and the commit cuts the file. Returns how many are left. */
int64_t database_give_back(struct database *database, unsigned max_pages);

bool database_run(struct database *database, const char *sql);
/* NULL on failure. */
sqlite3_stmt *database_prepare(struct database *database, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* True: a row is there. False: no more of them, or a failure. */
bool database_step(struct database *database, sqlite3_stmt *statement);
/* Runs a statement that has no rows, and resets it. */
bool database_execute(struct database *database, sqlite3_stmt *statement);
/* Bound text is borrowed until the statement is reset. */
void database_bind_text(sqlite3_stmt *statement, int at, struct str text);
void database_bind_blob(sqlite3_stmt *statement, int at, struct str bytes);
struct str database_text(sqlite3_stmt *statement, int column);       /* good until the next step */
int64_t database_number(struct database *database, const char *sql); /* of a query with one row */

#endif
