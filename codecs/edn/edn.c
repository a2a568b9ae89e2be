/* SPDX-License-Identifier: Apache-2.0
 *
 * edn: what arrives at once is one EDN map. edn_lines: a map on each line. What is no map becomes a message, without a tag, as
 * in Logstash.
 */
#include "base/text/utf8.h"
#include "codecs/codecs.h"
#include "codecs/edn/edn_text.h"
#include "codecs/target.h"
#include "codecs/text_event.h"
#include "codecs/tokenizer.h"

struct edn_codec {
    struct field_ref target;

    bool lines;
    struct long_lines long_lines;
    struct tokenizer tokenizer; /* of edn_lines */
};

static const struct option edn_options[] = {
    {
        .name = "target",
        .doc = "Field that gets the decoded map; without it, the map is the event.",
        OPTION_IN_FIELD(struct edn_codec, target),
    },
    OPTION_END,
};

static bool edn_lines_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct edn_codec *edn = self;
    (void)err;
    edn->lines = true;
    long_lines_init(&edn->long_lines, env);
    tokenizer_init(&edn->tokenizer, STR("\n"), 1, env->settings->max_event_bytes);
    return true;
}

static void edn_lines_close(void *self)
{
    struct edn_codec *edn = self;
    tokenizer_release(&edn->tokenizer);
}

static void edn_decode(void *self, struct str bytes, struct event_sink *sink)
{
    const struct edn_codec *edn = self;
    struct str text = utf8_repair(sink->arena, bytes);
    struct value value;
    struct event *event = NULL;
    if (edn_read(sink->arena, text, &value))
        event = target_event(&edn->target, value, sink->arena);
    sink->emit(sink, event ? event : text_event_new(sink->arena, text, false));
}

static void decode_line(struct edn_codec *edn, struct str line, struct event_sink *sink)
{
    if (str_trim(line).len > 0)
        edn_decode(edn, line, sink);
}

static void edn_lines_decode(void *self, struct str bytes, struct event_sink *sink)
{
    struct edn_codec *edn = self;
    for (;;) {
        struct str line;
        switch (tokenizer_next(&edn->tokenizer, sink->arena, &bytes, &line)) {
        case TOKEN_LINE:
            event_sink_record(sink, line, bytes.len);
            decode_line(edn, line, sink);
            break;
        case TOKEN_TOO_LONG:
            text_event_emit_too_long(sink, &edn->long_lines, edn->tokenizer.max_bytes);
            break;
        case TOKEN_NEED_MORE:
            return;
        }
    }
}

static void edn_lines_flush(void *self, struct event_sink *sink)
{
    struct edn_codec *edn = self;
    struct str line;
    if (!tokenizer_flush(&edn->tokenizer, sink->arena, &line))
        return;
    event_sink_record(sink, line, 0);
    decode_line(edn, line, sink);
}

static size_t edn_lines_pending(const void *self)
{
    const struct edn_codec *edn = self;
    return tokenizer_pending(&edn->tokenizer);
}

static bool edn_encode(void *self, const struct event *event, struct arena *scratch,
                       struct buf *out)
{
    const struct edn_codec *edn = self;
    (void)scratch;
    return edn_write_event(event, out) && (!edn->lines || buf_append_char(out, '\n'));
}

const struct codec codec_edn = {
    .plugin = {.name = "edn",
               .summary = "EDN, one map for what arrives at once",
               .options = edn_options,
               .size = sizeof(struct edn_codec)},
    .decode = edn_decode,
    .encode = edn_encode,
};

const struct codec codec_edn_lines = {
    .plugin = {.name = "edn_lines",
               .summary = "EDN, one map a line",
               .options = edn_options,
               .size = sizeof(struct edn_codec)},
    .open = edn_lines_open,
    .decode = edn_lines_decode,
    .flush = edn_lines_flush,
    .encode = edn_encode,
    .close = edn_lines_close,
    .pending = edn_lines_pending,
};
