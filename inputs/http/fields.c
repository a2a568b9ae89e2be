/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text/utf8.h"
#include "inputs/http/http.h"

#define REF(path, ...)                                                                             \
    {                                                                                              \
        .text = STR_INIT(path), .root = FIELD_ROOT_EVENT,                                          \
        .parts = (struct field_part[]){__VA_ARGS__},                                               \
        .count = sizeof((struct field_part[]){__VA_ARGS__}) / sizeof(struct field_part)            \
    }

static const struct field_ref HEADERS[] = {
    FIELD_REF_TOP("headers"),
    {
        .text = STR_INIT("[@metadata][input][http][request][headers]"),
        .root = FIELD_ROOT_METADATA,
        .parts = (struct field_part[]){FIELD_PART("input"), FIELD_PART("http"),
                                       FIELD_PART("request"), FIELD_PART("headers")},
        .count = 4,
    },
};
static const struct field_ref REMOTE[] = {FIELD_REF_TOP("host"),
                                          REF("[host][ip]", FIELD_PART("host"), FIELD_PART("ip"))};
static const struct field_ref METHOD =
    REF("[http][method]", FIELD_PART("http"), FIELD_PART("method"));
static const struct field_ref VERSION =
    REF("[http][version]", FIELD_PART("http"), FIELD_PART("version"));
static const struct field_ref DOMAIN =
    REF("[url][domain]", FIELD_PART("url"), FIELD_PART("domain"));
static const struct field_ref PORT = REF("[url][port]", FIELD_PART("url"), FIELD_PART("port"));
static const struct field_ref PATH = REF("[url][path]", FIELD_PART("url"), FIELD_PART("path"));
static const struct field_ref AGENT =
    REF("[user_agent][original]", FIELD_PART("user_agent"), FIELD_PART("original"));
static const struct field_ref TYPE = REF("[http][request][mime_type]", FIELD_PART("http"),
                                         FIELD_PART("request"), FIELD_PART("mime_type"));
static const struct field_ref BYTES =
    REF("[http][request][body][bytes]", FIELD_PART("http"), FIELD_PART("request"),
        FIELD_PART("body"), FIELD_PART("bytes"));

/* ---- the headers, as one object ---- */

struct reading {
    struct arena *arena;
    struct value *headers;
};

/* content-type → content_type; three have names of their own. */
static struct str name_of(struct arena *arena, struct str header)
{
    static const struct {
        struct str header, name;
    } RENAMED[] = {{STR_INIT("accept"), STR_INIT("http_accept")},
                   {STR_INIT("host"), STR_INIT("http_host")},
                   {STR_INIT("user_agent"), STR_INIT("http_user_agent")}};
    char *name = arena_bytes(arena, header.len + 1);
    for (size_t i = 0; i < header.len; i++) {
        char byte = header.ptr[i];
        name[i] = byte == '-' ? '_' : byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
    }
    struct str made = str_make(name, header.len);
    for (size_t i = 0; i < sizeof RENAMED / sizeof *RENAMED; i++)
        if (str_equal(made, RENAMED[i].header))
            return RENAMED[i].name;
    return made;
}

static void add_header(void *ctx, struct str header, struct str text)
{
    const struct reading *reading = ctx;
    if (str_equal_nocase(header, STR("authorization")))
        return;
    struct str copy = utf8_repair(reading->arena, arena_dup(reading->arena, text));
    value_object_set(reading->arena, reading->headers, name_of(reading->arena, header),
                     value_str(copy));
}

void fields_read(const struct http_exchange *exchange, struct arena *arena, struct http_fields *out)
{
    static const struct str ALWAYS[] = {STR_INIT("http_accept"), STR_INIT("http_host"),
                                        STR_INIT("http_user_agent")};
    struct reading reading = {arena, &out->headers};
    out->headers = value_object_new(arena, 12);
    for (size_t i = 0; i < sizeof ALWAYS / sizeof *ALWAYS; i++)
        value_object_set(arena, &out->headers, ALWAYS[i], value_null());
    http_exchange_headers(exchange, add_header, &reading);
    value_object_set(arena, &out->headers, STR("request_method"),
                     value_str(arena_dup(arena, exchange->method)));
    value_object_set(arena, &out->headers, STR("request_path"),
                     value_str(utf8_repair(arena, arena_dup(arena, exchange->raw_target))));
    value_object_set(arena, &out->headers, STR("http_version"),
                     value_str(arena_dup(arena, exchange->version)));
    out->host = http_exchange_header(exchange, "Host");
    out->agent = http_exchange_header(exchange, "User-Agent");
    out->type = http_exchange_header(exchange, "Content-Type");
    out->length = http_exchange_header(exchange, "Content-Length");
}

/* ---- the fields of ECS ---- */

static void set_text(struct event *event, const struct field_ref *ref, struct str text)
{
    struct str copy = utf8_repair(event->arena, arena_dup(event->arena, text));
    event_set(event, ref, value_str(copy), NULL);
}

static void set_if_there(struct event *event, const struct field_ref *ref, const char *text)
{
    if (text)
        set_text(event, ref, str_from(text));
}

/* host, host:port, [::1]:port */
static void set_domain(struct event *event, struct str host)
{
    size_t end = str_find(host, STR("]"));
    bool bracketed = host.len > 0 && host.ptr[0] == '[' && end != SIZE_MAX;
    struct str domain = host, rest = {0};
    int64_t port;
    if (bracketed) {
        domain = str_make(host.ptr + 1, end - 1);
        rest = str_from_offset(host, end + 1);
    } else if ((end = str_find(host, STR(":"))) != SIZE_MAX) {
        domain = str_make(host.ptr, end);
        rest = str_from_offset(host, end);
    }
    set_text(event, &DOMAIN, domain);
    if (rest.len > 1 && str_to_int(str_from_offset(rest, 1), &port))
        event_set(event, &PORT, value_int(port), NULL);
}

static void set_ecs(const struct http_exchange *exchange, const struct http_fields *fields,
                    struct event *event)
{
    set_text(event, &METHOD, exchange->method);
    set_text(event, &VERSION, exchange->version);
    if (fields->host)
        set_domain(event, str_from(fields->host));
    set_text(event, &PATH, exchange->raw_target);
    set_if_there(event, &AGENT, fields->agent);
    set_if_there(event, &TYPE, fields->type);
    set_if_there(event, &BYTES, fields->length);
}

void fields_set(const struct http_input *input, const struct http_exchange *exchange,
                struct http_fields *fields, struct event *event)
{
    const struct http_options *options = &input->options;
    const struct server_connection *connection = exchange->connection;
    bool ecs = input->env->ecs != ECS_DISABLED;
    const struct field_ref *remote = &options->remote_host_field;
    const struct field_ref *headers = &options->request_headers_field;
    struct value copy = value_dup_shared(event->arena, &fields->headers);
    event_set(event, headers->count > 0 ? headers : &HEADERS[ecs], copy, NULL);
    set_text(event, remote->count > 0 ? remote : &REMOTE[ecs], str_from(connection->peer.text));
    if (ecs)
        set_ecs(exchange, fields, event);
}
