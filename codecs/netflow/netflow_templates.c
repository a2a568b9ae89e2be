/* SPDX-License-Identifier: Apache-2.0 */
#include "codecs/netflow/netflow_templates.h"

#include <assert.h>
#include <stdio.h>

#include "base/mem.h"

enum { KEY_MAX = 40 };

/* A template is replaced by changing what its slot points at. */
struct slot {
    struct netflow_template *template;
};

static void discard(void *value)
{
    struct slot *slot = value;
    mem_free(slot->template);
    mem_free(slot);
}

void netflow_templates_init(struct netflow_templates *templates)
{
    lru_init(&templates->by_key, NETFLOW_TEMPLATES_MAX, discard);
}

void netflow_templates_release(struct netflow_templates *templates)
{
    lru_release(&templates->by_key);
}

static struct str key_text(struct netflow_key key, char out[KEY_MAX])
{
    int len = snprintf(out, KEY_MAX, "%u|%u|%u", key.version, key.source, key.id);
    assert(len > 0 && len < KEY_MAX);
    return str_make(out, (size_t)len);
}

void netflow_templates_set(struct netflow_templates *templates, struct netflow_key key,
                           const struct netflow_layout *fields, size_t count, int64_t expires)
{
    char text[KEY_MAX];
    struct str name = key_text(key, text);
    struct netflow_template *template = mem_zero(1, sizeof *template + count * sizeof *fields);
    template->expires = expires;
    template->count = count;
    for (size_t i = 0; i < count; i++) {
        template->fields[i] = fields[i];
        template->min_bytes += fields[i].length == NETFLOW_VARIABLE ? 1 : fields[i].length;
    }
    struct slot *slot = lru_get(&templates->by_key, name);
    if (slot) {
        mem_free(slot->template);
        slot->template = template;
        return;
    }
    slot = mem_zero(1, sizeof *slot);
    slot->template = template;
    lru_add(&templates->by_key, name, slot);
}

const struct netflow_template *netflow_templates_get(struct netflow_templates *templates,
                                                     struct netflow_key key, int64_t now)
{
    char text[KEY_MAX];
    const struct slot *slot = lru_get(&templates->by_key, key_text(key, text));
    return slot && slot->template->expires >= now ? slot->template : NULL;
}
