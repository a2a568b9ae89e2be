/* SPDX-License-Identifier: Apache-2.0 */
#include "services/store/database.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    APPLICATION_ID = 0x6d696c6c, /* "mill" in the file's header */
    SQL_MAX = 1024,
    BUSY_TIMEOUT_MS = 10000,
    PROGRESS_STEPS = 10000,
    DATABASE_MODE = 0600,
};

static bool fail(struct database *database, const char *what)
{
    if (!database->failed)
        error_set(&database->error, ERROR_IO, "%s: %s", what, sqlite3_errmsg(database->sqlite));
    database->failed = true;
    return false;
}

bool database_run(struct database *database, const char *sql)
{
    if (database->failed)
        return false;
    return sqlite3_exec(database->sqlite, sql, NULL, NULL, NULL) == SQLITE_OK ||
           fail(database, "the document store cannot be written");
}

sqlite3_stmt *database_prepare(struct database *database, const char *format, ...)
{
    char sql[SQL_MAX];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(sql, sizeof sql, format, args);
    va_end(args);
    assert(len > 0 && len < SQL_MAX);
    sqlite3_stmt *statement = NULL;
    if (!database->failed &&
        sqlite3_prepare_v3(database->sqlite, sql, len, SQLITE_PREPARE_PERSISTENT, &statement,
                           NULL) != SQLITE_OK)
        fail(database, "the document store cannot be read");
    return statement;
}

bool database_step(struct database *database, sqlite3_stmt *statement)
{
    if (database->failed || !statement)
        return false;
    int result = sqlite3_step(statement);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        fail(database, "the document store failed");
    return result == SQLITE_ROW;
}

bool database_execute(struct database *database, sqlite3_stmt *statement)
{
    bool row = database_step(database, statement);
    assert(!row);
    (void)row;
    sqlite3_reset(statement);
    return !database->failed;
}

void database_bind_text(sqlite3_stmt *statement, int at, struct str text)
{
    sqlite3_bind_text64(statement, at, text.ptr ? text.ptr : "", text.len, SQLITE_STATIC,
                        SQLITE_UTF8);
}

void database_bind_blob(sqlite3_stmt *statement, int at, struct str bytes)
{
    sqlite3_bind_blob64(statement, at, bytes.ptr ? bytes.ptr : "", bytes.len, SQLITE_STATIC);
}

struct str database_text(sqlite3_stmt *statement, int column)
{
    const char *text = sqlite3_column_blob(statement, column);
    return str_make(text, text ? (size_t)sqlite3_column_bytes(statement, column) : 0);
}

int64_t database_number(struct database *database, const char *sql)
{
    sqlite3_stmt *statement = database_prepare(database, "%s", sql);
    int64_t number = database_step(database, statement) ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    return number;
}

bool database_begin(struct database *database)
{
    assert(!database->failed && sqlite3_get_autocommit(database->sqlite));
    return database_run(database, "BEGIN");
}

void database_rollback(struct database *database)
{
    database->failed = database->gave_back = false;
    if (!sqlite3_get_autocommit(database->sqlite))
        sqlite3_exec(database->sqlite, "ROLLBACK", NULL, NULL, NULL);
}

bool database_end(struct database *database, struct error *err)
{
    if (!database_run(database, "COMMIT")) {
        *err = database->error;
        database_rollback(database);
        return false;
    }
    /* The file itself is cut when the log is copied into it. A reader of an older state may prevent that: then it
     * happens at a later commit, as always. */
    if (database->gave_back)
        sqlite3_wal_checkpoint_v2(database->sqlite, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    database->gave_back = false;
    return true;
}

int64_t database_give_back(struct database *database, unsigned max_pages)
{
    char sql[SQL_MAX];
    assert(max_pages > 0 && !sqlite3_get_autocommit(database->sqlite));
    int64_t before = database_number(database, "PRAGMA freelist_count");
    if (before == 0)
        return 0;
    snprintf(sql, sizeof sql, "PRAGMA incremental_vacuum(%u)", max_pages);
    database->gave_back = database_run(database, sql);
    return database_number(database, "PRAGMA freelist_count");
}

/* ---- opening ---- */

static const char SCHEMA[] =
    "CREATE TABLE indices (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, tag BLOB NOT NULL,"
    " uuid TEXT NOT NULL, created_ms INTEGER NOT NULL, settings TEXT NOT NULL, aliases TEXT NOT "
    "NULL);"
    "CREATE TABLE states (id INTEGER PRIMARY KEY, next_seq INTEGER NOT NULL, docs INTEGER NOT NULL,"
    " deleted INTEGER NOT NULL, bytes INTEGER NOT NULL, newest_ms INTEGER,"
    " mapping_version INTEGER NOT NULL);"
    "CREATE TABLE mappings (id INTEGER PRIMARY KEY, body TEXT NOT NULL);"
    "CREATE TABLE templates (kind INTEGER NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,"
    " PRIMARY KEY (kind, name)) WITHOUT ROWID;"
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "INSERT INTO meta VALUES ('uuid', lower(hex(randomblob(11))));"
    "PRAGMA application_id = 0x6d696c6c; PRAGMA user_version = 1;";

static int is_stopped(void *ctx)
{
    const struct database *database = ctx;
    return atomic_load_explicit(database->stop, memory_order_relaxed);
}

/* Made here, because SQLite would let everybody read it; what it makes beside it has the same mode. */
static bool make_private(struct database *database, const char *path)
{
    static const char *const PARTS[] = {"", "-wal", "-shm"};
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, DATABASE_MODE);
    if (fd < 0) {
        database->failed = true;
        return error_set(&database->error, ERROR_IO, "cannot open '%s': %s", path, strerror(errno));
    }
    close(fd);
    for (size_t i = 0; i < sizeof PARTS / sizeof *PARTS; i++) {
        char part[PATH_MAX];
        if ((size_t)snprintf(part, sizeof part, "%s%s", path, PARTS[i]) < sizeof part)
            (void)chmod(part, DATABASE_MODE); /* of an older version, or not ours to change */
    }
    return true;
}

static bool open_file(struct database *database, const char *path, int flags)
{
    int result = sqlite3_open_v2(path, &database->sqlite, flags | SQLITE_OPEN_NOMUTEX, NULL);
    if (result != SQLITE_OK)
        return fail(database, path);
    sqlite3_busy_timeout(database->sqlite, BUSY_TIMEOUT_MS);
    sqlite3_db_config(database->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return true;
}

static bool check_format(struct database *database, const char *path)
{
    int64_t application = database_number(database, "PRAGMA application_id");
    int64_t format = database_number(database, "PRAGMA user_version");
    int64_t tables = database_number(database, "SELECT count(*) FROM sqlite_master");
    if (database->failed)
        return error_prefix(&database->error, "'%s'", path);
    if (application == 0 && format == 0 && tables == 0)
        return database_run(database, "BEGIN") && database_run(database, SCHEMA) &&
               database_run(database, "COMMIT");
    if (application == APPLICATION_ID && format == DATABASE_FORMAT)
        return true;
    database->failed = true;
    if (application != APPLICATION_ID)
        return error_set(&database->error, ERROR_FORMAT, "'%s' is not a document store", path);
    return error_set(&database->error, ERROR_FORMAT,
                     "'%s' has format %lld, this program reads format %d", path, (long long)format,
                     DATABASE_FORMAT);
}

static bool opened(struct database *database, bool done, struct error *err)
{
    if (done)
        return true;
    *err = database->error;
    database_close(database);
    return false;
}

bool database_open_writer(struct database *database, const char *path, enum database_sync sync,
                          struct error *err)
{
    *database = (struct database){0};
    bool done =
        make_private(database, path) && open_file(database, path, SQLITE_OPEN_READWRITE) &&
        database_run(database, "PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL;") &&
        check_format(database, path) &&
        database_run(database, "PRAGMA journal_mode = WAL; PRAGMA cache_size = -32768;"
                               "PRAGMA wal_autocheckpoint = 2000;"
                               "PRAGMA journal_size_limit = 67108864;") &&
        database_run(database, sync == DATABASE_SYNC_FULL ? "PRAGMA synchronous = FULL"
                                                          : "PRAGMA synchronous = NORMAL");
    return opened(database, done, err);
}

bool database_open_reader(struct database *database, const char *path, const atomic_bool *stop,
                          struct error *err)
{
    *database = (struct database){.stop = stop};
    bool done = open_file(database, path, SQLITE_OPEN_READWRITE) &&
                database_run(database, "PRAGMA query_only = 1; PRAGMA cache_size = -8192;");
    if (done && stop)
        sqlite3_progress_handler(database->sqlite, PROGRESS_STEPS, is_stopped, database);
    return opened(database, done, err);
}

void database_close(struct database *database)
{
    int result = sqlite3_close(database->sqlite);
    assert(result == SQLITE_OK);
    (void)result;
    database->sqlite = NULL;
}
