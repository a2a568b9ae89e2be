/* SPDX-License-Identifier: Apache-2.0
 *
 * A client:
 *
 *   ASKS ── its line has come: answer ──▶ LOOKS ── it hangs up, does not ask in time, or the socket closes ──▶ CLOSED
 *
 * One write is under way at most; what comes meanwhile stays in the tap's queue.
 */
#include "services/api/tap_socket.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text/utf8.h"
#include "io/directory.h"
#include "io/local_socket.h"
#include "io/loop_timer.h"
#include "pipeline/event/event_json.h"

enum { DIRECTORY_MODE = 0700, READ_BYTES = 4096, LINE_MAX_BYTES = 8 * TAP_EVENT_MAX_BYTES };

static const char SUFFIX[] = ".sock";

enum client_state { CLIENT_ASKS, CLIENT_LOOKS, CLIENT_CLOSED };

struct client {
    struct client *next;
    struct tap_socket *server;
    uv_pipe_t pipe;
    enum client_state state;
    uint64_t since_ms;
    struct buf request;
    struct tap *tap; /* LOOKS, unless it was answered with an error */
    struct tap_counts told;
    uv_write_t write;
    struct buf sending;
    bool is_sending, ends; /* ends: hung up on when all is sent */
    char read[READ_BYTES];
};

struct tap_socket {
    struct tap_socket_options options;
    uv_pipe_t pipe;
    uv_async_t wake;
    struct loop_timer *timer;
    struct client *clients;
    size_t client_count;
    unsigned open_handles; /* pipe and wake, and the clients' */
    bool closing;
    char name[LOCAL_SOCKET_NAME_MAX];
    char directory[];
};

/* ---- clients -------------------------------------------------------------------------------------- */

static void handle_closed(struct tap_socket *server)
{
    assert(server->open_handles > 0);
    if (--server->open_handles == 0)
        mem_free(server);
}

static void on_client_closed(uv_handle_t *handle)
{
    struct client *client = handle->data;
    struct tap_socket *server = client->server;
    buf_release(&client->request);
    buf_release(&client->sending);
    mem_free(client);
    handle_closed(server);
}

static void close_client(struct client *client)
{
    struct tap_socket *server = client->server;
    if (client->state == CLIENT_CLOSED)
        return;
    struct client **at = &server->clients;
    while (*at != client)
        at = &(*at)->next;
    *at = client->next;
    server->client_count--;
    client->state = CLIENT_CLOSED;
    if (client->tap)
        tap_close(server->options.node->taps, client->tap);
    client->tap = NULL;
    uv_close((uv_handle_t *)&client->pipe, on_client_closed);
}

static void send_more(struct client *client);

static void on_sent(uv_write_t *write, int status)
{
    struct client *client = write->data;
    client->is_sending = false;
    if (status != 0) {
        close_client(client);
        return;
    }
    buf_clear(&client->sending, TAP_WRITE_BYTES);
    send_more(client);
}

static void collect_lines(struct client *client)
{
    struct tap_line *line;
    while (client->tap && client->sending.len < TAP_WRITE_BYTES && (line = tap_take(client->tap))) {
        buf_append(&client->sending, line->text, line->len);
        buf_append_char(&client->sending, '\n');
        mem_free(line);
    }
}

static void send_more(struct client *client)
{
    if (client->is_sending || client->state == CLIENT_CLOSED)
        return;
    collect_lines(client);
    if (client->sending.len == 0) {
        if (client->ends)
            close_client(client);
        return;
    }
    uv_buf_t bytes = uv_buf_init(client->sending.ptr, (unsigned)client->sending.len);
    client->write.data = client;
    client->is_sending = true;
    if (uv_write(&client->write, (uv_stream_t *)&client->pipe, &bytes, 1, on_sent) == 0)
        return;
    client->is_sending = false;
    close_client(client);
}

/* {"name":value} */
static void send_object(struct client *client, struct str name, struct value item,
                        struct arena *arena)
{
    struct value object = value_object_new(arena, 1);
    assert(!client->is_sending);
    value_object_set(arena, &object, name, item);
    json_encode_value(&object, &client->sending);
    buf_append_char(&client->sending, '\n');
    send_more(client);
}

static void tell_counts(struct client *client)
{
    struct arena arena;
    if (!client->tap || client->is_sending)
        return;
    struct tap_counts counts = tap_counts(client->tap);
    if (memcmp(&counts, &client->told, sizeof counts) == 0)
        return;
    client->told = counts;
    arena_init(&arena, NULL);
    send_object(client, STR("counts"), tap_counts_json(client->tap, &arena), &arena);
    arena_release(&arena);
}

/* ---- requests ------------------------------------------------------------------------------------- */

static void on_wake(uv_async_t *wake)
{
    struct tap_socket *server = wake->data;
    for (struct client *client = server->clients, *next; client; client = next) {
        next = client->next;
        send_more(client);
    }
}

/* On a lane. */
static void wake_server(void *ctx)
{
    struct tap_socket *server = ctx;
    uv_async_send(&server->wake);
}

/* An error may have been cut in the middle of a character. */
static struct str whole_text(const char *text)
{
    struct str whole = str_from(text);
    whole.len = utf8_valid_prefix(whole);
    return whole;
}

static bool asks_for_page(const struct value *request)
{
    const struct value *page =
        request->type == VALUE_OBJECT ? value_object_get(request, STR("page")) : NULL;
    return page && page->type == VALUE_BOOL && value_as_bool(page);
}

static void open_tap(struct client *client, const struct value *request, struct arena *arena,
                     struct error *err)
{
    struct tap_socket *server = client->server;
    struct tap_listener listener = {wake_server, server};
    struct value about;
    client->tap = tap_request_open(server->options.node, request, &listener, arena, &about, err);
    if (client->tap)
        send_object(client, STR("tap"), about, arena);
}

static void tell_page(struct client *client, struct arena *arena, struct error *err)
{
    const struct tap_node *node = client->server->options.node;
    struct str url = node->page_url ? node->page_url(node->ctx, arena) : (struct str){0};
    if (url.len > 0)
        send_object(client, STR("page"), value_str(url), arena);
    else
        error_set(err, ERROR_CONFIG, "it serves no page: see 'api.enabled', and its log");
}

static void answer(struct client *client, struct str line)
{
    struct value request;
    struct error err = {0};
    struct arena arena;
    struct json_reader *reader = json_reader_new();
    arena_init(&arena, NULL);
    client->state = CLIENT_LOOKS;
    bool good = json_decode(reader, &arena, line, &request, &err);
    client->ends = !good || asks_for_page(&request);
    if (good && client->ends)
        tell_page(client, &arena, &err);
    else if (good)
        open_tap(client, &request, &arena, &err);
    client->ends |= !client->tap;
    if (err.text[0])
        send_object(client, STR("error"), value_str(whole_text(err.text)), &arena);
    arena_release(&arena);
    json_reader_free(reader);
}

static void take_bytes(struct client *client, struct str bytes)
{
    if (client->state != CLIENT_ASKS)
        return;
    if (!buf_append_str(&client->request, bytes)) {
        close_client(client);
        return;
    }
    const char *end = memchr(client->request.ptr, '\n', client->request.len);
    if (end)
        answer(client, str_make(client->request.ptr, (size_t)(end - client->request.ptr)));
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct client *client = handle->data;
    (void)suggested;
    *out = uv_buf_init(client->read, sizeof client->read);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *bytes)
{
    struct client *client = stream->data;
    if (len < 0)
        close_client(client);
    else
        take_bytes(client, str_make(bytes->base, (size_t)len));
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct tap_socket *server = stream->data;
    if (status != 0 || server->closing)
        return;
    struct client *client = mem_zero(1, sizeof *client);
    client->server = server;
    client->since_ms = uv_now(server->options.loop);
    buf_init(&client->request, TAP_REQUEST_MAX_BYTES);
    buf_init(&client->sending, TAP_WRITE_BYTES + LINE_MAX_BYTES);
    uv_pipe_init(server->options.loop, &client->pipe, 0);
    client->pipe.data = client;
    uv_unref((uv_handle_t *)&client->pipe);
    server->open_handles++;
    client->next = server->clients;
    server->clients = client;
    server->client_count++;
    if (uv_accept(stream, (uv_stream_t *)&client->pipe) != 0 ||
        server->client_count > TAP_CLIENTS_MAX ||
        uv_read_start((uv_stream_t *)&client->pipe, on_room, on_read) != 0)
        close_client(client);
}

static void on_timer(void *ctx)
{
    struct tap_socket *server = ctx;
    uint64_t now_ms = uv_now(server->options.loop);
    for (struct client *client = server->clients, *next; client; client = next) {
        next = client->next;
        if (client->state == CLIENT_ASKS && now_ms - client->since_ms > TAP_REQUEST_TIMEOUT_MS)
            close_client(client);
        else
            tell_counts(client);
    }
    loop_timer_start(server->timer, TAP_COUNTS_EACH_MS);
}

/* ---- opening and closing -------------------------------------------------------------------------- */

/* Left behind by processes that were killed. */
static void remove_dead(const struct tap_socket *server)
{
    DIR *directory = opendir(server->directory);
    if (!directory)
        return;
    for (const struct dirent *entry; (entry = readdir(directory));) {
        if (!str_ends_with(str_from(entry->d_name), str_from(SUFFIX)) ||
            strlen(entry->d_name) > LOCAL_SOCKET_NAME_MAX)
            continue;
        int fd = local_socket_connect(server->directory, entry->d_name);
        if (fd >= 0)
            close(fd);
        else if (errno == ECONNREFUSED)
            local_socket_remove(server->directory, entry->d_name);
    }
    closedir(directory);
}

static bool start(struct tap_socket *server, int fd, struct error *err)
{
    uv_loop_t *loop = server->options.loop;
    uv_pipe_init(loop, &server->pipe, 0);
    uv_async_init(loop, &server->wake, on_wake);
    server->pipe.data = server->wake.data = server;
    server->open_handles = 2;
    server->timer = loop_timer_new(loop, on_timer, server);
    loop_timer_start(server->timer, TAP_COUNTS_EACH_MS);
    uv_unref((uv_handle_t *)&server->pipe);
    uv_unref((uv_handle_t *)&server->wake);
    int failed = uv_pipe_open(&server->pipe, fd);
    if (failed == 0)
        failed = uv_listen((uv_stream_t *)&server->pipe, TAP_CLIENTS_MAX, on_connection);
    return failed == 0 || error_set(err, ERROR_IO, "cannot listen for taps in '%s': %s",
                                    server->directory, uv_strerror(failed));
}

struct tap_socket *tap_socket_open(const struct tap_socket_options *options)
{
    struct error err = {0};
    size_t bytes = strlen(options->path_data) + sizeof "/tap";
    struct tap_socket *server = mem_zero(1, sizeof *server + bytes);
    server->options = *options;
    snprintf(server->directory, bytes, "%s/tap", options->path_data);
    snprintf(server->name, sizeof server->name, "%ld%s", (long)getpid(), SUFFIX);
    int fd = directory_make(server->directory, DIRECTORY_MODE, &err)
                 ? (remove_dead(server), local_socket_listen(server->directory, server->name, &err))
                 : -1;
    if (fd >= 0 && start(server, fd, &err))
        return server;
    log_info(options->log, "tap_not_served", "'millrace tap' cannot look on; all else goes on",
             LOG_CSTR("reason", err.text));
    if (fd >= 0)
        tap_socket_close(server);
    else
        mem_free(server);
    return NULL;
}

static void on_handle_closed(uv_handle_t *handle)
{
    handle_closed(handle->data);
}

void tap_socket_close(struct tap_socket *server)
{
    if (!server)
        return;
    server->closing = true;
    local_socket_remove(server->directory, server->name);
    while (server->clients)
        close_client(server->clients);
    loop_timer_close(server->timer);
    uv_close((uv_handle_t *)&server->pipe, on_handle_closed);
    uv_close((uv_handle_t *)&server->wake, on_handle_closed);
}
