/* SPDX-License-Identifier: Apache-2.0
 *
 * What a Beat sent becomes an event. An object with a message (old Lumberjack: line) goes through the codec: each event
 * that it makes of the text gets the object's other fields. Everything else is the event as it is. What is no JSON object
 * becomes an event with the raw text and a tag, because refusing it would make the client send it for ever.
 */
#include <assert.h>

#include "base/text/utf8.h"
#include "inputs/beats/connection.h"
#include "io/tls_stream.h"

enum { KNOWN_METADATA_MAX = 1024 }; /* bytes */

#define METADATA_REF(path, ...)                                                                    \
    {                                                                                              \
        .text = STR_INIT("[@metadata]" path), .root = FIELD_ROOT_METADATA,                         \
        .parts = (struct field_part[]){__VA_ARGS__},                                               \
        .count = sizeof((struct field_part[]){__VA_ARGS__}) / sizeof(struct field_part)            \
    }

FIELD_REF_TOP_AS(MESSAGE, "message");
FIELD_REF_TOP_AS(HOST, "host");
FIELD_REF_METADATA_AS(OLD_ADDRESS, "ip_address");
FIELD_REF_METADATA_AS(ECS_INPUT, "input");
static const struct field_ref ECS_ADDRESS =
    METADATA_REF("[input][beats][host][ip]", FIELD_PART("input"), FIELD_PART("beats"),
                 FIELD_PART("host"), FIELD_PART("ip"));
static const struct field_ref ECS_HOST_NAME =
    METADATA_REF("[input][beats][host][name]", FIELD_PART("input"), FIELD_PART("beats"),
                 FIELD_PART("host"), FIELD_PART("name"));
FIELD_REF_BELOW_AS(BEAT_HOST_NAME, "beat", "hostname");
static const struct field_ref TLS_STATUS =
    METADATA_REF("[tls_peer][status]", FIELD_PART("tls_peer"), FIELD_PART("status"));
/* Of a verified client, each as Logstash names it without and with ECS. */
static const struct field_ref TLS_PROTOCOL[] = {
    METADATA_REF("[tls_peer][protocol]", FIELD_PART("tls_peer"), FIELD_PART("protocol")),
    METADATA_REF("[input][beats][tls][version_protocol]", FIELD_PART("input"), FIELD_PART("beats"),
                 FIELD_PART("tls"), FIELD_PART("version_protocol")),
};
static const struct field_ref TLS_SUBJECT[] = {
    METADATA_REF("[tls_peer][subject]", FIELD_PART("tls_peer"), FIELD_PART("subject")),
    METADATA_REF("[input][beats][tls][client][subject]", FIELD_PART("input"), FIELD_PART("beats"),
                 FIELD_PART("tls"), FIELD_PART("client"), FIELD_PART("subject")),
};
static const struct field_ref TLS_CIPHER[] = {
    METADATA_REF("[tls_peer][cipher_suite]", FIELD_PART("tls_peer"), FIELD_PART("cipher_suite")),
    METADATA_REF("[input][beats][tls][cipher]", FIELD_PART("input"), FIELD_PART("beats"),
                 FIELD_PART("tls"), FIELD_PART("cipher")),
};
FIELD_REF_TOP_AS(EVENT_REF, "event");
FIELD_REF_BELOW_AS(EVENT_ORIGINAL, "event", "original");

static const struct beats_enrichment *enrichment(const struct beats_connection *connection)
{
    return &connection_input(connection)->enrichment;
}

static bool ecs(const struct beats_connection *connection)
{
    return connection_input(connection)->env->ecs != ECS_DISABLED;
}

/* ---- what is added ---- */

/* The value of a key in a document of ours. */
static struct value decode_own(struct beats_connection *connection, struct arena *arena,
                               struct str text, struct str key)
{
    struct value object;
    bool read = json_decode(lane_json(connection->base.home->lane), arena, text, &object, NULL);
    assert(read);
    (void)read;
    return *value_object_get(&object, key);
}

/* The client's address as a member of @metadata. It is digits, dots and the like. */
static struct str address_member(struct beats_connection *connection, struct arena *arena)
{
    const char *address = connection->base.peer.text;
    return ecs(connection)
               ? arena_printf(arena, "\"input\":{\"beats\":{\"host\":{\"ip\":\"%s\"}}}", address)
               : arena_printf(arena, "\"ip_address\":\"%s\"", address);
}

static const struct field_ref *address_ref(const struct beats_connection *connection)
{
    return ecs(connection) ? &ECS_INPUT : &OLD_ADDRESS;
}

/* An object is JSON that nobody has looked into, so one more of it costs little. */
static void set_address(struct beats_connection *connection, struct event *event)
{
    struct value *address = &connection->in_batch.address;
    struct arena *arena = event->arena;
    const struct field_ref *ref = address_ref(connection);
    if (value_type(address) == VALUE_NULL) {
        struct str member = address_member(connection, arena);
        *address = decode_own(connection, arena, arena_printf(arena, "{%.*s}", STR_FMT(member)),
                              ref->parts[0].name);
    }
    event_set(event, ref, value_dup_shared(arena, address), NULL);
}

/* What a Beat says in @metadata is the same each time: what came twice is kept with the address in it, as JSON. */
static bool take_known_metadata(struct beats_connection *connection, struct event *event,
                                struct str metadata)
{
    struct beats_in_batch *in_batch = &connection->in_batch;
    if (!str_equal(metadata, in_batch->metadata)) {
        in_batch->metadata = metadata;
        in_batch->with_address = value_null();
        return false;
    }
    if (value_type(&in_batch->with_address) == VALUE_NULL) {
        struct arena *arena = event->arena;
        struct str member = address_member(connection, arena);
        struct str others = str_make(metadata.ptr, metadata.len - 1);
        struct str text =
            arena_printf(arena, "{\"with_address\":%.*s,%.*s}}", STR_FMT(others), STR_FMT(member));
        in_batch->with_address = decode_own(connection, arena, text, STR("with_address"));
    }
    event->metadata = value_dup_shared(event->arena, &in_batch->with_address);
    return true;
}

static void add_address(struct beats_connection *connection, struct event *event)
{
    struct str metadata;
    bool is_known = value_object_count(&event->metadata) > 0 &&
                    value_unchanged_json(&event->metadata, &metadata) &&
                    metadata.len <= KNOWN_METADATA_MAX;
    bool has_it = (!is_known || !str_equal(metadata, connection->in_batch.metadata)) &&
                  event_has(event, address_ref(connection));
    if (has_it) {
        struct str address = str_from(connection->base.peer.text);
        event_set(event, ecs(connection) ? &ECS_ADDRESS : &OLD_ADDRESS,
                  value_str_dup(event->arena, address), NULL);
        return;
    }
    if (!is_known || !take_known_metadata(connection, event, metadata))
        set_address(connection, event);
}

static void add_host_name(struct beats_connection *connection, struct event *event)
{
    const struct value *name = event_get(event, &BEAT_HOST_NAME);
    const struct field_ref *target = ecs(connection) ? &ECS_HOST_NAME : &HOST;
    if (name && !event_has(event, target))
        event_set(event, target, *name, NULL);
}

static void add_tls_peer(struct beats_connection *connection, struct event *event)
{
    struct tls_peer peer = tls_stream_peer(connection->base.stream, event->arena);
    bool names = ecs(connection);
    event_set(event, &TLS_STATUS, value_str(peer.verified ? STR("verified") : STR("unverified")),
              NULL);
    if (!peer.verified)
        return;
    event_set(event, &TLS_PROTOCOL[names], value_str(peer.protocol), NULL);
    event_set(event, &TLS_SUBJECT[names], value_str(peer.subject), NULL);
    event_set(event, &TLS_CIPHER[names], value_str(peer.cipher), NULL);
}

static void emit(struct beats_connection *connection, struct event *event, struct str tag)
{
    const struct beats_enrichment *add = enrichment(connection);
    if (add->source)
        add_address(connection, event);
    if (add->tls_peer && connection_input(connection)->options.tls.enabled)
        add_tls_peer(connection, event);
    if (add->host_name)
        add_host_name(connection, event);
    stream_emit(connection->stream, event);
    if (add->codec)
        event_add_tag(event, tag);
}

/* ---- the codec's way ---- */

/* What the codec makes of one message. */
struct merge {
    struct event_sink sink; /* first */
    struct beats_connection *connection;
    struct value rest; /* the Beat's other fields */
    bool used;         /* rest belongs to an event already: the next one needs a copy */
};

static struct field_ref top_level(struct field_part *part, struct str key)
{
    *part = (struct field_part){.name = key};
    return (struct field_ref){.text = key, .root = FIELD_ROOT_EVENT, .parts = part, .count = 1};
}

/* The entries of a hash go into the hash that is there. */
static bool merge_hash(struct event *event, const struct field_ref *ref, const struct value *value)
{
    const struct value *there = event_get(event, ref);
    if (!there || value_type(there) != VALUE_OBJECT || value_type(value) != VALUE_OBJECT)
        return false;
    struct value target = *there;
    for (size_t i = 0; i < value_object_count(value); i++) {
        struct str key;
        const struct value *item = value_object_at(value, i, &key);
        value_object_set(event->arena, &target, key, *item);
    }
    return event_set(event, ref, target, NULL);
}

static void merge_metadata(struct event *event, const struct value *metadata)
{
    for (size_t i = 0; value_type(metadata) == VALUE_OBJECT && i < value_object_count(metadata);
         i++) {
        struct str key;
        const struct value *item = value_object_at(metadata, i, &key);
        struct field_part part = {.name = key};
        struct field_ref ref = {
            .text = key, .root = FIELD_ROOT_METADATA, .parts = &part, .count = 1};
        event_set(event, &ref, *item, NULL);
    }
}

static void merge_timestamp(struct event *event, const struct value *timestamp)
{
    struct instant at;
    if (value_is_str(timestamp) && instant_parse_iso8601(value_as_str(timestamp), &at))
        event_set_timestamp(event, at);
}

static void merge_field(struct event *event, struct str key, const struct value *value)
{
    struct field_part part;
    struct field_ref ref = top_level(&part, key);
    if (str_equal(key, STR("@metadata")))
        merge_metadata(event, value);
    else if (str_equal(key, STR("@timestamp")))
        merge_timestamp(event, value);
    else if (!merge_hash(event, &ref, value))
        event_set(event, &ref, *value, NULL);
}

static void on_decoded(struct event_sink *sink, struct event *event)
{
    struct merge *merge = (struct merge *)(void *)sink;
    struct value rest = merge->used ? value_dup(event->arena, &merge->rest) : merge->rest;
    merge->used = true;
    for (size_t i = 0; i < value_object_count(&rest); i++) {
        struct str key;
        const struct value *item = value_object_at(&rest, i, &key);
        merge_field(event, key, item);
    }
    emit(merge->connection, event, enrichment(merge->connection)->codec_tag);
}

/* rest: the object without its message. Each message is a record of its own, so the codec keeps nothing of it. */
static void decode_message(struct beats_connection *connection, struct str text, struct value rest)
{
    struct arena *arena = stream_arena(connection->stream);
    struct merge merge = {{.arena = arena, .emit = on_decoded}, connection, rest, false};
    const struct codec_instance *codec = stream_codec(connection->stream);
    codec->codec->decode(codec->self, text, &merge.sink);
    if (codec->codec->flush)
        codec->codec->flush(codec->self, &merge.sink);
}

/* ---- the short way: no codec named, so the text stays as it is and the object is the event ---- */

/* What is no time goes; what is one is read once. */
static void read_timestamp(struct value *object)
{
    struct value *timestamp = value_object_get(object, STR("@timestamp"));
    struct instant at;
    if (timestamp && value_is_str(timestamp) && instant_parse_iso8601(value_as_str(timestamp), &at))
        *timestamp = value_timestamp(at);
    else if (timestamp)
        value_object_remove(object, STR("@timestamp"));
}

/* [event][original], where there is no such field. */
static void add_original(struct event *event, struct value message)
{
    struct arena *arena = event->arena;
    if (event_has(event, &EVENT_REF)) {
        if (!event_has(event, &EVENT_ORIGINAL))
            event_set(event, &EVENT_ORIGINAL, message, NULL);
        return;
    }
    struct value original = value_object_new(arena, 1);
    value_object_set(arena, &original, STR("original"), message);
    event_set(event, &EVENT_REF, original, NULL);
}

static void emit_plain(struct beats_connection *connection, struct value message,
                       struct value object)
{
    struct arena *arena = stream_arena(connection->stream);
    read_timestamp(&object);
    struct event *event = event_from_object(arena, object);
    if (ecs(connection) && enrichment(connection)->codec)
        add_original(event, message);
    emit(connection, event, enrichment(connection)->codec_tag);
}

/* ---- any event ---- */

static const struct str NAMES[] = {STR_INIT("message"), STR_INIT("line")};

static const struct value *text_field(const struct value *object, struct str *name_out)
{
    for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
        const struct value *field = value_object_get(object, NAMES[i]);
        *name_out = NAMES[i];
        if (field && value_type(field) != VALUE_NULL)
            return field;
    }
    return NULL;
}

static void emit_object(struct beats_connection *connection, struct value object)
{
    struct arena *arena = stream_arena(connection->stream);
    struct str name;
    const struct value *field = text_field(&object, &name);
    if (!field) {
        emit(connection, event_from_object(arena, object), STR("beats_input_raw_event"));
        return;
    }
    /* A string stays the value that it is, which knows how JSON writes it. */
    bool is_plain = enrichment(connection)->plain_codec, is_message = str_equal(name, NAMES[0]);
    struct value message = value_is_str(field) ? *field : value_str(value_to_text(arena, field));
    if (!is_plain || !is_message)
        value_object_remove(&object, name);
    if (is_plain && !(is_message && value_is_str(field)))
        value_object_set(arena, &object, NAMES[0], message);
    if (is_plain)
        emit_plain(connection, message, object);
    else
        decode_message(connection, value_as_str(&message), object);
}

static void emit_failure(struct beats_connection *connection, struct str raw)
{
    struct arena *arena = stream_arena(connection->stream);
    struct event *event = event_new(arena);
    event_set(event, &MESSAGE, value_str(utf8_repair(arena, raw)), NULL);
    event_add_tag(event, STR("_jsonparsefailure"));
    beats_count(connection_input(connection), BEATS_JSON_FAILURES, 1);
    if (enrichment(connection)->source)
        add_address(connection, event);
    stream_emit(connection->stream, event);
}

static struct value object_of_pairs(struct arena *arena, struct str pairs)
{
    struct value object = value_object_new(arena, 8);
    struct str key, text;
    while (lumberjack_next_pair(&pairs, &key, &text))
        value_object_set(arena, &object, utf8_repair(arena, key),
                         value_str(utf8_repair(arena, text)));
    return object;
}

/* Often the message is JSON itself, and its members become fields as well. */
static const struct json_decoding HOW = {.documents = JSON_ONLY, .spare = 16};

void beats_event_emit(struct beats_connection *connection, const struct lumberjack_event *event)
{
    struct arena *arena = stream_arena(connection->stream);
    char *copy = arena_bytes(arena, event->payload.len); /* values point into it */
    memcpy(copy, event->payload.ptr, event->payload.len);
    struct str payload = str_make(copy, event->payload.len);
    struct value object;
    if (event->version == LUMBERJACK_V1) {
        object = object_of_pairs(arena, payload);
        beats_place_begin(connection, payload, &object);
        emit_object(connection, object);
        return;
    }
    struct json_reader *json = lane_json(connection->base.home->lane);
    if (json_decode_as(json, arena, payload, &HOW, &object, NULL) &&
        value_type(&object) == VALUE_OBJECT) {
        beats_place_begin(connection, payload, &object);
        emit_object(connection, object);
    } else {
        beats_place_begin(connection, payload, NULL);
        emit_failure(connection, payload);
    }
}
