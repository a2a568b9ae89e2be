/* SPDX-License-Identifier: Apache-2.0
 *
 * A mapping as JSON: fields in the order of their names, as OpenSearch shows them.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "pipeline/event/event_json.h"
#include "services/store/mapping/mapping_private.h"

static int compare_names(const void *a, const void *b)
{
    const struct field *const *left = a, *const *right = b;
    return str_compare((*left)->name, (*right)->name);
}

static bool write_field(const struct field *field, struct buf *out);

static bool write_children(const struct field *field, struct str key, struct buf *out)
{
    size_t size = sizeof *field->children;
    const struct field **sorted = mem_alloc((field->count + 1) * size);
    memcpy(sorted, field->children, field->count * size);
    qsort(sorted, field->count, size, compare_names);
    bool done = json_encode_str(key, out) && buf_append_str(out, STR(":{"));
    for (size_t i = 0; i < field->count && done; i++) {
        done = (i == 0 || buf_append_char(out, ',')) && json_encode_str(sorted[i]->name, out) &&
               buf_append_char(out, ':') && write_field(sorted[i], out);
    }
    mem_free(sorted);
    return done && buf_append_char(out, '}');
}

/* A comma where there is something already. */
static bool separate(struct buf *out, size_t start)
{
    return out->len == start || buf_append_char(out, ',');
}

static bool write_inside(const struct field *field, struct buf *out)
{
    size_t start = out->len;
    bool has_properties = field->type == FIELD_OBJECT && field->count > 0;
    bool done = true;
    if (field->parent && !has_properties)
        done = buf_append_str(out, STR("\"type\":")) &&
               json_encode_str(str_from(field->type_name), out);
    if (field->params.len)
        done = done && separate(out, start) && buf_append_str(out, field->params);
    if (field->count > 0)
        done = done && separate(out, start) &&
               write_children(field, has_properties ? STR("properties") : STR("fields"), out);
    return done;
}

static bool write_field(const struct field *field, struct buf *out)
{
    return buf_append_char(out, '{') && write_inside(field, out) && buf_append_char(out, '}');
}

static bool write_templates(const struct mapping *mapping, struct buf *out)
{
    bool done = buf_append_str(out, STR("\"dynamic_templates\":["));
    for (size_t i = 0; i < mapping->template_count && done; i++) {
        const struct dynamic_template *template = &mapping->templates[i];
        done = (i == 0 || buf_append_char(out, ',')) && buf_append_char(out, '{') &&
               json_encode_str(template->name, out) && buf_append_char(out, ':') &&
               json_encode_value(&template->body, out) && buf_append_char(out, '}');
    }
    return done && buf_append_char(out, ']');
}

static bool write_flag(struct str name, bool flag, struct buf *out)
{
    return json_encode_str(name, out) && buf_append_str(out, flag ? STR(":true") : STR(":false"));
}

static bool write_dynamic(enum field_dynamic dynamic, struct buf *out)
{
    struct str name = dynamic == DYNAMIC_TRUE    ? STR("true")
                      : dynamic == DYNAMIC_FALSE ? STR("false")
                                                 : STR("strict");
    return buf_append_str(out, STR("\"dynamic\":")) && json_encode_str(name, out);
}

bool mapping_write(const struct mapping *mapping, struct buf *out)
{
    bool done = buf_append_char(out, '{');
    size_t start = out->len;
    if (mapping->meta.ptr)
        done = done && buf_append_str(out, STR("\"_meta\":")) && buf_append_str(out, mapping->meta);
    if (mapping->root->dynamic != DYNAMIC_INHERITED)
        done = done && separate(out, start) && write_dynamic(mapping->root->dynamic, out);
    if (mapping->says_date_detection)
        done = done && separate(out, start) &&
               write_flag(STR("date_detection"), mapping->date_detection, out);
    if (mapping->says_numeric_detection)
        done = done && separate(out, start) &&
               write_flag(STR("numeric_detection"), mapping->numeric_detection, out);
    if (mapping->template_count > 0)
        done = done && separate(out, start) && write_templates(mapping, out);
    if (mapping->root->count > 0)
        done = done && separate(out, start) && write_inside(mapping->root, out);
    return done && buf_append_char(out, '}');
}
