/* SPDX-License-Identifier: Apache-2.0
 *
 * What a plugin is: one const struct with a name, a table of options and a handful of functions. The engine binds
 * the options into `size` bytes (zeroed) for each instance and hands everything else in plugin_env.
 *
 * Instances: a lane-scoped filter or output has one instance on each lane, a pipeline-scoped one a single instance on
 * the main lane; batches of other lanes visit a pipeline-scoped filter (which has no prepare) there and go back. An
 * instance is used by one thread only. The options are bound once and copied into each instance (what they point at is
 * shared and const).
 */
#ifndef MILLRACE_PIPELINE_PLUGIN_H
#define MILLRACE_PIPELINE_PLUGIN_H

#include "base/error.h"
#include "base/log.h"
#include "base/regex/regex.h"
#include "conf/option.h"
#include "pipeline/event/event.h"
#include "pipeline/event/event_json.h"
#include "pipeline/plugin_env.h"

struct group;
struct stream;

enum plugin_scope { SCOPE_LANE, SCOPE_PIPELINE };

/* Common parts of every plugin. */
struct plugin {
    const char *name;
    const char *summary; /* one line, for `millrace plugins` and the reference */
    const struct option *options;
    size_t size; /* of an instance */
    enum plugin_scope scope;
    /* Several filters of this kind share what they keep: when a pipeline has more than one, each event goes through all
     * filters before the next one, instead of a slice of events going from filter to filter. */
    bool in_turn;
    size_t
        shared_size; /* bytes that all instances of one configured plugin share (env->shared), zeroed; atomics only */
    /* Checks across options, after binding and before any instance is opened; no I/O but reading files that the options
     * name. With -t too. May be NULL. */
    bool (*check)(void *self, const struct plugin_env *env, struct error *err);
    /* With -t, where nothing is opened: finds out what otherwise only open() would. *kept is NULL at first and the same
     * for all plugins of this type in a pipeline, in their order; a last call with self NULL releases it. May be NULL. */
    bool (*rehearse)(void *self, const struct plugin_env *env, void **kept, struct error *err);
    /* Whether events must have their provenance (pipeline/event/origin.h) for it; after check(). NULL: never. */
    bool (*needs_provenance)(const void *self);
};

/* Where events made by a codec, an input or a filter go. */
struct event_sink {
    struct arena *arena; /* make events in it */
    void (*emit)(struct event_sink *sink, struct event *event);
    void *held; /* what the filter's prepare() keeps for the event that apply() gets */
    /* Of a codec: what it emits next was made of a record of its own. NULL: nobody asks. */
    void (*record)(struct event_sink *sink, struct str raw, uint64_t position);
    uint64_t position; /* of the end of the bytes that are decoded */
};
/* A codec that finds several records in its bytes says so before it emits what one became; one that has `pending` has to.
 * raw: its bytes, which live as long as the sink's arena. rest: so many bytes that it was given come behind it. */
static inline void event_sink_record(struct event_sink *sink, struct str raw, size_t rest)
{
    if (sink->record)
        sink->record(sink, raw, sink->position - rest);
}

/* ---- codec -------------------------------------------------------------------------------------------------- */

/* A codec has state for one stream (a connection, a file); an input opens one instance for each. */
struct codec {
    struct plugin plugin;
    bool (*open)(void *self, const struct plugin_env *env, struct error *err);
    /* Bytes of the stream, which live as long as sink->arena; values may point into them. What is not complete yet is
     * kept (copied) by the codec. NULL: cannot decode. */
    void (*decode)(void *self, struct str bytes, struct event_sink *sink);
    /* The stream ended, or asked for what is pending (Logstash's flush; a line codec emits an unfinished line). */
    void (*flush)(void *self, struct event_sink *sink);
    /* Appends the event, which it only reads, in the codec's form; scratch lives until it returns. False when buf is at its
     * maximum. NULL: cannot encode. An output that writes through a codec has an instance on each lane. */
    bool (*encode)(void *self, const struct event *event, struct arena *scratch, struct buf *out);
    /* After an encode() that answered false: whether the event is why, which it can never write (err says what of it), and
     * not the buffer. NULL: it writes every event. */
    bool (*refused)(void *self, struct error *err);
    void (*close)(void *self);
    const char *
        stream_name; /* the codec that stream inputs use instead: "line" for plain, "json_lines" for json */
    /* How many bytes decode() has taken but not yet turned into events, so that an input's position can stay before
     * them. NULL: never any. */
    size_t (*pending)(const void *self);
    /* So long after the last bytes the input calls flush, because what is pending should not wait longer; 0: never.
     * NULL: never. */
    unsigned (*flush_after_ms)(const void *self);
};

/* What the instances of one output's codec share, on all lanes (shared memory of the output, env->codec_shared). */
struct codec_shared {
    atomic_bool began; /* an event was written, and what stands once before all of them */
};

struct codec_instance {
    const struct codec *codec;
    void *self;
};
/* Opens the codec an option names (NULL: default_name). stream: apply stream_name. In env->arena. */
bool codec_open(const struct plugin_env *env, const struct conf_plugin *option,
                const char *default_name, bool stream, struct codec_instance *out,
                struct error *err);
void codec_close(struct codec_instance *instance);
/* The same for an output, in its open_encoder: a codec that only reads is refused. */
bool codec_open_writer(const struct plugin_env *env, const struct conf_plugin *option,
                       const char *default_name, struct codec_instance *out, struct error *err);

/* ---- filter ------------------------------------------------------------------------------------------------- */

enum filter_result {
    FILTER_MATCHED,   /* succeeded: the common options (add_field, add_tag, …) are applied */
    FILTER_SKIPPED,   /* did nothing, or failed and has tagged the event: no common options */
    FILTER_CANCELLED, /* the event goes no further */
};

struct filter {
    struct plugin plugin;
    /* A false has given back what it took: close() is not called then. */
    bool (*open)(void *self, const struct plugin_env *env, struct error *err);
    /* More events (split, clone) go to `more`; they stand directly behind this one, and the engine applies the rest of the
     * pipeline to them. Call filter_decorate on those that get the common options. */
    enum filter_result (*apply)(void *self, struct event *event, struct event_sink *more);
    /* For a filter that needs what is not there at once (an answer over the network): starts it, and answers true when
     * apply() has all it needs without waiting. NULL: never waits. *held is NULL at first and belongs to the filter,
     * which keeps there what it needs of this event until apply() finds it in more->held; it may use the event's arena.
     * After a false the filter calls filter_ready() when that may have changed, in bounded time; the engine goes on with
     * other events meanwhile and then asks again about those that were not ready; what was ready stays so. An event may
     * also disappear without an apply() when the pipeline is closed, before close(). */
    bool (*prepare)(void *self, const struct event *event, void **held);
    /* The common options could not be applied where Logstash raises and the plugin would catch it: tags the event. May
     * be NULL. */
    void (*decorate_failed)(void *self, struct event *event);
    /* About once a second: reading files anew, forgetting what is old. Events that it makes in more->arena go on behind
     * this filter, with its common options only where it calls filter_decorate. `final`: the last call, on every
     * instance, when all that came from the inputs and from earlier filters has been through; not when the pipeline is
     * ended by a timeout or a failed output. now_ms: the loop's clock. May be NULL. */
    void (*tick)(void *self, uint64_t now_ms, bool final, struct event_sink *more);
    void (*close)(void *self);
    /* What it does depends on the order in which events come (Logstash's "not thread-safe"): unless workers or
     * pipeline.ordered are given, the pipeline is ordered. */
    bool in_order;
    /* Of bound options: what it makes of the first event decides for all others, as a header does. Until it has said
     * filter_has_first the events of its pipeline go one after the other through one lane, whatever the workers. May be
     * NULL. */
    bool (*wants_first)(const void *self);
};
/* Once for each configured filter that wants it, on whichever of its instances. */
void filter_has_first(const struct plugin_env *env);
/* Events that prepare() said no to may be ready. On the instance's lane; cheap when nothing waits. */
void filter_ready(const struct plugin_env *env);
/* Applies the filter's common options to an event that it made itself. False as common_options_decorate. */
bool filter_decorate(const struct plugin_env *env, struct event *event);

/* ---- output ------------------------------------------------------------------------------------------------- */

/* What may be in one group, and how many groups may be in flight. Filled with defaults before open(). */
struct output_limits {
    size_t max_items; /* 1: each event is its own request */
    size_t max_bytes;
    unsigned max_in_flight; /* groups, for each instance */
    unsigned flush_ms;      /* a group not full is sent when its first event is this old */
    unsigned retry_initial_ms, retry_max_ms;
    /* Of an item that the destination answered with a wish for another try: so often, so old; 0: any. Only where every
     * VERDICT_RETRY is an answer of the destination. */
    unsigned retry_max_attempts, retry_max_age_ms;
};

enum encode_result {
    ENCODE_DONE,    /* bytes appended: the event is now an item of the group */
    ENCODE_OWN_ID,  /* the same, under an id that we made: group_item_has_own_id */
    ENCODE_REFUSED, /* this event can never be sent; err says why */
    ENCODE_DROPPED, /* nothing to send, on purpose */
    ENCODE_FULL,    /* the buffer is at its maximum */
};

/* Appends the event as the codec writes it: DONE, REFUSED with *err, or FULL. */
enum encode_result codec_encode(const struct codec_instance *instance, const struct event *event,
                                struct arena *scratch, struct buf *out, struct error *err);

/* Of an output that gives events to other pipelines of the process. The engine does it all. */
struct link_options {
    struct option_strings send_to; /* addresses */
    bool ensure_delivery;
};

/* An output of lane scope has an instance on each lane that encodes and sends. One of pipeline scope has instances that
 * only encode on all lanes, and one, on the main lane, that sends as well. */
struct output {
    struct plugin plugin;
    /* What encode() needs, on each lane, before open(). May be NULL. */
    bool (*open_encoder)(void *self, const struct plugin_env *env, struct error *err);
    /* Starts whatever goes on in the background; a server that is not there is not an error. */
    bool (*open)(void *self, const struct plugin_env *env, struct output_limits *limits,
                 struct error *err);
    /* Reads the event, which others read too, and appends to out; scratch lives until it returns. */
    enum encode_result (*encode)(void *self, const struct event *event, struct arena *scratch,
                                 struct buf *out, struct error *err);
    /* The destination may refuse an item for good (VERDICT_REFUSED). Its event becomes a dead letter, so the engine keeps it
     * beside the item, unless carried_event finds it as JSON within what encode() appended; empty: it is not there. May be
     * NULL. */
    bool refuses;
    struct str (*carried_event)(const void *self, struct str item);
    /* What an item that encode() made is to be, for people (`millrace trace`), of an instance of which only the encoder is open:
     * members of an object, such as "url" or "topic", in the arena; answers the bytes of the event itself, a part of the item
     * or in the arena. NULL: the item is what is sent. */
    struct str (*describe_item)(const void *self, struct str item, struct arena *arena,
                                struct value *object);
    /* Takes the group until group_done (pipeline/delivery/group.h). Asynchronous or at once; never blocks the loop. Called with
     * at most max_in_flight groups outstanding. */
    void (*send)(void *self, struct group *group);
    /* Gives back (SEND_STOPPED) the groups that it holds and has not sent, as far as group_waits_too_long: they may be set
     * aside. NULL: it holds none. */
    void (*recall)(void *self);
    /* No more groups will come; give back what is in flight as soon as possible (SEND_STOPPED, or item by item with
     * verdict RETRY for what is not certain). May be NULL. */
    void (*stop)(void *self);
    void (*close)(void *self);
    /* With -t --connect, on an opened instance that is not the primary one and is sent nothing: whether the destination
     * can be reached, takes the login and has what is needed. Sends no event and changes nothing there. Runs env->loop
     * until it knows, and appends what it found as lines. NULL: nothing to try. */
    bool (*connect)(void *self, struct buf *said, struct error *err);
    void (*close_encoder)(void *self); /* after close(); may be NULL */
    /* The options that say only where and how items are sent, ended by NULL: when no other one changes while the pipeline runs,
     * items that were encoded before are sent by the instance that comes. One whose value has fields (%{…}) counts as another.
     * NULL: any option may say what is in an item. */
    const char *const *sent_by;
    /* Of an instance with an open encoder, where it depends on the configuration how an item is laid out: a number, not 0 and below
     * 2^24, that is the same for those that can read each other's. Items of another form are encoded anew, of the event that
     * item_event finds in one of that form (NULL: none) or that is noted beside it. NULL: all can read all. */
    uint32_t (*form)(const void *self);
    struct str (*item_event)(uint32_t form, struct str item);
    /* Instead of all the others, of bound options. NULL: it encodes and sends. */
    const struct link_options *(*link)(const void *self);
};

/* A pipeline-scoped output that can never deliver again (its reader is gone) ends its pipeline: inputs stop, other outputs
 * have a moment for what is under way, and what this one answers with VERDICT_RETRY is never acknowledged. On the main
 * lane. Again: no effect. */
void output_failed(const struct plugin_env *env);

/* ---- input -------------------------------------------------------------------------------------------------- */

struct input {
    struct plugin
        plugin; /* always one instance, on the main lane; it may spread its work (pipeline/engine/stream.h) */
    bool (*open)(void *self, const struct plugin_env *env,
                 struct error *err); /* binds its port; reads nothing */
    bool (*start)(void *self, struct error *err);
    /* Stops reading; what was handed over is still delivered and acknowledged. Calls input_finished when it has nothing
     * more to hand over. Also called when it finished by itself. */
    void (*stop)(void *self);
    /* All batches are acknowledged or given up: releases everything. Handles on the loop are closed with uv_close and
     * `closed` is called (once, also from inside close) when the last callback has run. */
    void (*close)(void *self, void (*closed)(void *ctx), void *ctx);
    /* With -t --connect, on an instance that is not opened: as an output's. NULL: nothing to try. */
    bool (*connect)(void *self, const struct plugin_env *env, struct buf *said, struct error *err);
    /* What the monitoring API says of it beside its counters: members of an object. NULL: nothing. */
    void (*describe)(const void *self, struct arena *arena, struct value *object);
    /* The codec of what arrives when none is given; NULL: plain. */
    const char *codec_default;
    /* At which it takes events of other pipelines, of bound options. NULL: at none. Its stop() closes the address, also
     * when no other pipeline can send to it any more. */
    struct str (*address)(const void *self);
};
/* A finite input (stdin at its end, files with exit_after_read, generator with a count) has read everything. */
void input_finished(const struct plugin_env *env);

/* ---- the list ----------------------------------------------------------------------------------------------- */

struct plugin_list { /* NULL-terminated arrays; the one instance is in cmd/plugins.c */
    const struct input *const *inputs;
    const struct filter *const *filters;
    const struct output *const *outputs;
    const struct codec *const *codecs;
    /* What to say of a name that is not in the list; NULL: nothing is known of it. May be NULL itself. */
    const char *(*advice)(enum conf_section section, struct str name);
};
const struct codec *plugin_list_codec(const struct plugin_list *list, struct str name);

#endif
