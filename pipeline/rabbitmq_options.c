/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/rabbitmq_options.h"

#include <assert.h>

bool rabbitmq_client_check(const struct rabbitmq_client *client, struct error *err)
{
    if (client->hosts.count == 0)
        return error_set(err, ERROR_CONFIG, "host needs at least one name");
    if ((client->certificate_path.len > 0) != (client->certificate_password.len > 0))
        return error_set(err, ERROR_CONFIG,
                         "ssl_certificate_path and ssl_certificate_password belong together");
    for (size_t i = 0; i < client->versions.count; i++)
        if (!tls_version_of(client->versions.items[i]))
            return error_set(err, ERROR_CONFIG, "ssl_version: '%.*s' is unknown",
                             STR_FMT(client->versions.items[i]));
    return true;
}

bool rabbitmq_client_tls(const struct rabbitmq_client *client, struct arena *arena,
                         struct tls_context **out, struct error *err)
{
    size_t count = client->authorities.count;
    const char **paths = arena_zero(arena, (count + 1) * sizeof *paths);
    struct tls_settings settings = {
        .authorities = count > 0 ? paths : NULL,
        .verify = count > 0 ? TLS_VERIFY_FULL : TLS_VERIFY_NONE,
    };
    *out = NULL;
    if (!client->ssl)
        return true;
    for (size_t i = 0; i < count; i++)
        paths[i] = client->authorities.items[i].ptr; /* texts of options have a NUL behind them */
    for (size_t i = 0; i < client->versions.count; i++)
        settings.versions |= tls_version_of(client->versions.items[i]);
    if (client->certificate_path.len > 0) {
        settings.keystore.path = client->certificate_path.ptr;
        settings.keystore.password = client->certificate_password.ptr;
    }
    *out = tls_context_new(&settings, err);
    return *out != NULL;
}

/* "name:port", or a name alone. IPv6 addresses with a port stand in brackets. */
static uint16_t split_host(const struct rabbitmq_client *client, struct str host,
                           struct str *name_out)
{
    int64_t port;
    const char *first = memchr(host.ptr, ':', host.len), *last = memrchr(host.ptr, ':', host.len);
    *name_out = host;
    if (!last || (first != last && (last == host.ptr || last[-1] != ']')) ||
        !str_to_int(str_from_offset(host, (size_t)(last + 1 - host.ptr)), &port) || port < 1 ||
        port > UINT16_MAX)
        return (uint16_t)client->port;
    name_out->len = (size_t)(last - host.ptr);
    return (uint16_t)port;
}

void rabbitmq_client_fill(const struct rabbitmq_client *client, struct arena *arena, size_t index,
                          struct rabbit_options *out)
{
    struct str name;
    assert(client->hosts.count > 0);
    out->port = split_host(client, client->hosts.items[index % client->hosts.count], &name);
    out->host = arena_cstr(arena, name);
    out->user = client->user.ptr;
    out->password = client->password.ptr;
    out->vhost = client->vhost.ptr;
    out->heartbeat_s = (unsigned)(client->heartbeat_ms / 1000);
    out->timeout_ms = (unsigned)client->timeout_ms;
}

static struct rabbit_value value_of(const struct conf_value *value)
{
    struct rabbit_value out = {.kind = RABBIT_TEXT, .text = value->text};
    if (value->type == CONF_NUMBER && str_to_int(value->text, &out.integer))
        out.kind = RABBIT_INT;
    else if (value->type == CONF_NUMBER && str_to_double(value->text, &out.real))
        out.kind = RABBIT_FLOAT;
    else if (str_equal(value->text, STR("true")) || str_equal(value->text, STR("false"))) {
        out.kind = RABBIT_BOOL;
        out.boolean = value->text.len == 4;
    }
    return out;
}

bool rabbitmq_pairs(const char *option, const struct conf_pair *pairs, size_t count,
                    struct arena *arena, struct rabbit_pair **out, struct error *err)
{
    if (count > RABBIT_TABLE_MAX)
        return error_set(err, ERROR_CONFIG, "%s: more than %d entries", option, RABBIT_TABLE_MAX);
    *out = arena_zero(arena, (count + 1) * sizeof **out);
    for (size_t i = 0; i < count; i++) {
        if (!pairs[i].value.text.ptr)
            return error_set(err, ERROR_CONFIG, "%s: '%.*s' needs a text or a number", option,
                             STR_FMT(pairs[i].key.text));
        (*out)[i] = (struct rabbit_pair){pairs[i].key.text, value_of(&pairs[i].value)};
    }
    return true;
}
