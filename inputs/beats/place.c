/* SPDX-License-Identifier: Apache-2.0
 *
 * Provenance of what a Beat sends: the file and the offset in it that the Beat names. The order of members is not the same
 * each time it sends an object, so what counts as its bytes is the message. Where the Beat does not tell files of one name
 * apart (by inode or fingerprint), the time at which it read the line does; it sends that again too, as long as it runs.
 */
#include <inttypes.h>

#include "inputs/beats/connection.h"

static const struct value *member(const struct value *object, const char *name)
{
    return object && value_type(object) == VALUE_OBJECT ? value_object_get(object, str_from(name))
                                                        : NULL;
}

static bool is_there(const struct value *value)
{
    return value && value_type(value) != VALUE_NULL;
}

/* Its length before it, so that no two lists of parts give the same text. */
static void add_part(struct buf *out, struct arena *arena, const struct value *value)
{
    struct str text = is_there(value) ? value_to_text(arena, value) : STR("");
    (void)buf_printf(out, ":%zu:", text.len);
    (void)buf_append_str(out, text);
}

static void add_place(struct buf *out, struct arena *arena, const struct value *object)
{
    const struct value *agent = member(object, "agent"), *beat = member(object, "beat");
    const struct value *log = member(object, "log"), *file = member(log, "file");
    const struct value *offset = log ? member(log, "offset") : member(object, "offset");
    const struct value *path = file ? member(file, "path") : member(object, "source");
    const struct value *inode = member(file, "inode"), *print = member(file, "fingerprint");
    if (!is_there(path))
        path = member(object, "file"); /* of Lumberjack 1 */
    if (!is_there(offset) || !is_there(path))
        return;
    (void)buf_append_str(out, STR("beats"));
    add_part(out, arena, agent ? member(agent, "id") : beat ? beat : member(object, "host"));
    add_part(out, arena, path);
    add_part(out, arena, offset);
    add_part(out, arena, member(file, "device_id"));
    add_part(out, arena, inode);
    add_part(out, arena, print);
    if (!is_there(inode) && !is_there(print))
        add_part(out, arena, member(object, "@timestamp"));
}

static struct str raw_of(struct arena *arena, struct str payload, const struct value *object)
{
    const struct value *message = member(object, "message");
    if (!is_there(message))
        message = member(object, "line");
    return is_there(message) ? value_to_text(arena, message) : payload;
}

void beats_place_begin(struct beats_connection *connection, struct str payload,
                       const struct value *object)
{
    enum { PLACE_MAX_BYTES = 32 * 1024 };
    struct stream *stream = connection->stream;
    if (!stream_wants_places(stream))
        return;
    struct arena *arena = stream_arena(stream);
    struct buf place;
    buf_init(&place, PLACE_MAX_BYTES);
    if (object)
        add_place(&place, arena, object);
    stream_set_place(stream, buf_str(&place), 0);
    stream_begin_record(stream, raw_of(arena, payload, object));
    buf_release(&place);
}
