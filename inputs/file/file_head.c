/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/file/file_head.h"

#include <assert.h>
#include <stdio.h>

#include "base/murmur3.h"

enum { HASH_DIGITS = 16 };

static uint64_t hash_of(struct str bytes)
{
    unsigned char digest[MURMUR3_128_BYTES];
    uint64_t hash = 0;
    murmur3_128(bytes, 0, digest);
    for (size_t i = 0; i < sizeof hash; i++) /* the same on every machine */
        hash = hash << 8 | digest[i];
    return hash;
}

struct file_head file_head_of(struct str bytes)
{
    if (bytes.len > FILE_HEAD_MAX_BYTES)
        bytes.len = FILE_HEAD_MAX_BYTES;
    return (struct file_head){.len = (uint32_t)bytes.len,
                              .hash = bytes.len > 0 ? hash_of(bytes) : 0};
}

bool file_head_matches(const struct file_head *head, struct str bytes)
{
    assert(head->len <= FILE_HEAD_MAX_BYTES);
    return head->len == 0 ||
           (bytes.len >= head->len && hash_of(str_make(bytes.ptr, head->len)) == head->hash);
}

size_t file_head_format(const struct file_head *head, char out[FILE_HEAD_TEXT_MAX])
{
    int len = snprintf(out, FILE_HEAD_TEXT_MAX, "%u:%016llx", (unsigned)head->len,
                       (unsigned long long)head->hash);
    assert(len > HASH_DIGITS && len < FILE_HEAD_TEXT_MAX);
    return (size_t)len;
}

static bool parse_hash(struct str digits, uint64_t *out)
{
    if (digits.len != HASH_DIGITS)
        return false;
    *out = 0;
    for (size_t i = 0; i < digits.len; i++) {
        const char *known = "0123456789abcdef", *digit = strchr(known, digits.ptr[i]);
        if (!digit || digits.ptr[i] == 0)
            return false;
        *out = *out << 4 | (uint64_t)(digit - known);
    }
    return true;
}

bool file_head_parse(struct str text, struct file_head *out)
{
    const char *colon = text.len > 0 ? memchr(text.ptr, ':', text.len) : NULL;
    if (!colon)
        return false;
    int64_t len;
    uint64_t hash;
    struct str number = str_make(text.ptr, (size_t)(colon - text.ptr));
    if (!str_to_int(number, &len) || len < 1 || len > FILE_HEAD_MAX_BYTES ||
        !parse_hash(str_from_offset(text, number.len + 1), &hash))
        return false;
    *out = (struct file_head){.len = (uint32_t)len, .hash = hash};
    return true;
}
