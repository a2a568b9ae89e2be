/* SPDX-License-Identifier: Apache-2.0
 *
 * Why something failed, as a value the caller owns. A function that can fail returns bool and takes
 * `struct error *err` last; on false *err is filled, on true it is untouched. Functions return an
 * error or log it, never both. Text: lower case, no full stop, what failed first, the subject in
 * single quotes, the way out if one is known.
 *
 * A configuration has many errors at once: they are collected in an error_list, sorted by their place in each file.
 */
#ifndef MILLRACE_BASE_ERROR_H
#define MILLRACE_BASE_ERROR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum error_code {
    ERROR_NONE,
    ERROR_CONFIG,   /* the configuration says something impossible */
    ERROR_IO,       /* the operating system refused */
    ERROR_LIMIT,    /* a named limit was met */
    ERROR_FORMAT,   /* bytes are not what they should be */
    ERROR_PROTOCOL, /* a peer broke its protocol */
    ERROR_NOT_FOUND,
    ERROR_BUSY,
};

/* Where in the configuration. line and column start at 1; line 0 means "no position". The file name
 * is borrowed from the configuration's arena (or a literal). */
struct error_position {
    const char *file;
    unsigned line;
    unsigned column;
};

struct error {
    enum error_code code;
    struct error_position position;
    char text[256]; /* NUL-terminated, cut when longer */
};

/* Fills *err (which may be NULL) and returns false, so that `return error_set(...)` reads well. */
bool error_set(struct error *err, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool error_set_at(struct error *err, struct error_position position, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
bool error_setv(struct error *err, enum error_code code, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));

/* Puts "prefix: " before the text of *err. Returns false. */
bool error_prefix(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Errors and warnings of one configuration, those of one file in the order of their positions; at most ERROR_LIST_MAX are kept, the
 * rest is counted. */
enum { ERROR_LIST_MAX = 100 };

struct error_list {
    struct error *items;
    bool *warnings; /* warnings[i]: item i does not refuse the configuration */
    size_t count;
    size_t capacity;
    size_t errors;  /* how many of all were errors, also those not kept */
    size_t dropped; /* not kept */
};

void error_list_init(struct error_list *list);
void error_list_release(struct error_list *list);
void error_list_add(struct error_list *list, const struct error *err);
void error_list_add_warning(struct error_list *list, const struct error *err);
/* Formats and adds an ERROR_CONFIG at the position. */
void error_list_at(struct error_list *list, struct error_position position, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void error_list_warn_at(struct error_list *list, struct error_position position, const char *format,
                        ...) __attribute__((format(printf, 3, 4)));

#endif
