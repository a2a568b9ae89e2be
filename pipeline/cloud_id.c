/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/cloud_id.h"

#include "base/base64.h"

static struct str before(struct str text, const char *mark)
{
    size_t at = str_find(text, str_from(mark));
    return str_make(text.ptr, at == SIZE_MAX ? text.len : at);
}

static struct str after(struct str text, const char *mark)
{
    size_t at = str_find(text, str_from(mark));
    return at == SIZE_MAX ? str_make(text.ptr, 0) : str_from_offset(text, at + 1);
}

bool cloud_id_url(struct arena *arena, struct str cloud_id, struct str *url_out, struct error *err)
{
    struct str coded = after(cloud_id, ":"), decoded = {0};
    if (coded.len == 0)
        coded = cloud_id;
    bool ok = base64_decode(arena, coded, &decoded);
    struct str domain = before(decoded, "$"), search = before(after(decoded, "$"), "$");
    if (!ok || domain.len == 0 || search.len == 0)
        return error_set(err, ERROR_CONFIG, "cloud_id '%.*s' is not LABEL:BASE64",
                         STR_FMT(cloud_id));
    struct str port = after(search, ":").len > 0 ? after(search, ":") : after(domain, ":");
    if (port.len == 0)
        port = STR("443");
    *url_out = arena_printf(arena, "https://%.*s.%.*s:%.*s", STR_FMT(before(search, ":")),
                            STR_FMT(before(domain, ":")), STR_FMT(port));
    return true;
}
