/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/demo_store.h"

#include <assert.h>
#include <stdio.h>

enum {
    STORE_CONNECT_MS = 5000,
    STORE_TIMEOUT_MS = 30000,
    STORE_ANSWER_MAX_BYTES = 4 * 1024 * 1024,
};

const char demo_count_path[] = "/" DEMO_INDEX "/_count";
const char demo_search_path[] = "/" DEMO_INDEX "/_search";

const char demo_spreads_query[] =
    "{\"size\":0,\"aggs\":{"
    "\"tiers\":{\"terms\":{\"field\":\"performance_tier\",\"size\":8}},"
    "\"categories\":{\"terms\":{\"field\":\"error_category\",\"size\":8}}}}";

const char *const demo_example_queries[DEMO_EXAMPLES] = {
    "{\"size\":1,\"sort\":[{\"@timestamp\":\"desc\"}],\"query\":{\"bool\":{\"filter\":["
    "{\"term\":{\"performance_tier\":\"SLOW\"}},{\"term\":{\"error_category\":\"SYSTEM_ERROR\"}}]}}"
    "}",
    "{\"size\":1,\"sort\":[{\"@timestamp\":\"desc\"}],\"query\":{\"bool\":{\"filter\":["
    "{\"exists\":{\"field\":\"performance_tier\"}}]}}}",
    "{\"size\":1,\"query\":{\"match_all\":{}}}",
};

/* ---- asking --------------------------------------------------------------------------------------- */

void demo_store_open(struct demo_store *store, uv_loop_t *loop, const char *address,
                     struct arena *arena)
{
    struct http_client_options options = {
        .loop = loop,
        .max_connections = 1,
        .max_host_connections = 1,
        .connect_timeout_ms = STORE_CONNECT_MS,
        .timeout_ms = STORE_TIMEOUT_MS,
        .max_response_bytes = STORE_ANSWER_MAX_BYTES,
        .user_agent = "millrace-demo/" MILLRACE_VERSION,
    };
    *store = (struct demo_store){.arena = arena};
    snprintf(store->address, sizeof store->address, "%s", address);
    store->client = http_client_new(&options);
    store->reader = json_reader_new();
    store->headers = http_headers_new();
    bool good = http_headers_add(store->headers, STR("Content-Type"), STR("application/json"));
    assert(good);
    (void)good;
}

void demo_store_close(struct demo_store *store)
{
    if (!store->client)
        return;
    store->answered = NULL;
    http_client_close(store->client);
    http_headers_free(store->headers);
    json_reader_free(store->reader);
    *store = (struct demo_store){0};
}

static const char *failure_of(const struct http_result *result, struct arena *arena)
{
    enum { SHOWN_MAX = 500 };
    if (result->outcome != HTTP_ANSWERED)
        return arena_printf(arena, "%s", result->error).ptr;
    struct str body = result->body;
    body.len = body.len < SHOWN_MAX ? body.len : SHOWN_MAX;
    return arena_printf(arena, "it answered %d: %.*s", result->status, STR_FMT(body)).ptr;
}

static void on_answer(void *ctx, const struct http_result *result)
{
    struct demo_store *store = ctx;
    struct value *answer = NULL;
    struct error err = {0};
    store->is_asking = false;
    if (!store->answered) /* closed */
        return;
    if (result->outcome != HTTP_ANSWERED || result->status != 200) {
        store->answered(store->ctx, NULL, failure_of(result, store->arena));
        return;
    }
    answer = arena_alloc(store->arena, sizeof *answer);
    if (json_decode(store->reader, store->arena, arena_dup(store->arena, result->body), answer,
                    &err))
        store->answered(store->ctx, answer, NULL);
    else
        store->answered(store->ctx, NULL, err.text);
}

void demo_store_ask(struct demo_store *store, const char *path, struct str body,
                    void (*answered)(void *ctx, const struct value *answer, const char *failure),
                    void *ctx)
{
    char url[DEMO_URL_MAX];
    assert(store->client && !store->is_asking);
    snprintf(url, sizeof url, "http://%s%s", store->address, path);
    store->is_asking = true;
    store->answered = answered;
    store->ctx = ctx;
    struct http_request request = {
        .method = body.len > 0 ? HTTP_POST : HTTP_GET,
        .url = str_from(url),
        .body = body,
        .headers = body.len > 0 ? store->headers : NULL,
        .done = on_answer,
        .ctx = store,
    };
    http_client_send(store->client, &request);
}

/* ---- reading -------------------------------------------------------------------------------------- */

/* The value at a path of members, or NULL. */
static const struct value *at_path(const struct value *value, const char *const *names)
{
    for (; value && *names; names++)
        value =
            value_type(value) == VALUE_OBJECT ? value_object_get(value, str_from(*names)) : NULL;
    return value;
}

#define AT(value, ...) at_path(value, (const char *const[]){__VA_ARGS__, NULL})

static bool read_number(const struct value *value, uint64_t *out)
{
    if (!value || value_type(value) != VALUE_INT || value_as_int(value) < 0)
        return false;
    *out = (uint64_t)value_as_int(value);
    return true;
}

bool demo_read_count(const struct value *answer, uint64_t *out)
{
    return read_number(AT(answer, "count"), out);
}

bool demo_read_spread(const struct value *answer, const char *name, struct demo_spread *out)
{
    const struct value *buckets = AT(answer, "aggregations", name, "buckets");
    out->count = 0;
    if (!buckets || value_type(buckets) != VALUE_ARRAY)
        return false;
    for (size_t i = 0; i < value_array_count(buckets) && out->count < DEMO_BARS_MAX; i++) {
        const struct value *bucket = value_array_at(buckets, i), *key = AT(bucket, "key");
        struct demo_bar *bar = &out->bars[out->count];
        if (!value_is_str(key) || !read_number(AT(bucket, "doc_count"), &bar->count))
            return false;
        bar->name = value_as_str(key);
        out->count++;
    }
    return true;
}

const struct value *demo_read_example(const struct value *answer, struct str *index_out)
{
    const struct value *hits = AT(answer, "hits", "hits");
    if (!hits || value_type(hits) != VALUE_ARRAY || value_array_count(hits) == 0)
        return NULL;
    const struct value *hit = value_array_at(hits, 0), *index = AT(hit, "_index");
    const struct value *source = AT(hit, "_source");
    *index_out = value_is_str(index) ? value_as_str(index) : STR("?");
    return source && value_type(source) == VALUE_OBJECT ? source : NULL;
}
