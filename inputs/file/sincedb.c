/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/file/sincedb.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/mem.h"

enum { SINCEDB_MODE = 0600 }; /* it names files that others need not know */

struct str file_identity_key(const struct file_identity *identity)
{
    return str_make((const char *)identity, sizeof *identity);
}

struct file_identity file_identity_of(const struct stat *status)
{
    return (struct file_identity){
        .inode = status->st_ino,
        .major = major(status->st_dev),
        .minor = minor(status->st_dev),
    };
}

bool file_identity_equal(struct file_identity a, struct file_identity b)
{
    return a.inode == b.inode && a.major == b.major && a.minor == b.minor;
}

void sincedb_init(struct sincedb *sincedb)
{
    *sincedb = (struct sincedb){.changed = false};
    map_init(&sincedb->records);
}

static void record_free(struct sincedb_record *record)
{
    if (record)
        mem_free(record->path);
    mem_free(record);
}

void sincedb_release(struct sincedb *sincedb)
{
    size_t at = 0;
    struct str key;
    void *record;
    while (map_next(&sincedb->records, &at, &key, &record))
        record_free(record);
    map_release(&sincedb->records);
}

struct sincedb_record *sincedb_find(const struct sincedb *sincedb, struct file_identity identity)
{
    return map_get(&sincedb->records, file_identity_key(&identity));
}

struct sincedb_record *sincedb_add(struct sincedb *sincedb, struct file_identity identity)
{
    assert(!sincedb_find(sincedb, identity));
    struct sincedb_record *record = mem_zero(1, sizeof *record);
    record->identity = identity;
    map_set(&sincedb->records, file_identity_key(&identity), record);
    sincedb->changed = true;
    return record;
}

void sincedb_remove(struct sincedb *sincedb, struct file_identity identity)
{
    record_free(map_remove(&sincedb->records, file_identity_key(&identity)));
    sincedb->changed = true;
}

void sincedb_move(struct sincedb *sincedb, struct sincedb_record *record, uint64_t position,
                  double now)
{
    record->position = position;
    record->last_active = now;
    sincedb->changed = true;
}

void sincedb_set_path(struct sincedb *sincedb, struct sincedb_record *record, const char *path)
{
    if (record->path && strcmp(record->path, path) == 0)
        return;
    mem_free(record->path);
    record->path = mem_strdup(path);
    sincedb->changed = true;
}

void sincedb_set_head(struct sincedb *sincedb, struct sincedb_record *record, struct file_head head)
{
    if (record->head.len == head.len && record->head.hash == head.hash)
        return;
    record->head = head;
    sincedb->changed = true;
}

void sincedb_expire(struct sincedb *sincedb, double not_before)
{
    struct sincedb_record *expired = NULL;
    size_t at = 0;
    struct str key;
    void *value;
    while (map_next(&sincedb->records, &at, &key, &value)) {
        struct sincedb_record *record = value;
        if (record->watched || record->last_active >= not_before)
            continue;
        record->next_expired = expired; /* the map is not to change meanwhile */
        expired = record;
    }
    while (expired) {
        struct sincedb_record *next = expired->next_expired;
        sincedb_remove(sincedb, expired->identity);
        expired = next;
    }
}

/* ---- text ------------------------------------------------------------------------------------- */

/* The next word of a line; false at its end. */
static bool next_word(struct str *line, struct str *word_out)
{
    *line = str_trim(*line);
    const char *blank = line->len > 0 ? memchr(line->ptr, ' ', line->len) : NULL;
    *word_out = blank ? str_make(line->ptr, (size_t)(blank - line->ptr)) : *line;
    *line = str_from_offset(*line, word_out->len);
    return word_out->len > 0;
}

static bool next_number(struct str *line, uint64_t *out)
{
    struct str word;
    int64_t number;
    if (!next_word(line, &word) || !str_to_int(word, &number) || number < 0)
        return false;
    *out = (uint64_t)number;
    return true;
}

/* Takes the fingerprint off the end of a path. A tab in the path itself does no harm. */
static struct str cut_head(struct str path, struct file_head *out)
{
    size_t at = path.len;
    while (at > 0 && path.ptr[at - 1] != '\t')
        at--;
    if (at > 0 && file_head_parse(str_from_offset(path, at), out))
        path.len = at - 1;
    return path;
}

/* Takes how often the file was rewritten off the end: "~3" behind a tab. */
static struct str cut_rewritten(struct str path, uint64_t *out)
{
    size_t at = path.len;
    int64_t number;
    while (at > 0 && path.ptr[at - 1] != '\t')
        at--;
    struct str word = str_from_offset(path, at);
    if (at > 0 && str_starts_with(word, STR("~")) &&
        str_to_int(str_from_offset(word, 1), &number) && number > 0) {
        *out = (uint64_t)number;
        path.len = at - 1;
    }
    return path;
}

static void parse_line(struct sincedb *sincedb, struct str line)
{
    struct file_identity identity;
    uint64_t position;
    if (!next_number(&line, &identity.inode) || !next_number(&line, &identity.major) ||
        !next_number(&line, &identity.minor) || !next_number(&line, &position))
        return;
    if (sincedb->records.count >= SINCEDB_MAX_RECORDS)
        return;
    struct sincedb_record *record = sincedb_find(sincedb, identity);
    if (!record)
        record = sincedb_add(sincedb, identity);
    record->position = position;
    struct str word;
    if (next_word(&line, &word))
        (void)str_to_double(word, &record->last_active);
    record->head = (struct file_head){.len = 0};
    record->rewritten = 0;
    struct str path = cut_rewritten(str_trim(line), &record->rewritten);
    path = cut_head(path, &record->head);
    if (path.len > 0 && path.len < PATH_MAX) {
        mem_free(record->path);
        record->path = mem_zero(1, path.len + 1);
        memcpy(record->path, path.ptr, path.len);
    }
}

void sincedb_parse(struct sincedb *sincedb, struct str text)
{
    while (text.len > 0) {
        const char *end = memchr(text.ptr, '\n', text.len);
        struct str line = str_make(text.ptr, end ? (size_t)(end - text.ptr) : text.len);
        parse_line(sincedb, line);
        text = str_from_offset(text, line.len + 1);
    }
}

/* A name may have any byte but zero; the end of a line in it must not make a record of what follows. */
static void format_path(const char *path, struct buf *out)
{
    (void)buf_append_char(out, ' ');
    for (const char *at = path; *at; at++)
        (void)buf_append_char(out, *at == '\n' || *at == '\r' ? '?' : *at);
}

static void format_record(const struct sincedb_record *record, struct buf *out)
{
    (void)buf_printf(out, "%llu %llu %llu %llu %.6f", (unsigned long long)record->identity.inode,
                     (unsigned long long)record->identity.major,
                     (unsigned long long)record->identity.minor,
                     (unsigned long long)record->position, record->last_active);
    if (record->path)
        format_path(record->path, out);
    if (record->path && record->head.len > 0) {
        char head[FILE_HEAD_TEXT_MAX];
        (void)file_head_format(&record->head, head);
        (void)buf_printf(out, "\t%s", head);
    }
    if (record->path && record->rewritten > 0)
        (void)buf_printf(out, "\t~%llu", (unsigned long long)record->rewritten);
    (void)buf_append_char(out, '\n');
}

void sincedb_format(const struct sincedb *sincedb, struct buf *out)
{
    size_t at = 0;
    struct str key;
    void *value;
    while (map_next(&sincedb->records, &at, &key, &value))
        format_record(value, out);
}

/* ---- disk ------------------------------------------------------------------------------------- */

bool sincedb_is_nowhere(const char *path)
{
    return !path || strcmp(path, "/dev/null") == 0;
}

static bool read_all(int fd, struct buf *out)
{
    for (;;) {
        if (!buf_reserve(out, 4096))
            return false;
        ssize_t count = read(fd, out->ptr + out->len, out->capacity - out->len);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count == 0;
        out->len += (size_t)count;
    }
}

bool sincedb_load(struct sincedb *sincedb, const char *path, struct error *err)
{
    if (sincedb_is_nowhere(path))
        return true;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return true;
    if (fd < 0)
        return error_set(err, ERROR_IO, "cannot open sincedb '%s': %s", path, strerror(errno));
    struct buf text;
    buf_init(&text, SINCEDB_MAX_BYTES);
    bool whole = read_all(fd, &text);
    close(fd);
    if (whole)
        sincedb_parse(sincedb, buf_str(&text));
    else
        error_set(err, ERROR_IO, "cannot read sincedb '%s'", path);
    buf_release(&text);
    sincedb->changed = false;
    return whole;
}

static bool write_all(int fd, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t count = write(fd, bytes.ptr, bytes.len);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return false;
        bytes = str_from_offset(bytes, (size_t)count);
    }
    return true;
}

static bool replace(const char *path, struct str text)
{
    char part[PATH_MAX];
    if ((size_t)snprintf(part, sizeof part, "%s.part", path) >= sizeof part) {
        errno = ENAMETOOLONG;
        return false;
    }
    int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, SINCEDB_MODE);
    if (fd < 0)
        return false;
    bool written =
        fchmod(fd, SINCEDB_MODE) == 0 && write_all(fd, text); /* .part may be an old one */
    int number = errno;
    if (close(fd) == 0 && written)
        return rename(part, path) == 0;
    if (!written)
        errno = number;
    return false;
}

bool sincedb_save(struct sincedb *sincedb, const char *path, struct error *err)
{
    if (sincedb_is_nowhere(path) || !sincedb->changed)
        return true;
    struct buf text;
    buf_init(&text, SIZE_MAX);
    sincedb_format(sincedb, &text);
    bool saved = replace(path, buf_str(&text));
    int number = errno;
    buf_release(&text);
    if (!saved)
        return error_set(err, ERROR_IO, "cannot write sincedb '%s': %s", path, strerror(number));
    sincedb->changed = false;
    return true;
}

static void sync_path(const char *path, int flags)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

void sincedb_sync(const char *path)
{
    if (sincedb_is_nowhere(path))
        return;
    char directory[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int len = slash ? (int)(slash - path) : 0;
    (void)snprintf(directory, sizeof directory, "%.*s", len, path);
    sync_path(path, 0);
    sync_path(len > 0 ? directory : slash ? "/" : ".", O_DIRECTORY);
}
