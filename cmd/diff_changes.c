/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>

#include "base/text/utf8.h"
#include "cmd/diff.h"

/* One line of the sample. */
struct line {
    struct diff *diff;
    uint64_t number;
    struct str text;
    struct arena arena;
    bool differs;
};

void diff_init(struct diff *diff)
{
    *diff = (struct diff){.first = NULL};
    arena_init(&diff->arena, NULL);
    map_init(&diff->by_key);
}

void diff_release(struct diff *diff)
{
    map_release(&diff->by_key);
    arena_release(&diff->arena);
}

/* ---- kinds --------------------------------------------------------------------------------------- */

static struct diff_change *change_of(struct line *line, enum diff_kind kind, struct str output,
                                     struct str field)
{
    struct diff *diff = line->diff;
    struct str key = arena_printf(&line->arena, "%d %zu %.*s %.*s", kind, output.len,
                                  STR_FMT(output), STR_FMT(field));
    struct diff_change *change = map_get(&diff->by_key, key);
    if (change)
        return change;
    change = arena_zero(&diff->arena, sizeof *change);
    change->kind = kind;
    change->field = arena_dup(&diff->arena, field);
    change->output = arena_dup(&diff->arena, output);
    map_set(&diff->by_key, key, change);
    if (diff->last)
        diff->last->next = change;
    else
        diff->first = change;
    diff->last = change;
    return change;
}

static void note(struct line *line, enum diff_kind kind, struct str output,
                 const struct event_change *what)
{
    struct diff_change *change = change_of(line, kind, output, what->path);
    line->differs = true;
    if (change->count < DIFF_EXAMPLES)
        change->examples[change->count] = (struct diff_example){
            .line = line->number,
            .before = value_dup(&line->diff->arena, &what->before),
            .after = value_dup(&line->diff->arena, &what->after),
        };
    change->count++;
}

/* ---- events -------------------------------------------------------------------------------------- */

static void note_fields(struct line *line, const struct check_made *before,
                        const struct check_made *after)
{
    static const enum diff_kind KINDS[] = {
        [FIELD_ADDED] = DIFF_FIELD_ADDED,
        [FIELD_REMOVED] = DIFF_FIELD_REMOVED,
        [FIELD_CHANGED] = DIFF_FIELD_CHANGED,
    };
    struct event_diff changes;
    event_diff(&line->arena, &before->fields, &after->fields, &changes);
    for (size_t i = 0; i < changes.count; i++)
        note(line, KINDS[changes.items[i].change], STR(""), &changes.items[i]);
}

/* An event may go to one output twice. */
static const struct check_route *partner(const struct check_made *made, bool *taken,
                                         const struct check_route *route)
{
    for (size_t i = 0; i < made->route_count; i++) {
        if (taken[i] || !str_equal(made->routes[i].label, route->label))
            continue;
        taken[i] = true;
        return &made->routes[i];
    }
    return NULL;
}

static void note_request(struct line *line, const struct check_route *before,
                         const struct check_route *after)
{
    struct event_diff changes;
    struct value nothing = value_object_new(&line->arena, 0);
    struct event_fields old = {before->request, nothing}, new = {after->request, nothing};
    event_diff(&line->arena, &old, &new, &changes);
    for (size_t i = 0; i < changes.count; i++)
        note(line, DIFF_REQUEST, after->label, &changes.items[i]);
}

static void note_bytes(struct line *line, const struct check_route *before,
                       const struct check_route *after)
{
    struct arena *arena = &line->arena;
    if (str_equal(before->bytes, after->bytes))
        return;
    note(line, DIFF_BYTES, after->label,
         &(struct event_change){.path = STR(""),
                                .before = value_str(utf8_repair(arena, before->bytes)),
                                .after = value_str(utf8_repair(arena, after->bytes))});
}

static void note_sent(struct line *line, const struct check_route *before,
                      const struct check_route *after, bool same_event)
{
    bool was_refused = before->refused.ptr, is_refused = after->refused.ptr;
    if (was_refused != is_refused) {
        struct str reason = is_refused ? after->refused : before->refused;
        note(line, is_refused ? DIFF_REFUSED : DIFF_TAKEN, after->label,
             &(struct event_change){.path = STR(""), .after = value_str(reason)});
        return;
    }
    bool differed = line->differs;
    line->differs = false;
    note_request(line, before, after);
    if (same_event && !line->differs)
        note_bytes(line, before, after);
    line->differs |= differed;
}

static void note_routes(struct line *line, const struct check_made *before,
                        const struct check_made *after, bool same_event)
{
    bool *taken = arena_zero(&line->arena, after->route_count + 1);
    struct event_change what = {.path = STR(""), .after = value_str(line->text)};
    for (size_t i = 0; i < before->route_count; i++) {
        const struct check_route *now = partner(after, taken, &before->routes[i]);
        if (now)
            note_sent(line, &before->routes[i], now, same_event);
        else
            note(line, DIFF_ROUTE_REMOVED, before->routes[i].label, &what);
    }
    for (size_t i = 0; i < after->route_count; i++)
        if (!taken[i])
            note(line, DIFF_ROUTE_ADDED, after->routes[i].label, &what);
}

static void note_event(struct line *line, const struct check_made *before,
                       const struct check_made *after)
{
    bool differed = line->differs;
    line->differs = false;
    note_fields(line, before, after);
    note_routes(line, before, after, !line->differs);
    line->differs |= differed;
}

static void note_number(struct line *line, size_t before, size_t after)
{
    enum diff_kind kind = after == 0       ? DIFF_DROPPED
                          : before == 0    ? DIFF_LET_THROUGH
                          : after > before ? DIFF_MORE
                                           : DIFF_FEWER;
    if (before != after)
        note(line, kind, STR(""),
             &(struct event_change){.path = STR(""), .after = value_str(line->text)});
}

void diff_line(struct diff *diff, uint64_t number, struct str text,
               const struct check_world *before, const struct check_world *after)
{
    struct line line = {.diff = diff, .number = number};
    arena_init(&line.arena, NULL);
    line.text = utf8_repair(&line.arena, text);
    note_number(&line, before->count, after->count);
    for (size_t i = 0; i < before->count && i < after->count; i++)
        note_event(&line, &before->made[i], &after->made[i]);
    diff->lines += number > 0;
    diff->same += number > 0 && !line.differs;
    arena_release(&line.arena);
}
