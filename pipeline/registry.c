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

void registry_explain_unknown(const struct plugin_list *list, const struct conf_plugin *source,
                              struct error_list *errors)
{
    const char *kind = registry_section_name(source->section);
    const char *advice = list->advice ? list->advice(source->section, source->name) : NULL;
    if (advice) {
        error_list_at(errors, source->position, "%s '%.*s' is not supported: %s", kind,
                      STR_FMT(source->name), advice);
        return;
    }
    const char *names[REGISTRY_MAX_NAMES + 1];
    size_t count = 0;
    const struct plugin *plugin;
    while (count < REGISTRY_MAX_NAMES && (plugin = registry_at(list, source->section, count)))
        names[count++] = plugin->name;
    names[count] = NULL;
    const char *near = bind_suggest(source->name, names);
    error_list_at(errors, source->position, "there is no %s plugin '%.*s'%s%s%s", kind,
                  STR_FMT(source->name), near ? "; did you mean '" : "", near ? near : "",
                  near ? "'?" : "");
}

const struct codec *plugin_list_codec(const struct plugin_list *list, struct str name)
{
    const struct codec *const *codec = list->codecs;
    while (*codec && !str_equal(str_from((*codec)->plugin.name), name))
        codec++;
    return *codec;
}
