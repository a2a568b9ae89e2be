/* SPDX-License-Identifier: Apache-2.0
 *
 * tld: takes a host name apart by the public suffix list. The list is libpsl's, the newest of the system's file (package
 * publicsuffix) and the one built into the library; a name whose end is in no rule of it is left alone.
 */
#include <libpsl.h>

#include "base/text/case_map.h"
#include "filters/filters.h"

enum { DOMAIN_BYTES_MAX = 253 };

struct tld {
    struct field_ref source, target;

    psl_ctx_t *list;
};

static const struct option OPTIONS[] = {
    {
        .name = "source",
        .doc = "Field that holds the host name.",
        OPTION_IN_FIELD(struct tld, source),
        .def = "message",
    },
    {
        .name = "target",
        .doc = "Field that gets tld, sld, trd, domain and subdomain.",
        OPTION_IN_FIELD(struct tld, target),
        .def = "tld",
    },
    OPTION_END,
};

static bool tld_open(void *plugin, const struct plugin_env *env, struct error *err)
{
    struct tld *self = plugin;
    (void)env;
    self->list = psl_latest(NULL);
    return self->list ||
           error_set(err, ERROR_IO,
                     "there is no public suffix list; install the package publicsuffix");
}

static void tld_close(void *plugin)
{
    struct tld *self = plugin;
    psl_free(self->list);
}

/* Lower case, without blanks around it and one point at its end; with a NUL. NULL: no domain name could be so. */
static const char *plain_name(struct arena *arena, struct str text)
{
    text = str_trim(text);
    if (text.len > 0 && text.ptr[text.len - 1] == '.')
        text.len--;
    if (text.len == 0 || text.len > DOMAIN_BYTES_MAX || text.ptr[0] == '.' ||
        memchr(text.ptr, '\0', text.len) || str_find(text, STR("..")) != SIZE_MAX)
        return NULL;
    return arena_cstr(arena, case_lower(arena, text));
}

/* The longest end of the name that is a public suffix, or NULL. */
static const char *suffix_of(const psl_ctx_t *list, const char *name)
{
    for (const char *end = name; end; end = strchr(end, '.')) {
        end += end == name ? 0 : 1;
        if (psl_is_public_suffix2(list, end, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE))
            return end;
    }
    return NULL;
}

static void set(struct event *event, struct value *object, const char *name, struct str text)
{
    struct value value = text.len > 0 ? value_str(text) : value_null();
    value_object_set(event->arena, object, str_from(name), value);
}

/* name = [trd.]sld.suffix */
static struct value parts_of(struct event *event, const char *name, const char *suffix)
{
    struct value parts = value_object_new(event->arena, 6);
    struct str front = str_make(name, (size_t)(suffix - name) - 1);
    size_t sld = front.len;
    while (sld > 0 && front.ptr[sld - 1] != '.')
        sld--;
    struct str third = str_make(front.ptr, sld > 0 ? sld - 1 : 0);
    set(event, &parts, "tld", str_from(suffix));
    set(event, &parts, "top_level_domain", str_from(suffix));
    set(event, &parts, "sld", str_from_offset(front, sld));
    set(event, &parts, "trd", third);
    set(event, &parts, "domain", str_from(name + sld));
    set(event, &parts, "subdomain", third.len > 0 ? str_from(name) : STR(""));
    return parts;
}

static enum filter_result tld_apply(void *plugin, struct event *event, struct event_sink *more)
{
    const struct tld *self = plugin;
    const struct value *source = event_get(event, &self->source);
    (void)more;
    if (!value_is_str(source))
        return FILTER_SKIPPED;
    const char *name = plain_name(event->arena, value_as_str(source));
    const char *suffix = name ? suffix_of(self->list, name) : NULL;
    if (!suffix || suffix == name || suffix[-1] != '.' || suffix - 1 == name)
        return FILTER_SKIPPED;
    bool set = event_set(event, &self->target, parts_of(event, name, suffix), NULL);
    return set ? FILTER_MATCHED : FILTER_SKIPPED;
}

const struct filter filter_tld = {
    .plugin =
        {
            .name = "tld",
            .summary = "Takes a host name apart: top-level domain, domain, subdomain.",
            .options = OPTIONS,
            .size = sizeof(struct tld),
        },
    .open = tld_open,
    .apply = tld_apply,
    .close = tld_close,
};
