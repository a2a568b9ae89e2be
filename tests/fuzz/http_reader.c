/* SPDX-License-Identifier: Apache-2.0
 *
 * Input: a byte (bit 0: the request was HEAD, the others: how large the pieces are), then what a server says. However it is
 * cut, the same comes out.
 */
#include "io/http_reader.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { BODY_MAX = 4096 };

struct read {
    enum http_reading result;
    int status;
    struct buf body, headers;
    size_t rest;
};

static void read_pieces(struct str text, size_t step, bool to_head, struct read *out)
{
    struct http_reader reader;
    http_reader_init(&reader);
    buf_init(&out->body, BODY_MAX);
    buf_init(&out->headers, BODY_MAX);
    http_reader_begin(&reader, to_head, &out->headers, &out->body);
    out->result = HTTP_READ_MORE;
    while (out->result == HTTP_READ_MORE && text.len > 0) {
        struct str piece = str_make(text.ptr, step < text.len ? step : text.len);
        size_t had = piece.len;
        out->result = http_reader_feed(&reader, &piece);
        assert(piece.len <= had && (out->result != HTTP_READ_MORE || piece.len == 0));
        text = str_from_offset(text, had - piece.len);
    }
    if (out->result == HTTP_READ_MORE)
        out->result = http_reader_end(&reader);
    assert(out->result != HTTP_READ_MORE && out->body.len <= BODY_MAX);
    assert(out->result != HTTP_READ_DONE || reader.status >= 200);
    out->status = reader.status;
    out->rest = text.len;
    http_reader_release(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0)
        return 0;
    struct str text = str_make((const char *)data + 1, len - 1);
    bool to_head = data[0] & 1;
    struct read whole, cut;
    read_pieces(text, SIZE_MAX, to_head, &whole);
    read_pieces(text, (data[0] >> 1) + 1U, to_head, &cut);
    assert(whole.result == cut.result && whole.status == cut.status);
    if (whole.result == HTTP_READ_DONE)
        assert(whole.rest == cut.rest && str_equal(buf_str(&whole.body), buf_str(&cut.body)) &&
               str_equal(buf_str(&whole.headers), buf_str(&cut.headers)));
    buf_release(&whole.body);
    buf_release(&whole.headers);
    buf_release(&cut.body);
    buf_release(&cut.headers);
    return 0;
}
