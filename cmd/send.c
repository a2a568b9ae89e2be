/* SPDX-License-Identifier: Apache-2.0
 *
 * `millrace send`: a Beats client. Takes the lines of a file or of standard input (send_lines.c), sends them as Filebeat
 * would, and is done when all of them are acknowledged.
 *
 * Lines fill the open window; a full one is sealed and waits in `ready` for a connection. Reading stops while enough
 * windows are ready. A window that is not full is sealed when no line came for SEND_FLUSH_MS, so that a trickle of lines
 * is not held back.
 */
#include <assert.h>
#include <inttypes.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text/utf8.h"
#include "base/time/clock.h"
#include "cmd/beats_client.h"
#include "cmd/close_signal.h"
#include "cmd/commands.h"
#include "cmd/flags.h"
#include "cmd/send_lines.h"
#include "pipeline/event/event_json.h"

enum {
    SEND_PULSE_MS = 10,
    SEND_FLUSH_MS = 200,
    SEND_FIELDS_MAX_BYTES = 64 * 1024,
    SEND_MAX_CONNECTIONS = 1024,
    SEND_MAX_PIPELINING = 1024,
    SEND_MAX_RATE = 100 * 1000 * 1000,
    SEND_MAX_TIMEOUT_S = 86400,
    SEND_HOST_MAX = 256,
};

static const char USAGE[] =
    "usage: millrace send --to HOST:PORT [FLAGS] [FILE]\n"
    "Sends the lines of FILE, or of standard input, to a Beats server, as Filebeat\n"
    "does.\n"
    "  --to HOST:PORT      the server\n"
    "  --field KEY=VALUE   goes into [fields] of each event; may be repeated\n"
    "  --compress LEVEL    0 to 9; 0: not compressed (default 3)\n"
    "  --window N          events in a window (default 2048)\n"
    "  --pipelining N      windows sent before the first is acknowledged (default 2)\n"
    "  --connections N     how many at the same time (default 1)\n"
    "  --rate N            lines a second (default: as fast as they are taken)\n"
    "  --timeout SECONDS   silence after which a connection is given up (default 30)\n"
    "  --quiet             no summary\n"
    "What was not acknowledged is sent again on a new connection, for as long as it\n"
    "takes.\n";

struct sender {
    struct beats_client_owner owner; /* first */
    uv_loop_t *loop;

    /* flags */
    const char *to;
    struct buf fields;
    uint64_t level, window_events, pipelining, connections, rate, timeout_s;
    bool quiet;

    struct send_lines lines;
    struct beats_envelope envelope;

    /* windows */
    struct beats_window *open, *ready, **ready_end;
    size_t ready_count;
    uint64_t last_line_ms;

    struct beats_client **clients;
    uv_timer_t pulse;
    uv_signal_t interrupt, terminate;
    bool stopping, failed;
    uint64_t started_ms, taken, acked;
};

static uint64_t now_ms(const struct sender *sender)
{
    return uv_now(sender->loop);
}

static void pump(struct sender *sender);

/* ---- the end ---- */

static void stop(struct sender *sender)
{
    if (sender->stopping)
        return;
    sender->stopping = true;
    for (size_t i = 0; i < sender->connections; i++)
        beats_client_stop(sender->clients[i]);
    uv_close((uv_handle_t *)&sender->pulse, NULL);
    close_signal(&sender->interrupt);
    close_signal(&sender->terminate);
}

static void stop_failed(struct sender *sender)
{
    sender->failed = true;
    stop(sender);
}

static void on_signal(uv_signal_t *handle, int number)
{
    (void)number;
    stop_failed(handle->data);
}

/* ---- windows ---- */

static void seal(struct sender *sender)
{
    struct beats_window *window = sender->open;
    sender->open = NULL;
    beats_window_seal(window, (int)sender->level);
    *sender->ready_end = window;
    sender->ready_end = &window->next;
    sender->ready_count++;
}

static struct beats_window *next_window(struct beats_client_owner *owner)
{
    struct sender *sender = (struct sender *)(void *)owner;
    struct beats_window *window = sender->ready;
    if (!window)
        return NULL;
    sender->ready = window->next;
    if (!sender->ready)
        sender->ready_end = &sender->ready;
    sender->ready_count--;
    return window;
}

static void on_acked(struct beats_client_owner *owner, struct beats_window *window)
{
    struct sender *sender = (struct sender *)(void *)owner;
    sender->acked += window->events;
    beats_window_free(window);
    if (!sender->stopping)
        pump(sender);
}

static void on_lost(struct beats_client_owner *owner, const char *reason, uint64_t retry_ms)
{
    const struct sender *sender = (const struct sender *)(const void *)owner;
    if (!sender->quiet)
        fprintf(stderr, "millrace send: %s: %s; again in %.1f s\n", sender->to, reason,
                (double)retry_ms / 1000);
}

/* ---- lines ---- */

static bool may_take_line(const struct sender *sender)
{
    if (sender->ready_count >= sender->connections)
        return false;
    if (sender->rate == 0)
        return true;
    uint64_t elapsed_ms = now_ms(sender) - sender->started_ms;
    return sender->taken <=
           elapsed_ms / 1000 * sender->rate + elapsed_ms % 1000 * sender->rate / 1000;
}

static void take_line(struct sender *sender, struct str line, uint64_t offset)
{
    sender->taken++;
    sender->last_line_ms = now_ms(sender);
    if (!sender->open)
        sender->open = beats_window_new();
    beats_window_add(sender->open, &sender->envelope, offset, line);
    if (beats_window_is_full(sender->open, (uint32_t)sender->window_events))
        seal(sender);
}

static void on_lines(void *ctx, const struct error *err)
{
    struct sender *sender = ctx;
    if (sender->stopping)
        return;
    if (err) {
        fprintf(stderr, "millrace send: %s\n", err->text);
        stop_failed(sender);
        return;
    }
    pump(sender);
}

static bool is_done(const struct sender *sender)
{
    return send_lines_are_done(&sender->lines) && sender->acked == sender->taken;
}

/* Moves lines into windows and windows to connections, as far as both go. */
static void pump(struct sender *sender)
{
    struct str line;
    uint64_t offset;
    bool have_line = true;
    while (may_take_line(sender) && (have_line = send_lines_next(&sender->lines, &line, &offset)))
        take_line(sender, line, offset);
    bool no_more = send_lines_are_done(&sender->lines);
    bool quiet = now_ms(sender) - sender->last_line_ms >= SEND_FLUSH_MS;
    if (sender->open && (no_more || quiet) && sender->ready_count < sender->connections)
        seal(sender);
    if (!have_line)
        send_lines_read(&sender->lines);
    for (size_t i = 0; i < sender->connections; i++)
        beats_client_wake(sender->clients[i]);
    if (is_done(sender))
        stop(sender);
}

static void on_pulse(uv_timer_t *timer)
{
    pump(timer->data);
}

/* ---- beginning ---- */

/* HOST:PORT, [V6]:PORT */
static bool resolve(const char *to, struct sockaddr_storage *out)
{
    char host[SEND_HOST_MAX];
    const char *colon = strrchr(to, ':');
    size_t len = colon ? (size_t)(colon - to) : 0;
    if (!colon || len >= sizeof host) {
        fprintf(stderr, "millrace send: --to is '%s', expected HOST:PORT\n", to);
        return false;
    }
    bool bracketed = len >= 2 && to[0] == '[' && to[len - 1] == ']';
    snprintf(host, sizeof host, "%.*s", (int)(bracketed ? len - 2 : len), bracketed ? to + 1 : to);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
    int failure = getaddrinfo(host, colon + 1, &hints, &found);
    if (failure != 0) {
        fprintf(stderr, "millrace send: cannot find '%s': %s\n", to, gai_strerror(failure));
        return false;
    }
    memcpy(out, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return true;
}

static bool open_lines(struct sender *sender)
{
    struct error err = {0};
    sender->lines.loop = sender->loop;
    sender->lines.changed = on_lines;
    sender->lines.ctx = sender;
    if (!send_lines_open(&sender->lines, &err))
        fprintf(stderr, "millrace send: %s\n", err.text);
    return sender->lines.chunk;
}

static void open_clients(struct sender *sender, const struct sockaddr_storage *address)
{
    struct beats_client_options options = {
        .address = *address,
        .max_in_flight = (unsigned)sender->pipelining + 1,
        .timeout_ms = sender->timeout_s * 1000,
        .loop = sender->loop,
        .owner = &sender->owner,
    };
    sender->clients = mem_zero(sender->connections, sizeof(struct beats_client *));
    for (size_t i = 0; i < sender->connections; i++)
        sender->clients[i] = beats_client_new(&options);
}

static void open_envelope(struct sender *sender)
{
    char host[SEND_HOST_MAX] = "";
    gethostname(host, sizeof host - 1);
    buf_append_char(&sender->fields, '}');
    beats_envelope_init(&sender->envelope, buf_str(&sender->fields), str_from(sender->lines.path),
                        str_from(host));
}

static void watch_signal(struct sender *sender, uv_signal_t *handle, int number)
{
    uv_signal_init(sender->loop, handle);
    handle->data = sender;
    uv_signal_start(handle, on_signal, number);
}

static void summarize(const struct sender *sender)
{
    struct beats_client_figures sum = {0};
    for (size_t i = 0; i < sender->connections; i++)
        beats_client_add_figures(sender->clients[i], &sum);
    double seconds = (double)(clock_monotonic_ms() - sender->started_ms) / 1000;
    fprintf(stderr,
            "millrace send: %" PRIu64 " events read, %" PRIu64 " acknowledged, %" PRIu64
            " windows sent (%" PRIu64 " of them again), %" PRIu64 " bytes, %" PRIu64
            " keep-alives, %" PRIu64 " connections, %.2f s, %.0f events/s\n",
            sender->taken, sender->acked, sum.windows_sent, sum.windows_resent, sum.bytes_sent,
            sum.keepalives, sum.connections, seconds,
            seconds > 0 ? (double)sender->acked / seconds : 0.0);
}

static void release(struct sender *sender)
{
    for (size_t i = 0; i < sender->connections; i++)
        beats_client_free(sender->clients[i]);
    for (struct beats_window *window; (window = next_window(&sender->owner)) != NULL;)
        beats_window_free(window);
    beats_window_free(sender->open);
    mem_free(sender->clients);
    send_lines_release(&sender->lines);
    beats_envelope_release(&sender->envelope);
}

static int run(struct sender *sender)
{
    struct sockaddr_storage address;
    sender->loop = uv_default_loop();
    if (!resolve(sender->to, &address) || !open_lines(sender))
        return EXIT_ERROR;
    sender->started_ms = sender->last_line_ms = now_ms(sender);
    sender->ready_end = &sender->ready;
    sender->owner = (struct beats_client_owner){next_window, on_acked, on_lost};
    open_envelope(sender);
    open_clients(sender, &address);
    watch_signal(sender, &sender->interrupt, SIGINT);
    watch_signal(sender, &sender->terminate, SIGTERM);
    uv_timer_init(sender->loop, &sender->pulse);
    sender->pulse.data = sender;
    uv_timer_start(&sender->pulse, on_pulse, 0, SEND_PULSE_MS);
    while (uv_run(sender->loop, UV_RUN_ONCE) && !(sender->stopping && sender->failed))
        ;
    if (!sender->quiet)
        summarize(sender);
    if (sender->failed)
        _exit(EXIT_ERROR); /* a read of standard input may still block one of libuv's threads */
    assert(sender->acked == sender->taken);
    release(sender);
    return EXIT_DONE;
}

/* ---- flags ---- */

enum {
    FLAG_TO,
    FLAG_FIELD,
    FLAG_COMPRESS,
    FLAG_WINDOW,
    FLAG_PIPELINING,
    FLAG_CONNECTIONS,
    FLAG_RATE,
    FLAG_TIMEOUT,
    FLAG_QUIET,
    FLAG_HELP,
};

const struct flag send_flags[] = {
    {"to", 0, true, FLAG_TO},
    {"field", 0, true, FLAG_FIELD},
    {"compress", 0, true, FLAG_COMPRESS},
    {"window", 0, true, FLAG_WINDOW},
    {"pipelining", 0, true, FLAG_PIPELINING},
    {"connections", 0, true, FLAG_CONNECTIONS},
    {"rate", 0, true, FLAG_RATE},
    {"timeout", 0, true, FLAG_TIMEOUT},
    {"quiet", 'q', false, FLAG_QUIET},
    {"help", 'h', false, FLAG_HELP},
    {NULL, 0, false, 0},
};

static bool add_field(struct sender *sender, const char *text)
{
    struct str whole = str_from(text), key = whole;
    key.len = str_find(whole, STR("="));
    struct str value = str_from_offset(whole, key.len + 1);
    if (key.len == SIZE_MAX || key.len == 0 || !utf8_valid(whole)) {
        fprintf(stderr, "millrace send: --field is '%s', expected KEY=VALUE\n", text);
        return false;
    }
    if ((sender->fields.len == 1 || buf_append_char(&sender->fields, ',')) &&
        json_encode_str(key, &sender->fields) && buf_append_char(&sender->fields, ':') &&
        json_encode_str(value, &sender->fields))
        return true;
    fprintf(stderr, "millrace send: the fields are longer than %d bytes\n", SEND_FIELDS_MAX_BYTES);
    return false;
}

static bool take_operand(struct sender *sender, const char *path)
{
    if (!str_equal(str_from(sender->lines.path), STR("-"))) {
        fprintf(stderr, "millrace send: one file at a time: '%s' and '%s'\n", sender->lines.path,
                path);
        return false;
    }
    sender->lines.path = path;
    return true;
}

static bool take_flag(const struct flags *flags, int id, struct sender *sender)
{
    switch (id) {
    case FLAG_TO:
        sender->to = flags->value;
        return true;
    case FLAG_FIELD:
        return add_field(sender, flags->value);
    case FLAG_COMPRESS:
        return flags_number(flags, 0, 9, &sender->level);
    case FLAG_WINDOW:
        return flags_number(flags, 1, BEATS_WINDOW_MAX_EVENTS, &sender->window_events);
    case FLAG_PIPELINING:
        return flags_number(flags, 0, SEND_MAX_PIPELINING, &sender->pipelining);
    case FLAG_CONNECTIONS:
        return flags_number(flags, 1, SEND_MAX_CONNECTIONS, &sender->connections);
    case FLAG_RATE:
        return flags_number(flags, 1, SEND_MAX_RATE, &sender->rate);
    case FLAG_TIMEOUT:
        return flags_number(flags, 1, SEND_MAX_TIMEOUT_S, &sender->timeout_s);
    case FLAG_QUIET:
        sender->quiet = true;
        return true;
    case FLAGS_OPERAND:
        return take_operand(sender, flags->value);
    }
    return false;
}

/* True: *status_out is how it ended already. */
static bool take_flags(int argc, char **argv, struct sender *sender, int *status_out)
{
    struct flags flags = {.argc = argc, .argv = argv, .table = send_flags, .at = 1};
    for (int id; (id = flags_next(&flags)) != FLAGS_END;) {
        if (id != FLAG_HELP && take_flag(&flags, id, sender))
            continue;
        *status_out = flags_end(&flags, id == FLAG_HELP, USAGE);
        return true;
    }
    if (!sender->to) {
        flags_missing(&flags, "--to HOST:PORT");
        *status_out = flags_end(&flags, false, USAGE);
    }
    return !sender->to;
}

int cmd_send(int argc, char **argv)
{
    struct sender sender = {
        .lines.path = "-",
        .level = 3,
        .window_events = 2048,
        .pipelining = 2,
        .connections = 1,
        .timeout_s = 30,
    };
    int status = EXIT_DONE;
    signal(SIGPIPE, SIG_IGN);
    buf_init(&sender.fields, SEND_FIELDS_MAX_BYTES);
    buf_append_char(&sender.fields, '{');
    if (!take_flags(argc, argv, &sender, &status))
        status = run(&sender);
    buf_release(&sender.fields);
    return status;
}
