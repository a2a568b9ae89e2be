/* SPDX-License-Identifier: Apache-2.0
 *
 * fingerprint: a digest of one or more fields, the same as Logstash's for the same values.
 */
#include <assert.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/ip_network.h"
#include "base/murmur3.h"
#include "filters/filters.h"
#include "filters/random_uuid.h"
#include "io/digest.h"
#include "pipeline/event/ruby_text.h"

enum method {
    METHOD_SHA1,
    METHOD_SHA256,
    METHOD_SHA384,
    METHOD_SHA512,
    METHOD_MD5,
    METHOD_MURMUR3,
    METHOD_MURMUR3_128,
    METHOD_IPV4_NETWORK,
    METHOD_UUID,
    METHOD_PUNCTUATION,
};

static const char *const METHODS[] = {
    "SHA1",        "SHA256",       "SHA384", "SHA512",      "MD5", "MURMUR3",
    "MURMUR3_128", "IPV4_NETWORK", "UUID",   "PUNCTUATION", NULL,
};

enum { MURMUR3_128_SEED = 2, TEXT_MAX_BYTES = 1024 * 1024 * 1024 };

struct fingerprint {
    struct option_fields source;
    struct field_ref target;
    struct str key;
    bool base64encode;
    int method;
    bool concatenate_sources;
    bool concatenate_all_fields;

    const struct plugin_env *env;
    struct field_ref *sorted;
    struct regex *punctuation; /* for the method of that name */ /* the sources by name */
    struct counter *failures;
};

static const struct field_ref PLAIN_TARGET = FIELD_REF_TOP("fingerprint");
static const struct field_ref ECS_TARGET = FIELD_REF_BELOW("event", "hash");

static const struct option OPTIONS[] = {
    {
        .name = "source",
        .doc = "Fields to digest.",
        OPTION_IN_FIELDS(struct fingerprint, source),
        .def = "message",
    },
    {
        .name = "target",
        .doc = "Field for the result; default fingerprint, with ECS [event][hash].",
        OPTION_IN_FIELD(struct fingerprint, target),
    },
    {
        .name = "key",
        .doc = "Key of an HMAC; for IPV4_NETWORK the length of the prefix.",
        OPTION_IN_PASSWORD(struct fingerprint, key),
    },
    {
        .name = "base64encode",
        .doc = "Write the digest in base64 instead of hexadecimal digits.",
        OPTION_IN_BOOL(struct fingerprint, base64encode),
        .def = "false",
    },
    {
        .name = "method",
        .doc = "What is computed.",
        OPTION_IN_CHOICE(struct fingerprint, method),
        .choices = METHODS,
        .def = "SHA1",
    },
    {
        .name = "concatenate_sources",
        .doc = "One digest over the names and values of all sources.",
        OPTION_IN_BOOL(struct fingerprint, concatenate_sources),
        .def = "false",
    },
    {
        .name = "concatenate_all_fields",
        .doc = "One digest over the names and values of all fields.",
        OPTION_IN_BOOL(struct fingerprint, concatenate_all_fields),
        .def = "false",
    },
    OPTION_END,
};

static bool fingerprint_check(void *plugin, const struct plugin_env *env, struct error *err)
{
    const struct fingerprint *self = plugin;
    (void)env;
    return self->method != METHOD_IPV4_NETWORK || self->key.ptr ||
           error_set(err, ERROR_CONFIG, "method IPV4_NETWORK needs the prefix length in 'key'");
}

static int compare_fields(const void *a, const void *b)
{
    const struct field_ref *left = a, *right = b;
    return str_compare(left->text, right->text);
}

static bool fingerprint_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct fingerprint *self = plugin;
    self->env = env;
    self->failures = env->counter(env, "failures");
    if (self->target.count == 0 && self->target.root == FIELD_ROOT_EVENT)
        self->target = env->ecs == ECS_DISABLED ? PLAIN_TARGET : ECS_TARGET;
    size_t count = self->source.count;
    self->sorted = arena_zero(env->arena, count * sizeof *self->sorted);
    if (count > 0)
        memcpy(self->sorted, self->source.items, count * sizeof *self->sorted);
    qsort(self->sorted, count, sizeof *self->sorted, compare_fields);
    if (self->method == METHOD_PUNCTUATION)
        self->punctuation = regex_compile(STR("[\\p{P}\\p{S}]+"), 0, err);
    return self->method != METHOD_PUNCTUATION || self->punctuation;
}

static void fingerprint_close(void *plugin)
{
    struct fingerprint *self = plugin;
    regex_free(self->punctuation);
}

/* ---- values as text: members and items joined by '|', members by name ---- */

struct member {
    struct str name;
    const struct value *value;
};

static int compare_members(const void *a, const void *b)
{
    const struct member *left = a, *right = b;
    return str_compare(left->name, right->name);
}

static struct member *sorted_members(struct arena *arena, const struct value *object)
{
    size_t count = value_object_count(object);
    struct member *members = arena_alloc(arena, count * sizeof *members);
    for (size_t i = 0; i < count; i++)
        members[i].value = value_object_at(object, i, &members[i].name);
    qsort(members, count, sizeof *members, compare_members);
    return members;
}

static void append_value(struct arena *arena, const struct value *value, struct buf *out);

static void append_object(struct arena *arena, const struct value *object, struct buf *out)
{
    const struct member *members = sorted_members(arena, object);
    for (size_t i = 0; i < value_object_count(object); i++) {
        if (i > 0)
            buf_append_char(out, '|');
        buf_append_str(out, members[i].name);
        buf_append_char(out, '|');
        append_value(arena, members[i].value, out);
    }
}

static void append_value(struct arena *arena, const struct value *value, struct buf *out)
{
    if (!value || value_type(value) == VALUE_NULL)
        return;
    if (value_type(value) == VALUE_OBJECT) {
        append_object(arena, value, out);
        return;
    }
    if (value_type(value) != VALUE_ARRAY) {
        buf_append_str(out, ruby_text(arena, value));
        return;
    }
    for (size_t i = 0; i < value_array_count(value); i++) {
        if (i > 0)
            buf_append_char(out, '|');
        append_value(arena, value_array_at(value, i), out);
    }
}

static struct str finish(struct arena *arena, struct buf *buf)
{
    struct str text = arena_dup(arena, buf_str(buf));
    buf_release(buf);
    return text;
}

static struct str text_of(struct arena *arena, const struct value *value)
{
    if (value_is_str(value))
        return value_as_str(value);
    struct buf buf;
    buf_init(&buf, TEXT_MAX_BYTES);
    append_value(arena, value, &buf);
    return finish(arena, &buf);
}

/* |name|value|name|value| */
static struct str concatenated(const struct fingerprint *self, struct event *event)
{
    struct buf buf;
    buf_init(&buf, TEXT_MAX_BYTES);
    const struct member *members = sorted_members(event->arena, &event->fields);
    bool all = self->concatenate_all_fields;
    size_t count = all ? value_object_count(&event->fields) : self->source.count;
    for (size_t i = 0; i < count; i++) {
        buf_append_char(&buf, '|');
        buf_append_str(&buf, all ? members[i].name : self->sorted[i].text);
        buf_append_char(&buf, '|');
        append_value(event->arena, all ? members[i].value : event_get(event, &self->sorted[i]),
                     &buf);
    }
    buf_append_char(&buf, '|');
    return finish(event->arena, &buf);
}

/* ---- the methods ---- */

static struct value encode(const struct fingerprint *self, struct arena *arena,
                           const unsigned char *bytes, size_t len)
{
    if (self->base64encode)
        return value_str(base64_encode(arena, str_make((const char *)bytes, len)));
    char *text = arena_bytes(arena, 2 * len);
    digest_hex(bytes, len, text);
    return value_str(str_make(text, 2 * len));
}

static struct value cryptographic(const struct fingerprint *self, struct arena *arena,
                                  struct str text)
{
    static const enum digest_algorithm ALGORITHMS[] = {
        [METHOD_SHA1] = DIGEST_SHA1,     [METHOD_SHA256] = DIGEST_SHA256,
        [METHOD_SHA384] = DIGEST_SHA384, [METHOD_SHA512] = DIGEST_SHA512,
        [METHOD_MD5] = DIGEST_MD5,
    };
    unsigned char digest[DIGEST_MAX_BYTES];
    assert(self->method <= METHOD_MD5);
    enum digest_algorithm algorithm = ALGORITHMS[self->method];
    size_t len = self->key.ptr ? digest_hmac(algorithm, self->key, text, digest)
                               : digest_bytes(algorithm, text, digest);
    return encode(self, arena, digest, len);
}

/* Integers are hashed by their bytes: eight, or four for the 128-bit variant when they fit. */
static struct value murmur(const struct fingerprint *self, struct arena *arena,
                           const struct value *value)
{
    char integer[8];
    struct str bytes;
    if (value_type(value) == VALUE_INT) {
        uint64_t word = (uint64_t)value_as_int(value);
        for (size_t i = 0; i < sizeof integer; i++)
            integer[i] = (char)(word >> (8 * i));
        bool is_short = self->method == METHOD_MURMUR3_128 && value_as_int(value) >= INT32_MIN &&
                        value_as_int(value) <= INT32_MAX;
        bytes = str_make(integer, is_short ? 4 : sizeof integer);
    } else {
        bytes = text_of(arena, value);
    }
    if (self->method == METHOD_MURMUR3)
        return value_int(murmur3_32(bytes, 0));
    unsigned char digest[MURMUR3_128_BYTES];
    murmur3_128(bytes, MURMUR3_128_SEED, digest);
    return encode(self, arena, digest, sizeof digest);
}

static bool network_of(const struct fingerprint *self, struct arena *arena, struct str text,
                       struct value *out)
{
    struct ip_network network;
    int64_t prefix = 0;
    char formatted[IP_TEXT_MAX];
    if (!ip_network_parse(text, &network))
        return false;
    if (!str_to_int(self->key, &prefix))
        prefix = 0;
    if (prefix < 0 || prefix > (int64_t)network.bytes * 8)
        return false;
    ip_network_mask(&network, (unsigned)prefix);
    *out = value_str_dup(arena, str_make(formatted, ip_network_format(&network, formatted)));
    return true;
}

static bool digest_of(const struct fingerprint *self, struct arena *arena,
                      const struct value *value, struct value *out)
{
    switch ((enum method)self->method) {
    case METHOD_SHA1:
    case METHOD_SHA256:
    case METHOD_SHA384:
    case METHOD_SHA512:
    case METHOD_MD5:
        *out = cryptographic(self, arena, text_of(arena, value));
        return true;
    case METHOD_MURMUR3:
    case METHOD_MURMUR3_128:
        *out = murmur(self, arena, value);
        return true;
    case METHOD_IPV4_NETWORK:
        return network_of(self, arena, text_of(arena, value), out);
    case METHOD_UUID:
    case METHOD_PUNCTUATION:
        break;
    }
    return false;
}

/* Only what Unicode calls punctuation or a symbol. */
static struct str punctuation(const struct fingerprint *self, struct arena *arena, struct str text)
{
    char *kept = arena_bytes(arena, text.len);
    size_t len = 0, start, end = 0;
    while (regex_search(self->punctuation, self->env->regex, text, end) == REGEX_MATCHED &&
           regex_group(self->env->regex, 0, &start, &end)) {
        memcpy(kept + len, text.ptr + start, end - start);
        len += end - start;
    }
    assert(len <= text.len);
    return str_make(kept, len);
}

static bool set_punctuation(const struct fingerprint *self, struct event *event)
{
    for (size_t i = 0; i < self->source.count; i++) {
        const struct value *value = event_get(event, &self->sorted[i]);
        if (!value)
            continue;
        struct str text = punctuation(self, event->arena, text_of(event->arena, value));
        if (!event_set(event, &self->target, value_str(text), NULL))
            return false;
    }
    return true;
}

static bool digest_list(const struct fingerprint *self, struct event *event,
                        const struct value *list, struct value *out)
{
    *out = value_array_new(event->arena, value_array_count(list));
    for (size_t i = 0; i < value_array_count(list); i++) {
        struct value digest;
        if (!digest_of(self, event->arena, value_array_at(list, i), &digest))
            return false;
        value_array_push(event->arena, out, digest);
    }
    return true;
}

/* Each source by itself; the last one stays. */
static bool set_each(const struct fingerprint *self, struct event *event)
{
    for (size_t i = 0; i < self->source.count; i++) {
        const struct value *value = event_get(event, &self->source.items[i]);
        struct value digest;
        if (!value)
            continue;
        bool digested = value_type(value) == VALUE_ARRAY
                            ? digest_list(self, event, value, &digest)
                            : digest_of(self, event->arena, value, &digest);
        if (!digested || !event_set(event, &self->target, digest, NULL))
            return false;
    }
    return true;
}

static bool set_fingerprint(const struct fingerprint *self, struct event *event)
{
    if (self->method == METHOD_UUID)
        return event_set(event, &self->target, value_str(random_uuid(event->arena, self->env)),
                         NULL);
    if (self->method == METHOD_PUNCTUATION)
        return set_punctuation(self, event);
    if (!self->concatenate_sources && !self->concatenate_all_fields)
        return set_each(self, event);
    struct value text = value_str(concatenated(self, event)), digest;
    return digest_of(self, event->arena, &text, &digest) &&
           event_set(event, &self->target, digest, NULL);
}

static enum filter_result fingerprint_apply(void *plugin, struct event *event,
                                            struct event_sink *more)
{
    const struct fingerprint *self = plugin;
    (void)more;
    if (set_fingerprint(self, event))
        return FILTER_MATCHED;
    counter_add(self->failures, 1);
    event_add_tag(event, STR("_fingerprintfailure"));
    return FILTER_SKIPPED;
}

const struct filter filter_fingerprint = {
    .plugin =
        {
            .name = "fingerprint",
            .summary = "Digests fields.",
            .options = OPTIONS,
            .size = sizeof(struct fingerprint),
            .check = fingerprint_check,
        },
    .open = fingerprint_open,
    .apply = fingerprint_apply,
    .close = fingerprint_close,
};
