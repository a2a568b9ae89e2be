/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/alertmanager/alertmanager.h"
#include "pipeline/engine/series.h"

enum { LABELS_MAX = 32, ANNOTATIONS_MAX = 32 };

bool alertmanager_open_urls(struct alertmanager *output, const struct plugin_env *env,
                            struct error *err)
{
    if (output->hosts.count == 0 || output->hosts.count > ALERTMANAGERS_MAX)
        return error_set(err, ERROR_CONFIG, "hosts wants 1 to %d URLs", (int)ALERTMANAGERS_MAX);
    for (size_t i = 0; i < output->hosts.count; i++) {
        struct str host = output->hosts.items[i];
        if (!str_starts_with(host, STR("http://")) && !str_starts_with(host, STR("https://")))
            return error_set(err, ERROR_CONFIG, "hosts: '%.*s' is no URL; write http://HOST:9093",
                             STR_FMT(host));
        while (host.len > 0 && host.ptr[host.len - 1] == '/')
            host.len--;
        output->urls[i] = arena_printf(env->arena, "%.*s/api/v2/alerts", STR_FMT(host));
    }
    return true;
}

static bool read_key(struct alertmanager *output, const struct plugin_env *env, struct error *err)
{
    output->in_key = arena_zero(env->arena, output->labels.count * sizeof *output->in_key);
    for (size_t i = 0; i < output->labels.count; i++)
        output->in_key[i] = output->group_by.count == 0;
    for (size_t i = 0; i < output->group_by.count; i++) {
        bool found = false;
        for (size_t j = 0; j < output->labels.count; j++)
            if (str_equal(output->label_items[j].name, output->group_by.items[i]))
                output->in_key[j] = found = true;
        if (!found)
            return error_set(err, ERROR_CONFIG, "group_by: '%.*s' is none of the labels",
                             STR_FMT(output->group_by.items[i]));
    }
    return true;
}

bool alertmanager_read_texts(struct alertmanager *output, const struct plugin_env *env,
                             struct error *err)
{
    output->label_items = labels_read(&output->labels, LABELS_MAX, env, err);
    output->annotation_items =
        output->label_items ? labels_read(&output->annotations, ANNOTATIONS_MAX, env, err) : NULL;
    if (!output->annotation_items)
        return false;
    bool named = false;
    for (size_t i = 0; i < output->labels.count; i++) {
        struct str name = output->label_items[i].name;
        named = named || str_equal(name, STR("alertname"));
        if (!series_label_is_valid(name))
            return error_set(err, ERROR_CONFIG, "'%.*s' cannot be a label: letters, digits and _",
                             STR_FMT(name));
    }
    return named ? read_key(output, env, err)
                 : error_set(err, ERROR_CONFIG, "labels wants an alertname");
}

bool alertmanager_check(void *self, const struct plugin_env *env, struct error *err)
{
    struct alertmanager copy = *(struct alertmanager *)self;
    return client_tls_check(&copy.tls, err) && alertmanager_open_urls(&copy, env, err) &&
           alertmanager_read_texts(&copy, env, err);
}

struct str alertmanager_storm_labels(const struct alertmanager *output,
                                     const struct plugin_env *env)
{
    struct buf text;
    buf_init(&text, SIZE_MAX / 2);
    buf_append_str(&text, STR("{\"alertname\":"));
    json_encode_str(output->storm_alertname, &text);
    for (size_t i = 0; i < output->labels.count; i++) {
        const struct label *label = &output->label_items[i];
        if (!label->value.is_literal || str_equal(label->name, STR("alertname")))
            continue;
        buf_append_char(&text, ',');
        json_encode_str(label->name, &text);
        buf_append_char(&text, ':');
        json_encode_str(label_cut(label->value.text, LABEL_BYTES_MAX), &text);
    }
    buf_append_char(&text, '}');
    struct str labels = arena_dup(env->arena, buf_str(&text));
    buf_release(&text);
    return labels;
}

const struct option alertmanager_options[] = {
    {
        .name = "hosts",
        .doc = "URLs of the Alertmanagers; each is told everything, and one that knows is enough.",
        OPTION_IN_STRINGS(struct alertmanager, hosts),
        .def = "http://127.0.0.1:9093",
    },
    {
        .name = "labels",
        .doc = "Labels of the alert, alertname among them; texts may have fields. A label whose "
               "field is absent is left out.",
        OPTION_IN_HASH(struct alertmanager, labels),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "annotations",
        .doc = "Annotations; texts may have fields. They are those of the last event.",
        OPTION_IN_HASH(struct alertmanager, annotations),
    },
    {
        .name = "group_by",
        .doc = "Labels that tell alerts apart; the others are the first event's. Not given: all.",
        OPTION_IN_STRINGS(struct alertmanager, group_by),
    },
    {
        .name = "count_annotation",
        .doc = "Annotation with the number of events; empty: none.",
        OPTION_IN_STRING(struct alertmanager, count_annotation),
        .def = "count",
    },
    {
        .name = "resolve_after",
        .doc = "An alert is resolved when no event came for so long; a number is in seconds.",
        OPTION_IN_DURATION_MS(struct alertmanager, resolve_after_ms),
        .min = 1000,
        .max = 7 * 24 * 3600 * 1000.0,
        .def = "300",
    },
    {
        .name = "resend_interval",
        .doc = "How often a firing alert is told again.",
        OPTION_IN_DURATION_MS(struct alertmanager, resend_ms),
        .min = 1000,
        .max = 24 * 3600 * 1000.0,
        .def = "60",
    },
    {
        .name = "max_per_second",
        .doc = "Alerts that may begin in one second; events of further ones become one alert that "
               "says how many they are.",
        OPTION_IN_INT(struct alertmanager, max_per_second),
        .min = 1,
        .max = 10000,
        .def = "10",
    },
    {
        .name = "max_alerts",
        .doc = "Alerts that may fire at once; events of further ones as above.",
        OPTION_IN_INT(struct alertmanager, max_alerts),
        .min = 1,
        .max = 10000,
        .def = "1000",
    },
    {
        .name = "storm_alertname",
        .doc = "The alertname of that one; it has the labels that no event decides about.",
        OPTION_IN_STRING(struct alertmanager, storm_alertname),
        .def = "AlertStorm",
    },
    {
        .name = "generator_url",
        .doc = "Where a person finds more: the alerts' generatorURL.",
        OPTION_IN_STRING(struct alertmanager, generator_url),
    },
    {
        .name = "user",
        .doc = "User name for the Alertmanagers.",
        OPTION_IN_STRING(struct alertmanager, user),
    },
    {
        .name = "password",
        .doc = "Its password.",
        OPTION_IN_PASSWORD(struct alertmanager, password),
        .flags = OPTION_SECRET,
    },
    {
        .name = "proxy",
        .doc = "URL of an HTTP proxy.",
        OPTION_IN_STRING(struct alertmanager, proxy),
    },
    {
        .name = "request_timeout",
        .doc = "Seconds that a request may take.",
        OPTION_IN_DURATION_MS(struct alertmanager, request_timeout_ms),
        .min = 100,
        .max = 600 * 1000.0,
        .def = "10",
    },
    {
        .name = "connect_timeout",
        .doc = "Seconds that a connection may take.",
        OPTION_IN_DURATION_MS(struct alertmanager, connect_timeout_ms),
        .min = 100,
        .max = 600 * 1000.0,
        .def = "5",
    },
    CLIENT_TLS_OPTIONS(struct alertmanager, tls),
    OPTION_END,
};
