/* SPDX-License-Identifier: Apache-2.0
 *
 * What the settings of the monitoring API must be together.
 */
#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

#include "conf/settings_private.h"

/* ---- ports ---------------------------------------------------------------------------------------- */

static bool read_port(struct str text, int64_t *out)
{
    return str_to_int(text, out) && *out >= 1 && *out <= 65535;
}

static void check_ports(struct settings *settings, struct error_list *errors)
{
    struct str text = settings->api_ports;
    size_t dash = str_find(text, STR("-"));
    struct str first = dash == SIZE_MAX ? text : str_make(text.ptr, dash);
    struct str last = dash == SIZE_MAX ? text : str_from_offset(text, dash + 1);
    if (!read_port(str_trim(first), &settings->api_first_port) ||
        !read_port(str_trim(last), &settings->api_last_port) ||
        settings->api_first_port > settings->api_last_port)
        error_list_at(
            errors, (struct error_position){0},
            "setting 'api.http.port' must be a port or a range such as 9600-9700, found '%.*s'",
            STR_FMT(text));
}

/* ---- TLS ------------------------------------------------------------------------------------------ */

static void warn_unused(const struct settings *settings, struct error_list *errors)
{
    static const struct {
        const char *name;
        size_t offset;
    } NEEDS[] = {
        {"api.ssl.keystore.path", offsetof(struct settings, api_keystore)},
        {"api.ssl.keystore.password", offsetof(struct settings, api_keystore_password)},
        {"api.ssl.certificate", offsetof(struct settings, api_certificate)},
        {"api.ssl.key", offsetof(struct settings, api_key)},
        {"api.ssl.supported_protocols", offsetof(struct settings, api_protocols)},
    };
    for (size_t i = 0; i < sizeof NEEDS / sizeof *NEEDS; i++)
        if (setting_is_given(settings, (const char *)settings + NEEDS[i].offset))
            error_list_warn_at(errors, (struct error_position){0},
                               "setting '%s' has no effect: 'api.ssl.enabled' is not true",
                               NEEDS[i].name);
}

static void check_protocols(const struct option_strings *list, struct error_list *errors)
{
    for (size_t i = 0; i < list->count; i++)
        if (!str_equal(list->items[i], STR("TLSv1.1")) &&
            !str_equal(list->items[i], STR("TLSv1.2")) &&
            !str_equal(list->items[i], STR("TLSv1.3")))
            error_list_at(errors, (struct error_position){0},
                          "'api.ssl.supported_protocols': '%.*s' is none of TLSv1.1, TLSv1.2 and "
                          "TLSv1.3",
                          STR_FMT(list->items[i]));
}

static void check_tls(const struct settings *settings, struct error_list *errors)
{
    check_protocols(&settings->api_protocols, errors);
    bool store = settings->api_keystore.len > 0;
    bool certificate = settings->api_certificate.len > 0, key = settings->api_key.len > 0;
    if (!settings->api_ssl)
        warn_unused(settings, errors);
    else if (store && (certificate || key))
        error_list_at(errors, (struct error_position){0},
                      "'api.ssl.keystore.path' and 'api.ssl.certificate' or 'api.ssl.key' are both "
                      "set: keep one of them");
    else if (!store && !(certificate && key))
        error_list_at(errors, (struct error_position){0},
                      "'api.ssl.enabled' is true: 'api.ssl.keystore.path', or "
                      "'api.ssl.certificate' and 'api.ssl.key', must be set");
}

/* ---- who can reach it ----------------------------------------------------------------------------- */

static bool is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, host, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6);
    return strcmp(host, "localhost") == 0;
}

/* As Logstash: an API with a password and TLS is there for others, unless told otherwise. */
static void default_host(struct settings *settings)
{
    bool secure = settings->api_ssl && settings->api_auth == SETTINGS_API_AUTH_BASIC;
    if (secure && !setting_is_given(settings, &settings->api_host))
        settings->api_host = STR("0.0.0.0");
}

/* Who can reach the API sees what runs here: beyond this machine that takes a password. Files that are taken over from
 * containers name 0.0.0.0 without one; their pipelines run all the same. */
void settings_check_api(struct settings *settings, struct error_list *errors)
{
    check_ports(settings, errors);
    if (!settings->api_enabled)
        return;
    bool basic = settings->api_auth == SETTINGS_API_AUTH_BASIC;
    if (basic && (settings->api_user.len == 0 || settings->api_password.len == 0))
        error_list_at(errors, (struct error_position){0},
                      "'api.auth.type' is basic: 'api.auth.basic.username' and "
                      "'api.auth.basic.password' must be set");
    check_tls(settings, errors);
    default_host(settings);
    if (basic || is_loopback(settings->api_host.ptr))
        return;
    settings->api_enabled = false;
    error_list_warn_at(errors, (struct error_position){0},
                       "'api.http.host' is %.*s, which others can reach: there will be no API "
                       "until 'api.auth.type' is basic, with a user and a password",
                       STR_FMT(settings->api_host));
}
