/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/registry.h"

#include <assert.h>

#include "conf/bind.h"

enum { REGISTRY_MAX_NAMES = 128 };

const char *registry_section_name(enum conf_section section)
{
    static const char *const NAMES[] = {"input", "filter", "output", "codec"};
    return NAMES[section];
}

const struct plugin *registry_at(const struct plugin_list *list, enum conf_section section,
                                 size_t index)
{
    switch (section) {
    case CONF_INPUT:
        return list->inputs[index] ? &list->inputs[index]->plugin : NULL;
    case CONF_FILTER:
        return list->filters[index] ? &list->filters[index]->plugin : NULL;
    case CONF_OUTPUT:
        return list->outputs[index] ? &list->outputs[index]->plugin : NULL;
    case CONF_CODEC:
        return list->codecs[index] ? &list->codecs[index]->plugin : NULL;
    }
    return NULL;
}

const struct plugin *registry_find(const struct plugin_list *list, enum conf_section section,
                                   struct str name)
{
    const struct plugin *plugin;
    for (size_t i = 0; (plugin = registry_at(list, section, i)); i++)
        if (str_equal(str_from(plugin->name), name))
            return plugin;
    return NULL;
}

/* Plugins that Logstash has and this program does not, with the way out. */
static const struct {
    enum conf_section section;
    const char *name, *advice;
} ABSENT[] = {
    {CONF_INPUT, "jdbc", "query the database with a program of your own and pipe its JSON lines to stdin"},
    {CONF_INPUT, "elastic_agent", "use input 'beats', which speaks the same protocol"},
    {CONF_INPUT, "redis", "use 'kafka' or 'beats' as the transport"},
    {CONF_INPUT, "gelf", "send JSON lines to 'beats' or 'file' instead"},
    {CONF_INPUT, "exec", "run the program yourself and pipe it to stdin"},
    {CONF_OUTPUT, "email", "use output 'http' towards an alert manager"},
    {CONF_OUTPUT, "s3", "use output 'file' and copy what it wrote"},
    {CONF_OUTPUT, "redis", "use 'kafka' as the transport"},
};

void registry_explain_unknown(const struct plugin_list *list, const struct conf_plugin *source,
                              struct error_list *errors)
{
    const char *kind = registry_section_name(source->section);
    for (size_t i = 0; i < sizeof ABSENT / sizeof *ABSENT; i++)
        if (ABSENT[i].section == source->section &&
            str_equal(str_from(ABSENT[i].name), source->name)) {
            error_list_at(errors, source->position, "%s '%.*s' is not supported: %s",
                          kind, STR_FMT(source->name), ABSENT[i].advice);
            return;
        }
    const char *names[REGISTRY_MAX_NAMES + 1];
    size_t count = 0;
    const struct plugin *plugin;
    while (count < REGISTRY_MAX_NAMES && (plugin = registry_at(list, source->section, count)))
        names[count++] = plugin->name;
    names[count] = NULL;
    const char *near = bind_suggest(source->name, names);
    error_list_at(errors, source->position, "there is no %s plugin '%.*s'%s%s%s",
                  kind, STR_FMT(source->name), near ? "; did you mean '" : "",
                  near ? near : "", near ? "'?" : "");
}

const struct codec *plugin_list_codec(const struct plugin_list *list, struct str name)
{
    const struct codec *const *codec = list->codecs;
    while (*codec && !str_equal(str_from((*codec)->plugin.name), name))
        codec++;
    return *codec;
}
