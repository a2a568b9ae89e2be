/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/client_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "io/tls_store.h"

enum { CERTIFICATES_MAX_BYTES = 4 * 1024 * 1024 };

const char *const client_auto_true_false[] = {"auto", "true", "false", NULL};
const char *const client_verification_modes[] = {"full", "none", NULL};
const char *const client_true_false[] = {"true", "false", NULL};

const char *client_cstr(struct arena *arena, struct str text)
{
    return text.ptr ? arena_cstr(arena, text) : NULL;
}

bool client_read_file(struct arena *arena, const char *path, size_t max_bytes, struct str *out,
                      struct error *err)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return error_set(err, ERROR_IO, "cannot open '%s': %s", path, strerror(errno));
    struct buf text;
    buf_init(&text, max_bytes + 1);
    size_t got = 1;
    while (got > 0 && buf_reserve(&text, 1)) {
        got = fread(text.ptr + text.len, 1, text.capacity - text.len, file);
        text.len += got;
    }
    bool failed = ferror(file) != 0;
    fclose(file);
    bool ok = !failed && text.len <= max_bytes;
    if (failed)
        error_set(err, ERROR_IO, "cannot read '%s'", path);
    else if (!ok)
        error_set(err, ERROR_LIMIT, "'%s' is larger than %zu bytes", path, max_bytes);
    else
        *out = arena_dup(arena, buf_str(&text));
    buf_release(&text);
    return ok;
}

/* All files one after the other: PEM text may be joined. */
static bool read_authorities(const struct option_strings *files, struct arena *arena,
                             struct str *out, struct error *err)
{
    for (size_t i = 0; i < files->count; i++) {
        struct str text;
        if (!client_read_file(arena, arena_cstr(arena, files->items[i]), CERTIFICATES_MAX_BYTES,
                              &text, err))
            return error_prefix(err, "ssl_certificate_authorities");
        *out = arena_printf(arena, "%.*s%.*s\n", STR_FMT(*out), STR_FMT(text));
    }
    return true;
}

static const char *join_ciphers(const struct option_strings *ciphers, struct arena *arena)
{
    struct str list = {0};
    for (size_t i = 0; i < ciphers->count; i++)
        list = arena_printf(arena, "%.*s%s%.*s", STR_FMT(list), i > 0 ? ":" : "",
                            STR_FMT(ciphers->items[i]));
    return client_cstr(arena, list);
}

bool client_tls_check(const struct client_tls *tls, struct error *err)
{
    if (tls->key.ptr && !tls->certificate.ptr)
        return error_set(err, ERROR_CONFIG, "ssl_key needs ssl_certificate");
    if (tls->certificate.ptr && !tls->key.ptr)
        return error_set(err, ERROR_CONFIG, "ssl_certificate needs ssl_key");
    if (tls->certificate.ptr && tls->keystore_path.ptr)
        return error_set(err, ERROR_CONFIG,
                         "ssl_certificate and ssl_keystore_path exclude each other");
    if (tls->authorities.count > 0 && tls->truststore_path.ptr)
        return error_set(err, ERROR_CONFIG,
                         "ssl_certificate_authorities and ssl_truststore_path exclude each other");
    return tls_check_store(tls->keystore_path, tls->keystore_type, "ssl_keystore_type", err) &&
           tls_check_store(tls->truststore_path, tls->truststore_type, "ssl_truststore_type", err);
}

static bool read_stores(const struct client_tls *tls, struct arena *arena,
                        struct http_client_options *out, struct error *err)
{
    const struct tls_store keystore = {client_cstr(arena, tls->keystore_path),
                                       client_cstr(arena, tls->keystore_password)};
    const struct tls_store truststore = {client_cstr(arena, tls->truststore_path),
                                         client_cstr(arena, tls->truststore_password)};
    struct buf certificates, key;
    buf_init(&certificates, TLS_STORE_PEM_MAX_BYTES);
    buf_init(&key, TLS_STORE_PEM_MAX_BYTES);
    bool ok = !keystore.path || tls_store_identity(&keystore, &certificates, &key, err);
    out->certificate_pem = arena_dup(arena, buf_str(&certificates));
    out->key_pem = arena_dup(arena, buf_str(&key));
    buf_clear(&certificates, 0);
    ok = ok && (!truststore.path ||
                tls_store_authorities("ssl_truststore_path", &truststore, &certificates, err));
    if (ok && truststore.path)
        out->authorities = arena_dup(arena, buf_str(&certificates));
    buf_release(&certificates);
    buf_release(&key);
    return ok;
}

bool client_tls_apply(const struct client_tls *tls, struct arena *arena,
                      struct http_client_options *out, struct error *err)
{
    if (!client_tls_check(tls, err))
        return false;
    struct error why;
    if (tls->key.ptr && !tls->key_passphrase.ptr &&
        !file_check_private(client_cstr(arena, tls->key), &why))
        return error_set(err, ERROR_CONFIG, "ssl_key '%.*s': %s", STR_FMT(tls->key), why.text);
    out->verify = tls->verification == CLIENT_VERIFY_NONE ? HTTP_VERIFY_NONE : HTTP_VERIFY_FULL;
    out->certificate = client_cstr(arena, tls->certificate);
    out->key = client_cstr(arena, tls->key);
    out->key_password = client_cstr(arena, tls->key_passphrase);
    out->ciphers = join_ciphers(&tls->ciphers, arena);
    return read_authorities(&tls->authorities, arena, &out->authorities, err) &&
           read_stores(tls, arena, out, err) &&
           http_tls_versions(tls->protocols.items, tls->protocols.count, &out->tls_versions, err);
}

struct http_headers *client_headers(const struct option_hash *pairs, struct error *err)
{
    struct http_headers *headers = http_headers_new();
    for (size_t i = 0; i < pairs->count; i++) {
        struct str name = pairs->pairs[i].key.text;
        if (http_headers_add(headers, name, pairs->pairs[i].value.text))
            continue;
        error_set(err, ERROR_CONFIG, "'%.*s' cannot be sent as a header", STR_FMT(name));
        http_headers_free(headers);
        return NULL;
    }
    return headers;
}

/* ---- URLs ---------------------------------------------------------------------------------------- */

bool client_url_begins(struct str url)
{
    struct str http = STR("http://"), https = STR("https://");
    struct str head = str_make(url.ptr, url.len < https.len ? url.len : https.len);
    if (head.len == https.len && str_equal_nocase(head, https))
        return url.len > https.len;
    head.len = url.len < http.len ? url.len : http.len;
    return str_equal_nocase(head, http) && url.len > http.len;
}

bool client_url_is_valid(struct str url)
{
    for (size_t i = 0; i < url.len; i++)
        if ((unsigned char)url.ptr[i] <= ' ' || url.ptr[i] == 0x7f)
            return false;
    return client_url_begins(url);
}

bool client_append_url(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool illegal = c <= ' ' || c >= 0x7f || strchr("\"<>\\^`{|}", c);
        if (!(illegal ? http_escape(str_make(text.ptr + i, 1), out)
                      : buf_append_char(out, (char)c)))
            return false;
    }
    return true;
}

/* ---- connections ---------------------------------------------------------------------------------- */

bool client_connection_check(const struct client_connection *connection, struct error *err)
{
    if (connection->user.ptr && !connection->password.ptr)
        return error_set(err, ERROR_CONFIG, "user needs password");
    return client_tls_check(&connection->tls, err);
}

bool client_connection_apply(const struct client_connection *connection,
                             const struct plugin_env *env, struct http_client_options *out,
                             struct error *err)
{
    struct arena *arena = env->arena;
    out->loop = env->loop;
    out->max_connections = (unsigned)connection->pool_max;
    out->max_host_connections = (unsigned)connection->pool_max_per_route;
    out->connect_timeout_ms = (unsigned)connection->connect_timeout_ms;
    out->timeout_ms = (unsigned)connection->request_timeout_ms;
    out->user_agent = "millrace/" MILLRACE_VERSION;
    out->user = client_cstr(arena, connection->user);
    out->password = client_cstr(arena, connection->password);
    out->proxy = client_cstr(arena, connection->proxy);
    out->connect_to = env->settings->connect_to;
    out->follow_redirects = connection->follow_redirects;
    out->cookies = connection->cookies;
    out->close_connections = !connection->keepalive;
    return client_tls_apply(&connection->tls, arena, out, err);
}

struct http_client *client_connection_open(const struct client_connection *connection,
                                           const struct plugin_env *env, size_t max_response_bytes,
                                           struct account *charged, struct error *err)
{
    struct http_client_options options = {.max_response_bytes = max_response_bytes,
                                          .charged = charged};
    return client_connection_apply(connection, env, &options, err) ? http_client_new(&options)
                                                                   : NULL;
}
