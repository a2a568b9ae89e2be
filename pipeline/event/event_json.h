/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON to values and back. Decoding is a scanner's tape and, for all that it is not sure of, yajl's callbacks,
 * straight into the arena; encoding scans for bytes to escape 16 at a time. What is written is always valid JSON and valid UTF-8, without line breaks.
 */
#ifndef MILLRACE_PIPELINE_EVENT_EVENT_JSON_H
#define MILLRACE_PIPELINE_EVENT_EVENT_JSON_H

#include "base/buf.h"
#include "base/error.h"
#include "pipeline/event/event.h"
#include "pipeline/event/value.h"

enum { JSON_MAX_DEPTH = 1000 }; /* as Jackson 2.15 and later, which Logstash uses */

/* Keeps a yajl handle and its memory between documents. One thread. */
struct json_reader;
struct json_reader *json_reader_new(void);
void json_reader_free(struct json_reader *reader);

/* Decodes exactly one document (blanks around it are fine, anything else after it is an error). Strings without
 * escapes point into text, so text must live as long as the value: the batch's bytes, or the arena. Invalid UTF-8
 * and lone surrogates are mended with U+FFFD. */
bool json_decode(struct json_reader *reader, struct arena *arena, struct str text,
                 struct value *out, struct error *err);

/* How else a text may be read. */
enum json_documents {
    JSON_ONLY,  /* exactly one document, as json_decode */
    JSON_FIRST, /* what follows a complete document is not looked at */
    JSON_LAST,  /* one behind the other; the last one counts */
};
struct json_decoding {
    enum json_documents documents;
    bool
        keep_decimals; /* numbers with a fraction or an exponent keep their digits (value_decimal) */
    bool by_parser;    /* yajl reads alone: tests hold the two ways together */
    size_t spare;      /* members that the outermost object is going to get; 0: a few */
};
bool json_decode_as(struct json_reader *reader, struct arena *arena, struct str text,
                    const struct json_decoding *how, struct value *out, struct error *err);

/* False only when the buffer is at its maximum (it then holds a part). */
bool json_encode_value(const struct value *value, struct buf *out);
bool json_encode_str(struct str text, struct buf *out); /* with the quotes */
/* The event's fields without @metadata, one object. */
bool json_encode_event(const struct event *event, struct buf *out);

#endif
