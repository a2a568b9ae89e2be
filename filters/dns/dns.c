/* SPDX-License-Identifier: Apache-2.0
 *
 * dns: addresses of names and names of addresses. The lookups of a slice are all under way at once, and meanwhile the lane
 * does other work: prepare() starts them, apply() puts the answers into the event.
 *
 * The rules are those of Logstash's filter (3.2): first the fields of `resolve`, then those of `reverse`. A field that is
 * missing is passed over. A list of more than one value, a value that is no text, what is no address (reverse) or an
 * answer that does not come end it there: what was done before stays, and the common options are not applied. Of several
 * answers the first is taken. A field may hold what a step before put there, so a step begins when the one before it is
 * done; where steps concern the same field they are tried on a copy first.
 *
 * Unlike Ruby's resolver, which hides them, a timeout is repeated (max_retries) and gives tag_on_timeout, as documented.
 */
#include <assert.h>

#include "filters/dns/dns_cache.h"
#include "filters/filters.h"
#include "io/hosts_file.h"

enum { CACHE_MAX = 10000000, RETRIES_MAX = 100, NDOTS_MAX = 15 };
static const char SYSTEM_HOSTS[] = "/etc/hosts";

enum dns_action { ACTION_APPEND, ACTION_REPLACE };

struct dns_step {
    const struct field_ref *field;
    enum lookup_question question;
};

struct nameserver {
    struct str servers[RESOLVER_SERVERS_MAX], search[RESOLVER_SEARCH_MAX];
    size_t server_count, search_count;
    int64_t ndots;
};

struct dns {
    struct option_fields resolve, reverse;
    int action;
    struct option_array nameserver;
    struct option_strings hostsfile;
    int64_t timeout_ms, max_retries;
    int64_t hit_cache_size, hit_cache_ttl_ms;
    int64_t failed_cache_size, failed_cache_ttl_ms;
    struct option_strings tag_on_timeout;

    const struct plugin_env *env;
    struct resolver *resolver;
    struct hosts_file *hosts;
    size_t host_count;
    struct dns_step *steps;
    size_t step_count;
    bool overlap; /* a step may see what another one put there */
    struct dns_cache hits, failures;
    struct log_limit log_limit;
    struct counter *answers, *misses, *timeouts;
};

/* What prepare() keeps for an event. */
struct visit {
    size_t at;                /* the step that is not through */
    struct event *copy;       /* steps overlap: the event after those before `at` */
    struct lookup *lookups[]; /* of each step; NULL: none was needed */
};

static const char *const ACTIONS[] = {"append", "replace", NULL};

static const struct option OPTIONS[] = {
    {
        .name = "resolve",
        .doc = "Fields with names, to look up their addresses.",
        OPTION_IN_FIELDS(struct dns, resolve),
    },
    {
        .name = "reverse",
        .doc = "Fields with addresses, to look up their names.",
        OPTION_IN_FIELDS(struct dns, reverse),
    },
    {
        .name = "action",
        .doc = "Whether the answer replaces the value or is put behind it.",
        OPTION_IN_CHOICE(struct dns, action),
        .choices = ACTIONS,
        .def = "append",
    },
    {
        .name = "nameserver",
        .doc = "Servers to ask, as ADDRESS or ADDRESS:PORT; or { address => [...] search => [...] "
               "ndots => 1 }. Default: what /etc/resolv.conf says.",
        OPTION_IN_ARRAY(struct dns, nameserver),
    },
    {
        .name = "hostsfile",
        .doc = "Files like /etc/hosts that are asked first; then /etc/hosts; servers only when "
               "nameserver is given as well.",
        OPTION_IN_STRINGS(struct dns, hostsfile),
    },
    {
        .name = "timeout",
        .doc = "How long to wait for each server, in seconds.",
        OPTION_IN_DURATION_MS(struct dns, timeout_ms),
        .def = "0.5",
        .min = 1,
        .max = 3600000,
    },
    {
        .name = "max_retries",
        .doc = "How often all servers are asked again when none answered.",
        OPTION_IN_INT(struct dns, max_retries),
        .def = "2",
        .max = RETRIES_MAX,
    },
    {
        .name = "hit_cache_size",
        .doc = "How many answers each lane remembers.",
        OPTION_IN_INT(struct dns, hit_cache_size),
        .def = "0",
        .max = CACHE_MAX,
    },
    {
        .name = "hit_cache_ttl",
        .doc = "How long, in seconds.",
        OPTION_IN_DURATION_MS(struct dns, hit_cache_ttl_ms),
        .def = "60",
    },
    {
        .name = "failed_cache_size",
        .doc = "How many failures each lane remembers.",
        OPTION_IN_INT(struct dns, failed_cache_size),
        .def = "0",
        .max = CACHE_MAX,
    },
    {
        .name = "failed_cache_ttl",
        .doc = "How long, in seconds.",
        OPTION_IN_DURATION_MS(struct dns, failed_cache_ttl_ms),
        .def = "5",
    },
    {
        .name = "tag_on_timeout",
        .doc = "Tags for an event whose lookup timed out.",
        OPTION_IN_STRINGS(struct dns, tag_on_timeout),
        .def = "_dnstimeout",
    },
    OPTION_END,
};

/* ---- nameserver ----------------------------------------------------------------------------------- */

static bool take_texts(const struct conf_value *value, const char *what, struct str *out,
                       size_t *count, size_t max, struct error *err)
{
    size_t items = value->type == CONF_ARRAY ? value->count : 1;
    for (size_t i = 0; i < items; i++) {
        const struct conf_value *item = value->type == CONF_ARRAY ? &value->items[i] : value;
        if (item->type != CONF_STRING && item->type != CONF_BAREWORD && item->type != CONF_NUMBER)
            return error_set(err, ERROR_CONFIG, "nameserver: %s takes a text or a list of them",
                             what);
        if (*count == max)
            return error_set(err, ERROR_CONFIG, "nameserver: at most %zu of %s are taken", max,
                             what);
        out[(*count)++] = item->text;
    }
    return true;
}

static bool take_pair(struct nameserver *server, const struct conf_pair *pair, struct error *err)
{
    struct str key = pair->key.text;
    if (str_equal(key, STR("address")))
        return take_texts(&pair->value, "address", server->servers, &server->server_count,
                          RESOLVER_SERVERS_MAX, err);
    if (str_equal(key, STR("search")))
        return take_texts(&pair->value, "search", server->search, &server->search_count,
                          RESOLVER_SEARCH_MAX, err);
    if (!str_equal(key, STR("ndots")))
        return error_set(err, ERROR_CONFIG,
                         "nameserver: there is no '%.*s', only address, search and ndots",
                         STR_FMT(key));
    if (str_to_int(pair->value.text, &server->ndots) && server->ndots > 0 &&
        server->ndots <= NDOTS_MAX)
        return true;
    return error_set(err, ERROR_CONFIG, "nameserver: ndots is a number from 1 to %d", NDOTS_MAX);
}

static bool read_nameserver(const struct dns *self, struct nameserver *out, struct error *err)
{
    *out = (struct nameserver){.ndots = 1};
    for (size_t i = 0; i < self->nameserver.count; i++) {
        const struct conf_value *item = &self->nameserver.items[i];
        for (size_t pair = 0; item->type == CONF_HASH && pair < item->count; pair++)
            if (!take_pair(out, &item->pairs[pair], err))
                return false;
        if (item->type != CONF_HASH && !take_texts(item, "address", out->servers,
                                                   &out->server_count, RESOLVER_SERVERS_MAX, err))
            return false;
    }
    if (self->nameserver.count > 0 && out->server_count == 0)
        return error_set(err, ERROR_CONFIG, "nameserver: an address is needed");
    for (size_t i = 0; i < out->server_count; i++)
        if (!resolver_server_is_valid(out->servers[i]))
            return error_set(err, ERROR_CONFIG,
                             "nameserver: '%.*s' is no address; give 10.0.0.1, 10.0.0.1:5353 or "
                             "[fd00::1]:5353",
                             STR_FMT(out->servers[i]));
    return true;
}

/* ---- opening -------------------------------------------------------------------------------------- */

static bool dns_check(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct nameserver ignored;
    (void)env;
    return read_nameserver(plugin, &ignored, err);
}

static bool shares_a_root(const struct field_ref *a, const struct field_ref *b)
{
    return a->root == b->root &&
           (a->count == 0 || b->count == 0 || str_equal(a->parts[0].name, b->parts[0].name));
}

static void make_steps(struct dns *self)
{
    self->step_count = self->resolve.count + self->reverse.count;
    self->steps = arena_alloc(self->env->arena, self->step_count * sizeof *self->steps);
    for (size_t i = 0; i < self->step_count; i++) {
        bool forward = i < self->resolve.count;
        self->steps[i] = (struct dns_step){
            .field =
                forward ? &self->resolve.items[i] : &self->reverse.items[i - self->resolve.count],
            .question = forward ? LOOKUP_ADDRESS : LOOKUP_NAME,
        };
        for (size_t before = 0; before < i; before++)
            self->overlap |= shares_a_root(self->steps[before].field, self->steps[i].field);
    }
}

/* Of /etc/hosts, an absent one is an empty one. */
static bool read_hosts(struct dns *self, struct error *err)
{
    self->hosts = arena_alloc(self->env->arena, (self->hostsfile.count + 1) * sizeof *self->hosts);
    for (size_t i = 0; i < self->hostsfile.count; i++) {
        if (!hosts_file_read(&self->hosts[self->host_count], self->hostsfile.items[i].ptr, err))
            return error_prefix(err, "hostsfile");
        self->host_count++;
    }
    struct error ignored;
    if (hosts_file_read(&self->hosts[self->host_count], SYSTEM_HOSTS, &ignored))
        self->host_count++;
    return true;
}

static void on_answered(void *ctx)
{
    const struct dns *self = ctx;
    filter_ready(self->env);
}

static void dns_close(void *plugin)
{
    struct dns *self = plugin;
    dns_cache_release(&self->hits);
    dns_cache_release(&self->failures);
    resolver_close(self->resolver);
    for (size_t i = 0; i < self->host_count; i++)
        hosts_file_release(&self->hosts[i]);
    self->host_count = 0;
    self->resolver = NULL;
}

static bool start_resolver(struct dns *self, const struct nameserver *server, struct error *err)
{
    const struct resolver_options options = {
        .hosts = self->hosts,
        .host_count = self->host_count,
        .only_hosts = self->hostsfile.count > 0 && server->server_count == 0,
        .servers = server->servers,
        .server_count = server->server_count,
        .search = server->search,
        .search_count = server->search_count,
        .ndots = (int)server->ndots,
        .timeout_ms = (unsigned)self->timeout_ms,
        .retries = (unsigned)self->max_retries,
        .answered = on_answered,
        .ctx = self,
    };
    self->resolver = resolver_new(self->env->loop, &options, err);
    return self->resolver;
}

static bool dns_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct dns *self = plugin;
    struct nameserver server;
    self->env = env;
    self->answers = env->counter(env, "answers");
    self->misses = env->counter(env, "misses");
    self->timeouts = env->counter(env, "timeouts");
    self->log_limit = (struct log_limit){.window_ms = 10000, .burst = 5};
    dns_cache_init(&self->hits, (size_t)self->hit_cache_size, (uint64_t)self->hit_cache_ttl_ms);
    dns_cache_init(&self->failures, (size_t)self->failed_cache_size,
                   (uint64_t)self->failed_cache_ttl_ms);
    make_steps(self);
    if (read_nameserver(self, &server, err) && read_hosts(self, err) &&
        start_resolver(self, &server, err))
        return true;
    dns_close(self);
    return false;
}

/* ---- one step ------------------------------------------------------------------------------------- */

enum look { LOOK_ASK, LOOK_SKIP, LOOK_STOP };

static void warn(struct dns *self, const struct dns_step *step, const char *what)
{
    uint64_t suppressed;
    if (log_limit_allow(&self->log_limit, clock_monotonic_ms(), &suppressed))
        log_warn(self->env->log, "dns_skipped", what, LOG_STR("field", step->field->text),
                 LOG_INT_IF("not_logged_before", suppressed));
}

/* What the step has to do with the event; NULL for self: says nothing in the log. */
static enum look look(struct dns *self, const struct dns_step *step, const struct event *event,
                      struct str *text_out)
{
    const struct value *value = event_get(event, step->field);
    const char *fault = NULL;
    if (!value || value_type(value) == VALUE_NULL) {
        if (self)
            warn(self, step, "a field to look up is missing");
        return LOOK_SKIP;
    }
    bool is_list = value_type(value) == VALUE_ARRAY;
    if (is_list && value_array_count(value) > 1)
        fault = "a field to look up has several values";
    else if (is_list)
        value = value_array_count(value) == 1 ? value_array_at(value, 0) : NULL;
    if (!fault && !value_is_str(value))
        fault = "a field to look up is no text";
    if (fault) {
        if (self)
            warn(self, step, fault);
        return LOOK_STOP;
    }
    *text_out = value_as_str(value);
    return step->question == LOOKUP_NAME && !resolver_is_address(*text_out) ? LOOK_STOP : LOOK_ASK;
}

static void put(const struct dns *self, const struct dns_step *step, struct event *event,
                struct str answer)
{
    const struct value *old = event_get(event, step->field);
    struct value new = value_str_dup(event->arena, answer);
    bool was_list = value_type(old) == VALUE_ARRAY, append = self->action == ACTION_APPEND;
    if (was_list || append) {
        struct value list = value_array_new(event->arena, 2);
        if (append)
            value_array_push(event->arena, &list, was_list ? *value_array_at(old, 0) : *old);
        value_array_push(event->arena, &list, new);
        new = list;
    }
    event_set(event, step->field, new, NULL);
}

/* ---- asking --------------------------------------------------------------------------------------- */

/* What was remembered, else asked; the visit's reference. NULL: too many are under way. */
static struct lookup *ask(struct dns *self, const struct dns_step *step, struct str text)
{
    struct lookup *known = dns_cache_get(&self->hits, text, uv_now(self->env->loop));
    if (!known)
        return resolver_ask(self->resolver, step->question, text);
    lookup_ref(known);
    return known;
}

/* Then nothing is asked, and as in Logstash nothing tagged. */
static bool failed_lately(struct dns *self, struct str text)
{
    return dns_cache_get(&self->failures, text, uv_now(self->env->loop));
}

/* An address that is asked for its address is its own answer, which must not stand for its name. */
static void remember(struct dns *self, const struct dns_step *step, struct str text,
                     struct lookup *lookup)
{
    if (step->question == LOOKUP_ADDRESS && resolver_is_address(text))
        return;
    dns_cache_add(lookup->state == LOOKUP_FOUND ? &self->hits : &self->failures, text, lookup,
                  uv_now(self->env->loop));
}

static struct visit *begin_visit(const struct dns *self, const struct event *event)
{
    struct visit *visit =
        arena_zero(event->arena, sizeof *visit + self->step_count * sizeof *visit->lookups);
    if (self->overlap)
        visit->copy = event_clone(event->arena, event);
    return visit;
}

static bool dns_prepare(void *plugin, const struct event *event, void **held)
{
    struct dns *self = plugin;
    if (!*held)
        *held = begin_visit(self, event);
    struct visit *visit = *held;
    for (; visit->at < self->step_count; visit->at++) {
        const struct dns_step *step = &self->steps[visit->at];
        struct lookup **lookup = &visit->lookups[visit->at];
        struct str text;
        enum look found = look(NULL, step, visit->copy ? visit->copy : event, &text);
        if (found == LOOK_SKIP)
            continue;
        if (found == LOOK_STOP || (!*lookup && failed_lately(self, text)))
            break;
        if (!*lookup)
            *lookup = ask(self, step, text);
        if (!*lookup || (*lookup)->state == LOOKUP_PENDING)
            return false;
        remember(self, step, text, *lookup);
        if ((*lookup)->state != LOOKUP_FOUND)
            break;
        if (visit->copy)
            put(self, step, visit->copy, (*lookup)->answer);
    }
    visit->at = self->step_count;
    return true;
}

/* ---- on events ------------------------------------------------------------------------------------ */

static bool take_step(struct dns *self, const struct dns_step *step, struct event *event,
                      const struct lookup *lookup)
{
    struct str text;
    enum look found = look(self, step, event, &text);
    if (found != LOOK_ASK)
        return found == LOOK_SKIP;
    assert(!lookup || lookup->state != LOOKUP_PENDING);
    if (lookup && lookup->state == LOOKUP_FOUND) {
        counter_add(self->answers, 1);
        put(self, step, event, lookup->answer);
        return true;
    }
    bool timed_out = lookup && lookup->state == LOOKUP_TIMED_OUT;
    counter_add(timed_out ? self->timeouts : self->misses, 1);
    for (size_t i = 0; timed_out && i < self->tag_on_timeout.count; i++)
        event_add_tag(event, self->tag_on_timeout.items[i]);
    return false;
}

static enum filter_result dns_apply(void *plugin, struct event *event, struct event_sink *more)
{
    struct dns *self = plugin;
    struct visit *visit = more->held;
    bool matched = true;
    for (size_t i = 0; i < self->step_count; i++) {
        matched = matched && take_step(self, &self->steps[i], event, visit->lookups[i]);
        if (visit->lookups[i])
            lookup_unref(visit->lookups[i]);
    }
    return matched ? FILTER_MATCHED : FILTER_SKIPPED;
}

const struct filter filter_dns = {
    .plugin =
        {
            .name = "dns",
            .summary = "Looks up addresses of names and names of addresses.",
            .options = OPTIONS,
            .size = sizeof(struct dns),
            .check = dns_check,
        },
    .open = dns_open,
    .prepare = dns_prepare,
    .apply = dns_apply,
    .close = dns_close,
};
