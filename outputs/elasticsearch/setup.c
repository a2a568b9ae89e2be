/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/elasticsearch/setup.h"

#include <assert.h>

#include "base/mem.h"
#include "base/time/clock.h"
#include "outputs/elasticsearch/elasticsearch.h"
#include "outputs/elasticsearch/refusal.h"

enum { FIRST_WAIT_MS = 250, WAIT_MAX_MS = 5000, REQUEST_TIMEOUT_MS = 30000 };

static void set_state(struct setup *setup, enum setup_state state)
{
    assert(setup->state != SETUP_DONE);
    assert(state != SETUP_INSTALLING || setup->manages_template);
    setup->state = state;
}

bool setup_is_done(const struct setup *setup)
{
    return setup->state == SETUP_DONE;
}

static void finish(struct setup *setup)
{
    set_state(setup, SETUP_DONE);
    struct elasticsearch_shared *shared = setup->output->env->shared;
    atomic_store_explicit(&shared->ready, true, memory_order_release);
    elasticsearch_resume(setup->output);
}

static void try_later(struct setup *setup)
{
    set_state(setup, SETUP_WAITING);
    uint64_t wait_ms = (uint64_t)FIRST_WAIT_MS << (setup->failures < 10 ? setup->failures : 10);
    setup->failures++;
    loop_timer_start(setup->timer, wait_ms < WAIT_MAX_MS ? wait_ms : WAIT_MAX_MS);
}

static void request(struct setup *setup, enum http_method method, struct str path, struct str body,
                    void (*done)(void *ctx, const struct http_result *result))
{
    struct elasticsearch *output = setup->output;
    assert(setup->host);
    struct http_request request = {
        .method = method,
        .url = hosts_url(setup->requests, &output->options, setup->host, path),
        .body = body,
        .headers = output->headers,
        .plain = true,
        .timeout_ms = REQUEST_TIMEOUT_MS,
        .done = done,
        .ctx = setup,
    };
    http_client_send(output->client, &request);
}

static void log_trouble(struct setup *setup, const struct http_result *result, const char *what)
{
    struct elasticsearch *output = setup->output;
    const char *login = result->status == 401 ? "the server refused the login, trying again"
                        : result->status == 403
                            ? "the server does not allow this user to do this, trying again"
                            : NULL;
    uint64_t held_back;
    if (!log_limit_allow(&output->failures, clock_monotonic_ms(), &held_back))
        return;
    struct str reason = refusal_reason(output->env->json, setup->requests, result->body);
    log_warn(output->env->log, login ? "login_refused" : "setup_failed", login ? login : what,
             LOG_STR("host", setup->host->name),
             LOG_STR_IF("user", login ? refusal_user(output) : STR("")),
             LOG_INT_IF("status", result->status), LOG_CSTR_IF("error", result->error),
             LOG_STR_IF("reason", reason), LOG_INT_IF("not_logged_before", held_back));
}

/* True when the answer is one to go on with; otherwise what there is to say is said, and it is tried later. */
static bool answered(struct setup *setup, const struct http_result *result, const char *what)
{
    struct elasticsearch *output = setup->output;
    if (result->outcome == HTTP_CANCELLED || output->stopping)
        return false;
    /* 501 is no trouble that passes: whoever says so does not know the method, and is taken as it is. */
    bool later = result->outcome != HTTP_ANSWERED ||
                 (result->status >= 500 && result->status != 501) || result->status == 401 ||
                 result->status == 403 || result->status == 408 || result->status == 429;
    if (!later)
        return true;
    log_trouble(setup, result, what);
    try_later(setup);
    return false;
}

/* ---- the template -------------------------------------------------------------------------------- */

static void on_installed(void *ctx, const struct http_result *result)
{
    struct setup *setup = ctx;
    const struct plugin_env *env = setup->output->env;
    if (!answered(setup, result, "cannot install the index template, trying again"))
        return;
    if (result->status / 100 == 2)
        log_info(env->log, "template_installed", "the index template is installed",
                 LOG_STR("name", setup->template.name));
    else
        log_error(env->log, "template_refused",
                  "the server refused the index template; documents are sent without it",
                  LOG_STR("name", setup->template.name), LOG_INT("status", result->status),
                  LOG_STR_IF("reason", refusal_reason(env->json, setup->requests, result->body)));
    finish(setup);
}

static void install(struct setup *setup)
{
    set_state(setup, SETUP_INSTALLING);
    struct index_template *template = &setup->template;
    struct str body = template->body;
    if (body.len == 0)
        body = index_template_own(setup->requests, template->is_ecs, template->composable);
    request(setup, HTTP_PUT, index_template_path(setup->requests, template), body, on_installed);
}

static void on_looked(void *ctx, const struct http_result *result)
{
    struct setup *setup = ctx;
    if (!answered(setup, result, "cannot ask the server for its index template, trying again"))
        return;
    if (result->status / 100 == 2)
        finish(setup);
    else
        install(setup);
}

static void look(struct setup *setup)
{
    if (!setup->manages_template) {
        finish(setup);
    } else if (setup->output->options.template_overwrite) {
        install(setup);
    } else {
        set_state(setup, SETUP_LOOKING);
        request(setup, HTTP_HEAD, index_template_path(setup->requests, &setup->template), STR(""),
                on_looked);
    }
}

/* ---- who is there -------------------------------------------------------------------------------- */

/* Composable templates came with Elasticsearch 7.8; OpenSearch, which counts from 1 again, has always had them. */
static bool knows_composable(struct str number, bool is_opensearch)
{
    size_t dot = str_find(number, STR("."));
    int64_t major = 0, minor = 0;
    if (is_opensearch || dot == SIZE_MAX)
        return true;
    struct str rest = str_from_offset(number, dot + 1);
    size_t next = str_find(rest, STR("."));
    str_to_int(str_make(number.ptr, dot), &major);
    str_to_int(str_make(rest.ptr, next == SIZE_MAX ? rest.len : next), &minor);
    return major > 7 || (major == 7 && minor >= 8);
}

static struct str member_text(const struct value *object, struct str key)
{
    const struct value *member =
        object && value_type(object) == VALUE_OBJECT ? value_object_get(object, key) : NULL;
    return value_is_str(member) ? value_as_str(member) : STR("");
}

struct server_identity setup_identify(struct setup *setup, struct arena *arena, struct str body)
{
    struct value document = value_null();
    json_decode(setup->output->env->json, arena, body, &document, NULL);
    const struct value *version =
        value_type(&document) == VALUE_OBJECT ? value_object_get(&document, STR("version")) : NULL;
    struct server_identity identity = {member_text(version, STR("number")),
                                       member_text(version, STR("distribution"))};
    if (setup->template.body.len == 0 && setup->output->options.template_api == TEMPLATE_API_AUTO)
        setup->template.composable =
            knows_composable(identity.number, str_equal(identity.distribution, STR("opensearch")));
    if (identity.number.len > 0 && identity.distribution.len == 0)
        identity.distribution = STR("elasticsearch");
    return identity;
}

/* Whatever answers is taken for a server. */
static void meet(struct setup *setup, struct str body)
{
    struct server_identity identity = setup_identify(setup, setup->requests, body);
    log_info(setup->output->env->log, "server_found", "connected",
             LOG_STR("host", setup->host->name), LOG_STR_IF("distribution", identity.distribution),
             LOG_STR_IF("version", identity.number));
}

static void on_asked(void *ctx, const struct http_result *result)
{
    struct setup *setup = ctx;
    if (result->outcome == HTTP_NOT_CONNECTED || result->outcome == HTTP_TIMED_OUT)
        elasticsearch_host_died(setup->output, setup->host, result->error);
    if (!answered(setup, result, "no server has answered yet, trying again"))
        return;
    setup->host->dead = false;
    meet(setup, result->body);
    look(setup);
}

static void ask(struct setup *setup)
{
    struct elasticsearch *output = setup->output;
    arena_reset(setup->requests);
    setup->host = hosts_next(&output->hosts);
    if (!setup->host) /* all dead: any of them will do to try */
        setup->host = &output->hosts.items[setup->failures % output->hosts.count];
    set_state(setup, SETUP_ASKING);
    request(setup, HTTP_GET, STR("/"), STR(""), on_asked);
}

static void on_timer(void *ctx)
{
    struct setup *setup = ctx;
    if (!setup->output->stopping)
        ask(setup);
}

bool setup_open(struct setup *setup, struct elasticsearch *output, struct error *err)
{
    const struct elasticsearch_options *options = &output->options;
    setup->output = output;
    setup->state = SETUP_WAITING;
    setup->manages_template = elasticsearch_manages_template(options);
    if (setup->manages_template &&
        !index_template_load(options, output->env, &setup->template, err))
        return false;
    setup->requests = mem_zero(1, sizeof *setup->requests);
    arena_init(setup->requests, NULL);
    setup->timer = loop_timer_new(output->env->loop, on_timer, setup);
    return true;
}

void setup_start(struct setup *setup)
{
    ask(setup);
}

void setup_close(struct setup *setup)
{
    loop_timer_close(setup->timer);
    setup->timer = NULL;
    if (setup->requests)
        arena_release(setup->requests);
    mem_free(setup->requests);
    setup->requests = NULL;
}
