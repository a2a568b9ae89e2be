/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/tls_options.h"

#include <assert.h>

static const char *cstr(const struct plugin_env *env, struct str text)
{
    return text.ptr ? arena_cstr(env->arena, text) : NULL;
}

static const char *const *cstrs(const struct plugin_env *env, const struct option_strings *list)
{
    const char **texts = arena_alloc(env->arena, (list->count + 1) * sizeof *texts);
    for (size_t i = 0; i < list->count; i++)
        texts[i] = arena_cstr(env->arena, list->items[i]);
    texts[list->count] = NULL;
    return texts;
}

/* ---- versions ---- */

static bool listed_versions(const struct option_strings *list, unsigned *out, struct error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        unsigned version = tls_version_of(list->items[i]);
        if (!version)
            return error_set(err, ERROR_CONFIG,
                             "ssl_supported_protocols: '%.*s' is none of TLSv1.1, TLSv1.2 and "
                             "TLSv1.3",
                             STR_FMT(list->items[i]));
        *out |= version;
    }
    return true;
}

/* tls_min_version => 1.2; 1 was TLS 1.0, which is spoken no more. */
static bool versions_between(double min, double max, unsigned *out, struct error *err)
{
    static const struct {
        double number;
        unsigned version;
    } VERSIONS[] = {{1.1, TLS_1_1}, {1.2, TLS_1_2}, {1.3, TLS_1_3}};
    const double half = 0.05;
    for (size_t i = 0; i < sizeof VERSIONS / sizeof *VERSIONS; i++)
        if ((min == 0 ? i > 0 : VERSIONS[i].number > min - half) &&
            (max == 0 || VERSIONS[i].number < max + half))
            *out |= VERSIONS[i].version;
    return *out || error_set(err, ERROR_CONFIG,
                             "no TLS version lies between tls_min_version and tls_max_version");
}

static bool read_versions(const struct tls_options *options, unsigned *out, struct error *err)
{
    *out = 0;
    bool old = options->min_version != 0 || options->max_version != 0;
    if (old && options->versions.count > 0)
        return error_set(err, ERROR_CONFIG,
                         "ssl_supported_protocols and tls_min_version or tls_max_version say the "
                         "same thing: keep ssl_supported_protocols");
    return old ? versions_between(options->min_version, options->max_version, out, err)
               : listed_versions(&options->versions, out, err);
}

/* ---- verification ---- */

struct verify_name {
    enum tls_side side;
    struct str name;
    enum tls_verify verify;
};

static const struct verify_name VERIFY_NAMES[] = {
    {TLS_SERVER, STR_INIT("none"), TLS_VERIFY_NONE},
    {TLS_SERVER, STR_INIT("optional"), TLS_VERIFY_OPTIONAL},
    {TLS_SERVER, STR_INIT("required"), TLS_VERIFY_REQUIRED},
    {TLS_SERVER, STR_INIT("peer"), TLS_VERIFY_OPTIONAL},
    {TLS_SERVER, STR_INIT("force_peer"), TLS_VERIFY_REQUIRED},
    {TLS_SERVER, STR_INIT("false"), TLS_VERIFY_NONE}, /* ssl_verify */
    {TLS_SERVER, STR_INIT("true"), TLS_VERIFY_REQUIRED},
    {TLS_CLIENT, STR_INIT("full"), TLS_VERIFY_FULL},
    {TLS_CLIENT, STR_INIT("certificate"), TLS_VERIFY_REQUIRED},
    {TLS_CLIENT, STR_INIT("none"), TLS_VERIFY_NONE},
    {TLS_CLIENT, STR_INIT("true"), TLS_VERIFY_FULL},
    {TLS_CLIENT, STR_INIT("false"), TLS_VERIFY_NONE},
};

static bool read_verify(const struct tls_options *options, const struct tls_defaults *defaults,
                        enum tls_verify *out, struct error *err)
{
    bool server = defaults->side == TLS_SERVER;
    struct str name = server ? options->client_authentication : options->verification;
    if (!name.ptr)
        name = str_from(defaults->verify);
    for (size_t i = 0; i < sizeof VERIFY_NAMES / sizeof *VERIFY_NAMES; i++)
        if (VERIFY_NAMES[i].side == defaults->side && str_equal(VERIFY_NAMES[i].name, name)) {
            *out = VERIFY_NAMES[i].verify;
            return true;
        }
    return error_set(err, ERROR_CONFIG, "%s is '%.*s', expected %s",
                     server ? "ssl_client_authentication" : "ssl_verification_mode", STR_FMT(name),
                     server ? "none, optional or required" : "full, certificate or none");
}

/* ---- what fits together ---- */

static bool check_identity(const struct tls_options *options, enum tls_side side, struct error *err)
{
    if (options->keystore_path.ptr && options->certificate.ptr)
        return error_set(err, ERROR_CONFIG,
                         "ssl_certificate and ssl_keystore_path exclude each other");
    if (options->certificate.ptr && !options->key.ptr)
        return error_set(err, ERROR_CONFIG, "ssl_certificate needs ssl_key");
    if (options->key.ptr && !options->certificate.ptr)
        return error_set(err, ERROR_CONFIG, "ssl_key needs ssl_certificate");
    if (side == TLS_SERVER && !options->certificate.ptr && !options->keystore_path.ptr)
        return error_set(err, ERROR_CONFIG, "ssl_enabled needs ssl_certificate and ssl_key");
    return true;
}

static bool check_trust(const struct tls_options *options, enum tls_side side,
                        enum tls_verify verify, struct error *err)
{
    bool any = options->authorities.count > 0 || options->truststore_path.ptr;
    bool asked = options->client_authentication.ptr && verify != TLS_VERIFY_NONE;
    if (options->authorities.count > 0 && options->truststore_path.ptr)
        return error_set(err, ERROR_CONFIG,
                         "ssl_certificate_authorities and ssl_truststore_path exclude each other");
    if (side != TLS_SERVER)
        return true;
    if (asked && !any && !options->keystore_path.ptr)
        return error_set(err, ERROR_CONFIG,
                         "ssl_client_authentication => %.*s needs ssl_certificate_authorities",
                         STR_FMT(options->client_authentication));
    if (any && verify == TLS_VERIFY_NONE)
        return error_set(err, ERROR_CONFIG,
                         "ssl_certificate_authorities is of no use without "
                         "ssl_client_authentication => optional or required");
    return true;
}

bool tls_check_store(struct str path, struct str type, const char *option, struct error *err)
{
    if (!type.ptr && str_ends_with(path, STR(".jks"))) /* as in Logstash */
        type = STR("jks");
    if (!type.ptr || str_equal_nocase(type, STR("pkcs12")))
        return true;
    if (!path.ptr)
        return error_set(err, ERROR_CONFIG, "%s needs a store", option);
    return error_set(err, ERROR_CONFIG,
                     "%s is '%.*s', expected pkcs12; convert the store: keytool -importkeystore "
                     "-srckeystore OLD -destkeystore NEW.p12 -deststoretype pkcs12",
                     option, STR_FMT(type));
}

static bool make_settings(const struct tls_options *options, const struct tls_defaults *defaults,
                          const struct plugin_env *env, struct tls_settings *out, struct error *err)
{
    *out = (struct tls_settings){
        .is_server = defaults->side == TLS_SERVER,
        .certificate = cstr(env, options->certificate),
        .key = cstr(env, options->key),
        .key_passphrase = cstr(env, options->key_passphrase),
        .extra_chain = cstrs(env, &options->extra_chain),
        .keystore = {cstr(env, options->keystore_path), cstr(env, options->keystore_password)},
        .authorities = cstrs(env, &options->authorities),
        .truststore = {cstr(env, options->truststore_path),
                       cstr(env, options->truststore_password)},
        .ciphers = options->ciphers.items,
        .cipher_count = options->ciphers.count,
    };
    return read_verify(options, defaults, &out->verify, err) &&
           read_versions(options, &out->versions, err) &&
           check_identity(options, defaults->side, err) &&
           check_trust(options, defaults->side, out->verify, err) &&
           tls_check_store(options->keystore_path, options->keystore_type, "ssl_keystore_type",
                           err) &&
           tls_check_store(options->truststore_path, options->truststore_type,
                           "ssl_truststore_type", err);
}

static bool has_others(const struct tls_options *options)
{
    return options->certificate.ptr || options->key.ptr || options->key_passphrase.ptr ||
           options->authorities.count > 0 || options->client_authentication.ptr ||
           options->verification.ptr || options->versions.count > 0 || options->ciphers.count > 0 ||
           options->keystore_path.ptr || options->truststore_path.ptr;
}

static void warn_of_unused(const struct tls_options *options, const struct plugin_env *env)
{
    if (env->warnings && has_others(options))
        error_list_warn_at(env->warnings, env->position,
                           "ssl_enabled is false: the other ssl options are not used");
}

bool tls_options_open(const struct tls_options *options, const struct tls_defaults *defaults,
                      const struct plugin_env *env, struct tls_context **context_out,
                      struct error *err)
{
    struct tls_settings settings;
    *context_out = NULL;
    if (!options->enabled)
        return true;
    if (!make_settings(options, defaults, env, &settings, err))
        return false;
    *context_out = tls_context_new(&settings, err);
    return *context_out != NULL;
}

bool tls_options_check(const struct tls_options *options, const struct tls_defaults *defaults,
                       const struct plugin_env *env, struct error *err)
{
    struct tls_context *context;
    if (!options->enabled)
        warn_of_unused(options, env);
    if (!tls_options_open(options, defaults, env, &context, err))
        return false;
    tls_context_free(context);
    return true;
}
