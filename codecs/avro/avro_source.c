/* SPDX-License-Identifier: Apache-2.0 */
#include "codecs/avro/avro_source.h"

#include <assert.h>

#include "base/file.h"
#include "base/map.h"
#include "base/mem.h"
#include "codecs/avro/avro_schema.h"
#include "io/http_ask.h"

/* ---- what was got ------------------------------------------------------------------------------------ */

static uv_once_t once = UV_ONCE_INIT;
static struct {
    uv_mutex_t mutex;
    struct map texts; /* address → struct buf */
} known;

static void make_known(void)
{
    int made = uv_mutex_init(&known.mutex);
    assert(made == 0);
    (void)made;
    map_init(&known.texts);
}

static void remember(struct str uri, struct str text)
{
    uv_once(&once, make_known);
    uv_mutex_lock(&known.mutex);
    struct buf *kept = map_get(&known.texts, uri);
    if (!kept) {
        kept = mem_zero(1, sizeof *kept);
        buf_init(kept, AVRO_SCHEMA_MAX_BYTES);
        map_set(&known.texts, uri, kept);
    }
    buf_clear(kept, 0);
    bool fits = buf_append_str(kept, text);
    assert(fits);
    (void)fits;
    uv_mutex_unlock(&known.mutex);
}

static bool recall(struct str uri, struct arena *arena, struct str *out)
{
    uv_once(&once, make_known);
    uv_mutex_lock(&known.mutex);
    const struct buf *kept = map_get(&known.texts, uri);
    if (kept)
        *out = arena_dup(arena, buf_str(kept));
    uv_mutex_unlock(&known.mutex);
    return kept != NULL;
}

/* ---- a server ---------------------------------------------------------------------------------------- */

static bool ask(const struct avro_source *source, const struct http_client_options *options,
                struct arena *arena, struct str *out, struct error *err)
{
    struct http_client *client = http_client_new(options);
    struct http_request request = {.method = HTTP_GET, .url = source->uri};
    struct http_answer answer = http_ask(client, options->loop, arena, request);
    http_client_close(client);
    uv_run(options->loop, UV_RUN_DEFAULT);
    if (answer.outcome != HTTP_ANSWERED)
        return error_set(err, ERROR_IO, "cannot get the schema from '%.*s': %.*s",
                         STR_FMT(source->uri), STR_FMT(answer.error));
    if (answer.status != 200)
        return error_set(err, ERROR_IO, "cannot get the schema from '%.*s': status %d",
                         STR_FMT(source->uri), answer.status);
    *out = answer.body;
    return true;
}

static bool fetch_remote(const struct avro_source *source, const struct plugin_env *env,
                         struct str *out, struct error *err)
{
    struct arena *arena = env->arena;
    uv_loop_t loop;
    struct http_client_options options = {
        .loop = &loop,
        .max_connections = 1,
        .max_host_connections = 1,
        .connect_timeout_ms = AVRO_SOURCE_WAIT_MS,
        .timeout_ms = AVRO_SOURCE_WAIT_MS,
        .max_response_bytes = AVRO_SCHEMA_MAX_BYTES,
        .user_agent = "millrace/" MILLRACE_VERSION,
        .user = client_cstr(arena, source->user),
        .password = client_cstr(arena, source->password),
        .proxy = client_cstr(arena, source->proxy),
        .connect_to = env->settings->connect_to,
        .follow_redirects = true,
    };
    if (!client_tls_apply(&source->tls, arena, &options, err))
        return false;
    if (uv_loop_init(&loop) != 0)
        return error_set(err, ERROR_IO, "cannot make an event loop");
    bool ok = ask(source, &options, arena, out, err);
    int closed = uv_loop_close(&loop);
    assert(closed == 0);
    (void)closed;
    return ok;
}

/* ---- both -------------------------------------------------------------------------------------------- */

bool avro_source_is_remote(const struct avro_source *source)
{
    return client_url_begins(source->uri);
}

bool avro_source_fetch(const struct avro_source *source, const struct plugin_env *env,
                       struct str *text_out, struct error *err)
{
    struct str path = source->uri;
    if (str_starts_with(path, STR("file://")))
        path = str_from_offset(path, sizeof "file://" - 1);
    bool ok = avro_source_is_remote(source) ? fetch_remote(source, env, text_out, err)
                                            : file_read(env->arena, arena_cstr(env->arena, path),
                                                        AVRO_SCHEMA_MAX_BYTES, text_out, err);
    if (ok)
        remember(source->uri, *text_out);
    return ok;
}

bool avro_source_text(const struct avro_source *source, const struct plugin_env *env,
                      struct str *text_out, struct error *err)
{
    return recall(source->uri, env->arena, text_out) ||
           avro_source_fetch(source, env, text_out, err);
}
