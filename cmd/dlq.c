/* SPDX-License-Identifier: Apache-2.0
 *
 * `millrace dlq`: what outputs were refused for good, to be looked at, sent again or thrown away.
 */
#include "cmd/dlq.h"

#include <assert.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/commands.h"
#include "cmd/keystore.h"
#include "cmd/run_words.h"
#include "conf/report.h"
#include "conf/source.h"
#include "pipeline/program/where.h"

enum { PIPELINES_MAX = 10000 };

static const char USAGE[] =
    "usage: millrace dlq list   [--path.data DIR]\n"
    "       millrace dlq show   [--where CONDITION] [-n COUNT]\n"
    "       millrace dlq replay -f FILE [--where CONDITION] [--rate N] [--whole]\n"
    "       millrace dlq purge  --where CONDITION | --all\n"
    "Dead letters: events that a destination refused for good.\n"
    "  list     how many there are, of which outputs and why\n"
    "  show     the letters, one JSON document on a line\n"
    "  replay   send them again through the output of FILE that was refused them;\n"
    "           what is delivered is no dead letter any more\n"
    "  purge    throw them away\n"
    "  --path.data DIR         where the pipelines keep what outlives them\n"
    "  --pipeline.id ID        letters of this pipeline (default main; list: all)\n"
    "  --where CONDITION       only events for which it is true, as behind an if;\n"
    "                          also [@metadata][dead_letter_queue][reason] and others\n"
    "  -n, --count COUNT       show so many at most\n"
    "  --rate N                replay so many a second at most\n"
    "  --whole                 replay through all filters and outputs of FILE\n"
    "  --all                   purge everything\n"
    "Flags of 'millrace run' are taken as well.\n";

enum { FLAG_WHERE, FLAG_COUNT, FLAG_RATE, FLAG_WHOLE, FLAG_ALL, FLAG_HELP };

const struct flag dlq_flags[] = {
    {"where", 0, true, FLAG_WHERE},
    {"count", 'n', true, FLAG_COUNT},
    {"rate", 0, true, FLAG_RATE},
    {"whole", 0, false, FLAG_WHOLE},
    {"all", 0, false, FLAG_ALL},
    {"help", 'h', false, FLAG_HELP},
    {NULL, 0, false, 0},
};

/* ---- letters -------------------------------------------------------------------------------------- */

const char *dlq_folder(const struct dlq *dlq, struct str pipeline)
{
    return arena_printf(dlq->arena, "%.*s/%.*s", STR_FMT(dlq->root), STR_FMT(pipeline)).ptr;
}

static int by_name(const void *a, const void *b)
{
    const struct str *one = a, *other = b;
    return strcmp(one->ptr, other->ptr);
}

struct option_strings dlq_pipelines(const struct dlq *dlq)
{
    struct option_strings names = {.items =
                                       arena_zero(dlq->arena, PIPELINES_MAX * sizeof(struct str))};
    DIR *directory = opendir(dlq->root.ptr);
    for (const struct dirent *entry;
         directory && names.count < PIPELINES_MAX && (entry = readdir(directory));)
        if (entry->d_name[0] != '.')
            ((struct str *)names.items)[names.count++] =
                arena_dup(dlq->arena, str_from(entry->d_name));
    if (directory)
        closedir(directory);
    qsort((void *)names.items, names.count, sizeof *names.items, by_name);
    return names;
}

/* What is needed to read letters and to ask a condition about them. */
struct walk {
    struct arena letters;
    struct json_reader *json;
    struct regex_scratch *regex;
    struct condition *where;
};

static bool open_walk(struct walk *walk, const struct dlq *dlq)
{
    struct error err = {0};
    if (dlq->where.len > 0)
        walk->where =
            where_compile(dlq->arena, dlq->where, (enum field_escape)dlq->settings.escape, &err);
    if (dlq->where.len > 0 && !walk->where) {
        fprintf(stderr, "millrace dlq: --where: %s\n", err.text);
        return false;
    }
    arena_init(&walk->letters, NULL);
    walk->json = json_reader_new();
    walk->regex = regex_scratch_new(NULL);
    return true;
}

static void close_walk(struct walk *walk)
{
    json_reader_free(walk->json);
    regex_scratch_free(walk->regex);
    condition_release(walk->where);
    arena_release(&walk->letters);
}

bool dlq_walk(const struct dlq *dlq, struct segment_reader *reader,
              bool (*take)(void *ctx, const struct dlq_letter *letter), void *ctx)
{
    struct walk walk = {.where = NULL};
    struct dlq_letter letter;
    struct read_letter read;
    struct error err = {0};
    bool fine = open_walk(&walk, dlq), goes_on = fine;
    while (goes_on && segment_reader_next(reader, &letter.record, &letter.at)) {
        arena_reset(&walk.letters);
        if (!dead_letter_read(&walk.letters, walk.json, letter.record, &read, &err)) {
            fprintf(stderr, "millrace dlq: %s\n", err.text);
            fine = false;
            continue;
        }
        letter.read = &read;
        if (!walk.where || condition_test(walk.where, read.event, walk.regex) == CONDITION_TRUE)
            goes_on = take(ctx, &letter);
    }
    if (walk.json)
        close_walk(&walk);
    return fine;
}

/* ---- show ----------------------------------------------------------------------------------------- */

struct show {
    const struct dlq *dlq;
    uint64_t shown;
};

static bool show_letter(void *ctx, const struct dlq_letter *letter)
{
    struct show *show = ctx;
    printf("%.*s\n", STR_FMT(letter->record));
    show->shown++;
    return show->shown != show->dlq->most;
}

static int dlq_show(const struct dlq *dlq)
{
    struct show show = {.dlq = dlq};
    struct segment_reader *reader = segment_reader_open(dlq_folder(dlq, dlq->pipeline));
    bool fine = dlq_walk(dlq, reader, show_letter, &show);
    segment_reader_close(reader);
    return fine && fflush(stdout) == 0 ? EXIT_DONE : EXIT_ERROR;
}

/* ---- purge ---------------------------------------------------------------------------------------- */

struct purge {
    struct segment_reader *reader;
    uint64_t purged;
    struct error err;
};

static bool purge_letter(void *ctx, const struct dlq_letter *letter)
{
    struct purge *purge = ctx;
    purge->purged++;
    return segment_reader_done(purge->reader, letter->at, &purge->err);
}

static int dlq_purge(const struct dlq *dlq)
{
    struct purge purge = {.reader = segment_reader_open(dlq_folder(dlq, dlq->pipeline))};
    if (!dlq->all && dlq->where.len == 0) {
        fputs("millrace dlq: purge wants --where CONDITION, or --all\n", stderr);
        segment_reader_close(purge.reader);
        return EXIT_USAGE;
    }
    bool fine = dlq_walk(dlq, purge.reader, purge_letter, &purge);
    fine = segment_reader_sync(purge.reader, &purge.err) && fine && purge.err.code == ERROR_NONE;
    segment_reader_close(purge.reader);
    if (purge.err.code != ERROR_NONE)
        fprintf(stderr, "millrace dlq: %s\n", purge.err.text);
    printf("%" PRIu64 " dead letter%s of pipeline '%.*s' thrown away\n", purge.purged,
           purge.purged == 1 ? "" : "s", STR_FMT(dlq->pipeline));
    return fine ? EXIT_DONE : EXIT_ERROR;
}

/* ---- flags ---------------------------------------------------------------------------------------- */

static bool take_flag(const struct flags *flags, int id, struct dlq *dlq)
{
    switch (id) {
    case FLAG_WHERE:
        dlq->where = str_from(flags->value);
        return true;
    case FLAG_COUNT:
        return flags_number(flags, 1, UINT32_MAX, &dlq->most);
    case FLAG_RATE:
        return flags_number(flags, 1, UINT32_MAX, &dlq->rate);
    case FLAG_WHOLE:
        dlq->whole = true;
        return true;
    case FLAG_ALL:
        dlq->all = true;
        return true;
    default:
        return flags_unexpected(flags);
    }
}

static bool load_settings(struct dlq *dlq, int argc, char **argv, int *status)
{
    struct error_list errors;
    error_list_init(&errors);
    enum settings_result result =
        keystore_settings(&dlq->settings, dlq->arena, argc, argv, &errors);
    conf_print_errors(stderr, NULL, &errors);
    error_list_release(&errors);
    *status = result == SETTINGS_USAGE ? EXIT_USAGE : EXIT_ERROR;
    const struct settings *settings = &dlq->settings;
    dlq->root = settings->path_dead_letter_queue;
    if (result == SETTINGS_OK && !dlq->root.ptr)
        dlq->root = arena_printf(dlq->arena, "%s/dead_letter_queue", settings->path_data.ptr);
    dlq->pipeline = settings->pipeline_id;
    return result == SETTINGS_OK;
}

static int run_verb(struct dlq *dlq, const char *verb, int argc, char **argv)
{
    if (strcmp(verb, "list") == 0)
        return dlq_list(dlq);
    if (strcmp(verb, "show") == 0)
        return dlq_show(dlq);
    if (strcmp(verb, "purge") == 0)
        return dlq_purge(dlq);
    if (strcmp(verb, "replay") == 0)
        return dlq_replay(dlq, argc, argv);
    fprintf(stderr, "millrace dlq: '%s' is none of list, show, replay, purge\n", verb);
    return EXIT_USAGE;
}

int cmd_dlq(int argc, char **argv)
{
    struct arena arena;
    struct dlq dlq = {.arena = &arena};
    struct run_words words;
    int status = EXIT_USAGE;
    const char *verb = argc > 1 && argv[1][0] != '-' ? argv[1] : NULL;
    arena_init(&arena, NULL);
    run_words_part(&words, dlq_flags, verb ? argc - 1 : argc, verb ? argv + 1 : argv);
    struct flags flags = {words.ours_count, words.ours, dlq_flags, .at = 1};
    bool good = true, asked = false;
    for (int id; good && !asked && (id = flags_next(&flags)) != FLAGS_END;) {
        asked = id == FLAG_HELP;
        good = asked || (id != FLAGS_BAD && take_flag(&flags, id, &dlq));
    }
    if (!good || asked || !verb)
        status = flags_end(&flags, asked || (good && !verb && argc == 1), USAGE);
    else if (load_settings(&dlq, words.theirs_count, words.theirs, &status))
        status = run_verb(&dlq, verb, words.theirs_count, words.theirs);
    run_words_release(&words);
    arena_release(&arena);
    return status;
}
