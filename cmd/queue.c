/* SPDX-License-Identifier: Apache-2.0
 *
 * `millrace queue`: what waits in the disk queues of pipelines, to be checked, looked at, taken elsewhere and put in.
 */
#include "cmd/queue.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/keystore.h"
#include "cmd/run_words.h"
#include "conf/report.h"
#include "conf/source.h"
#include "io/segment_log.h"
#include "pipeline/delivery/queue_line.h"
#include "pipeline/delivery/queue_record.h"
#include "pipeline/program/where.h"

enum {
    LINE_MAX_BYTES = 1024 * 1024 * 1024,
    LINE_KEPT_BYTES = 1024 * 1024,
    MS = 1000,
    NS_OF_MS = 1000000
};

static const char USAGE[] =
    "usage: millrace queue verify [--path.data DIR] [--path.queue DIR]\n"
    "       millrace queue cat    [--where CONDITION] [-n COUNT]\n"
    "       millrace queue export [--where CONDITION] >FILE\n"
    "       millrace queue import <FILE\n"
    "Disk queues: events that inputs gave and outputs do not have yet.\n"
    "  verify   read all of it: how much there is, and what is damaged\n"
    "  cat      the events, one JSON document on a line\n"
    "  export   the same with all that it takes to import them again\n"
    "  import   put exported events, or any lines of JSON objects, into a queue;\n"
    "           all of them, or none. Its pipeline must not run\n"
    "  --path.data DIR         where the pipelines keep what outlives them\n"
    "  --path.queue DIR        the queues, when they are not below path.data\n"
    "  --pipeline.id ID        the queue of this pipeline (default main; verify: all)\n"
    "  --where CONDITION       only events for which it is true, as behind an if\n"
    "  -n, --count COUNT       so many at most\n"
    "Flags of 'millrace run' are taken as well.\n";

enum { FLAG_WHERE, FLAG_COUNT, FLAG_HELP };

const struct flag queue_flags[] = {
    {"where", 0, true, FLAG_WHERE},
    {"count", 'n', true, FLAG_COUNT},
    {"help", 'h', false, FLAG_HELP},
    {NULL, 0, false, 0},
};

const char *queue_command_folder(const struct queue_command *command, struct str pipeline)
{
    return arena_printf(command->arena, "%.*s/%.*s", STR_FMT(command->root), STR_FMT(pipeline)).ptr;
}

/* ---- going through a queue ------------------------------------------------------------------------- */

struct walk {
    const struct queue_command *command;
    struct segment_reader *segments;
    struct condition *where;
    struct regex_scratch *regex;
    struct json_reader *json;
    struct arena events;
    struct buf line;
    /* false: no further */
    bool (*take)(struct walk *walk, const struct event *event, uint64_t written_ms);
    uint64_t taken, records, unknown, bytes, oldest_ms;
};

static bool open_walk(struct walk *walk, struct str pipeline)
{
    const struct queue_command *command = walk->command;
    struct error err = {0};
    arena_init(&walk->events, NULL);
    buf_init(&walk->line, LINE_MAX_BYTES);
    walk->segments = segment_reader_open(queue_command_folder(command, pipeline));
    walk->regex = regex_scratch_new(NULL);
    walk->json = json_reader_new();
    if (command->where.len > 0)
        walk->where = where_compile(command->arena, command->where,
                                    (enum field_escape)command->settings.escape, &err);
    if (command->where.len == 0 || walk->where)
        return true;
    fprintf(stderr, "millrace queue: --where: %s\n", err.text);
    return false;
}

static void close_walk(struct walk *walk)
{
    segment_reader_close(walk->segments);
    regex_scratch_free(walk->regex);
    json_reader_free(walk->json);
    condition_release(walk->where);
    buf_release(&walk->line);
    arena_release(&walk->events);
}

/* False: no further. *whole: the record is one. */
static bool walk_record(struct walk *walk, struct str payload, bool *whole)
{
    struct queue_record record;
    *whole = queue_record_read(payload, &record);
    if (!*whole)
        return true;
    const unsigned char *at = (const unsigned char *)record.events.ptr;
    struct event_reader reader = {
        .at = at, .end = at + record.events.len, .arena = &walk->events, .json = walk->json};
    for (uint32_t i = 0; i < record.count; i++) {
        const struct event *event = event_read(&reader);
        *whole = event != NULL;
        if (!event)
            return true;
        if (walk->where && condition_test(walk->where, event, walk->regex) != CONDITION_TRUE)
            continue;
        walk->taken++;
        if (walk->oldest_ms == 0)
            walk->oldest_ms = record.written_ms;
        if (!walk->take(walk, event, record.written_ms))
            return false;
    }
    return true;
}

static void walk_all(struct walk *walk)
{
    struct str payload;
    struct segment_position at;
    bool goes_on = true, whole;
    while (goes_on && segment_reader_next(walk->segments, &payload, &at)) {
        arena_reset(&walk->events);
        goes_on = walk_record(walk, payload, &whole);
        walk->records++;
        walk->unknown += !whole;
        walk->bytes += payload.len;
    }
}

/* ---- cat and export -------------------------------------------------------------------------------- */

static bool put_line(struct walk *walk)
{
    const struct queue_command *command = walk->command;
    if (printf("%.*s\n", STR_FMT(buf_str(&walk->line))) < 0)
        return false;
    buf_clear(&walk->line, LINE_KEPT_BYTES);
    return command->most == 0 || walk->taken < command->most;
}

static bool cat_event(struct walk *walk, const struct event *event, uint64_t written_ms)
{
    (void)written_ms;
    struct value shown = value_dup_shared(event->arena, &event->fields);
    if (value_object_count(&event->metadata) > 0)
        value_object_set(event->arena, &shown, STR("@metadata"), event->metadata);
    return json_encode_value(&shown, &walk->line) && put_line(walk);
}

static bool export_event(struct walk *walk, const struct event *event, uint64_t written_ms)
{
    return queue_line_write(event, written_ms, &walk->line) && put_line(walk);
}

static int print_events(const struct queue_command *command,
                        bool (*take)(struct walk *walk, const struct event *event,
                                     uint64_t written_ms))
{
    struct walk walk = {.command = command, .take = take};
    bool fine = open_walk(&walk, command->settings.pipeline_id);
    if (fine)
        walk_all(&walk);
    struct segment_damage damage = segment_reader_damage(walk.segments);
    if (damage.places + walk.unknown > 0)
        fprintf(stderr, "millrace queue: what is damaged was left out; 'millrace queue verify' "
                        "says how much\n");
    close_walk(&walk);
    return fine && fflush(stdout) == 0 ? EXIT_DONE : EXIT_ERROR;
}

/* ---- verify ---------------------------------------------------------------------------------------- */

static bool count_event(struct walk *walk, const struct event *event, uint64_t written_ms)
{
    (void)walk;
    (void)event;
    (void)written_ms;
    return true;
}

static void print_count(const struct walk *walk, struct str pipeline, uint64_t on_disk)
{
    printf("%.*s: %" PRIu64 " event%s, %" PRIu64 " bytes on disk", STR_FMT(pipeline), walk->taken,
           walk->taken == 1 ? "" : "s", on_disk);
    if (walk->oldest_ms > 0) {
        char time[INSTANT_TEXT_MAX];
        struct instant oldest = {(int64_t)(walk->oldest_ms / MS),
                                 (uint32_t)(walk->oldest_ms % MS) * NS_OF_MS};
        size_t len = instant_format(oldest, time);
        printf(", from %.*s", (int)len, time);
    }
    putchar('\n');
}

/* True: nothing is damaged. */
static bool verify(const struct queue_command *command, struct str pipeline)
{
    struct walk walk = {.command = command, .take = count_event};
    bool fine = open_walk(&walk, pipeline);
    if (fine) {
        walk_all(&walk);
        segment_reader_finish(walk.segments);
        print_count(&walk, pipeline, segment_list_bytes(queue_command_folder(command, pipeline)));
    }
    struct segment_damage damage = segment_reader_damage(walk.segments);
    if (damage.places > 0)
        printf("    %" PRIu64 " damaged place%s, %" PRIu64 " bytes: what is whole was counted\n",
               damage.places, damage.places == 1 ? "" : "s", damage.bytes);
    if (walk.unknown > 0)
        printf("    %" PRIu64 " record%s of a form that this version does not know\n", walk.unknown,
               walk.unknown == 1 ? "" : "s");
    close_walk(&walk);
    return fine && damage.places + walk.unknown == 0;
}

static int verify_all(const struct queue_command *command)
{
    const struct settings *settings = &command->settings;
    bool fine = true, found = false;
    if (!str_equal(settings->pipeline_id, STR("main")))
        return verify(command, settings->pipeline_id) ? EXIT_DONE : EXIT_ERROR;
    struct dirent **entries = NULL;
    int count = scandir(command->root.ptr, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        if (entries[i]->d_name[0] != '.') {
            found = true;
            fine = verify(command, str_from(entries[i]->d_name)) && fine;
        }
        free(entries[i]); /* the system's */
    }
    free((void *)entries);
    if (!found)
        printf("no queues in '%s'\n", command->root.ptr);
    return fine && fflush(stdout) == 0 ? EXIT_DONE : EXIT_ERROR;
}

/* ---- flags ----------------------------------------------------------------------------------------- */

static bool take_flag(const struct flags *flags, int id, struct queue_command *command)
{
    switch (id) {
    case FLAG_WHERE:
        command->where = str_from(flags->value);
        return true;
    case FLAG_COUNT:
        return flags_number(flags, 1, UINT32_MAX, &command->most);
    default:
        return flags_unexpected(flags);
    }
}

static bool load_settings(struct queue_command *command, int argc, char **argv, int *status)
{
    struct error_list errors;
    struct settings *settings = &command->settings;
    error_list_init(&errors);
    enum settings_result result = keystore_settings(settings, command->arena, argc, argv, &errors);
    conf_print_errors(stderr, NULL, &errors);
    error_list_release(&errors);
    *status = result == SETTINGS_USAGE ? EXIT_USAGE : EXIT_ERROR;
    command->root = settings->path_queue;
    if (result == SETTINGS_OK && !command->root.ptr)
        command->root = arena_printf(command->arena, "%s/queue", settings->path_data.ptr);
    return result == SETTINGS_OK;
}

static int run_verb(const struct queue_command *command, const char *verb)
{
    if (strcmp(verb, "verify") == 0)
        return verify_all(command);
    if (strcmp(verb, "cat") == 0)
        return print_events(command, cat_event);
    if (strcmp(verb, "export") == 0)
        return print_events(command, export_event);
    if (strcmp(verb, "import") == 0)
        return queue_import(command);
    fprintf(stderr, "millrace queue: '%s' is none of verify, cat, export, import\n", verb);
    return EXIT_USAGE;
}

int cmd_queue(int argc, char **argv)
{
    struct arena arena;
    struct queue_command command = {.arena = &arena};
    struct run_words words;
    int status = EXIT_USAGE;
    const char *verb = argc > 1 && argv[1][0] != '-' ? argv[1] : NULL;
    arena_init(&arena, NULL);
    run_words_part(&words, queue_flags, verb ? argc - 1 : argc, verb ? argv + 1 : argv);
    struct flags flags = {words.ours_count, words.ours, queue_flags, .at = 1};
    bool good = true, asked = false;
    for (int id; good && !asked && (id = flags_next(&flags)) != FLAGS_END;) {
        asked = id == FLAG_HELP;
        good = asked || (id != FLAGS_BAD && take_flag(&flags, id, &command));
    }
    if (!good || asked || !verb)
        status = flags_end(&flags, asked || (good && !verb && argc == 1), USAGE);
    else if (load_settings(&command, words.theirs_count, words.theirs, &status))
        status = run_verb(&command, verb);
    run_words_release(&words);
    arena_release(&arena);
    return status;
}
