/* SPDX-License-Identifier: Apache-2.0
 *
 * unix: bytes of a Unix stream socket, of many clients (server) or of one server (client). Each connection is a stream with a
 * codec of its own. Nobody is told what became of the bytes.
 *
 *   connection  READING ◀──memory is there── WAITING
 *                  └──end, error, data_timeout, stop──▶ CLOSED (its codec is flushed, its batch handed over)
 */
#include <assert.h>
#include <errno.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "inputs/host_name.h"
#include "inputs/inputs.h"
#include "io/loop_timer.h"
#include "pipeline/engine/stream.h"

enum {
    UNIX_READ_BYTES = 64 * 1024,
    UNIX_BACKLOG = 1024,
    UNIX_LOG_WINDOW_MS = 10 * 1000,
};

enum unix_mode { MODE_SERVER, MODE_CLIENT };

struct unix_input {
    struct str path;
    int mode;
    bool force_unlink;
    double data_timeout_s;
    int64_t retry_ms, max_connections;
    const struct conf_plugin *codec;

    const struct plugin_env *env;
    char *path_text;
    uv_pipe_t listener;
    bool listener_open, bound, stopped, closing;
    struct loop_timer *again; /* client: the next attempt */
    struct connection *connections;
    size_t connection_count;
    unsigned open_handles;
    struct counter *accepted, *refused, *timed_out;
    struct log_limit log_limit;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

struct connection {
    struct origin origin; /* first */
    struct unix_input *input;
    struct connection *next, **link; /* link: what points here */
    uv_pipe_t pipe;
    uv_connect_t connect;
    struct stream *stream;
    struct loop_timer *silence;
    bool is_closed;
    uint64_t token;
};

static const struct field_ref PATH = FIELD_REF_TOP("path");
static const struct field_ref FILE_PATH = FIELD_REF_BELOW("file", "path");

static void client_connect(void *ctx);

/* ---- a connection --------------------------------------------------------------------------------- */

static void acked(struct origin *origin, uint64_t token)
{
    (void)origin; /* nobody waits for it */
    (void)token;
}

static void complete(struct origin *origin, struct event *event)
{
    const struct unix_input *input = ((struct connection *)origin)->input;
    const struct field_ref *field = input->env->ecs == ECS_DISABLED ? &PATH : &FILE_PATH;
    host_name_set(input->env, event);
    event_set_missing(event, field, value_str(input->path));
}

static void closed_part(struct unix_input *input)
{
    assert(input->open_handles > 0);
    if (--input->open_handles == 0 && input->closing)
        input->closed(input->closed_ctx);
}

static void on_connection_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    struct unix_input *input = connection->input;
    mem_free(connection);
    closed_part(input);
}

static void hand_over(struct connection *connection)
{
    if (stream_count(connection->stream) > 0)
        stream_hand_over(connection->stream, ++connection->token);
    stream_rest(connection->stream);
}

static void connection_close(struct connection *connection)
{
    struct unix_input *input = connection->input;
    if (connection->is_closed)
        return;
    connection->is_closed = true;
    stream_flush_codec(connection->stream);
    hand_over(connection);
    stream_close(connection->stream);
    loop_timer_close(connection->silence);
    *connection->link = connection->next;
    if (connection->next)
        connection->next->link = connection->link;
    input->connection_count--;
    uv_close((uv_handle_t *)&connection->pipe, on_connection_closed);
    if (input->mode == MODE_CLIENT && !input->stopped)
        loop_timer_start(input->again, (uint64_t)input->retry_ms);
}

static void on_silence(void *ctx)
{
    struct connection *connection = ctx;
    struct unix_input *input = connection->input;
    counter_add(input->timed_out, 1);
    log_info(input->env->log, "connection_silent", "no data within data_timeout: connection closed",
             LOG_STR("path", input->path));
    connection_close(connection);
}

static void await_data(struct connection *connection)
{
    double seconds = connection->input->data_timeout_s;
    if (seconds >= 0)
        loop_timer_start(connection->silence, (uint64_t)(seconds * 1000));
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct connection *connection = handle->data;
    size_t got = 0;
    (void)suggested;
    char *room = stream_read_room(connection->stream, UNIX_READ_BYTES, &got);
    *buf = uv_buf_init(room, (unsigned)got);
}

static void on_read(uv_stream_t *pipe, ssize_t count, const uv_buf_t *buf)
{
    struct connection *connection = pipe->data;
    if (count == 0 || connection->is_closed)
        return;
    if (count == UV_ENOBUFS) { /* no memory: resume is called when there is */
        uv_read_stop(pipe);
        loop_timer_stop(connection->silence);
        hand_over(connection);
        return;
    }
    if (count < 0) {
        connection_close(connection);
        return;
    }
    stream_decode(connection->stream, str_make(buf->base, (size_t)count));
    hand_over(connection);
    await_data(connection);
}

static void read_on(struct connection *connection)
{
    await_data(connection);
    (void)uv_read_start((uv_stream_t *)&connection->pipe, on_room, on_read);
}

static void resume(struct origin *origin)
{
    struct connection *connection = (struct connection *)origin;
    if (!connection->is_closed)
        read_on(connection);
}

static struct stream *open_stream(struct unix_input *input, struct origin *origin,
                                  struct error *err)
{
    *origin = (struct origin){.acked = acked, .resume = resume};
    struct stream_options options = {
        .env = input->env,
        .origin = origin,
        .codec = input->codec,
        .codec_default = "line",
        .complete = complete,
    };
    return stream_open(&options, err);
}

static struct connection *connection_new(struct unix_input *input)
{
    struct error err;
    struct connection *connection = mem_zero(1, sizeof *connection);
    connection->input = input;
    connection->stream = open_stream(input, &connection->origin, &err);
    if (!connection->stream)
        mem_abort("a codec that could be opened at the start cannot be opened again");
    uv_pipe_init(input->env->loop, &connection->pipe, 0);
    connection->pipe.data = connection->connect.data = connection;
    connection->silence = loop_timer_new(input->env->loop, on_silence, connection);
    connection->link = &input->connections;
    connection->next = input->connections;
    if (connection->next)
        connection->next->link = &connection->next;
    input->connections = connection;
    input->connection_count++;
    input->open_handles++;
    return connection;
}

/* ---- server --------------------------------------------------------------------------------------- */

static void on_turned_away(uv_handle_t *handle)
{
    struct unix_input *input = handle->data;
    mem_free(handle);
    closed_part(input);
}

static void turn_away(struct unix_input *input)
{
    uint64_t suppressed;
    uv_pipe_t *pipe = mem_zero(1, sizeof *pipe);
    uv_pipe_init(input->env->loop, pipe, 0);
    pipe->data = input;
    input->open_handles++;
    (void)uv_accept((uv_stream_t *)&input->listener, (uv_stream_t *)pipe);
    uv_close((uv_handle_t *)pipe, on_turned_away);
    counter_add(input->refused, 1);
    if (log_limit_allow(&input->log_limit, uv_now(input->env->loop), &suppressed))
        log_warn(input->env->log, "connection_refused",
                 "a client was turned away: max_connections is reached",
                 LOG_STR("path", input->path), LOG_INT("connections", input->connection_count),
                 LOG_INT_IF("not_logged_before", suppressed));
}

static void on_client(uv_stream_t *listener, int status)
{
    struct unix_input *input = listener->data;
    if (status < 0 || input->stopped)
        return;
    if (input->connection_count >= (size_t)input->max_connections) {
        turn_away(input);
        return;
    }
    struct connection *connection = connection_new(input);
    counter_add(input->accepted, 1);
    if (uv_accept(listener, (uv_stream_t *)&connection->pipe) == 0)
        read_on(connection);
    else
        connection_close(connection);
}

/* A socket that is there already belongs to somebody, unless force_unlink says that it does not. */
static bool make_way(struct unix_input *input, struct error *err)
{
    struct stat there;
    if (lstat(input->path_text, &there) != 0)
        return true;
    if (!input->force_unlink)
        return error_set(err, ERROR_BUSY,
                         "'%s' is there already: remove it, or set force_unlink => true",
                         input->path_text);
    if (unlink(input->path_text) == 0)
        return true;
    return error_set(err, ERROR_IO, "cannot remove '%s': %s", input->path_text, strerror(errno));
}

static bool server_bind(struct unix_input *input, struct error *err)
{
    if (!make_way(input, err))
        return false;
    uv_pipe_init(input->env->loop, &input->listener, 0);
    input->listener.data = input;
    input->listener_open = true;
    input->open_handles++;
    int failed = uv_pipe_bind(&input->listener, input->path_text);
    input->bound = failed == 0;
    return input->bound || error_set(err, ERROR_IO, "cannot listen on '%s': %s", input->path_text,
                                     uv_strerror(failed));
}

static bool server_listen(struct unix_input *input, struct error *err)
{
    int failed = uv_listen((uv_stream_t *)&input->listener, UNIX_BACKLOG, on_client);
    if (failed)
        return error_set(err, ERROR_IO, "cannot listen on '%s': %s", input->path_text,
                         uv_strerror(failed));
    log_info(input->env->log, "listening", "waiting for clients", LOG_STR("path", input->path));
    return true;
}

/* ---- client --------------------------------------------------------------------------------------- */

static void on_connected(uv_connect_t *connect, int status)
{
    struct connection *connection = connect->data;
    struct unix_input *input = connection->input;
    uint64_t suppressed;
    if (connection->is_closed)
        return;
    if (status == 0) {
        log_info(input->env->log, "connected", "connected", LOG_STR("path", input->path));
        counter_add(input->accepted, 1);
        read_on(connection);
        return;
    }
    if (log_limit_allow(&input->log_limit, uv_now(input->env->loop), &suppressed))
        log_warn(input->env->log, "connect_failed", "cannot connect, trying again",
                 LOG_STR("path", input->path), LOG_CSTR("reason", uv_strerror(status)),
                 LOG_INT_IF("not_logged_before", suppressed));
    connection_close(connection);
}

static void client_connect(void *ctx)
{
    struct unix_input *input = ctx;
    struct connection *connection = connection_new(input);
    assert(!input->stopped && input->connection_count == 1);
    uv_pipe_connect(&connection->connect, &connection->pipe, input->path_text, on_connected);
}

/* ---- the input ------------------------------------------------------------------------------------ */

static bool unix_check(void *self, const struct plugin_env *env, struct error *err)
{
    const struct unix_input *input = self;
    struct sockaddr_un address;
    (void)env;
    if (input->path.len > 0 && input->path.len < sizeof address.sun_path)
        return true;
    return error_set(err, ERROR_CONFIG, "the path of a socket has 1 to %zu bytes, not %zu",
                     sizeof address.sun_path - 1, input->path.len);
}

static bool unix_open(void *self, const struct plugin_env *env, struct error *err)
{
    struct unix_input *input = self;
    struct origin origin;
    input->env = env;
    if (!unix_check(self, env, err))
        return false;
    input->path_text = arena_cstr(env->arena, input->path);
    input->accepted = env->counter(env, "connections");
    input->refused = env->counter(env, "connections_refused");
    input->timed_out = env->counter(env, "connections_timed_out");
    input->log_limit = (struct log_limit){.window_ms = UNIX_LOG_WINDOW_MS, .burst = 1};
    struct stream *stream = open_stream(input, &origin, err); /* whether the codec can be opened */
    stream_close(stream);
    return stream && (input->mode == MODE_CLIENT || server_bind(input, err));
}

static bool unix_start(void *self, struct error *err)
{
    struct unix_input *input = self;
    if (input->mode == MODE_SERVER)
        return server_listen(input, err);
    input->again = loop_timer_new(input->env->loop, client_connect, input);
    client_connect(input);
    return true;
}

static void on_listener_closed(uv_handle_t *handle)
{
    closed_part(handle->data);
}

static void close_listener(struct unix_input *input)
{
    if (!input->listener_open)
        return;
    input->listener_open = false;
    uv_close((uv_handle_t *)&input->listener, on_listener_closed);
    if (input->bound)
        (void)unlink(input->path_text);
}

static void unix_stop(void *self)
{
    struct unix_input *input = self;
    if (input->stopped)
        return;
    input->stopped = true;
    if (input->again)
        loop_timer_stop(input->again);
    while (input->connections)
        connection_close(input->connections);
    input_finished(input->env);
}

static void unix_close(void *self, void (*closed)(void *ctx), void *ctx)
{
    struct unix_input *input = self;
    input->closed = closed;
    input->closed_ctx = ctx;
    input->closing = true;
    loop_timer_close(input->again);
    while (input->connections)
        connection_close(input->connections);
    if (input->listener_open)
        close_listener(input);
    else if (input->open_handles == 0)
        closed(ctx);
}

static const char *const MODES[] = {"server", "client", NULL};

static const struct option unix_options[] = {
    {
        .name = "path",
        .doc = "The socket: made and listened on, or with mode => client connected to.",
        OPTION_IN_STRING(struct unix_input, path),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "mode",
        .doc = "Listen for clients, or connect to a server.",
        OPTION_IN_CHOICE(struct unix_input, mode),
        .choices = MODES,
        .def = "server",
    },
    {
        .name = "force_unlink",
        .doc = "Remove what stands at the path, where else the start is refused.",
        OPTION_IN_BOOL(struct unix_input, force_unlink),
        .def = "false",
    },
    {
        .name = "data_timeout",
        .doc = "Seconds without data after which a connection is closed; -1: never.",
        OPTION_IN_FLOAT(struct unix_input, data_timeout_s),
        .min = -1,
        .max = 2147483,
        .def = "-1",
    },
    {
        .name = "socket_not_present_retry_interval_seconds",
        .doc = "Seconds until a client tries again to connect.",
        OPTION_IN_DURATION_MS(struct unix_input, retry_ms),
        .min = 1,
        .max = 2147483647,
        .def = "5",
    },
    {
        .name = "max_connections",
        .doc = "Largest number of connections at once; more are closed at once.",
        OPTION_IN_INT(struct unix_input, max_connections),
        .min = 1,
        .max = 1000000,
        .def = "1000",
    },
    {
        .name = "codec",
        .doc = "How bytes become events; each connection has one of its own.",
        OPTION_IN_CODEC(struct unix_input, codec),
    },
    OPTION_END,
};

const struct input input_unix = {
    .plugin = {.name = "unix",
               .summary = "bytes of a Unix socket",
               .options = unix_options,
               .size = sizeof(struct unix_input),
               .scope = SCOPE_PIPELINE,
               .check = unix_check},
    .open = unix_open,
    .start = unix_start,
    .stop = unix_stop,
    .close = unix_close,
    .codec_default = "line",
};
