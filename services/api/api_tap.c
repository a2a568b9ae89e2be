/* SPDX-License-Identifier: Apache-2.0 */
#include "services/api/api_tap.h"

#include <assert.h>
#include <stdio.h>
#include <sys/random.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/text/utf8.h"
#include "base/time/clock.h"
#include "conf/settings.h"
#include "io/loop_timer.h"
#include "pipeline/event/event_json.h"

enum {
    SESSION_BYTES = 16,
    SESSION_TEXT = 2 * SESSION_BYTES + 1,
    ANSWER_MAX_BYTES = 4 << 20,
    SWEEP_MS = 1000
};

struct session {
    struct session *next;
    struct api_taps *taps;
    char id[SESSION_TEXT];
    struct tap *tap;
    struct http_exchange *waiting; /* NULL: nobody asks now */
    uint64_t asked_ms;
};

struct api_taps {
    uv_loop_t *loop;
    const struct tap_node *node;
    int allowed;
    bool asks_token;
    char token[SESSION_TEXT];
    struct session *sessions;
    size_t count;
    uv_async_t wake;
    struct loop_timer *timer;
};

static const char JSON[] = "application/json";

/* ---- answers -------------------------------------------------------------------------------------- */

static void respond(struct http_exchange *exchange, unsigned status, struct buf *body)
{
    http_exchange_add_header(exchange, "X-Content-Type-Options", "nosniff");
    http_exchange_add_header(exchange, "Cache-Control", "no-store");
    http_exchange_respond(exchange, status, JSON, body);
}

static void respond_error(struct http_exchange *exchange, unsigned status, struct str text)
{
    struct buf body;
    buf_init(&body, ANSWER_MAX_BYTES);
    buf_printf(&body, "{\"error\":");
    text.len = utf8_valid_prefix(text); /* a text that was cut */
    json_encode_str(text, &body);
    buf_append_char(&body, '}');
    respond(exchange, status, &body);
}

static size_t append_events(struct session *session, struct buf *body)
{
    size_t count = 0;
    struct tap_line *line;
    while (count < API_TAP_EVENTS_MAX && body->len < ANSWER_MAX_BYTES / 2 &&
           (line = tap_take(session->tap))) {
        buf_printf(body, "%s%.*s", count++ ? "," : "", (int)line->len, line->text);
        mem_free(line);
    }
    return count;
}

/* {"session":…,"counts":{…},"events":[…]} */
static void respond_events(struct session *session, struct http_exchange *exchange)
{
    struct buf body;
    struct value counts = tap_counts_json(session->tap, &exchange->arena);
    buf_init(&body, ANSWER_MAX_BYTES);
    buf_printf(&body, "{\"session\":\"%s\",\"events\":[", session->id);
    append_events(session, &body);
    buf_printf(&body, "],\"counts\":");
    json_encode_value(&counts, &body);
    buf_append_char(&body, '}');
    session->asked_ms = uv_now(session->taps->loop);
    respond(exchange, 200, &body);
}

static void answer_waiting(struct session *session)
{
    struct http_exchange *exchange = session->waiting;
    session->waiting = NULL;
    if (exchange)
        respond_events(session, exchange);
}

/* ---- sessions ------------------------------------------------------------------------------------- */

static void end_session(struct session *session)
{
    struct api_taps *taps = session->taps;
    struct session **at = &taps->sessions;
    answer_waiting(session);
    while (*at != session)
        at = &(*at)->next;
    *at = session->next;
    taps->count--;
    tap_close(taps->node->taps, session->tap);
    mem_free(session);
}

static struct session *find_session(struct api_taps *taps, struct str id)
{
    struct session *session = taps->sessions;
    while (session && !str_equal(id, str_from(session->id)))
        session = session->next;
    return session;
}

static void make_random_text(char out[SESSION_TEXT])
{
    unsigned char bytes[SESSION_BYTES];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        mem_abort("no random numbers");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

/* On a lane. */
static void wake(void *ctx)
{
    struct api_taps *taps = ctx;
    uv_async_send(&taps->wake);
}

static void on_wake(uv_async_t *async)
{
    struct api_taps *taps = async->data;
    for (struct session *session = taps->sessions; session; session = session->next)
        if (session->waiting && tap_has_lines(session->tap))
            answer_waiting(session);
}

static void on_sweep(void *ctx)
{
    struct api_taps *taps = ctx;
    uint64_t now_ms = uv_now(taps->loop);
    for (struct session *session = taps->sessions, *next; session; session = next) {
        next = session->next;
        if (session->waiting && now_ms - session->asked_ms >= API_TAP_POLL_MS)
            answer_waiting(session);
        else if (!session->waiting && now_ms - session->asked_ms >= API_TAP_IDLE_MS)
            end_session(session);
    }
    loop_timer_start(taps->timer, SWEEP_MS);
}

/* ---- requests ------------------------------------------------------------------------------------- */

static bool are_texts(const struct http_target *target)
{
    for (size_t i = 0; i < target->parameter_count; i++) {
        const struct http_parameter *parameter = &target->parameters[i];
        if (utf8_valid_prefix(parameter->name) < parameter->name.len ||
            utf8_valid_prefix(parameter->value) < parameter->value.len)
            return false;
    }
    return true;
}

static void read_parameter(struct arena *arena, struct value *request,
                           const struct http_parameter *parameter)
{
    int64_t number;
    bool is_number =
        str_equal(parameter->name, STR("sample")) || str_equal(parameter->name, STR("rate"));
    bool is_flag =
        str_equal(parameter->name, STR("before")) || str_equal(parameter->name, STR("diff"));
    struct value item = value_str(parameter->value);
    if (is_number && str_to_int(parameter->value, &number))
        item = value_int(number);
    else if (is_flag)
        item = value_bool(str_equal(parameter->value, STR("true")));
    value_object_set(arena, request, parameter->name, item);
}

/* What later filters mask is shown only where that was allowed. */
static bool may_look(const struct api_taps *taps, const struct value *request)
{
    struct str none = {.len = 0}, id;
    const struct value *plugin = value_object_get(request, STR("plugin"));
    struct str wanted = value_is_str(plugin) ? value_as_str(plugin) : none;
    if (taps->allowed == SETTINGS_API_TAP_ALL || wanted.len == 0)
        return taps->allowed != SETTINGS_API_TAP_OFF;
    bool is_output = taps->allowed == SETTINGS_API_TAP_OUTPUTS;
    const struct plan *plan;
    for (size_t i = 0; is_output && (plan = taps->node->plan_at(taps->node->ctx, i, &id)); i++)
        for (size_t j = 0; j < plan->plugin_count; j++)
            is_output &= plan->plugins[j]->section == CONF_OUTPUT ||
                         !str_equal(plan->plugins[j]->id, wanted);
    return is_output;
}

static void open_session(struct api_taps *taps, struct http_exchange *exchange,
                         const struct value *request)
{
    struct error err = {0};
    struct value about;
    struct tap_listener listener = {wake, taps};
    if (taps->count == API_TAPS_MAX) {
        respond_error(exchange, 503, STR("too many look on already"));
        return;
    }
    struct tap *tap =
        tap_request_open(taps->node, request, &listener, &exchange->arena, &about, &err);
    if (!tap) {
        respond_error(exchange, 400, str_from(err.text));
        return;
    }
    struct session *session = mem_zero(1, sizeof *session);
    session->taps = taps;
    session->tap = tap;
    make_random_text(session->id);
    session->next = taps->sessions;
    taps->sessions = session;
    taps->count++;
    respond_events(session, exchange);
}

static void go_on(struct api_taps *taps, struct http_exchange *exchange, struct str id)
{
    struct session *session = find_session(taps, id);
    if (!session) {
        respond_error(exchange, 404, STR("the tap has ended"));
        return;
    }
    answer_waiting(session); /* the same page asks again */
    session->waiting = exchange;
    session->asked_ms = uv_now(taps->loop);
    if (http_target_parameter(&exchange->target, STR("close")))
        end_session(session);
    else
        uv_async_send(&taps->wake);
}

static bool has_token(const struct api_taps *taps, struct http_exchange *exchange)
{
    const char *given = http_exchange_header(exchange, "X-Millrace-Tap");
    return !taps->asks_token || secret_equal(str_from(given), str_from(taps->token));
}

void api_taps_handle(struct api_taps *taps, struct http_exchange *exchange)
{
    const struct http_target *target = &exchange->target;
    const struct http_parameter *session = http_target_parameter(target, STR("session"));
    struct value request = value_object_new(&exchange->arena, 0);
    if (!are_texts(target)) {
        respond_error(exchange, 400, STR("a parameter is no UTF-8"));
        return;
    }
    for (size_t i = 0; i < target->parameter_count; i++)
        read_parameter(&exchange->arena, &request, &target->parameters[i]);
    if (!taps->node || !may_look(taps, &request))
        respond_error(exchange, 403,
                      STR("what is here is not shown: the setting 'api.tap' says what is, and "
                          "'millrace tap' shows all of it"));
    else if (!has_token(taps, exchange))
        respond_error(exchange, 403,
                      STR("every user of this machine can ask here, so events are shown at the "
                          "address that 'millrace tap --page' prints, and to who has a password"));
    else if (session)
        go_on(taps, exchange, session->value);
    else
        open_session(taps, exchange, &request);
}

/* ---- opening and closing -------------------------------------------------------------------------- */

struct api_taps *api_taps_new(uv_loop_t *loop, const struct tap_node *node, int allowed,
                              bool asks_token)
{
    struct api_taps *taps = mem_zero(1, sizeof *taps);
    *taps =
        (struct api_taps){.loop = loop, .node = node, .allowed = allowed, .asks_token = asks_token};
    make_random_text(taps->token);
    uv_async_init(loop, &taps->wake, on_wake);
    uv_unref((uv_handle_t *)&taps->wake);
    taps->wake.data = taps;
    taps->timer = loop_timer_new(loop, on_sweep, taps);
    loop_timer_start(taps->timer, SWEEP_MS);
    return taps;
}

const char *api_taps_token(const struct api_taps *taps)
{
    return taps->asks_token ? taps->token : NULL;
}

static void on_closed(uv_handle_t *handle)
{
    mem_free(handle->data);
}

void api_taps_close(struct api_taps *taps)
{
    while (taps->sessions)
        end_session(taps->sessions);
    assert(taps->count == 0);
    loop_timer_close(taps->timer);
    uv_close((uv_handle_t *)&taps->wake, on_closed);
}
