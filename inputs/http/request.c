/* SPDX-License-Identifier: Apache-2.0
 *
 * One request:
 *
 *   request_handle ── no memory ──▶ WAITING ── on_resume ──▶ decoded ── hand_over ──▶ UNDER WAY ── on_acked ──▶ answered
 *   WAITING ── too long ──▶ answered 429
 *   UNDER WAY ── abandoned, or the input closes ──▶ answered 503: the client has to send it again
 *   with ack => received it is answered as soon as it is handed over
 *
 * Each request has a stream of its own, so that none waits for another one.
 */
#include <assert.h>

#include "base/mem.h"
#include "base/secret.h"
#include "codecs/charset.h"
#include "inputs/http/http.h"
#include "io/loop_timer.h"

enum { ROOM_WAIT_MS = 10 * 1000 };

struct http_request {
    struct origin origin; /* first */
    struct http_request *previous, *next;
    struct http_lane *lane;
    struct http_exchange *exchange;
    struct stream *stream;
    struct loop_timer *patience; /* WAITING */
    struct http_fields fields;
};

static struct http_request *request_of(struct origin *origin)
{
    return (struct http_request *)(void *)origin;
}

/* ---- answers ---- */

static void answer(const struct http_input *input, struct http_exchange *exchange)
{
    const struct http_options *options = &input->options;
    bool has_body = options->response_code != 204;
    for (size_t i = 0; i < input->answer_header_count; i++)
        http_exchange_add_header(exchange, input->answer_headers[i].name,
                                 input->answer_headers[i].value);
    http_exchange_respond_text(exchange, (unsigned)options->response_code,
                               has_body ? "text/plain" : NULL, has_body ? STR("ok") : STR(""));
}

static void refuse(const struct http_lane *lane, struct http_exchange *exchange, unsigned status,
                   const char *reason)
{
    http_count(lane->input,
               status == 401   ? HTTP_UNAUTHORIZED
               : status == 429 ? HTTP_TOO_MANY
                               : HTTP_REFUSED,
               1);
    if (status == 401 && !http_exchange_header(exchange, "Authorization"))
        http_exchange_add_header(exchange, "WWW-Authenticate",
                                 "Basic realm=\"Logstash HTTP Input\"");
    if (status == 429)
        reason = "busy: try again later";
    http_exchange_respond_text(exchange, status, reason[0] ? "text/plain" : NULL, str_from(reason));
}

static void forget(struct http_request *request)
{
    struct http_lane *lane = request->lane;
    if (request->previous)
        request->previous->next = request->next;
    else
        lane->requests = request->next;
    if (request->next)
        request->next->previous = request->previous;
    atomic_fetch_sub(&lane->input->requests, 1);
    loop_timer_close(request->patience);
    stream_close(request->stream);
    mem_free(request);
}

static void finish(struct http_request *request)
{
    struct http_exchange *exchange = request->exchange;
    const struct http_input *input = request->lane->input;
    forget(request);
    answer(input, exchange);
}

static void finish_with(struct http_request *request, unsigned status, const char *reason)
{
    struct http_exchange *exchange = request->exchange;
    const struct http_lane *lane = request->lane;
    forget(request);
    refuse(lane, exchange, status, reason);
}

/* ---- who may come in ---- */

static bool has_room(const struct http_input *input)
{
    return atomic_load(&input->requests) < input->max_requests;
}

unsigned request_admit(void *ctx, struct http_exchange *exchange)
{
    const struct http_lane *lane = ctx;
    const struct http_input *input = lane->input;
    const char *given = http_exchange_header(exchange, "Authorization");
    if (input->authorization.len > 0 &&
        (!given || !secret_equal(str_from(given), input->authorization)))
        return 401;
    return has_room(input) ? 0 : 429;
}

void request_refuse(void *ctx, struct http_exchange *exchange, unsigned status, const char *reason)
{
    /* 503: bodies take all the memory that there is for them, or the server closes. */
    const struct http_lane *lane = ctx;
    refuse(lane, exchange, status == 503 && !lane->closing ? 429 : status, reason);
}

/* ---- decoding ---- */

/* "text/plain; charset=x": the part before the semicolon. */
static struct str mime_type(const char *content_type)
{
    struct str text = str_from(content_type ? content_type : "");
    size_t end = str_find(text, STR(";"));
    return str_trim(str_make(text.ptr, end == SIZE_MAX ? text.len : end));
}

/* The codec that the content type asks for: NULL is the input's own. */
static const char *codec_for(const struct http_input *input, const char *content_type)
{
    struct str type = mime_type(content_type);
    for (size_t i = 0; i < input->codec_count; i++)
        if (str_equal(input->codecs[i].type, type))
            return input->codecs[i].name;
    return NULL;
}

static int charset_choice(struct str name)
{
    for (int i = 0; charset_names[i]; i++)
        if (str_equal_nocase(name, str_from(charset_names[i])))
            return i;
    return -1;
}

static struct str parameter_charset(const char *content_type)
{
    struct str text = str_from(content_type ? content_type : "");
    for (size_t at; (at = str_find(text, STR(";"))) != SIZE_MAX;) {
        text = str_trim(str_from_offset(text, at + 1));
        if (text.len < 8 || !str_equal_nocase(str_make(text.ptr, 8), STR("charset=")))
            continue;
        text = str_from_offset(text, 8);
        size_t end = str_find(text, STR(";"));
        text = str_trim(str_make(text.ptr, end == SIZE_MAX ? text.len : end));
        bool quoted = text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"';
        return quoted ? str_make(text.ptr + 1, text.len - 2) : text;
    }
    return (struct str){0};
}

/* In the arena, as UTF-8 where the request names another encoding. */
static struct str body_text(struct http_request *request)
{
    struct arena *arena = stream_arena(request->stream);
    struct str body = request->exchange->body;
    char *copy = arena_bytes(arena, body.len + 1);
    memcpy(copy, body.len > 0 ? body.ptr : "", body.len);
    body = str_make(copy, body.len);
    int choice =
        charset_choice(parameter_charset(http_exchange_header(request->exchange, "Content-Type")));
    struct charset charset;
    if (choice < 0 || !charset_open(&charset, choice, NULL))
        return body;
    if (charset.kind == CHARSET_ICONV)
        body = charset_to_utf8(&charset, arena, body);
    charset_close(&charset);
    return body;
}

static void decorate(struct origin *origin, struct event *event)
{
    struct http_request *request = request_of(origin);
    fields_set(request->lane->input, request->exchange, &request->fields, event);
}

static void take_in(struct http_request *request)
{
    struct http_input *input = request->lane->input;
    fields_read(request->exchange, stream_arena(request->stream), &request->fields);
    stream_decode(request->stream, body_text(request));
    stream_flush_codec(request->stream);
    bool nothing = stream_count(request->stream) == 0;
    if (!nothing)
        stream_hand_over(request->stream, 1);
    if (nothing || input->options.ack == HTTP_ACK_RECEIVED)
        finish(request);
}

/* ---- what the engine says ---- */

static void on_acked(struct origin *origin, uint64_t token)
{
    assert(token == 1);
    (void)token;
    finish(request_of(origin));
}

static void on_abandoned(struct origin *origin)
{
    struct http_request *request = request_of(origin);
    http_count(request->lane->input, HTTP_ABANDONED, 1);
    finish_with(request, 503, "not delivered: send it again");
}

static void on_resume(struct origin *origin)
{
    struct http_request *request = request_of(origin);
    loop_timer_close(request->patience);
    request->patience = NULL;
    take_in(request);
}

static void on_impatient(void *ctx)
{
    finish_with(ctx, 429, "");
}

/* ---- the beginning ---- */

static bool open_stream(struct http_request *request, struct error *err)
{
    struct http_lane *lane = request->lane;
    const struct http_options *options = &lane->input->options;
    const char *codec =
        codec_for(lane->input, http_exchange_header(request->exchange, "Content-Type"));
    request->origin =
        (struct origin){.acked = on_acked, .abandoned = on_abandoned, .resume = on_resume};
    struct stream_options stream = {
        .env = lane->input->env,
        .lane = lane->lane,
        .origin = &request->origin,
        .codec = codec ? NULL : options->codec,
        .codec_default = codec ? codec : "plain",
        .decorate = decorate,
    };
    request->stream = stream_open(&stream, err);
    return request->stream != NULL;
}

void request_handle(void *ctx, struct http_exchange *exchange)
{
    struct http_lane *lane = ctx;
    struct http_input *input = lane->input;
    struct error err;
    if (!has_room(input)) {
        refuse(lane, exchange, 429, "");
        return;
    }
    struct http_request *request = mem_zero(1, sizeof *request);
    request->lane = lane;
    request->exchange = exchange;
    request->next = lane->requests;
    if (request->next)
        request->next->previous = request;
    lane->requests = request;
    atomic_fetch_add(&input->requests, 1);
    http_count(input, HTTP_REQUESTS, 1);
    http_count(input, HTTP_BYTES, exchange->body.len);
    if (!open_stream(request, &err)) {
        log_error(input->env->log, "request_failed", "a request could not be taken",
                  LOG_CSTR("reason", err.text));
        finish_with(request, 500, "the codec cannot be used");
    } else if (stream_admit(request->stream, exchange->body.len + 1)) {
        take_in(request);
    } else {
        request->patience = loop_timer_new(lane_loop(lane->lane), on_impatient, request);
        loop_timer_start(request->patience, ROOM_WAIT_MS);
    }
}

void requests_give_up(struct http_lane *lane)
{
    while (lane->requests)
        finish_with(lane->requests, 503, "not delivered: send it again");
}
