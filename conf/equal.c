/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "conf/syntax.h"

bool conf_value_equal(const struct conf_value *one, const struct conf_value *other)
{
    if (one->type != other->type || one->count != other->count ||
        one->is_float != other->is_float || !str_equal(one->text, other->text) ||
        !one->block != !other->block)
        return false;
    for (size_t i = 0; i < one->count; i++) {
        if (one->type == CONF_ARRAY && !conf_value_equal(&one->items[i], &other->items[i]))
            return false;
        if (one->type == CONF_HASH &&
            !(conf_value_equal(&one->pairs[i].key, &other->pairs[i].key) &&
              conf_value_equal(&one->pairs[i].value, &other->pairs[i].value)))
            return false;
    }
    return !one->block || conf_plugin_equal(one->block, other->block);
}

bool conf_plugin_equal(const struct conf_plugin *one, const struct conf_plugin *other)
{
    assert(one && other);
    bool equal = one->section == other->section && str_equal(one->name, other->name) &&
                 one->count == other->count && !one->broken && !other->broken;
    for (size_t i = 0; equal && i < one->count; i++)
        equal = str_equal(one->attributes[i].name, other->attributes[i].name) &&
                conf_value_equal(&one->attributes[i].value, &other->attributes[i].value);
    return equal;
}
