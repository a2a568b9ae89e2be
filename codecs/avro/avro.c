/* SPDX-License-Identifier: Apache-2.0
 *
 * avro: one Avro datum is one event, without the header of a container file. Avro has no marks between data: an input that has
 * messages gives one datum with each. Where bytes are a stream, binary data follow each other and may be cut anywhere, and
 * base64 is read line by line.
 */
#include <assert.h>

#include "base/base64.h"
#include "base/text/utf8.h"
#include "codecs/avro/avro_source.h"
#include "codecs/avro/avro_value.h"
#include "codecs/codecs.h"
#include "codecs/target.h"
#include "codecs/text_event.h"
#include "codecs/tokenizer.h"

enum {
    KEEP_BYTES = 64 * 1024,
    /* A datum in pieces is read anew with each. So many bytes may be read for each that came: whoever sends a large one byte
     * by byte waits for more of it, and costs no more than this. */
    EFFORT_PER_BYTE = 64,
};

enum avro_encoding { ENCODING_BASE64, ENCODING_BINARY };
static const char *const encodings[] = {"base64", "binary", NULL};

struct avro_codec {
    struct avro_source source;
    int encoding; /* enum avro_encoding */
    bool tag_on_failure;
    struct field_ref target;

    const struct avro_schema *schema;
    bool keeps_original, in_lines, in_stream;
    struct tokenizer tokenizer; /* in_lines */
    struct long_lines long_lines;
    struct buf partial;   /* in_stream: a datum that has begun */
    struct arena attempt; /* what was read of it */
    size_t effort, missing;
    struct error refusal; /* of the last event that could not be written */
};

/* ---- opening -------------------------------------------------------------------------------------- */

static bool check_source(const struct avro_codec *avro, struct error *err)
{
    const struct avro_source *source = &avro->source;
    if (source->uri.len == 0)
        return error_set(err, ERROR_CONFIG, "schema_uri is empty");
    if (source->user.ptr && !source->password.ptr)
        return error_set(err, ERROR_CONFIG, "username needs password");
    if (source->password.ptr && !source->user.ptr)
        return error_set(err, ERROR_CONFIG, "password needs username");
    if (str_starts_with(source->uri, STR("https:")) && source->tls.enabled == CLIENT_TLS_OFF)
        return error_set(err, ERROR_CONFIG, "schema_uri is https, but ssl_enabled is false");
    return client_tls_check(&source->tls, err);
}

static bool parse(struct json_reader *json, const struct plugin_env *env, struct str text,
                  const struct avro_schema **out, struct error *err)
{
    struct json_reader *own = json ? NULL : json_reader_new();
    *out = avro_schema_parse(env->arena, json ? json : own, text, err);
    json_reader_free(own);
    return *out != NULL;
}

static bool avro_check(void *self, const struct plugin_env *env, struct error *err)
{
    struct avro_codec *avro = self;
    struct str text;
    if (!check_source(avro, err))
        return false;
    if (avro_source_is_remote(&avro->source) && env->settings->test_only)
        return true;
    return avro_source_fetch(&avro->source, env, &text, err) &&
           parse(env->json, env, text, &avro->schema, err);
}

static bool avro_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct avro_codec *avro = self;
    struct str text;
    if (!check_source(avro, err) || !avro_source_text(&avro->source, env, &text, err) ||
        !parse(env->json, env, text, &avro->schema, err))
        return false;
    avro->keeps_original = env->ecs != ECS_DISABLED;
    avro->in_lines = env->stream && avro->encoding == ENCODING_BASE64;
    avro->in_stream = env->stream && avro->encoding == ENCODING_BINARY;
    tokenizer_init(&avro->tokenizer, STR("\n"), 1, env->settings->max_event_bytes);
    long_lines_init(&avro->long_lines, env);
    buf_init(&avro->partial, env->settings->max_event_bytes);
    arena_init(&avro->attempt, NULL);
    return true;
}

static void avro_close(void *self)
{
    struct avro_codec *avro = self;
    tokenizer_release(&avro->tokenizer);
    buf_release(&avro->partial);
    arena_release(&avro->attempt);
}

/* ---- events --------------------------------------------------------------------------------------- */

static void emit_failure(struct str bytes, struct event_sink *sink)
{
    struct event *event = text_event_new(sink->arena, utf8_repair(sink->arena, bytes), false);
    event_add_tag(event, STR("_avroparsefailure"));
    sink->emit(sink, event);
}

static void emit_datum(const struct avro_codec *avro, struct value datum, struct str original,
                       struct event_sink *sink)
{
    if (!field_ref_is_given(&avro->target) && value_type(&datum) != VALUE_OBJECT) {
        emit_failure(original, sink);
        return;
    }
    struct event *event = target_event(&avro->target, datum, sink->arena);
    if (avro->keeps_original)
        text_event_keep_original(event, utf8_repair(sink->arena, original));
    sink->emit(sink, event);
}

/* Ruby's strict form: padded, nothing else between. */
static bool is_base64(struct str text)
{
    return text.len > 0 && text.len % 4 == 0 && text.ptr[0] != '=' && text.ptr[text.len - 3] != '=';
}

/* A whole message. What is no base64 is taken as it is, as in Logstash; what is behind the datum, is not looked at. */
static void take_message(const struct avro_codec *avro, struct str message, struct event_sink *sink)
{
    struct str bytes = message;
    struct value datum;
    size_t missing;
    if (avro->encoding == ENCODING_BASE64 &&
        (!is_base64(message) || !base64_decode(sink->arena, message, &bytes)))
        bytes = message;
    if (avro_read(sink->arena, avro->schema, &bytes, &datum, &missing) == AVRO_DONE)
        emit_datum(avro, datum, message, sink);
    else
        emit_failure(message, sink);
}

/* ---- lines of base64 ------------------------------------------------------------------------------ */

static void take_line(const struct avro_codec *avro, struct str line, size_t rest,
                      struct event_sink *sink)
{
    line = str_trim(line);
    if (line.len == 0)
        return;
    event_sink_record(sink, line, rest);
    take_message(avro, line, sink);
}

static void decode_lines(struct avro_codec *avro, struct str bytes, struct event_sink *sink)
{
    struct str line;
    for (;;) {
        switch (tokenizer_next(&avro->tokenizer, sink->arena, &bytes, &line)) {
        case TOKEN_LINE:
            take_line(avro, line, bytes.len, sink);
            break;
        case TOKEN_TOO_LONG:
            text_event_emit_too_long(sink, &avro->long_lines, avro->tokenizer.max_bytes);
            break;
        case TOKEN_NEED_MORE:
            return;
        }
    }
}

/* ---- a stream of binary data ---------------------------------------------------------------------- */

static void forget_partial(struct avro_codec *avro)
{
    buf_clear(&avro->partial, KEEP_BYTES);
    arena_reset(&avro->attempt);
    avro->effort = avro->missing = 0;
}

/* Takes whole data off *bytes. A datum of no bytes at all would be there for ever. */
static enum avro_result take_data(struct avro_codec *avro, struct str *bytes,
                                  struct event_sink *sink)
{
    while (bytes->len > 0) {
        struct str before = *bytes;
        struct value datum;
        enum avro_result result =
            avro_read(sink->arena, avro->schema, bytes, &datum, &avro->missing);
        if (result == AVRO_DONE && bytes->len == before.len)
            result = AVRO_BROKEN;
        if (result != AVRO_DONE)
            return result;
        struct str raw = str_make(before.ptr, before.len - bytes->len);
        event_sink_record(sink, raw, bytes->len);
        emit_datum(avro, datum, raw, sink);
    }
    return AVRO_DONE;
}

static void fail_stream(struct avro_codec *avro, struct str bytes, struct event_sink *sink)
{
    event_sink_record(sink, bytes, 0);
    emit_failure(bytes, sink);
    forget_partial(avro);
}

/* What is left of the bytes begins a datum that goes on with the next ones. */
static void begin_partial(struct avro_codec *avro, struct str bytes, struct event_sink *sink)
{
    size_t missing = avro->missing;
    bool fits = missing <= avro->partial.max && bytes.len <= avro->partial.max - missing;
    forget_partial(avro);
    if (!fits || !buf_append_str(&avro->partial, bytes)) {
        fail_stream(avro, bytes, sink);
        return;
    }
    avro->missing = missing;
    avro->effort = bytes.len * EFFORT_PER_BYTE;
}

static void take_rest(struct avro_codec *avro, struct str bytes, struct event_sink *sink)
{
    switch (take_data(avro, &bytes, sink)) {
    case AVRO_DONE:
        forget_partial(avro);
        return;
    case AVRO_MORE:
        begin_partial(avro, bytes, sink);
        return;
    case AVRO_BROKEN:
        fail_stream(avro, bytes, sink);
        return;
    }
}

/* Whether what there is of the datum can be read now, or never will be. */
static bool partial_is_ready(struct avro_codec *avro, size_t added)
{
    struct str bytes = buf_str(&avro->partial);
    struct value datum;
    avro->missing = avro->missing > added ? avro->missing - added : 0;
    avro->effort += added * EFFORT_PER_BYTE;
    if (avro->missing > 0 || avro->effort < bytes.len)
        return false;
    avro->effort -= bytes.len;
    arena_reset(&avro->attempt);
    enum avro_result result =
        avro_read(&avro->attempt, avro->schema, &bytes, &datum, &avro->missing);
    return result != AVRO_MORE || avro->missing > avro->partial.max - avro->partial.len;
}

static void decode_stream(struct avro_codec *avro, struct str bytes, struct event_sink *sink)
{
    if (avro->partial.len == 0) {
        take_rest(avro, bytes, sink);
        return;
    }
    if (!buf_append_str(&avro->partial, bytes)) {
        fail_stream(avro, arena_dup(sink->arena, buf_str(&avro->partial)), sink);
        fail_stream(avro, bytes, sink);
        return;
    }
    if (partial_is_ready(avro, bytes.len))
        take_rest(avro, arena_dup(sink->arena, buf_str(&avro->partial)), sink);
}

/* ---- the codec ------------------------------------------------------------------------------------ */

static void avro_decode(void *self, struct str bytes, struct event_sink *sink)
{
    struct avro_codec *avro = self;
    if (avro->in_lines)
        decode_lines(avro, bytes, sink);
    else if (avro->in_stream)
        decode_stream(avro, bytes, sink);
    else
        take_message(avro, bytes, sink);
}

static void avro_flush(void *self, struct event_sink *sink)
{
    struct avro_codec *avro = self;
    struct str rest = {0};
    if (avro->in_lines && tokenizer_flush(&avro->tokenizer, sink->arena, &rest))
        take_line(avro, rest, 0, sink);
    if (avro->partial.len == 0)
        return;
    rest = arena_dup(sink->arena, buf_str(&avro->partial));
    if (take_data(avro, &rest, sink) != AVRO_DONE)
        fail_stream(avro, rest, sink);
    forget_partial(avro);
}

static size_t avro_pending(const void *self)
{
    const struct avro_codec *avro = self;
    return avro->in_lines ? tokenizer_pending(&avro->tokenizer) : avro->partial.len;
}

static bool avro_encode(void *self, const struct event *event, struct arena *scratch,
                        struct buf *out)
{
    struct avro_codec *avro = self;
    struct buf binary;
    avro->refusal.code = ERROR_NONE;
    if (avro->encoding == ENCODING_BINARY)
        return avro_write(avro->schema, &event->fields, scratch, out, &avro->refusal);
    buf_init(&binary, out->max);
    bool ok = avro_write(avro->schema, &event->fields, scratch, &binary, &avro->refusal);
    if (ok && !buf_append_str(out, base64_encode(scratch, buf_str(&binary))))
        ok = error_set(&avro->refusal, ERROR_LIMIT, "there is no room");
    buf_release(&binary);
    return ok;
}

static bool avro_refused(void *self, struct error *err)
{
    const struct avro_codec *avro = self;
    if (avro->refusal.code == ERROR_NONE || avro->refusal.code == ERROR_LIMIT)
        return false;
    *err = avro->refusal;
    return true;
}

static const struct option avro_options[] = {
    {
        .name = "schema_uri",
        .doc = "The schema: the path of a file, or an http or https URL, which is asked once, when "
               "the pipeline starts.",
        OPTION_IN_STRING(struct avro_codec, source.uri),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "encoding",
        .doc =
            "Whether data are base64 text or binary. With base64, a message that is none is read "
            "as binary.",
        OPTION_IN_CHOICE(struct avro_codec, encoding),
        .choices = encodings,
        .def = "base64",
    },
    {
        .name = "tag_on_failure",
        .doc = "Whether bytes that are no datum become an event with the tag _avroparsefailure; it "
               "is always done, because they would be lost.",
        OPTION_IN_BOOL(struct avro_codec, tag_on_failure),
        .def = "false",
    },
    {
        .name = "target",
        .doc = "Field that gets the datum; without it, the datum, a record or a map, is the event.",
        OPTION_IN_FIELD(struct avro_codec, target),
    },
    {
        .name = "username",
        .doc = "Name for basic authentication at schema_uri.",
        OPTION_IN_STRING(struct avro_codec, source.user),
    },
    {
        .name = "password",
        .doc = "Password for basic authentication at schema_uri.",
        OPTION_IN_PASSWORD(struct avro_codec, source.password),
        .flags = OPTION_SECRET,
    },
    {
        .name = "proxy",
        .doc = "URL of the proxy that schema_uri is asked through.",
        OPTION_IN_STRING(struct avro_codec, source.proxy),
    },
    CLIENT_TLS_OPTIONS(struct avro_codec, source.tls),
    OPTION_END,
};

const struct codec codec_avro = {
    .plugin = {.name = "avro",
               .summary = "Avro data, a record for each event, with a schema",
               .options = avro_options,
               .size = sizeof(struct avro_codec),
               .check = avro_check},
    .open = avro_open,
    .decode = avro_decode,
    .flush = avro_flush,
    .encode = avro_encode,
    .refused = avro_refused,
    .close = avro_close,
    .pending = avro_pending,
};
