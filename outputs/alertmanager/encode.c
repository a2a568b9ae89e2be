/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "outputs/alertmanager/alertmanager.h"

enum { ANNOTATION_BYTES_MAX = 16 * 1024 };

/* {"name":"value",…} of those that have a value. *count_out: how many. */
static bool append_object(const struct label *items, size_t count, size_t max,
                          const struct event *event, struct arena *scratch, struct buf *out,
                          size_t *count_out)
{
    bool fits = buf_append_char(out, '{');
    *count_out = 0;
    for (size_t i = 0; fits && i < count; i++) {
        struct str text = label_text(&items[i].value, event, scratch, max);
        if (text.len == 0)
            continue; /* to Alertmanager an empty label is none */
        fits = ((*count_out)++ == 0 || buf_append_char(out, ',')) &&
               json_encode_str(items[i].name, out) && buf_append_char(out, ':') &&
               json_encode_str(text, out);
    }
    return fits && buf_append_char(out, '}');
}

static bool append_key(const struct alertmanager *output, const struct event *event,
                       struct arena *scratch, struct buf *out)
{
    bool fits = true;
    for (size_t i = 0; fits && i < output->labels.count; i++) {
        if (!output->in_key[i])
            continue;
        struct str text =
            label_text(&output->label_items[i].value, event, scratch, LABEL_BYTES_MAX);
        uint32_t size = (uint32_t)text.len;
        fits = buf_append(out, &size, sizeof size) && buf_append_str(out, text);
    }
    return fits;
}

struct item_head {
    uint32_t key_bytes, label_bytes;
};

enum encode_result alertmanager_encode(void *self, const struct event *event, struct arena *scratch,
                                       struct buf *out, struct error *err)
{
    const struct alertmanager *output = self;
    struct item_head head = {0};
    size_t at = out->len, labels, annotations;
    if (!buf_append(out, &head, sizeof head) || !append_key(output, event, scratch, out))
        return ENCODE_FULL;
    head.key_bytes = (uint32_t)(out->len - at - sizeof head);
    if (!append_object(output->label_items, output->labels.count, LABEL_BYTES_MAX, event, scratch,
                       out, &labels))
        return ENCODE_FULL;
    head.label_bytes = (uint32_t)(out->len - at - sizeof head - head.key_bytes);
    if (labels == 0) {
        error_set(err, ERROR_FORMAT, "no label has a value for this event");
        return ENCODE_REFUSED;
    }
    if (!append_object(output->annotation_items, output->annotations.count, ANNOTATION_BYTES_MAX,
                       event, scratch, out, &annotations))
        return ENCODE_FULL;
    memcpy(out->ptr + at, &head, sizeof head);
    return ENCODE_DONE;
}

struct alert_event alertmanager_read_item(struct str item)
{
    struct item_head head;
    assert(item.len > sizeof head);
    memcpy(&head, item.ptr, sizeof head);
    item = str_from_offset(item, sizeof head);
    assert(item.len > (size_t)head.key_bytes + head.label_bytes);
    return (struct alert_event){
        .key = str_make(item.ptr, head.key_bytes),
        .labels = str_make(item.ptr + head.key_bytes, head.label_bytes),
        .annotations = str_from_offset(item, (size_t)head.key_bytes + head.label_bytes),
    };
}
