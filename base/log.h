/* SPDX-License-Identifier: Apache-2.0
 *
 * Structured log lines on stderr: an event name, a sentence, and named values. `struct log` is handed
 * to whoever may log; there is no global logger. One line is one write(2), so lanes may log at once.
 *   log_warn(log, "template_fallback", "index template taken from the shipped templates",
 *            LOG_STR("path", path), LOG_INT("bytes", n));
 * A line without values passes LOG_NONE.
 * Never event contents above debug.
 */
#ifndef MILLRACE_BASE_LOG_H
#define MILLRACE_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum log_level {
    LOG_LEVEL_TRACE,
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARN,
    LOG_LEVEL_ERROR,
    LOG_LEVEL_FATAL
};
enum log_format { LOG_FORMAT_PLAIN, LOG_FORMAT_JSON };

struct log_memory;

struct log {
    enum log_level level;
    enum log_format format;
    int fd;
    bool colours;              /* of the level's name */
    struct str scope;          /* "elasticsearch/main-es" or empty; shown with each line */
    struct log_memory *memory; /* keeps warnings and errors (log_memory.h); NULL: nothing does */
};

enum log_field_type { LOG_FIELD_STR, LOG_FIELD_INT, LOG_FIELD_FLOAT };

struct log_field {
    const char *name;
    enum log_field_type type;
    struct str text;
    int64_t integer;
    double real;
};

#define LOG_STR(key, value)                                                                        \
    ((struct log_field){.name = (key), .type = LOG_FIELD_STR, .text = (value)})
#define LOG_CSTR(key, value) LOG_STR(key, str_from(value))
#define LOG_INT(key, value)                                                                        \
    ((struct log_field){.name = (key), .type = LOG_FIELD_INT, .integer = (int64_t)(value)})
#define LOG_FLOAT(key, value)                                                                      \
    ((struct log_field){.name = (key), .type = LOG_FIELD_FLOAT, .real = (value)})

/* The same, left out of the line when the text is empty or the number 0. */
#define LOG_STR_IF(key, value)                                                                     \
    ((struct log_field){                                                                           \
        .name = (value).len > 0 ? (key) : NULL, .type = LOG_FIELD_STR, .text = (value)})
#define LOG_CSTR_IF(key, value) LOG_STR_IF(key, str_from(value))
#define LOG_INT_IF(key, value)                                                                     \
    ((struct log_field){                                                                           \
        .name = (value) != 0 ? (key) : NULL, .type = LOG_FIELD_INT, .integer = (int64_t)(value)})

void log_init(struct log *log, enum log_level level, enum log_format format, int fd);
bool log_level_parse(struct str text, enum log_level *out);

static inline bool log_enabled(const struct log *log, enum log_level level)
{
    return log && level >= log->level;
}

void log_write(const struct log *log, enum log_level level, const char *event, const char *sentence,
               const struct log_field *fields, size_t count);

/* For a line without values. */
#define LOG_NONE        ((struct log_field){.name = NULL})
#define LOG_FIELDS(...) ((const struct log_field[]){__VA_ARGS__})
#define log_at(log, level, event, sentence, ...)                                                   \
    (log_enabled(log, level)                                                                       \
         ? log_write(log, level, event, sentence, LOG_FIELDS(__VA_ARGS__),                         \
                     sizeof(LOG_FIELDS(__VA_ARGS__)) / sizeof(struct log_field))                   \
         : (void)0)
#define log_debug(log, event, sentence, ...)                                                       \
    log_at(log, LOG_LEVEL_DEBUG, event, sentence, __VA_ARGS__)
#define log_info(log, event, sentence, ...)                                                        \
    log_at(log, LOG_LEVEL_INFO, event, sentence, __VA_ARGS__)
#define log_warn(log, event, sentence, ...)                                                        \
    log_at(log, LOG_LEVEL_WARN, event, sentence, __VA_ARGS__)
#define log_error(log, event, sentence, ...)                                                       \
    log_at(log, LOG_LEVEL_ERROR, event, sentence, __VA_ARGS__)

/* At most `burst` lines for each `window_ms`; what was held back is counted. One thread. */
struct log_limit {
    uint64_t window_start_ms;
    unsigned window_ms, burst, used;
    uint64_t suppressed;
};
/* True when a line may be written now; *suppressed_out then says how many were held back before. */
bool log_limit_allow(struct log_limit *limit, uint64_t now_ms, uint64_t *suppressed_out);

#endif
