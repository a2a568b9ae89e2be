/* SPDX-License-Identifier: Apache-2.0
 *
 * `millrace store`: the embedded document store as a process.
 */
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd/close_signal.h"
#include "cmd/commands.h"
#include "conf/number.h"
#include "io/service_notify.h"
#include "services/store/store.h"

enum {
    STORE_HOST_MAX = 256,
    STORE_RETENTION_DAYS_MAX = 36500,
    SIGNAL_STATUS = 128, /* plus the signal's number, as a shell has it */
};

static const char USAGE[] =
    "usage: millrace store --path DIR [FLAGS]\n"
    "Keeps documents in DIR, behind a part of the REST API of Elasticsearch\n"
    "(docs/store.md).\n"
    "  --path DIR              where the documents are; made when it is not there\n"
    "  --listen HOST:PORT      where to listen (default 127.0.0.1:9200; port 0: a\n"
    "                          free one)\n"
    "  --allow-remote          listen on addresses that other machines can reach;\n"
    "                          there is no password\n"
    "  --retention-days N      delete whole indices that are older\n"
    "  --retention-bytes SIZE  delete the oldest indices while documents take more:\n"
    "                          500mb, 10gb\n"
    "  --sync full|normal      full: what was answered survives a loss of power\n"
    "                          (default); normal: it survives the end of the\n"
    "                          process, and writing is faster\n"
    "  --max-body SIZE         largest body of a request (default 100mb)\n"
    "  --log.level LEVEL       trace, debug, info, warn, error, fatal (default info)\n"
    "  --log.format FORMAT     plain, json (default plain)\n";

struct server {
    struct store_options options;
    char host[STORE_HOST_MAX];
    enum log_level level;
    enum log_format format;
    struct log log;
    uv_loop_t loop;
    uv_signal_t terminate, interrupt, hang_up;
    struct store *store;
    unsigned stops;
};

/* ---- running ---- */

static void on_closed(void *ctx)
{
    struct server *server = ctx;
    close_signal(&server->terminate);
    close_signal(&server->interrupt);
    close_signal(&server->hang_up);
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct server *server = handle->data;
    if (++server->stops > 1)
        _exit(SIGNAL_STATUS + number);
    if (!server->store)
        return;
    service_notify(SERVICE_STOPPING);
    log_info(&server->log, "stopping", "stopping: requests under way are answered",
             LOG_CSTR("signal", number == SIGTERM ? "SIGTERM" : "SIGINT"));
    store_close(server->store, on_closed, server);
}

static void on_hang_up(uv_signal_t *handle, int number)
{
    const struct server *server = handle->data;
    (void)number;
    log_warn(&server->log, "signal_ignored", "SIGHUP is ignored: nothing is read anew",
             LOG_CSTR("path", server->options.path));
}

static void watch(struct server *server, uv_signal_t *handle, int number, uv_signal_cb call)
{
    uv_signal_init(&server->loop, handle);
    handle->data = server;
    uv_signal_start(handle, call, number);
}

static int serve(struct server *server)
{
    struct error err;
    signal(SIGPIPE, SIG_IGN);
    log_init(&server->log, server->level, server->format, STDERR_FILENO);
    uv_loop_init(&server->loop);
    watch(server, &server->terminate, SIGTERM, on_signal);
    watch(server, &server->interrupt, SIGINT, on_signal);
    watch(server, &server->hang_up, SIGHUP, on_hang_up);
    server->options.loop = &server->loop;
    server->options.log = &server->log;
    server->store = store_open(&server->options, &err);
    if (server->store) {
        printf("listening on http://%s\n", store_address(server->store));
        fflush(stdout);
        service_notify(SERVICE_READY);
    } else {
        fprintf(stderr, "millrace store: %s\n", err.text);
        on_closed(server);
    }
    uv_run(&server->loop, UV_RUN_DEFAULT);
    int result = uv_loop_close(&server->loop);
    assert(result == 0);
    (void)result;
    return server->store ? EXIT_DONE : EXIT_ERROR;
}

/* ---- flags ---- */

enum {
    FLAG_LISTEN,
    FLAG_PATH,
    FLAG_ALLOW_REMOTE,
    FLAG_DAYS,
    FLAG_BYTES,
    FLAG_SYNC,
    FLAG_MAX_BODY,
    FLAG_LOG_LEVEL,
    FLAG_LOG_FORMAT,
    FLAG_HELP
};

const struct flag store_flags[] = {
    {"listen", 0, true, FLAG_LISTEN},
    {"path", 0, true, FLAG_PATH},
    {"allow-remote", 0, false, FLAG_ALLOW_REMOTE},
    {"retention-days", 0, true, FLAG_DAYS},
    {"retention-bytes", 0, true, FLAG_BYTES},
    {"sync", 0, true, FLAG_SYNC},
    {"max-body", 0, true, FLAG_MAX_BODY},
    {"log.level", 0, true, FLAG_LOG_LEVEL},
    {"log.format", 0, true, FLAG_LOG_FORMAT},
    {"help", 'h', false, FLAG_HELP},
    {NULL, 0, false, 0},
};

static bool wrong(const struct flags *flags, const char *expected)
{
    fprintf(stderr, "millrace store: --%s is '%s', expected %s\n", flags->name, flags->value,
            expected);
    return false;
}

static bool take_listen(const struct flags *flags, struct server *server)
{
    struct str text = str_from(flags->value);
    int64_t port;
    size_t colon = text.len;
    while (colon > 0 && text.ptr[colon - 1] != ':')
        colon--;
    struct str host = str_make(text.ptr, colon > 0 ? colon - 1 : 0);
    if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
        host = str_make(host.ptr + 1, host.len - 2);
    if (host.len == 0 || host.len >= sizeof server->host ||
        !str_to_int(str_from_offset(text, colon), &port) || port < 0 || port > UINT16_MAX)
        return wrong(flags, "HOST:PORT");
    snprintf(server->host, sizeof server->host, "%.*s", STR_FMT(host));
    server->options.port = (uint16_t)port;
    return true;
}

static bool take_bytes(const struct flags *flags, int64_t min, int64_t max, uint64_t *out)
{
    int64_t bytes;
    if (!number_parse_setting_bytes(str_from(flags->value), &bytes) || bytes < min || bytes > max)
        return wrong(flags, "a size in its bounds, as 500mb or 10gb");
    *out = (uint64_t)bytes;
    return true;
}

static bool take_sync(const struct flags *flags, struct server *server)
{
    struct str text = str_from(flags->value);
    server->options.sync = str_equal(text, STR("full"));
    return server->options.sync || str_equal(text, STR("normal")) || wrong(flags, "full or normal");
}

static bool take_format(const struct flags *flags, struct server *server)
{
    struct str text = str_from(flags->value);
    server->format = str_equal(text, STR("json")) ? LOG_FORMAT_JSON : LOG_FORMAT_PLAIN;
    return server->format == LOG_FORMAT_JSON || str_equal(text, STR("plain")) ||
           wrong(flags, "plain or json");
}

static bool take_flag(const struct flags *flags, int id, struct server *server)
{
    switch (id) {
    case FLAG_LISTEN:
        return take_listen(flags, server);
    case FLAG_PATH:
        server->options.path = flags->value;
        return true;
    case FLAG_ALLOW_REMOTE:
        server->options.allow_remote = true;
        return true;
    case FLAG_DAYS:
        return flags_number(flags, 1, STORE_RETENTION_DAYS_MAX, &server->options.retention_days);
    case FLAG_BYTES:
        return take_bytes(flags, 1, INT64_MAX, &server->options.retention_bytes);
    case FLAG_SYNC:
        return take_sync(flags, server);
    case FLAG_MAX_BODY:
        return take_bytes(flags, STORE_BODY_BYTES_MIN, STORE_BODY_BYTES_MAX,
                          &server->options.max_body_bytes);
    case FLAG_LOG_LEVEL:
        return log_level_parse(str_from(flags->value), &server->level) ||
               wrong(flags, "one of trace, debug, info, warn, error and fatal");
    case FLAG_LOG_FORMAT:
        return take_format(flags, server);
    case FLAGS_OPERAND:
        return flags_unexpected(flags);
    }
    return false;
}

int cmd_store(int argc, char **argv)
{
    struct server server = {
        .options = {.port = 9200, .sync = true, .max_body_bytes = STORE_BODY_BYTES},
        .host = "127.0.0.1",
        .level = LOG_LEVEL_INFO,
        .format = LOG_FORMAT_PLAIN,
    };
    struct flags flags = {.argc = argc, .argv = argv, .table = store_flags, .at = 1};
    for (int id; (id = flags_next(&flags)) != FLAGS_END;) {
        if (id == FLAG_HELP)
            return flags_end(&flags, true, USAGE);
        if (!take_flag(&flags, id, &server))
            return flags_end(&flags, false, USAGE);
    }
    if (!server.options.path) {
        flags_missing(&flags, "--path DIR");
        return flags_end(&flags, false, USAGE);
    }
    server.options.host = server.host;
    return serve(&server);
}
