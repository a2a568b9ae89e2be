/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/demo_alerts.h"

#include <assert.h>
#include <inttypes.h>

#include "io/http_server.h"

enum {
    ALERTS_CONNECTIONS = 64,
    ALERTS_IDLE_S = 60,
    ALERTS_REQUEST_S = 10,
    ALERTS_ANSWER_MAX_BYTES = 2 * DEMO_ALERTS_KEPT * DEMO_ALERT_MAX_BYTES,
};

/* ---- counting ------------------------------------------------------------------------------------- */

static const struct value *member(const struct value *object, struct str key)
{
    return object && value_type(object) == VALUE_OBJECT ? value_object_get(object, key) : NULL;
}

static struct str member_text(const struct value *object, struct str key)
{
    const struct value *value = member(object, key);
    return value_is_str(value) ? value_as_str(value) : STR("");
}

static void count_line(struct demo_alerts *alerts, struct str line)
{
    if (!map_has(alerts->alarming, line)) {
        alerts->unknown++;
        return;
    }
    uintptr_t times = (uintptr_t)map_get(alerts->alarming, line);
    alerts->distinct += times == 0;
    alerts->again += times == 1; /* lines, not alerts */
    map_set(alerts->alarming, line, (void *)(times + 1));
}

static void keep(struct demo_alerts *alerts, struct str body)
{
    struct buf *place = &alerts->latest[alerts->received % DEMO_ALERTS_KEPT];
    buf_clear(place, DEMO_ALERT_MAX_BYTES);
    bool fits = buf_append_str(place, body);
    assert(fits);
    (void)fits;
    alerts->received++;
}

/* The alerts of a body, or NULL. */
static const struct value *list_of(struct demo_alerts *alerts, struct arena *arena, struct str body,
                                   struct value *root)
{
    if (!json_decode(alerts->reader, arena, body, root, NULL))
        return NULL;
    const struct value *list = member(root, STR("alerts"));
    return list && value_type(list) == VALUE_ARRAY && value_array_count(list) > 0 ? list : NULL;
}

bool demo_alerts_take(struct demo_alerts *alerts, struct str body)
{
    struct arena arena;
    struct value root;
    arena_init(&arena, NULL);
    const struct value *list = list_of(alerts, &arena, body, &root);
    for (size_t i = 0; list && i < value_array_count(list); i++)
        count_line(alerts, member_text(member(value_array_at(list, i), STR("annotations")),
                                       STR("description")));
    if (list)
        keep(alerts, body);
    arena_release(&arena);
    return list;
}

static void note_alert(struct demo_alerts *alerts, const struct value *alert, struct instant now)
{
    struct instant end;
    int64_t events = 0;
    struct str count = member_text(member(alert, STR("annotations")), STR("count"));
    if (!instant_parse_iso8601(member_text(alert, STR("endsAt")), &end))
        return;
    bool over = end.seconds < now.seconds ||
                (end.seconds == now.seconds && end.nanoseconds <= now.nanoseconds);
    if (str_to_int(count, &events) && events > 0)
        alerts->fired_events = (uint64_t)events;
    if (!alerts->fired)
        alerts->fired_ms = clock_monotonic_ms();
    alerts->fired = true;
    if (over && !alerts->resolved)
        alerts->resolved_ms = clock_monotonic_ms();
    alerts->resolved = over;
}

bool demo_alerts_take_list(struct demo_alerts *alerts, struct str body, struct instant now)
{
    struct arena arena;
    struct value root;
    arena_init(&arena, NULL);
    bool list =
        json_decode(alerts->reader, &arena, body, &root, NULL) && value_type(&root) == VALUE_ARRAY;
    for (size_t i = 0; list && i < value_array_count(&root); i++)
        note_alert(alerts, value_array_at(&root, i), now);
    arena_release(&arena);
    return list;
}

/* ---- showing -------------------------------------------------------------------------------------- */

static void describe(struct demo_alerts *alerts, struct arena *arena, struct str body,
                     struct demo_alert *out)
{
    struct value root, line;
    const struct value *list = list_of(alerts, arena, arena_dup(arena, body), &root);
    assert(list); /* it was taken */
    const struct value *first = value_array_at(list, 0);
    const struct value *labels = member(first, STR("labels"));
    out->name = member_text(labels, STR("alertname"));
    out->severity = member_text(labels, STR("severity"));
    struct str text = member_text(member(first, STR("annotations")), STR("description"));
    if (!json_decode(alerts->reader, arena, text, &line, NULL)) {
        out->text = text;
        return;
    }
    out->text = member_text(member(&line, STR("context")), STR("description"));
    out->time = member_text(&line, STR("timestamp"));
}

size_t demo_alerts_latest(const struct demo_alerts *alerts, struct arena *arena,
                          struct demo_alert *out, size_t max)
{
    size_t count = alerts->received < DEMO_ALERTS_KEPT ? alerts->received : DEMO_ALERTS_KEPT;
    if (count > max)
        count = max;
    for (size_t i = 0; i < count; i++) {
        const struct buf *body = &alerts->latest[(alerts->received - 1 - i) % DEMO_ALERTS_KEPT];
        out[i] = (struct demo_alert){0};
        describe((struct demo_alerts *)(uintptr_t)alerts, arena, buf_str(body), &out[i]);
    }
    return count;
}

static void answer_latest(const struct demo_alerts *alerts, struct http_exchange *exchange)
{
    struct buf out;
    buf_init(&out, ALERTS_ANSWER_MAX_BYTES);
    buf_printf(&out, "{\"received\":%" PRIu64 ",\"latest\":[", alerts->received);
    for (uint64_t i = 0; i < DEMO_ALERTS_KEPT && i < alerts->received; i++) {
        const struct buf *body = &alerts->latest[(alerts->received - 1 - i) % DEMO_ALERTS_KEPT];
        buf_append_str(&out, i > 0 ? STR(",\n") : STR("\n"));
        buf_append_str(&out, buf_str(body));
    }
    buf_append_str(&out, STR("]}\n"));
    http_exchange_respond(exchange, 200, "application/json", &out);
    buf_release(&out);
}

static void on_request(void *ctx, struct http_exchange *exchange)
{
    struct demo_alerts *alerts = ctx;
    if (!str_equal(exchange->method, STR("POST"))) {
        answer_latest(alerts, exchange);
        return;
    }
    bool taken = demo_alerts_take(alerts, exchange->body) ||
                 demo_alerts_take_list(alerts, exchange->body, clock_now());
    http_exchange_respond_text(
        exchange, taken ? 200 : 400, "application/json",
        taken ? STR("{\"status\":\"success\"}\n")
              : STR("{\"status\":\"error\",\"error\":\"expected an object with alerts\"}\n"));
}

/* ---- opening and closing -------------------------------------------------------------------------- */

void demo_alerts_init(struct demo_alerts *alerts, struct map *alarming)
{
    *alerts = (struct demo_alerts){.alarming = alarming, .reader = json_reader_new()};
    for (size_t i = 0; i < DEMO_ALERTS_KEPT; i++)
        buf_init(&alerts->latest[i], DEMO_ALERT_MAX_BYTES);
}

bool demo_alerts_open(struct demo_alerts *alerts, uv_loop_t *loop, struct error *err)
{
    struct http_server_options options = {
        .loop = loop,
        .host = "127.0.0.1",
        .max_connections = ALERTS_CONNECTIONS,
        .idle_timeout_s = ALERTS_IDLE_S,
        .request_timeout_s = ALERTS_REQUEST_S,
        .max_body_bytes = DEMO_ALERT_MAX_BYTES,
        .max_all_bodies_bytes = (size_t)ALERTS_CONNECTIONS * DEMO_ALERT_MAX_BYTES,
        .handle = on_request,
        .ctx = alerts,
    };
    alerts->server = http_server_open(&options, err);
    return alerts->server;
}

const char *demo_alerts_address(const struct demo_alerts *alerts)
{
    return http_server_address(alerts->server);
}

static void on_closed(void *ctx)
{
    (void)ctx;
}

void demo_alerts_close(struct demo_alerts *alerts)
{
    if (alerts->server)
        http_server_close(alerts->server, on_closed, NULL);
    alerts->server = NULL;
}

void demo_alerts_release(struct demo_alerts *alerts)
{
    assert(!alerts->server);
    json_reader_free(alerts->reader);
    for (size_t i = 0; i < DEMO_ALERTS_KEPT; i++)
        buf_release(&alerts->latest[i]);
}
