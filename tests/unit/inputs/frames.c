/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/inputs/frames.h"

#include <check.h>
#include <stdlib.h>
#include <zlib.h>

enum { FRAMES_MAX_BYTES = 64 * 1024 * 1024 };

static void number(struct buf *out, uint32_t value)
{
    unsigned char bytes[4] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                              (unsigned char)(value >> 8), (unsigned char)value};
    ck_assert(buf_append(out, bytes, sizeof bytes));
}

static void start(struct buf *out, char version, char type)
{
    ck_assert(buf_append_char(out, version) && buf_append_char(out, type));
}

void frames_window(struct buf *out, char version, uint32_t count)
{
    start(out, version, 'W');
    number(out, count);
}

static void json(struct buf *out, char version, uint32_t sequence, struct str text)
{
    start(out, version, 'J');
    number(out, sequence);
    number(out, (uint32_t)text.len);
    ck_assert(buf_append_str(out, text));
}

void frames_json(struct buf *out, uint32_t sequence, struct str text)
{
    json(out, '2', sequence, text);
}

static void part(struct buf *out, struct str text)
{
    number(out, (uint32_t)text.len);
    ck_assert(buf_append_str(out, text));
}

/* text: k:v,k2:v2 */
static void data(struct buf *out, char version, uint32_t sequence, struct str text)
{
    uint32_t pairs = 1;
    for (size_t i = 0; i < text.len; i++)
        pairs += text.ptr[i] == ',';
    start(out, version, 'D');
    number(out, sequence);
    number(out, pairs);
    for (size_t from = 0, i = 0; i <= text.len; i++) {
        if (i < text.len && text.ptr[i] != ':' && text.ptr[i] != ',')
            continue;
        part(out, str_make(text.ptr + from, i - from));
        from = i + 1;
    }
}

/* window_bits as deflateInit2 has it: 15 zlib, 31 gzip. */
static size_t compress_into(struct buf *out, struct str content, int level, int window_bits)
{
    z_stream zlib = {0};
    ck_assert(deflateInit2(&zlib, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    size_t bound = deflateBound(&zlib, content.len);
    ck_assert(buf_reserve(out, bound));
    zlib.next_in = (z_const Bytef *)(uintptr_t)content.ptr;
    zlib.avail_in = (uInt)content.len;
    zlib.next_out = (Bytef *)out->ptr + out->len;
    zlib.avail_out = (uInt)bound;
    ck_assert(deflate(&zlib, Z_FINISH) == Z_STREAM_END);
    size_t made = bound - zlib.avail_out;
    deflateEnd(&zlib);
    out->len += made;
    return made;
}

void frames_compressed(struct buf *out, char version, struct str content, char spoil)
{
    struct buf stream;
    buf_init(&stream, FRAMES_MAX_BYTES);
    if (spoil == 'm')
        content.len--;
    compress_into(&stream, content, spoil == 's' ? 0 : 3, spoil == 'g' ? 31 : 15);
    if (spoil == 'd')
        compress_into(&stream, content, 3, 15);
    if (spoil == 'a')
        stream.ptr[stream.len - 1] ^= 1;
    if (spoil == 'n')
        stream.len -= 4;
    if (spoil == 'h')
        stream.len /= 2;
    if (spoil == 't')
        ck_assert(buf_append(&stream, "trailing", 8));
    start(out, version, 'C');
    number(out, (uint32_t)stream.len);
    ck_assert(buf_append_str(out, buf_str(&stream)));
    buf_release(&stream);
}

static void raw(struct buf *out, struct str hex)
{
    for (size_t i = 0; i + 1 < hex.len; i += 2) {
        char digits[3] = {hex.ptr[i], hex.ptr[i + 1], 0};
        ck_assert(buf_append_char(out, (char)strtol(digits, NULL, 16)));
    }
}

static void build(struct str *script, struct buf *out);

static void build_compressed(char version, char spoil, struct str *script, struct buf *out)
{
    struct buf content;
    buf_init(&content, FRAMES_MAX_BYTES);
    build(script, &content);
    frames_compressed(out, version, buf_str(&content), spoil);
    buf_release(&content);
}

static void build_word(struct str word, struct str *script, struct buf *out)
{
    if (word.ptr[0] == 'x') {
        raw(out, str_from_offset(word, 1));
        return;
    }
    ck_assert(word.len >= 3);
    char version = word.ptr[0], type = word.ptr[1], *end;
    uint32_t count = (uint32_t)strtoul(word.ptr + 2, &end, 10);
    struct str text = str_from_offset(word, (size_t)(end + 1 - word.ptr));
    if (type == 'W')
        frames_window(out, version, count);
    else if (type == 'J')
        json(out, version, count, text);
    else if (type == 'D')
        data(out, version, count, text);
    else
        build_compressed(version, word.ptr[2], script, out);
}

static struct str next_word(struct str *script)
{
    *script = str_trim(*script);
    size_t len = 0;
    while (len < script->len && script->ptr[len] != ' ')
        len++;
    struct str word = str_make(script->ptr, len);
    *script = str_from_offset(*script, len);
    return word;
}

static void build(struct str *script, struct buf *out)
{
    for (struct str word = next_word(script); word.len > 0; word = next_word(script)) {
        if (str_equal(word, STR("]")))
            return;
        build_word(word, script, out);
    }
}

void frames_build(const char *script, struct buf *out)
{
    struct str rest = str_from(script);
    build(&rest, out);
}
