/* SPDX-License-Identifier: Apache-2.0
 *
 * One connection to a Redis server, over TCP, TLS or a Unix socket, on a loop. hiredis makes the commands and reads the answers;
 * connections are ours, so that nothing blocks and TLS is the same as everywhere.
 *
 *   redis_connect ──▶ CONNECTING ──▶ GREETING (AUTH, SELECT) ──ready()──▶ READY
 *                         └──────────────┴───────lost()──────────────────────┘
 *
 * 1. Answers come in the order of the commands. Of those that have none when the connection is lost nothing is told.
 * 2. lost() is told once, never from inside of a call; then only redis_close may be called.
 */
#ifndef MILLRACE_IO_REDIS_H
#define MILLRACE_IO_REDIS_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/str.h"
#include "io/tls_context.h"

enum { REDIS_REPLY_BYTES_MAX = 256 * 1024 * 1024 }; /* of one answer: more is an error */

struct redis;
struct redis_reply;

struct redis_options {
    uv_loop_t *loop;
    const char *host; /* lives as long as the connection */
    uint16_t port;
    const char *path;              /* of a Unix socket, instead of both; or NULL */
    const struct tls_context *tls; /* or NULL */
    const char *password;          /* or NULL */
    int64_t db;
    unsigned timeout_ms; /* to connect, and for an answer that redis_send waits for */
    void *ctx;
    void (*ready)(void *ctx);
    void (*lost)(void *ctx, const char *reason);
    void (*rested)(void *ctx); /* all answers that have been read are told; may be NULL */
};

struct redis *redis_connect(const struct redis_options *options);
void redis_close(struct redis *redis); /* nothing is told any more; NULL is ok */

/* The answer lives for the call. May close the connection from inside. */
typedef void redis_answer(void *ctx, void *tag, const struct redis_reply *reply);
/* When READY. */
void redis_send(struct redis *redis, const struct str *words, size_t count, redis_answer *answer,
                void *tag);
/* From the next answer on, all go to `message` (SUBSCRIBE and its like). */
void redis_subscribe(struct redis *redis, const struct str *words, size_t count,
                     redis_answer *message);
/* Reads no more, or again. */
void redis_pause(struct redis *redis, bool on);

enum redis_kind { REDIS_NIL, REDIS_INTEGER, REDIS_TEXT, REDIS_LIST, REDIS_ERROR };

enum redis_kind redis_kind_of(const struct redis_reply *reply);
int64_t redis_integer(const struct redis_reply *reply);
struct str redis_text(const struct redis_reply *reply); /* TEXT or ERROR */
size_t redis_count(const struct redis_reply *reply);    /* of a LIST; else 0 */
const struct redis_reply *redis_item(const struct redis_reply *reply, size_t index);

#endif
