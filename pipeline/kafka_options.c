/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/kafka_options.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "io/java_store.h"
#include "io/kafka_survey.h"
#include "io/tls_store.h"

enum { NUMBER_BYTES = 24 };

enum { DNS_USE_ALL, DNS_CANONICAL, DNS_DEFAULT };
const char *const kafka_dns_lookups[] = {
    "use_all_dns_ips",
    "resolve_canonical_bootstrap_servers_only",
    "default",
    NULL,
};

enum { PROTOCOL_PLAINTEXT, PROTOCOL_SSL, PROTOCOL_SASL_PLAINTEXT, PROTOCOL_SASL_SSL };
const char *const kafka_security_protocols[] = {
    "PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL", NULL,
};

bool kafka_set(struct kafka_conf *conf, const char *option, const char *property, const char *value,
               struct error *err)
{
    return kafka_conf_set(conf, property, value, err) || error_prefix(err, "%s", option);
}

bool kafka_set_number(struct kafka_conf *conf, const char *option, const char *property,
                      int64_t value, struct error *err)
{
    char text[NUMBER_BYTES];
    snprintf(text, sizeof text, "%" PRId64, value);
    return kafka_set(conf, option, property, text, err);
}

static bool set_text(struct kafka_conf *conf, const char *option, const char *property,
                     struct str value, struct error *err)
{
    return value.len == 0 || kafka_set(conf, option, property, value.ptr, err);
}

/* ---- connections ---------------------------------------------------------------------------------- */

struct number_row {
    const char *option, *property;
    int64_t value;
};

static bool apply_numbers(const struct number_row *rows, size_t count, struct kafka_conf *conf,
                          struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (!kafka_set_number(conf, rows[i].option, rows[i].property, rows[i].value, err))
            return false;
    return true;
}

static int64_t buffer_bytes(int64_t option)
{
    return option < 0 ? 0 : option; /* 0 is librdkafka's "the system's own" */
}

static bool apply_connections(const struct kafka_client_options *options, struct kafka_conf *conf,
                              struct error *err)
{
    int64_t most = options->reconnect_backoff_max_ms;
    if (most < options->reconnect_backoff_ms)
        most = options->reconnect_backoff_ms;
    const struct number_row rows[] = {
        {"connections_max_idle_ms", "connections.max.idle.ms", options->connections_max_idle_ms},
        {"metadata_max_age_ms", "topic.metadata.refresh.interval.ms", options->metadata_max_age_ms},
        {"request_timeout_ms", "socket.timeout.ms", options->request_timeout_ms},
        {"receive_buffer_bytes", "socket.receive.buffer.bytes",
         buffer_bytes(options->receive_buffer_bytes)},
        {"send_buffer_bytes", "socket.send.buffer.bytes", buffer_bytes(options->send_buffer_bytes)},
        {"reconnect_backoff_ms", "reconnect.backoff.ms", options->reconnect_backoff_ms},
        {"reconnect_backoff_max_ms", "reconnect.backoff.max.ms", most},
        {"retry_backoff_ms", "retry.backoff.ms", options->retry_backoff_ms},
    };
    const char *lookup =
        kafka_dns_lookups[options->dns_lookup == DNS_CANONICAL ? DNS_CANONICAL : DNS_USE_ALL];
    return apply_numbers(rows, sizeof rows / sizeof rows[0], conf, err) &&
           kafka_set(conf, "client_dns_lookup", "client.dns.lookup", lookup, err) &&
           set_text(conf, "client_id", "client.id", options->client_id, err) &&
           set_text(conf, "bootstrap_servers", "bootstrap.servers", options->bootstrap_servers,
                    err);
}

/* ---- TLS ------------------------------------------------------------------------------------------ */

static bool store_is(const struct kafka_store *store, const char *type, const char *const *endings)
{
    if (store->type.len > 0)
        return strcasecmp(store->type.ptr, type) == 0;
    for (; *endings; endings++)
        if (str_ends_with(store->location, str_from(*endings)))
            return true;
    return false;
}

static bool is_pem(const struct kafka_store *store)
{
    static const char *const ENDINGS[] = {".pem", ".crt", ".cer", NULL};
    return store_is(store, "PEM", ENDINGS);
}

static bool is_pkcs12(const struct kafka_store *store)
{
    static const char *const ENDINGS[] = {".p12", ".pfx", ".pkcs12", NULL};
    return store_is(store, "PKCS12", ENDINGS);
}

static bool apply_keystore(const struct kafka_client_options *options, struct kafka_conf *conf,
                           struct error *err)
{
    const struct kafka_store *store = &options->keystore;
    const char *option = "ssl_keystore_location";
    struct str password = options->key_password.len > 0 ? options->key_password : store->password;
    if (store->location.len == 0)
        return true;
    if (is_pkcs12(store))
        return set_text(conf, option, "ssl.keystore.location", store->location, err) &&
               set_text(conf, "ssl_keystore_password", "ssl.keystore.password", store->password,
                        err);
    if (!is_pem(store))
        return error_set(err, ERROR_CONFIG,
                         "%s: only PEM and PKCS12 can be read; convert the store with keytool and "
                         "set ssl_keystore_type",
                         option);
    struct error why;
    if (password.len == 0 && !file_check_private(store->location.ptr, &why))
        return error_set(err, ERROR_CONFIG, "%s '%s': %s", option, store->location.ptr, why.text);
    return set_text(conf, option, "ssl.certificate.location", store->location, err) &&
           set_text(conf, option, "ssl.key.location", store->location, err) &&
           set_text(conf, "ssl_key_password", "ssl.key.password", password, err);
}

/* The certificates of a store of Java's, of either kind: what the file is says its content, for types are often left out. */
static bool read_authorities(const char *option, const struct kafka_store *store, struct buf *out,
                             struct error *err)
{
    struct arena arena;
    struct str bytes;
    const char *wrong = NULL;
    arena_init(&arena, NULL);
    bool ok = file_read(&arena, store->location.ptr, JAVA_STORE_MAX_BYTES, &bytes, err) ||
              error_prefix(err, "%s", option);
    bool is_java = ok && java_store_is(bytes);
    if (is_java)
        wrong = java_store_authorities(bytes, store->password, out);
    arena_release(&arena);
    if (wrong)
        return error_set(err, ERROR_CONFIG, "%s '%s': %s", option, store->location.ptr, wrong);
    const struct tls_store pkcs12 = {store->location.ptr, store->password.ptr};
    return ok && (is_java || tls_store_authorities(option, &pkcs12, out, err));
}

static bool apply_truststore(const struct kafka_store *store, struct kafka_conf *conf,
                             struct error *err)
{
    const char *option = "ssl_truststore_location";
    /* What is not there when a pipeline is checked may be there when it starts: the library says so then. */
    if (store->location.len == 0 || is_pem(store) || access(store->location.ptr, R_OK) != 0)
        return set_text(conf, option, "ssl.ca.location", store->location, err);
    struct buf pem;
    buf_init(&pem, TLS_STORE_PEM_MAX_BYTES);
    bool ok = read_authorities(option, store, &pem, err) &&
              (buf_append_char(&pem, '\0') ||
               error_set(err, ERROR_LIMIT, "%s: too many certificates", option)) &&
              kafka_set(conf, option, "ssl.ca.pem", pem.ptr, err);
    buf_release(&pem);
    return ok;
}

static bool apply_tls(const struct kafka_client_options *options, struct kafka_conf *conf,
                      struct error *err)
{
    struct str check = options->endpoint_identification;
    return apply_truststore(&options->truststore, conf, err) &&
           apply_keystore(options, conf, err) &&
           kafka_set(conf, "ssl_endpoint_identification_algorithm",
                     "ssl.endpoint.identification.algorithm", check.len > 0 ? check.ptr : "none",
                     err);
}

/* ---- login ---------------------------------------------------------------------------------------- */

/* The value of name="..." or name='...' in a login of Java's; a backslash takes the next byte as it is. ptr NULL: none. */
static struct str jaas_value(struct str jaas, const char *name, struct arena *arena)
{
    size_t len = strlen(name);
    for (size_t at = 0; at + len + 2 <= jaas.len; at++) {
        size_t from = at + len;
        bool begins = at == 0 || strchr(" \t\r\n;", jaas.ptr[at - 1]);
        if (!begins || memcmp(jaas.ptr + at, name, len) != 0 || jaas.ptr[from] != '=')
            continue;
        char quote = jaas.ptr[from + 1];
        if (quote != '"' && quote != '\'')
            continue;
        char *out = arena_bytes(arena, jaas.len + 1);
        size_t count = 0;
        for (size_t i = from + 2; i < jaas.len && jaas.ptr[i] != quote; i++) {
            if (jaas.ptr[i] == '\\' && i + 1 < jaas.len)
                i++;
            out[count++] = jaas.ptr[i];
        }
        out[count] = '\0';
        return str_make(out, count);
    }
    return (struct str){0};
}

static bool apply_login(const struct kafka_client_options *options, struct arena *arena,
                        struct kafka_conf *conf, struct error *err)
{
    struct str mechanism = options->sasl_mechanism;
    struct str user = jaas_value(options->sasl_jaas_config, "username", arena);
    struct str password = jaas_value(options->sasl_jaas_config, "password", arena);
    if (mechanism.len == 0 || str_equal(mechanism, STR("GSSAPI")))
        return error_set(err, ERROR_CONFIG,
                         "sasl_mechanism: Kerberos (GSSAPI, the default) is not built in; use "
                         "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512");
    if (!user.ptr || !password.ptr)
        return error_set(err, ERROR_CONFIG,
                         "sasl_jaas_config needs username=\"...\" and password=\"...\"");
    return set_text(conf, "sasl_mechanism", "sasl.mechanism", mechanism, err) &&
           set_text(conf, "sasl_jaas_config", "sasl.username", user, err) &&
           set_text(conf, "sasl_jaas_config", "sasl.password", password, err);
}

bool kafka_client_apply(const struct kafka_client_options *options, struct arena *arena,
                        struct kafka_conf *conf, struct error *err)
{
    int protocol = options->security_protocol;
    bool tls = protocol == PROTOCOL_SSL || protocol == PROTOCOL_SASL_SSL;
    bool login = protocol == PROTOCOL_SASL_PLAINTEXT || protocol == PROTOCOL_SASL_SSL;
    return apply_connections(options, conf, err) &&
           kafka_set(conf, "security_protocol", "security.protocol",
                     kafka_security_protocols[protocol], err) &&
           (!tls || apply_tls(options, conf, err)) &&
           (!login || apply_login(options, arena, conf, err));
}

bool kafka_properties_apply(const struct option_hash *properties, const char *const *ours,
                            struct arena *arena, struct kafka_conf *conf, struct error *err)
{
    for (size_t i = 0; i < properties->count; i++) {
        const char *name = arena_cstr(arena, properties->pairs[i].key.text);
        const struct conf_value *value = &properties->pairs[i].value;
        for (const char *const *own = ours; *own; own++)
            if (strcmp(name, *own) == 0)
                return error_set(err, ERROR_CONFIG,
                                 "properties: '%s' cannot be set, delivery depends on it", name);
        if (!value->text.ptr)
            return error_set(err, ERROR_CONFIG, "properties: '%s' needs a text or a number", name);
        if (!kafka_set(conf, "properties", name, arena_cstr(arena, value->text), err))
            return false;
    }
    return true;
}

/* ---- trying --------------------------------------------------------------------------------------- */

static bool say_topics(const struct kafka_places *places, struct buf *said)
{
    bool fits = true;
    for (size_t i = 0, first = 0; fits && i < places->count; i++)
        if (i + 1 == places->count ||
            strcmp(places->items[i].topic, places->items[i + 1].topic) != 0) {
            fits = buf_printf(said, ", topic %s with %zu partition%s", places->items[i].topic,
                              i + 1 - first, i == first ? "" : "s");
            first = i + 1;
        }
    return fits;
}

bool kafka_try(struct kafka_conf *conf, struct str servers, const char *const *topics,
               struct buf *said, struct error *err)
{
    static const char *const NOTHING[] = {"^$", NULL};
    struct kafka_places places;
    struct kafka_survey *survey = kafka_survey_open(conf, err);
    if (!survey)
        return false;
    bool ok = kafka_survey_topics(survey, *topics ? topics : NOTHING, &places, err) ||
              error_prefix(err, "%.*s", STR_FMT(servers));
    if (ok)
        ok = (buf_printf(said, "%.*s: %zu broker%s", STR_FMT(servers), places.brokers,
                         places.brokers == 1 ? "" : "s") &&
              say_topics(&places, said) && buf_append_char(said, '\n')) ||
             error_set(err, ERROR_LIMIT, "too many topics to be listed");
    kafka_places_release(&places);
    kafka_survey_close(survey);
    return ok;
}
