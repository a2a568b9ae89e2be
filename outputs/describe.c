/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/describe.h"

#include <inttypes.h>

#include "base/text/redact.h"
#include "base/text/utf8.h"

enum { HOSTS_MAX_BYTES = 64 * 1024 };

void describe_text(struct arena *arena, struct value *object, const char *name, struct str text)
{
    if (text.len > 0)
        value_object_set(arena, object, str_from(name),
                         value_str(utf8_repair(arena, arena_dup(arena, text))));
}

void describe_to(struct arena *arena, struct value *object, const char *protocol, struct str host,
                 int64_t port)
{
    bool brackets = memchr(host.ptr, ':', host.len) && !str_starts_with(host, STR("["));
    describe_text(arena, object, "to",
                  arena_printf(arena, "%s://%s%.*s%s:%" PRId64, protocol, brackets ? "[" : "",
                               STR_FMT(host), brackets ? "]" : "", port));
}

void describe_hosts(struct arena *arena, struct value *object, const struct option_strings *hosts)
{
    struct buf text;
    buf_init(&text, HOSTS_MAX_BYTES);
    for (size_t i = 0; i < hosts->count; i++) {
        if (i > 0)
            buf_append_str(&text, STR(", "));
        redact_url(hosts->items[i], &text);
    }
    describe_text(arena, object, "to", buf_str(&text));
    buf_release(&text);
}
