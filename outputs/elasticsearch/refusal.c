/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/elasticsearch/refusal.h"

#include "base/text/redact.h"

enum { REASON_MAX_BYTES = 400 };

static const struct value *member(const struct value *object, struct str key)
{
    return object && value_type(object) == VALUE_OBJECT ? value_object_get(object, key) : NULL;
}

/* {"error":{"reason":TEXT}}, {"error":TEXT}, {"message":TEXT} of a proxy */
static struct str reason_of(const struct value *answer)
{
    const struct value *error = member(answer, STR("error"));
    const struct value *places[] = {member(error, STR("reason")), error,
                                    member(answer, STR("message"))};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (value_is_str(places[i]))
            return value_as_str(places[i]);
    return STR("");
}

struct str refusal_reason(struct json_reader *json, struct arena *arena, struct str body)
{
    struct value answer = value_null();
    struct buf out;
    body = str_trim(body);
    bool is_json = json_decode(json, arena, body, &answer, NULL);
    struct str reason = is_json ? reason_of(&answer) : body;
    if (!is_json && str_starts_with(body, STR("<"))) /* the page of some proxy */
        reason = STR("");
    if (reason.len > REASON_MAX_BYTES)
        reason.len = REASON_MAX_BYTES;
    buf_init(&out, SIZE_MAX / 2);
    redact_reason(reason, &out);
    struct str copy = arena_dup(arena, buf_str(&out));
    buf_release(&out);
    return copy;
}

struct str refusal_user(const struct elasticsearch *output)
{
    if (output->hosts.user.len > 0)
        return output->hosts.user;
    return output->options.api_key.ptr ? STR("(api_key)") : STR("(none)");
}

const char *refusal_of_login(int status)
{
    return status == 401   ? "the server refused the login"
           : status == 403 ? "the server does not allow this user to do this"
                           : NULL;
}
