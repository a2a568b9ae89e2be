/* SPDX-License-Identifier: Apache-2.0
 *
 * memcached: puts fields into a cache and takes fields from it. Values have the form in which Logstash's filter keeps them
 * (Ruby's Marshal with flag 1; others may have been compressed, flag 2; plain text has flag 0), so that both can share a
 * cache. What an event stores is there before it looks up, and the operations of a slice are under way at once. A server
 * that is not there is no error at the start: events are tagged until it is.
 */
#include <assert.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/text/utf8.h"
#include "filters/filters.h"
#include "filters/memcached/marshal.h"
#include "io/digest.h"
#include "io/gzip.h"
#include "io/memcached.h"
#include "pipeline/engine/lane.h"
#include "pipeline/program/evaluate.h"

enum {
    FLAG_MARSHALLED = 1,
    FLAG_COMPRESSED = 2,
    LOG_WINDOW_MS = 10000,
    TIMEOUT_MS = 1000,
    PAIRS_MAX = 1000,
    REASON_MAX = 320,
    TTL_MAX = 0x7fffffff,
    HASHED_PREFIX_BYTES = 212, /* of a key that is too long, as dalli does */
    HASHED_SHORT_PREFIX_BYTES = 100,
    PLAIN_KEY_MAX_BYTES = 180, /* of one with blanks */
};

struct pair {
    struct template key;
    struct field_ref field;
};
struct pairs {
    struct pair *items;
    size_t count;
};

struct cache_filter {
    struct option_strings hosts;
    struct str namespace;
    struct option_hash get, set;
    int64_t ttl;
    struct str tag_on_failure;

    const struct plugin_env *env;
    struct memcached *client;
    struct pairs gets, sets;
    struct visit *visits; /* of which the client has operations, or nobody has read the answer */
    struct counter *hits, *misses, *failures;
    struct log_limit log_limit;
};

#define UNUSED_ROW(row_name, row_doc)                                                              \
    {                                                                                              \
        .name = row_name, .doc = row_doc, .note = "every event asks the server, many at a time",   \
        OPTION_NOWHERE, .flags = OPTION_IGNORED                                                    \
    }

static const struct option OPTIONS[] = {
    {
        .name = "hosts",
        .doc = "Servers, as HOST or HOST:PORT.",
        OPTION_IN_STRINGS(struct cache_filter, hosts),
        .def = "localhost",
    },
    {
        .name = "namespace",
        .doc = "What all keys begin with, before a colon.",
        OPTION_IN_STRING(struct cache_filter, namespace),
    },
    {
        .name = "get",
        .doc = "Key => field that gets its value; keys take %{}.",
        OPTION_IN_HASH(struct cache_filter, get),
    },
    {
        .name = "set",
        .doc = "Field => key that gets its value; keys take %{}. Before get.",
        OPTION_IN_HASH(struct cache_filter, set),
    },
    {
        .name = "ttl",
        .doc = "How long what is set stays, in seconds; 0: for ever.",
        OPTION_IN_INT(struct cache_filter, ttl),
        .min = 0,
        .max = TTL_MAX,
        .def = "0",
    },
    {
        .name = "tag_on_failure",
        .doc = "Tag of an event whose keys could not be set or looked up.",
        OPTION_IN_STRING(struct cache_filter, tag_on_failure),
        .def = "_memcached_failure",
    },
    UNUSED_ROW("lru_cache_ttl", "How long values are remembered."),
    UNUSED_ROW("lru_cache_max_size", "How many values are remembered."),
    OPTION_END,
};

/* An operation of an event, and what it needs until it is done. */
struct step {
    struct memcached_op op; /* first */
    struct visit *visit;
    const struct pair *pair;
    struct buf key, value;
};

/* An event's; ours, as the event may go away before the client is done with it. */
struct visit {
    struct visit *next, *previous;
    struct cache_filter *filter;
    size_t set_count, count, under_way; /* the sets come first */
    bool has_failed, gets_begun;
    char reason[REASON_MAX]; /* why it failed */
    struct step steps[];
};

/* ---- opening -------------------------------------------------------------------------------------- */

static bool compile_pairs(const struct plugin_env *env, const struct option_hash *given,
                          bool key_first, struct pairs *out, struct error *err)
{
    if (given->count > PAIRS_MAX)
        return error_set(err, ERROR_CONFIG, "at most %d keys are taken", PAIRS_MAX);
    out->items = arena_zero(env->arena, given->count * sizeof *out->items);
    for (size_t i = 0; i < given->count; i++) {
        struct pair *pair = &out->items[out->count++];
        struct str left = given->pairs[i].key.text, right = given->pairs[i].value.text;
        template_parse(env->arena, key_first ? left : right, env->settings->escape, &pair->key);
        if (!right.ptr || !field_ref_parse(env->arena, key_first ? right : left,
                                           env->settings->escape, &pair->field, err))
            return error_set_at(err, given->pairs[i].value.position, "is not a field reference");
    }
    return true;
}

static bool cache_check(void *plugin, const struct plugin_env *env, struct error *err)
{
    const struct cache_filter *self = plugin;
    struct pairs ignored = {0}, too = {0};
    if (self->hosts.count == 0)
        return error_set(err, ERROR_CONFIG, "hosts is empty");
    return compile_pairs(env, &self->get, true, &ignored, err) &&
           compile_pairs(env, &self->set, false, &too, err);
}

static bool cache_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct cache_filter *self = plugin;
    self->env = env;
    self->hits = env->counter(env, "hits");
    self->misses = env->counter(env, "misses");
    self->failures = env->counter(env, "failures");
    self->log_limit = (struct log_limit){.window_ms = LOG_WINDOW_MS, .burst = 1};
    if (!compile_pairs(env, &self->get, true, &self->gets, err) ||
        !compile_pairs(env, &self->set, false, &self->sets, err))
        return false;
    const struct memcached_options options = {
        .loop = env->loop,
        .hosts = self->hosts.items,
        .host_count = self->hosts.count,
        .timeout_ms = TIMEOUT_MS,
        .max_value_bytes = env->settings->max_event_bytes,
    };
    self->client = memcached_new(&options, err);
    return self->client;
}

static void free_visit(struct visit *visit)
{
    struct cache_filter *self = visit->filter;
    assert(visit->under_way == 0);
    if (visit->previous)
        visit->previous->next = visit->next;
    else
        self->visits = visit->next;
    if (visit->next)
        visit->next->previous = visit->previous;
    for (size_t i = 0; i < visit->count; i++) {
        buf_release(&visit->steps[i].key);
        buf_release(&visit->steps[i].value);
    }
    mem_free(visit);
}

static void cache_close(void *plugin)
{
    struct cache_filter *self = plugin;
    memcached_close(self->client); /* fails what is under way */
    while (self->visits)
        free_visit(self->visits);
}

/* ---- keys and values ------------------------------------------------------------------------------ */

static bool has_blank(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f)
            return true;
    return false;
}

/* A key that is too long becomes its beginning and a digest of the whole. */
static void shorten(struct buf *key)
{
    bool blank = has_blank(buf_str(key));
    unsigned char digest[DIGEST_MAX_BYTES];
    char hex[2 * DIGEST_MAX_BYTES];
    if (key->len <= (blank ? PLAIN_KEY_MAX_BYTES : MEMCACHED_KEY_MAX_BYTES))
        return;
    size_t len = digest_bytes(DIGEST_MD5, buf_str(key), digest);
    digest_hex(digest, len, hex);
    key->len = blank ? HASHED_SHORT_PREFIX_BYTES : HASHED_PREFIX_BYTES;
    buf_append_str(key, STR(":md5:"));
    buf_append(key, hex, 2 * len);
}

static bool make_key(const struct cache_filter *self, const struct template *template,
                     const struct event *event, struct buf *out)
{
    struct str text;
    if (!template_text(template, event, event->arena, &text))
        return false;
    bool made = (self->namespace.len == 0 ||
                 (buf_append_str(out, self->namespace) && buf_append_char(out, ':'))) &&
                buf_append_str(out, text) && out->len > 0;
    if (made)
        shorten(out);
    return made;
}

static bool inflate(struct arena *arena, struct str bytes, size_t max_bytes, struct str *out)
{
    struct gunzip *gunzip = gunzip_new();
    struct buf text;
    buf_init(&text, max_bytes);
    bool whole = gunzip_add(gunzip, bytes, &text) == GUNZIP_OK && gunzip_is_whole(gunzip);
    gunzip_free(gunzip);
    if (whole)
        *out = arena_dup(arena, buf_str(&text));
    buf_release(&text);
    return whole;
}

static bool value_of(const struct step *step, struct arena *arena, struct value *out)
{
    struct str bytes = buf_str(&step->value);
    size_t max_bytes = step->visit->filter->env->settings->max_event_bytes;
    if (step->op.found_flags & FLAG_COMPRESSED && !inflate(arena, bytes, max_bytes, &bytes))
        return false;
    if (step->op.found_flags & FLAG_MARSHALLED)
        return marshal_read(arena, bytes, out);
    *out = value_str(utf8_repair(arena, arena_dup(arena, bytes)));
    return true;
}

/* ---- operations ----------------------------------------------------------------------------------- */

static void send_gets(struct visit *visit);

static void note_failure(struct visit *visit, const char *reason)
{
    visit->has_failed = true;
    snprintf(visit->reason, sizeof visit->reason, "%s", reason);
}

static void on_done(struct memcached_op *op)
{
    struct step *step = (struct step *)op;
    struct visit *visit = step->visit;
    assert(visit->under_way > 0);
    visit->under_way--;
    if (op->result == MEMCACHED_FAILED) {
        note_failure(visit, op->error);
    } else if (op->result == MEMCACHED_FOUND && !buf_append_str(&step->value, op->found)) {
        note_failure(visit, "the value is too long");
    }
    if (visit->under_way == 0 && !visit->gets_begun)
        send_gets(visit);
    if (visit->under_way == 0)
        filter_ready(visit->filter->env);
}

static void send_steps(struct visit *visit, size_t first, size_t end)
{
    visit->under_way = end - first;
    for (size_t i = first; i < end; i++) {
        struct step *step = &visit->steps[i];
        step->op.key = buf_str(&step->key);
        step->op.value = buf_str(&step->value);
        step->op.done = on_done;
        memcached_send(visit->filter->client, &step->op);
    }
}

/* Behind what this event stores: they may be of another server, where nothing else orders them. */
static void send_gets(struct visit *visit)
{
    visit->gets_begun = true;
    if (!visit->has_failed)
        send_steps(visit, visit->set_count, visit->count);
}

static struct step *add_step(struct visit *visit, const struct pair *pair,
                             const struct event *event)
{
    struct cache_filter *self = visit->filter;
    struct step *step = &visit->steps[visit->count++];
    step->visit = visit;
    step->pair = pair;
    buf_init(&step->key, self->env->settings->max_event_bytes);
    buf_init(&step->value, self->env->settings->max_event_bytes);
    if (make_key(self, &pair->key, event, &step->key))
        return step;
    note_failure(visit, "a key cannot be made of this event");
    return NULL;
}

static void add_set(struct visit *visit, const struct pair *pair, const struct event *event)
{
    const struct value *value = event_get(event, &pair->field);
    if (!value || value_type(value) == VALUE_NULL)
        return;
    struct step *step = add_step(visit, pair, event);
    if (!step)
        return;
    step->op.stores = true;
    step->op.flags = FLAG_MARSHALLED;
    step->op.expire_s = (uint32_t)visit->filter->ttl;
    if (marshal_write(value, &step->value))
        return;
    note_failure(visit, "a value cannot be stored");
}

static struct visit *begin_visit(struct cache_filter *self, const struct event *event)
{
    struct visit *visit =
        mem_zero(1, sizeof *visit + (self->sets.count + self->gets.count) * sizeof *visit->steps);
    visit->filter = self;
    visit->next = self->visits;
    if (self->visits)
        self->visits->previous = visit;
    self->visits = visit;
    for (size_t i = 0; i < self->sets.count; i++)
        add_set(visit, &self->sets.items[i], event);
    visit->set_count = visit->count;
    for (size_t i = 0; i < self->gets.count; i++)
        add_step(visit, &self->gets.items[i], event);
    if (visit->has_failed)
        visit->gets_begun = true;
    else if (visit->set_count > 0)
        send_steps(visit, 0, visit->set_count);
    else
        send_gets(visit);
    return visit;
}

static bool cache_prepare(void *plugin, const struct event *event, void **held)
{
    struct visit *visit = *held;
    if (!visit)
        visit = *held = begin_visit(plugin, event);
    return visit->under_way == 0;
}

/* ---- on events ------------------------------------------------------------------------------------ */

static enum filter_result fail(struct cache_filter *self, struct event *event, const char *reason)
{
    uint64_t suppressed;
    counter_add(self->failures, 1);
    event_add_tag(event, self->tag_on_failure);
    if (log_limit_allow(&self->log_limit, clock_monotonic_ms(), &suppressed))
        log_warn(self->env->log, "memcached_failed", "keys could not be set or looked up",
                 LOG_CSTR("reason", reason), LOG_INT_IF("not_logged_before", suppressed));
    return FILTER_SKIPPED;
}

/* False: a value cannot be read or put into the event. */
static bool take_found(struct cache_filter *self, const struct step *step, struct event *event,
                       bool *matched)
{
    struct value value;
    if (step->op.result == MEMCACHED_MISSING) {
        counter_add(self->misses, 1);
        return true;
    }
    counter_add(self->hits, 1);
    if (!value_of(step, event->arena, &value))
        return false;
    if (value_type(&value) == VALUE_NULL)
        return true;
    *matched = true;
    return event_set(event, &step->pair->field, value, NULL);
}

static enum filter_result cache_apply(void *plugin, struct event *event, struct event_sink *more)
{
    struct cache_filter *self = plugin;
    struct visit *visit = more->held;
    const char *reason = visit->has_failed ? visit->reason : NULL;
    bool matched = visit->set_count > 0;
    assert(visit->under_way == 0 && visit->gets_begun);
    for (size_t i = visit->set_count; i < visit->count && !reason; i++)
        if (!take_found(self, &visit->steps[i], event, &matched))
            reason = "a value cannot be read";
    enum filter_result result = reason    ? fail(self, event, reason)
                                : matched ? FILTER_MATCHED
                                          : FILTER_SKIPPED;
    free_visit(visit);
    return result;
}

const struct filter filter_memcached = {
    .plugin =
        {
            .name = "memcached",
            .summary = "Looks fields up in a memcached cache, and puts fields there.",
            .options = OPTIONS,
            .size = sizeof(struct cache_filter),
            .check = cache_check,
        },
    .open = cache_open,
    .prepare = cache_prepare,
    .apply = cache_apply,
    .close = cache_close,
};
