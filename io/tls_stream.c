/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenSSL reads and writes through a BIO of ours that has no buffer: reading takes from `in`, which is what just came or what
 * was kept, and writing appends to `out`, which `flush` sends.
 *
 * 1. The stream below is read only while nothing is kept: `kept` is at most one read.
 * 2. `flying` belongs to the write under way below; `out` to nobody but this.
 * 3. While `working` the pool owns ssl, in, kept and out; the loop touches none of them.
 * 4. It is freed when the stream below, the timer and the work have let go (holders).
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "io/tls_stream_private.h"

/* What one read of any stream brings; nothing stays in it from one callback to the next. */
static _Thread_local char read_room[TLS_READ_BYTES];

/* ---- the BIO ---- */

static int bio_read(BIO *bio, char *out, size_t size, size_t *got_out)
{
    struct tls_stream *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *got_out = tls->in.len < size ? tls->in.len : size;
    if (*got_out == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    memcpy(out, tls->in.ptr, *got_out);
    tls->in = str_from_offset(tls->in, *got_out);
    return 1;
}

static int bio_write(BIO *bio, const char *bytes, size_t len, size_t *written_out)
{
    struct tls_stream *tls = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *written_out = buf_append(&tls->out, bytes, len) ? len : 0;
    return *written_out > 0;
}

static long bio_control(BIO *bio, int command, long number, void *ptr)
{
    (void)bio, (void)number, (void)ptr;
    return command == BIO_CTRL_FLUSH; /* sending is the loop's */
}

static uv_once_t method_once = UV_ONCE_INIT;
static BIO_METHOD *method;

static void make_method(void)
{
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "byte stream");
    if (!method || !BIO_meth_set_read_ex(method, bio_read) ||
        !BIO_meth_set_write_ex(method, bio_write) || !BIO_meth_set_ctrl(method, bio_control))
        mem_abort("BIO_meth_new");
}

static BIO *new_bio(struct tls_stream *tls)
{
    uv_once(&method_once, make_method);
    BIO *bio = BIO_new(method);
    if (!bio)
        mem_abort("BIO_new");
    BIO_set_data(bio, tls);
    BIO_set_init(bio, 1);
    return bio;
}

/* ---- the end ---- */

void tls_stream_release_holder(struct tls_stream *tls)
{
    assert(tls->holders > 0);
    if (--tls->holders > 0)
        return;
    assert(tls->closing && !tls->working);
    SSL_free(tls->ssl);
    buf_release(&tls->kept);
    buf_release(&tls->out);
    buf_release(&tls->flying);
    account_return(tls->charged, TLS_STREAM_BYTES);
    tls->shown.handler->closed(tls->shown.ctx);
    mem_free(tls);
}

static void on_timer_closed(uv_handle_t *handle)
{
    tls_stream_release_holder(handle->data);
}

static void close_stream(struct byte_stream *stream)
{
    struct tls_stream *tls = tls_of(stream);
    assert(!tls->closing);
    if (tls->state == TLS_OPEN &&
        !tls->sending) { /* so that the peer knows that nothing was cut off */
        ERR_clear_error();
        SSL_shutdown(tls->ssl);
        ERR_clear_error();
        tls_stream_flush(tls);
    }
    tls->closing = true;
    byte_stream_close(tls->below);
    uv_close((uv_handle_t *)&tls->timer, on_timer_closed);
}

void tls_stream_note_reason(struct tls_stream *tls, const char *reason)
{
    snprintf(tls->reason, sizeof tls->reason, "%s", reason);
}

void tls_stream_end(struct tls_stream *tls, int status)
{
    assert(tls->state != TLS_ENDED && !tls->closing);
    tls->state = TLS_ENDED;
    tls->reading = false;
    byte_stream_read_stop(tls->below);
    tls->shown.handler->ended(tls->shown.ctx, status);
}

/* ---- sending ---- */

int tls_stream_flush(struct tls_stream *tls)
{
    if (tls->sending || tls->out.len == 0 || tls->closing)
        return 0;
    ssize_t sent = byte_stream_try_write(tls->below, buf_str(&tls->out));
    if (sent < 0)
        return (int)sent;
    if ((size_t)sent == tls->out.len) {
        buf_release(&tls->out);
        return 0;
    }
    buf_consume(&tls->out, (size_t)sent);
    buf_move(&tls->flying, &tls->out);
    tls->sending = true;
    return byte_stream_write(tls->below, buf_str(&tls->flying));
}

/* Encrypts until all of it is, or enough waits to be sent. Returns how many bytes, or a code. */
static ssize_t encrypt(struct tls_stream *tls, struct str bytes)
{
    size_t total = 0;
    while (total < bytes.len && tls->out.len < TLS_OUT_BYTES) {
        size_t left = bytes.len - total, wrote = 0;
        size_t piece = left < TLS_PIECE_BYTES ? left : TLS_PIECE_BYTES;
        ERR_clear_error();
        if (SSL_write_ex(tls->ssl, bytes.ptr + total, piece, &wrote) != 1) {
            tls_stream_note_reason(tls, tls_reason());
            return UV_EPROTO;
        }
        total += wrote;
    }
    return (ssize_t)total;
}

static ssize_t try_write(struct byte_stream *stream, struct str bytes)
{
    struct tls_stream *tls = tls_of(stream);
    assert(tls->state != TLS_SHAKING && !tls->has_write);
    if (tls->sending)
        return 0;
    ssize_t taken = encrypt(tls, bytes);
    int status = taken < 0 ? 0 : tls_stream_flush(tls);
    return status < 0 ? status : taken;
}

static int continue_write(struct tls_stream *tls)
{
    while (tls->unsent.len > 0 && !tls->sending) {
        ssize_t taken = encrypt(tls, tls->unsent);
        int status = taken < 0 ? (int)taken : tls_stream_flush(tls);
        if (status < 0)
            return status;
        tls->unsent = str_from_offset(tls->unsent, (size_t)taken);
    }
    return 0;
}

static void on_turn(uv_timer_t *timer);

static void post_turn(struct tls_stream *tls)
{
    assert(tls->state != TLS_SHAKING);
    if (!tls->closing)
        uv_timer_start(&tls->timer, on_turn, 0, 0);
}

static int write_all(struct byte_stream *stream, struct str bytes)
{
    struct tls_stream *tls = tls_of(stream);
    assert(tls->state != TLS_SHAKING && !tls->has_write && !tls->closing);
    tls->has_write = true;
    tls->unsent = bytes;
    int status = continue_write(tls);
    if (status < 0) {
        tls->has_write = false;
        return status;
    }
    if (!tls->sending)
        post_turn(tls);
    return 0;
}

static void end_write(struct tls_stream *tls, int status)
{
    tls->has_write = false;
    tls->unsent = (struct str){0};
    tls->shown.handler->written(tls->shown.ctx, status);
}

static int begin_shutdown(struct tls_stream *tls)
{
    tls->shutting = false;
    return byte_stream_shutdown(tls->below);
}

static int shut_down(struct byte_stream *stream)
{
    struct tls_stream *tls = tls_of(stream);
    assert(tls->state != TLS_SHAKING && !tls->has_write);
    ERR_clear_error();
    SSL_shutdown(tls->ssl); /* our half; a broken connection has none */
    ERR_clear_error();
    int status = tls_stream_flush(tls);
    if (status < 0)
        return status;
    tls->shutting = tls->sending;
    return tls->sending ? 0 : begin_shutdown(tls);
}

static void on_below_written(void *ctx, int status)
{
    struct tls_stream *tls = ctx;
    tls->sending = false;
    buf_release(&tls->flying);
    if (status == 0 && !tls->closing && !tls->working)
        status = tls_stream_flush(tls);
    if (status == 0 && tls->has_write && !tls->closing)
        status = continue_write(tls);
    if (tls->has_write && (status != 0 || (tls->unsent.len == 0 && !tls->sending)))
        end_write(tls, status);
    if (tls->shutting && !tls->sending && !tls->closing &&
        (status != 0 || (status = begin_shutdown(tls)) != 0)) {
        tls->shutting = false;
        tls->shown.handler->shut(tls->shown.ctx, status);
    }
}

static void on_below_shut(void *ctx, int status)
{
    struct tls_stream *tls = ctx;
    tls->shown.handler->shut(tls->shown.ctx, status);
}

/* ---- reading ---- */

/* Fills the room as far as there is something. Returns an error of SSL_get_error for what stopped it before, or
 * SSL_ERROR_NONE. */
static int decrypt(struct tls_stream *tls, uv_buf_t room, size_t *got_out)
{
    *got_out = 0;
    while (*got_out < room.len) {
        size_t got = 0;
        ERR_clear_error();
        int result = SSL_read_ex(tls->ssl, room.base + *got_out, room.len - *got_out, &got);
        if (result != 1)
            return SSL_get_error(tls->ssl, result);
        *got_out += got;
    }
    return SSL_ERROR_NONE;
}

/* Gives what can be read to the owner, who may stop or close at each call. */
static void read_on(struct tls_stream *tls)
{
    const struct byte_stream *shown = &tls->shown;
    int stopped = SSL_ERROR_NONE;
    while (stopped == SSL_ERROR_NONE && tls->reading && !tls->closing) {
        uv_buf_t room = shown->handler->room(shown->ctx);
        size_t got;
        stopped = decrypt(tls, room, &got);
        if (stopped == SSL_ERROR_SSL || stopped == SSL_ERROR_SYSCALL)
            tls_stream_note_reason(tls, tls_reason());
        if (got > 0)
            shown->handler->read(shown->ctx, str_make(room.base, got));
    }
    if (tls->closing)
        return;
    int status = tls_stream_flush(tls); /* what OpenSSL answered by itself */
    if (stopped == SSL_ERROR_ZERO_RETURN)
        tls->peer_ended = true;
    if (tls->state != TLS_OPEN || !tls->reading)
        return;
    if (tls->peer_ended)
        tls_stream_end(tls, UV_EOF);
    else if (status < 0)
        tls_stream_end(tls, status);
    else if (stopped != SSL_ERROR_NONE && stopped != SSL_ERROR_WANT_READ)
        tls_stream_end(tls, UV_EPROTO);
}

/* What OpenSSL has not taken of the bytes that came; `in` lies in them or in `kept`. */
void tls_stream_keep_rest(struct tls_stream *tls)
{
    if (tls->kept.len > 0) {
        buf_consume(&tls->kept, tls->kept.len - tls->in.len);
        if (tls->kept.len == 0)
            buf_release(&tls->kept);
    } else if (tls->in.len > 0) {
        bool fits = buf_append_str(&tls->kept, tls->in);
        assert(fits); /* one read at most (1) */
        (void)fits;
    }
    tls->in = (struct str){0};
}

static uv_buf_t below_room(void *ctx)
{
    (void)ctx;
    return uv_buf_init(read_room, sizeof read_room);
}

static void on_below_read(void *ctx, struct str bytes)
{
    struct tls_stream *tls = ctx;
    assert(tls->kept.len == 0 && !tls->working);
    tls->in = bytes;
    if (tls->state == TLS_SHAKING) {
        tls_stream_keep_rest(tls);
        byte_stream_read_stop(tls->below);
        tls_handshake_go_on(tls);
        return;
    }
    read_on(tls);
    tls_stream_keep_rest(tls);
}

static bool has_more(const struct tls_stream *tls)
{
    return tls->kept.len > 0 || tls->peer_ended || SSL_pending(tls->ssl) > 0;
}

static int read_start(struct byte_stream *stream)
{
    struct tls_stream *tls = tls_of(stream);
    assert(tls->state != TLS_SHAKING);
    if (tls->state == TLS_ENDED)
        return UV_EPROTO;
    tls->reading = true;
    if (!has_more(tls))
        return byte_stream_read_start(tls->below);
    post_turn(tls);
    return 0;
}

static void read_stop(struct byte_stream *stream)
{
    struct tls_stream *tls = tls_of(stream);
    tls->reading = false;
    byte_stream_read_stop(tls->below);
}

/* What could not be done inside a call of the owner. */
static void on_turn(uv_timer_t *timer)
{
    struct tls_stream *tls = timer->data;
    if (tls->has_write && tls->unsent.len == 0 && !tls->sending)
        end_write(tls, 0);
    if (tls->closing || !tls->reading)
        return;
    tls->in = buf_str(&tls->kept);
    read_on(tls);
    tls_stream_keep_rest(tls);
    if (!tls->closing && tls->reading && !has_more(tls)) {
        int failure = byte_stream_read_start(tls->below);
        if (failure != 0)
            tls_stream_end(tls, failure);
    } else if (!tls->closing && tls->reading) {
        post_turn(tls);
    }
}

static void on_below_ended(void *ctx, int status)
{
    struct tls_stream *tls = ctx;
    if (tls->state == TLS_SHAKING && status == UV_EOF) {
        tls_stream_note_reason(tls, "the peer hung up in the handshake");
        status = UV_ECONNRESET;
    }
    tls_stream_end(tls, status);
}

static void on_below_closed(void *ctx)
{
    tls_stream_release_holder(ctx);
}

static const struct byte_stream_handler BELOW = {
    .room = below_room,
    .read = on_below_read,
    .ended = on_below_ended,
    .written = on_below_written,
    .shut = on_below_shut,
    .closed = on_below_closed,
};

/* ---- the beginning ---- */

static const struct byte_stream_kind TLS = {
    read_start, read_stop, try_write, write_all, shut_down, close_stream,
};

struct byte_stream *tls_stream_new(const struct tls_stream_options *options)
{
    assert(options->handler->opened && options->handshake_timeout_ms > 0);
    struct tls_stream *tls = mem_zero(1, sizeof *tls);
    uv_loop_t *loop = options->below->loop;
    tls->shown = (struct byte_stream){&TLS, options->handler, options->ctx, loop};
    tls->below = options->below;
    tls->charged = options->charged;
    tls->limit_ms = options->handshake_timeout_ms;
    account_charge(tls->charged, TLS_STREAM_BYTES);
    buf_init(&tls->kept, TLS_READ_BYTES);
    buf_init(&tls->out, TLS_OUT_MAX);
    buf_init(&tls->flying, TLS_OUT_MAX);
    tls->kept.charged = tls->out.charged = tls->flying.charged = options->charged;
    tls->ssl = SSL_new(options->use);
    if (!tls->ssl)
        mem_abort("SSL_new");
    SSL_CTX_free(options->use);
    BIO *bio = new_bio(tls);
    SSL_set_bio(tls->ssl, bio, bio);
    if (options->is_server)
        SSL_set_accept_state(tls->ssl);
    else
        SSL_set_connect_state(tls->ssl);
    if (options->host)
        tls_handshake_name(tls, options->host, options->verify_host);
    byte_stream_set_handler(tls->below, &BELOW, tls);
    uv_timer_init(loop, &tls->timer);
    tls->timer.data = tls;
    tls->holders = 2; /* the stream below, and the timer */
    tls_handshake_begin(tls);
    return &tls->shown;
}
