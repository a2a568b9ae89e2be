/* SPDX-License-Identifier: Apache-2.0
 *
 * cidr: whether an address of the event lies in one of some networks; the common options do the rest.
 */
#include "base/file.h"
#include "base/ip_network.h"
#include "filters/filters.h"
#include "pipeline/program/evaluate.h"

enum { NETWORK_FILE_MAX_BYTES = 64 * 1024 * 1024 };

struct cidr {
    struct option_templates address;
    struct field_ref address_field;
    struct option_templates network;
    struct str network_path;
    int64_t refresh_interval_ms;
    struct str separator;

    const struct plugin_env *env;
    const char *path; /* network_path */
    struct arena networks_arena;
    struct ip_networks
        networks; /* of the file, or those of `network` that do not depend on the event */
    struct file_stamp stamp;
    uint64_t next_refresh_ms;
};

static const struct option OPTIONS[] = {
    {
        .name = "address",
        .doc = "Addresses to look for; they take %{}.",
        OPTION_IN_TEMPLATES(struct cidr, address),
    },
    {
        .name = "address_field",
        .doc = "Field that holds an address or a list of them.",
        OPTION_IN_FIELD(struct cidr, address_field),
    },
    {
        .name = "network",
        .doc =
            "Networks, as 10.0.0.0/8; they take %{}, which may give several with commas between.",
        OPTION_IN_TEMPLATES(struct cidr, network),
    },
    {
        .name = "network_path",
        .doc = "File that holds the networks instead.",
        OPTION_IN_PATH(struct cidr, network_path),
    },
    {
        .name = "refresh_interval",
        .doc = "How often the file is looked at for changes, in seconds.",
        OPTION_IN_DURATION_MS(struct cidr, refresh_interval_ms),
        .def = "600",
    },
    {
        .name = "separator",
        .doc = "What stands between the networks in the file.",
        OPTION_IN_STRING(struct cidr, separator),
        .def = "\n",
    },
    OPTION_END,
};

static bool cidr_check(void *plugin, const struct plugin_env *env, struct error *err)
{
    const struct cidr *self = plugin;
    (void)env;
    if (self->network_path.ptr && self->network.count > 0)
        return error_set(err, ERROR_CONFIG, "network and network_path exclude each other");
    if (self->address.count > 0 && field_ref_is_given(&self->address_field))
        return error_set(err, ERROR_CONFIG, "address and address_field exclude each other");
    return self->separator.len > 0 || error_set(err, ERROR_CONFIG, "separator is empty");
}

static void add_network(struct cidr *self, struct str text)
{
    struct ip_network network;
    if (!ip_network_parse(str_trim(text), &network)) {
        if (str_trim(text).len > 0)
            log_warn(self->env->log, "bad_network", "not an IP network, left out",
                     LOG_STR("network", text));
        return;
    }
    ip_networks_add(&self->networks, &self->networks_arena, &network);
}

static void add_networks(struct cidr *self, struct str text, struct str separator)
{
    while (text.len > 0) {
        size_t at = str_find(text, separator);
        add_network(self, str_make(text.ptr, at == SIZE_MAX ? text.len : at));
        text = at == SIZE_MAX ? STR("") : str_from_offset(text, at + separator.len);
    }
}

static bool load_file(struct cidr *self, struct error *err)
{
    struct str text;
    struct arena scratch;
    arena_init(&scratch, NULL);
    self->stamp = file_stamp(self->path);
    bool read = file_read(&scratch, self->path, NETWORK_FILE_MAX_BYTES, &text, err);
    if (read) {
        arena_reset(&self->networks_arena);
        self->networks = (struct ip_networks){0};
        add_networks(self, text, self->separator);
        ip_networks_sort(&self->networks);
    }
    arena_release(&scratch);
    return read;
}

static void cidr_close(void *plugin)
{
    struct cidr *self = plugin;
    arena_release(&self->networks_arena);
}

static bool cidr_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct cidr *self = plugin;
    self->env = env;
    self->path = arena_cstr(env->arena, self->network_path);
    arena_init(&self->networks_arena, NULL);
    if (self->network_path.ptr && !load_file(self, err)) {
        cidr_close(self);
        return false;
    }
    for (size_t i = 0; i < self->network.count; i++)
        if (self->network.items[i].is_literal)
            add_networks(self, self->network.items[i].text, STR(","));
    ip_networks_sort(&self->networks);
    return true;
}

/* A file that cannot be read any more leaves the networks as they are. */
static void cidr_tick(void *plugin, uint64_t now_ms, bool final, struct event_sink *more)
{
    (void) final;
    (void)more;
    struct cidr *self = plugin;
    if (!self->network_path.ptr || now_ms < self->next_refresh_ms)
        return;
    self->next_refresh_ms = now_ms + (uint64_t)self->refresh_interval_ms;
    bool changed = !file_stamp_equal(file_stamp(self->path), self->stamp);
    struct error err;
    if (changed && !load_file(self, &err))
        log_warn(self->env->log, "networks_unreadable", "the networks stay as they were",
                 LOG_CSTR("reason", err.text));
}

/* Networks that a template gives for this event. */
static bool in_dynamic(const struct template *template, const struct event *event,
                       const struct ip_network *address)
{
    struct str text;
    struct ip_network network;
    if (!template_text(template, event, event->arena, &text))
        return false;
    while (text.len > 0) {
        size_t at = str_find(text, STR(","));
        struct str one = str_trim(str_make(text.ptr, at == SIZE_MAX ? text.len : at));
        if (ip_network_parse(one, &network) && ip_network_contains(&network, address))
            return true;
        text = at == SIZE_MAX ? STR("") : str_from_offset(text, at + 1);
    }
    return false;
}

static bool is_inside(const struct cidr *self, const struct event *event, struct str text)
{
    struct ip_network address;
    if (!ip_network_parse(text, &address))
        return false;
    if (ip_networks_contain(&self->networks, &address))
        return true;
    for (size_t i = 0; i < self->network.count; i++)
        if (!self->network.items[i].is_literal &&
            in_dynamic(&self->network.items[i], event, &address))
            return true;
    return false;
}

static bool field_is_inside(const struct cidr *self, const struct event *event)
{
    const struct value *value =
        field_ref_is_given(&self->address_field) ? event_get(event, &self->address_field) : NULL;
    if (!value)
        return false;
    if (value_is_str(value))
        return is_inside(self, event, value_as_str(value));
    for (size_t i = 0; value_type(value) == VALUE_ARRAY && i < value_array_count(value); i++) {
        const struct value *item = value_array_at(value, i);
        if (value_is_str(item) && is_inside(self, event, value_as_str(item)))
            return true;
    }
    return false;
}

static enum filter_result cidr_apply(void *plugin, struct event *event, struct event_sink *more)
{
    const struct cidr *self = plugin;
    (void)more;
    for (size_t i = 0; i < self->address.count; i++) {
        struct str text;
        if (template_text(&self->address.items[i], event, event->arena, &text) &&
            is_inside(self, event, text))
            return FILTER_MATCHED;
    }
    return field_is_inside(self, event) ? FILTER_MATCHED : FILTER_SKIPPED;
}

const struct filter filter_cidr = {
    .plugin =
        {
            .name = "cidr",
            .summary = "Tells whether an address lies in some networks.",
            .options = OPTIONS,
            .size = sizeof(struct cidr),
            .check = cidr_check,
        },
    .open = cidr_open,
    .apply = cidr_apply,
    .tick = cidr_tick,
    .close = cidr_close,
};
