/* SPDX-License-Identifier: Apache-2.0
 *
 * A borrowed run of bytes. `struct str` never owns memory: what it points at lives in an arena, a
 * buf, a literal or the input bytes, and the function that returns one says for how long. The
 * bytes are not terminated by NUL and may contain NUL. ptr may be NULL only when len is 0.
 */
#ifndef MILLRACE_BASE_STR_H
#define MILLRACE_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *ptr;
    size_t len;
};

/* A str over a string literal. */
#define STR(literal) ((struct str){"" literal, sizeof(literal) - 1})
/* For initialisers of static objects. */
#define STR_INIT(literal)                                                                          \
    {                                                                                              \
        "" literal, sizeof(literal) - 1                                                            \
    }
/* Arguments of a printf "%.*s". */
#define STR_FMT(s) (int)((s).len > 2147483647 ? 2147483647 : (s).len), ((s).ptr ? (s).ptr : "")

static inline struct str str_make(const char *ptr, size_t len)
{
    return (struct str){ptr, len};
}

/* Borrows a NUL-terminated string; NULL gives the empty str. */
static inline struct str str_from(const char *text)
{
    return (struct str){text, text ? strlen(text) : 0};
}

static inline bool str_equal(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* A number that differs for most strings of one length: of its first and last four bytes. */
static inline uint32_t str_mark(struct str s)
{
    uint32_t head = 0, tail = 0;
    if (s.len >= sizeof head) {
        memcpy(&head, s.ptr, sizeof head);
        memcpy(&tail, s.ptr + s.len - sizeof tail, sizeof tail);
    } else if (s.len > 0) {
        head = (uint32_t)(unsigned char)s.ptr[0] << 16 |
               (uint32_t)(unsigned char)s.ptr[s.len / 2] << 8 | (unsigned char)s.ptr[s.len - 1];
    }
    return head * 31 + tail;
}

/* The same of a literal, as a constant. */
#define STR_MARK(literal)                                                                          \
    (sizeof(literal) > 4                                                                           \
         ? STR_WORD_AT(literal, 0) * 31u + STR_WORD_AT(literal, sizeof(literal) - 5)               \
         : STR_SHORT_WORD(literal) * 31u)
#define STR_BYTE_AT(literal, at)                                                                   \
    ((uint32_t)(unsigned char)("" literal)[(at) < sizeof(literal) ? (at) : 0])
#define STR_SHORT_WORD(literal)                                                                    \
    (STR_BYTE_AT(literal, 0) << 16 | STR_BYTE_AT(literal, (sizeof(literal) - 1) / 2) << 8 |        \
     STR_BYTE_AT(literal, sizeof(literal) - 2))
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define STR_WORD_AT(literal, at)                                                                   \
    (STR_BYTE_AT(literal, at) | STR_BYTE_AT(literal, (at) + 1) << 8 |                              \
     STR_BYTE_AT(literal, (at) + 2) << 16 | STR_BYTE_AT(literal, (at) + 3) << 24)
#else
#define STR_WORD_AT(literal, at)                                                                   \
    (STR_BYTE_AT(literal, at) << 24 | STR_BYTE_AT(literal, (at) + 1) << 16 |                       \
     STR_BYTE_AT(literal, (at) + 2) << 8 | STR_BYTE_AT(literal, (at) + 3))
#endif

static inline bool str_starts_with(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline bool str_ends_with(struct str s, struct str suffix)
{
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.ptr + s.len - suffix.len, suffix.ptr, suffix.len) == 0);
}

/* The part of s from offset `from` on; empty when from is at or past the end. */
static inline struct str str_from_offset(struct str s, size_t from)
{
    return from >= s.len ? (struct str){s.ptr, 0} : (struct str){s.ptr + from, s.len - from};
}

/* Byte order, a shorter string first when it is a prefix: <0, 0, >0. */
int str_compare(struct str a, struct str b);

/* ASCII case-insensitive equality. */
bool str_equal_nocase(struct str a, struct str b);

/* Offset of the first occurrence, or SIZE_MAX. An empty needle is found at 0. */
size_t str_find(struct str haystack, struct str needle);

/* Without ASCII white space (blank, \t \n \v \f \r) at both ends. */
struct str str_trim(struct str s);

/* Reads the whole of s as a decimal integer with an optional sign; false when it is not one or does
 * not fit. */
bool str_to_int(struct str s, int64_t *out);

/* Reads the whole of s as a decimal floating-point number (no hex, no inf, no nan, no blanks),
 * independent of the locale; false when it is not one. */
bool str_to_double(struct str s, double *out);

/* Hash for tables whose keys come from outside: seeded once per process, so that a client cannot
 * choose keys that collide. */
uint64_t str_hash(struct str s);

#endif
