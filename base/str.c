/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/random.h>

#include "base/mem.h"

int str_compare(struct str a, struct str b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared ? memcmp(a.ptr, b.ptr, shared) : 0;
    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

bool str_equal_nocase(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || strncasecmp(a.ptr, b.ptr, a.len) == 0);
}

size_t str_find(struct str haystack, struct str needle)
{
    if (needle.len == 0)
        return 0;
    if (haystack.len < needle.len)
        return SIZE_MAX;
    const char *hit = memmem(haystack.ptr, haystack.len, needle.ptr, needle.len);
    return hit ? (size_t)(hit - haystack.ptr) : SIZE_MAX;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str s)
{
    while (s.len > 0 && is_space(s.ptr[0])) {
        s.ptr++;
        s.len--;
    }
    while (s.len > 0 && is_space(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

bool str_to_int(struct str s, int64_t *out)
{
    bool negative = s.len > 0 && s.ptr[0] == '-';
    size_t at = s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+');
    if (at == s.len)
        return false;
    uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    uint64_t value = 0;
    for (; at < s.len; at++) {
        unsigned digit = (unsigned char)s.ptr[at] - '0';
        if (digit > 9 || value > (limit - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

/* [+-] digits [. digits] [e [+-] digits], at least one digit in the mantissa */
static bool double_shape(struct str s)
{
    size_t at = s.len > 0 && (s.ptr[0] == '-' || s.ptr[0] == '+');
    size_t digits = 0;
    for (; at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9'; at++)
        digits++;
    if (at < s.len && s.ptr[at] == '.')
        for (at++; at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9'; at++)
            digits++;
    if (digits == 0)
        return false;
    if (at < s.len && (s.ptr[at] == 'e' || s.ptr[at] == 'E')) {
        at++;
        if (at < s.len && (s.ptr[at] == '-' || s.ptr[at] == '+'))
            at++;
        size_t first = at;
        while (at < s.len && s.ptr[at] >= '0' && s.ptr[at] <= '9')
            at++;
        if (at == first)
            return false;
    }
    return at == s.len;
}

/* The process never calls setlocale, so strtod reads a '.' (checked in the unit test). */
bool str_to_double(struct str s, double *out)
{
    enum { SHORT_NUMBER = 64 };
    if (!double_shape(s))
        return false;
    char small[SHORT_NUMBER];
    char *text = s.len < sizeof small ? small : mem_alloc(s.len + 1);
    memcpy(text, s.ptr, s.len);
    text[s.len] = 0;
    *out = strtod(text, NULL);
    if (text != small)
        mem_free(text);
    return true;
}

static uint64_t hash_seed;
static pthread_once_t hash_seeded = PTHREAD_ONCE_INIT;

static void seed_hash(void)
{
    if (getrandom(&hash_seed, sizeof hash_seed, 0) != (ssize_t)sizeof hash_seed)
        hash_seed = (uint64_t)(uintptr_t)&hash_seed;
}

/* Multiply-and-fold over 8 bytes a step, keyed by the seed. */
uint64_t str_hash(struct str s)
{
    pthread_once(&hash_seeded, seed_hash);
    uint64_t hash = hash_seed ^ (s.len * 0x9e3779b97f4a7c15u);
    const char *at = s.ptr;
    size_t left = s.len;
    while (left > 0) {
        uint64_t word = 0;
        size_t take = left < 8 ? left : 8;
        memcpy(&word, at, take);
        __extension__ unsigned __int128 product =
            (unsigned __int128)(hash ^ word) * 0xd6e8feb86659fd93u;
        hash = (uint64_t)product ^ (uint64_t)(product >> 64) ^ hash_seed;
        at += take;
        left -= take;
    }
    hash ^= hash >> 32;
    return hash * 0x9e3779b97f4a7c15u;
}
