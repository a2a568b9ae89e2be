/* SPDX-License-Identifier: Apache-2.0 */
#include "outputs/describe.h"
#include "outputs/elasticsearch/elasticsearch.h"
#include "pipeline/event/event_json.h"

/* {"index":{"_index":"a","_id":"1"}} becomes action, _index and _id. */
struct str elasticsearch_describe_item(const void *self, struct str item, struct arena *arena,
                                       struct value *object)
{
    const struct elasticsearch *output = self;
    struct value line;
    size_t end = str_find(item, STR("\n"));
    describe_hosts(arena, object, &output->options.hosts);
    if (end == SIZE_MAX ||
        !json_decode(output->encoder.json, arena, str_make(item.ptr, end), &line, NULL) ||
        value_type(&line) != VALUE_OBJECT || value_object_count(&line) != 1)
        return item;
    struct str name;
    const struct value *action = value_object_at(&line, 0, &name);
    describe_text(arena, object, "action", name);
    for (size_t i = 0; value_type(action) == VALUE_OBJECT && i < value_object_count(action); i++) {
        const struct value *member = value_object_at(action, i, &name);
        value_object_set(arena, object, name, *member);
    }
    return item;
}
