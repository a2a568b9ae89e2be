/* SPDX-License-Identifier: Apache-2.0
 *
 * The commands get and set; for keys that a line cannot hold mg and ms with the key in base64, which memcached 1.6 has.
 */
#include <assert.h>

#include "base/base64.h"
#include "io/memcached_private.h"

enum { LINE_MAX_BYTES = 2048, SHORT_KEY_MAX_BYTES = 180, NUMBER_DIGITS_MAX = 10 };

/* ---- commands ------------------------------------------------------------------------------------- */

static bool fits_a_line(struct str key)
{
    for (size_t i = 0; i < key.len; i++)
        if ((unsigned char)key.ptr[i] <= ' ' || key.ptr[i] == 0x7f)
            return false;
    return true;
}

static bool write_command(const struct memcached_op *op, struct str key, struct buf *out)
{
    if (!op->stores)
        return buf_printf(out, op->is_meta ? "mg %.*s b v f\r\n" : "get %.*s\r\n", STR_FMT(key));
    return op->is_meta ? buf_printf(out, "ms %.*s %zu b F%u T%u\r\n", STR_FMT(key), op->value.len,
                                    op->flags, op->expire_s)
                       : buf_printf(out, "set %.*s %u %u %zu\r\n", STR_FMT(key), op->flags,
                                    op->expire_s, op->value.len);
}

bool memcached_write(struct memcached_op *op, struct buf *out)
{
    struct arena arena;
    struct str key = op->key;
    op->is_meta = !fits_a_line(key);
    assert(key.len > 0 && key.len <= (op->is_meta ? SHORT_KEY_MAX_BYTES : MEMCACHED_KEY_MAX_BYTES));
    arena_init(&arena, NULL);
    if (op->is_meta)
        key = base64_encode(&arena, key);
    bool fits =
        write_command(op, key, out) &&
        (!op->stores || (buf_append_str(out, op->value) && buf_append_str(out, STR("\r\n"))));
    arena_release(&arena);
    return fits;
}

/* ---- answers -------------------------------------------------------------------------------------- */

static bool next_word(struct str *line, struct str *out)
{
    size_t at = str_find(*line, STR(" "));
    *out = str_make(line->ptr, at == SIZE_MAX ? line->len : at);
    *line = str_from_offset(*line, at == SIZE_MAX ? line->len : at + 1);
    return out->len > 0;
}

static bool read_number(struct str text, uint64_t max, uint64_t *out)
{
    int64_t number;
    if (text.len > NUMBER_DIGITS_MAX || !str_to_int(text, &number) || number < 0 ||
        (uint64_t)number > max)
        return false;
    *out = (uint64_t)number;
    return true;
}

/* "VALUE key flags length" or "VA length fFLAGS". */
static bool read_head(struct str line, bool is_meta, uint64_t max_bytes, uint64_t *flags_out,
                      uint64_t *length_out)
{
    struct str word, flags, length;
    if (!next_word(&line, &word))
        return false;
    if (is_meta) {
        if (!str_equal(word, STR("VA")) || !next_word(&line, &length) ||
            !next_word(&line, &flags) || !str_starts_with(flags, STR("f")))
            return false;
        flags = str_from_offset(flags, 1);
    } else if (!str_equal(word, STR("VALUE")) || !next_word(&line, &word) ||
               !next_word(&line, &flags) || !next_word(&line, &length)) {
        return false;
    }
    return read_number(flags, UINT32_MAX, flags_out) && read_number(length, max_bytes, length_out);
}

/* The value behind its head, with what ends it. */
static enum memcached_reply read_value(struct memcached_op *op, struct str bytes, size_t head,
                                       uint64_t length, size_t *taken_out)
{
    struct str end = op->is_meta ? STR("\r\n") : STR("\r\nEND\r\n");
    struct str rest = str_from_offset(bytes, head);
    if (rest.len < length + end.len)
        return MEMCACHED_REPLY_MORE;
    if (!str_starts_with(str_from_offset(rest, (size_t)length), end))
        return MEMCACHED_REPLY_BROKEN;
    op->result = MEMCACHED_FOUND;
    op->found = str_make(rest.ptr, (size_t)length);
    *taken_out = head + (size_t)length + end.len;
    return MEMCACHED_REPLY_DONE;
}

static bool is_refusal(struct str line)
{
    return str_equal(line, STR("ERROR")) || str_starts_with(line, STR("CLIENT_ERROR")) ||
           str_starts_with(line, STR("SERVER_ERROR")) || str_equal(line, STR("NOT_STORED")) ||
           str_equal(line, STR("NS"));
}

enum memcached_reply memcached_read(struct memcached_op *op, struct str bytes,
                                    size_t max_value_bytes, size_t *taken_out)
{
    size_t end = str_find(bytes, STR("\r\n"));
    uint64_t flags, length;
    if (end == SIZE_MAX || end > LINE_MAX_BYTES)
        return bytes.len > LINE_MAX_BYTES ? MEMCACHED_REPLY_BROKEN : MEMCACHED_REPLY_MORE;
    struct str line = str_make(bytes.ptr, end);
    *taken_out = end + 2;
    if (is_refusal(line)) {
        op->result = MEMCACHED_FAILED;
        op->error = "the server refuses the operation";
        return MEMCACHED_REPLY_DONE;
    }
    if (op->stores) {
        op->result = MEMCACHED_STORED;
        return str_equal(line, op->is_meta ? STR("HD") : STR("STORED")) ? MEMCACHED_REPLY_DONE
                                                                        : MEMCACHED_REPLY_BROKEN;
    }
    if (str_equal(line, op->is_meta ? STR("EN") : STR("END"))) {
        op->result = MEMCACHED_MISSING;
        return MEMCACHED_REPLY_DONE;
    }
    if (!read_head(line, op->is_meta, max_value_bytes, &flags, &length))
        return MEMCACHED_REPLY_BROKEN;
    op->found_flags = (uint32_t)flags;
    return read_value(op, bytes, end + 2, length, taken_out);
}
