/* SPDX-License-Identifier: Apache-2.0
 *
 * The handshake of a TLS stream, whose arithmetic is done in the thread pool, and what is known of the peer after it.
 */
#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "io/tls_stream_private.h"

/* ---- the handshake ---- */

static void note_failure(struct tls_stream *tls)
{
    long verified = SSL_get_verify_result(tls->ssl);
    const char *reason = tls_reason();
    if (verified != X509_V_OK)
        snprintf(tls->reason, sizeof tls->reason, "%s: %s", reason,
                 X509_verify_cert_error_string(verified));
    else
        tls_stream_note_reason(tls, reason);
}

static void work_on(uv_work_t *work)
{
    struct tls_stream *tls = work->data;
    ERR_clear_error();
    int result = SSL_do_handshake(tls->ssl);
    tls->shaken = result == 1 ? SSL_ERROR_NONE : SSL_get_error(tls->ssl, result);
    if (tls->shaken == SSL_ERROR_SSL || tls->shaken == SSL_ERROR_SYSCALL)
        note_failure(tls);
    ERR_clear_error();
}

static void open_stream(struct tls_stream *tls)
{
    tls->state = TLS_OPEN;
    uv_timer_stop(&tls->timer);
    tls->shown.handler->opened(tls->shown.ctx);
}

static void on_worked(uv_work_t *work, int cancelled)
{
    struct tls_stream *tls = work->data;
    tls->working = false;
    tls_stream_keep_rest(tls);
    if (!tls->closing && tls->state == TLS_SHAKING && !cancelled) {
        int status = tls_stream_flush(tls);
        if (tls->shaken == SSL_ERROR_WANT_READ && status == 0)
            status = byte_stream_read_start(tls->below);
        if (status != 0)
            tls_stream_end(tls, status);
        else if (tls->shaken == SSL_ERROR_NONE)
            open_stream(tls);
        else if (tls->shaken != SSL_ERROR_WANT_READ)
            tls_stream_end(tls, UV_EPROTO);
    }
    tls_stream_release_holder(tls);
}

void tls_handshake_go_on(struct tls_stream *tls)
{
    assert(!tls->working && tls->state == TLS_SHAKING);
    tls->in = buf_str(&tls->kept);
    tls->working = true;
    tls->holders++;
    tls->work.data = tls;
    int failure = uv_queue_work(tls->shown.loop, &tls->work, work_on, on_worked);
    assert(failure == 0);
    (void)failure;
}

static void on_limit(uv_timer_t *timer)
{
    struct tls_stream *tls = timer->data;
    assert(tls->state == TLS_SHAKING);
    if (tls->working) { /* its time is ours: looked at again when the step is over */
        uv_timer_start(timer, on_limit, TLS_LIMIT_AGAIN_MS, 0);
        return;
    }
    tls->timed_out = true;
    tls_stream_note_reason(tls, "the handshake took longer than ssl_handshake_timeout");
    tls_stream_end(tls, UV_ETIMEDOUT);
}

void tls_handshake_name(struct tls_stream *tls, const char *host, bool verify)
{
    unsigned char address[sizeof(struct in6_addr)];
    bool is_address =
        inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
    if (!is_address)
        SSL_set_tlsext_host_name(tls->ssl, host);
    if (!verify)
        return;
    if (is_address)
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls->ssl), host);
    else
        SSL_set1_host(tls->ssl, host);
}

void tls_handshake_begin(struct tls_stream *tls)
{
    assert(tls->limit_ms > 0);
    uv_timer_start(&tls->timer, on_limit, tls->limit_ms, 0);
    tls_handshake_go_on(tls);
}

/* ---- what is known of it ---- */

const char *tls_stream_reason(const struct byte_stream *stream)
{
    const struct tls_stream *tls = tls_of(stream);
    return tls->reason[0] ? tls->reason : NULL;
}

bool tls_stream_timed_out(const struct byte_stream *stream)
{
    return tls_of(stream)->timed_out;
}

static struct str subject_of(X509 *certificate, struct arena *arena)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    if (!bio)
        mem_abort("BIO_new");
    X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0,
                       XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
    long len = BIO_get_mem_data(bio, &text);
    if (len > TLS_SUBJECT_BYTES)
        len = TLS_SUBJECT_BYTES;
    struct str subject = arena_dup(arena, str_make(text, len > 0 ? (size_t)len : 0));
    BIO_free(bio);
    return subject;
}

struct tls_peer tls_stream_peer(const struct byte_stream *stream, struct arena *arena)
{
    const struct tls_stream *tls = tls_of(stream);
    assert(tls->state != TLS_SHAKING);
    X509 *certificate = SSL_get0_peer_certificate(tls->ssl);
    struct tls_peer peer = {
        .verified = certificate && SSL_get_verify_mode(tls->ssl) != SSL_VERIFY_NONE &&
                    SSL_get_verify_result(tls->ssl) == X509_V_OK,
        .protocol = str_from(SSL_get_version(tls->ssl)),
        .cipher = str_from(SSL_CIPHER_standard_name(SSL_get_current_cipher(tls->ssl))),
    };
    if (certificate)
        peer.subject = subject_of(certificate, arena);
    return peer;
}
