/* SPDX-License-Identifier: Apache-2.0
 *
 * gzip_lines: gzip data, an event for each line; as in Logstash a message keeps the line break at its end. Members may follow
 * each other and be cut anywhere.
 */
#include "codecs/charset.h"
#include "codecs/codecs.h"
#include "codecs/text_event.h"
#include "codecs/tokenizer.h"
#include "io/gzip.h"

/* A piece of so many bytes inflates to about a thousand times as many at most. */
enum { PIECE_BYTES = 4096, INFLATED_MAX = 8 * 1024 * 1024 };

struct gzip_lines_codec {
    int charset_choice;

    struct charset charset;
    struct gunzip *gunzip; /* NULL: nothing has come yet, or the last bytes were broken */
    struct long_lines long_lines;
    struct tokenizer tokenizer;
    struct buf inflated;
};

static const struct option gzip_lines_options[] = {
    {
        .name = "charset",
        .doc = "Encoding of the bytes that are decoded.",
        OPTION_IN_CHOICE(struct gzip_lines_codec, charset_choice),
        .choices = charset_names,
        .def = "UTF-8",
    },
    OPTION_END,
};

static bool gzip_lines_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct gzip_lines_codec *lines = self;
    long_lines_init(&lines->long_lines, env);
    tokenizer_init(&lines->tokenizer, STR("\n"), 1, env->settings->max_event_bytes);
    buf_init(&lines->inflated, INFLATED_MAX);
    return charset_open(&lines->charset, lines->charset_choice, err);
}

static void gzip_lines_close(void *self)
{
    struct gzip_lines_codec *lines = self;
    gunzip_free(lines->gunzip);
    tokenizer_release(&lines->tokenizer);
    buf_release(&lines->inflated);
    charset_close(&lines->charset);
}

static void emit_line(struct gzip_lines_codec *lines, struct str line, struct event_sink *sink)
{
    struct str text = charset_to_utf8(&lines->charset, sink->arena, line);
    sink->emit(sink, text_event_new(sink->arena, text, false));
}

/* Tokens come without the line break, which belongs to the message. */
static void decode_text(struct gzip_lines_codec *lines, struct str text, struct event_sink *sink)
{
    for (;;) {
        struct str line;
        switch (tokenizer_next(&lines->tokenizer, sink->arena, &text, &line)) {
        case TOKEN_LINE: {
            char *whole = arena_bytes(sink->arena, line.len + 1);
            if (line.len > 0)
                memcpy(whole, line.ptr, line.len);
            whole[line.len] = '\n';
            emit_line(lines, str_make(whole, line.len + 1), sink);
            break;
        }
        case TOKEN_TOO_LONG:
            text_event_emit_too_long(sink, &lines->long_lines, lines->tokenizer.max_bytes);
            break;
        case TOKEN_NEED_MORE:
            return;
        }
    }
}

/* Emits a line that has no end, and is ready for another member. */
static void finish(struct gzip_lines_codec *lines, struct event_sink *sink)
{
    struct str line;
    if (tokenizer_flush(&lines->tokenizer, sink->arena, &line) && line.len > 0)
        emit_line(lines, line, sink);
    gunzip_free(lines->gunzip);
    lines->gunzip = NULL;
}

static void emit_broken(struct event_sink *sink)
{
    struct event *event = text_event_new(sink->arena, STR("broken gzip data"), false);
    event_add_tag(event, STR("_gziplinesfailure"));
    sink->emit(sink, event);
}

static void gzip_lines_flush(void *self, struct event_sink *sink)
{
    struct gzip_lines_codec *lines = self;
    bool cut = lines->gunzip && !gunzip_is_whole(lines->gunzip);
    finish(lines, sink);
    if (cut)
        emit_broken(sink);
}

static void gzip_lines_decode(void *self, struct str bytes, struct event_sink *sink)
{
    struct gzip_lines_codec *lines = self;
    while (bytes.len > 0) {
        size_t len = bytes.len < PIECE_BYTES ? bytes.len : PIECE_BYTES;
        if (!lines->gunzip)
            lines->gunzip = gunzip_new();
        buf_clear(&lines->inflated, 0);
        enum gunzip_result result =
            gunzip_add(lines->gunzip, str_make(bytes.ptr, len), &lines->inflated);
        decode_text(lines, arena_dup(sink->arena, buf_str(&lines->inflated)), sink);
        if (result != GUNZIP_OK) {
            finish(lines, sink);
            emit_broken(sink);
            return;
        }
        bytes = str_from_offset(bytes, len);
    }
    if (lines->gunzip && gunzip_is_whole(lines->gunzip))
        finish(lines, sink);
}

static size_t gzip_lines_pending(const void *self)
{
    const struct gzip_lines_codec *lines = self;
    return tokenizer_pending(&lines->tokenizer);
}

const struct codec codec_gzip_lines = {
    .plugin = {.name = "gzip_lines",
               .summary = "gzip data, an event for each line",
               .options = gzip_lines_options,
               .size = sizeof(struct gzip_lines_codec)},
    .open = gzip_lines_open,
    .decode = gzip_lines_decode,
    .flush = gzip_lines_flush,
    .close = gzip_lines_close,
    .pending = gzip_lines_pending,
};
