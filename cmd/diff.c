/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/diff.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/trace_flags.h"

static const char USAGE[] =
    "usage: millrace diff OLD NEW [SAMPLE]...\n"
    "Runs two versions of a pipeline over a sample and shows what comes out\n"
    "different: fields, events that are dropped, outputs that events go to and how\n"
    "they are sent.\n"
    "Nothing is sent, and no input is opened.\n"
    "A SAMPLE is a file; each line of it is a line as it arrives at the input, or an\n"
    "event as a JSON object. Without one, standard input is read.\n"
    "  --input ID              the input that gets it, where there are several\n"
    "  --line                  a JSON object too is a line, for the input's codec\n"
    "  --offline               leave out filters that ask other machines\n"
    "  --now TIME              as if it were then (2026-01-02T03:04:05Z)\n"
    "  --format text|json\n"
    "Flags of 'millrace run' are taken as well.\n"
    "Exit status: 0 nothing is different, 1 something is, 2 a file cannot be read.\n";

enum { FLAG_HELP = TRIAL_FLAG_COUNT };

const struct flag diff_flags[] = {
    TRIAL_FLAGS,
    {"help", 'h', false, FLAG_HELP},
    {NULL, 0, false, 0},
};

enum { OLD, NEW, SIDES, OUT_MAX_BYTES = 1024 * 1024 * 1024 };

struct side {
    const char *path;
    struct settings settings;
    struct trial *trial;
    size_t input;
    struct check_world world;
    bool begun;
};

struct diff_command {
    struct arena arena;
    const struct run_words *words;
    struct trial_flags asked;
    const char **operands;
    size_t operand_count;
    struct side sides[SIDES];
    struct json_reader *reader;
    struct diff diff;
};

/* ---- the sample ---------------------------------------------------------------------------------- */

static bool give(struct diff_command *command, struct str text)
{
    struct arena arena;
    struct value fields;
    struct error err = {0};
    bool ok = true;
    arena_init(&arena, NULL);
    bool is_event =
        !command->asked.as_line && sample_is_event(command->reader, &arena, text, &fields);
    for (size_t i = 0; ok && i < SIDES; i++) {
        struct side *side = &command->sides[i];
        check_world_forget(&side->world);
        check_random_begin();
        ok = is_event ? trial_event(side->trial, side->input, &fields, &err)
                      : trial_line(side->trial, side->input, text, &err);
    }
    arena_release(&arena);
    if (!ok)
        fprintf(stderr, "millrace diff: %s\n", err.text);
    return ok;
}

static bool take_sample(void *ctx, struct str text)
{
    struct diff_command *command = ctx;
    bool ok = give(command, text);
    if (ok)
        diff_line(&command->diff, command->diff.lines + 1, text, &command->sides[OLD].world,
                  &command->sides[NEW].world);
    return ok;
}

static bool read_sample(struct diff_command *command, const char *path)
{
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (!file) {
        fprintf(stderr, "millrace diff: cannot open '%s': %s\n", path, strerror(errno));
        return false;
    }
    bool ok = samples_of("diff", file, take_sample, command);
    if (file != stdin)
        fclose(file);
    return ok;
}

static bool read_samples(struct diff_command *command)
{
    bool ok = true;
    if (command->operand_count == SIDES)
        return read_sample(command, "-");
    for (size_t i = SIDES; ok && i < command->operand_count; i++)
        ok = read_sample(command, command->operands[i]);
    return ok;
}

/* What codecs and filters still have. */
static void end_sample(struct diff_command *command)
{
    for (size_t i = 0; i < SIDES; i++) {
        check_world_forget(&command->sides[i].world);
        trial_flush(command->sides[i].trial);
        trial_end(command->sides[i].trial);
        command->sides[i].begun = false;
    }
    diff_line(&command->diff, 0, STR(""), &command->sides[OLD].world, &command->sides[NEW].world);
}

/* ---- two pipelines ------------------------------------------------------------------------------- */

static bool open_side(struct diff_command *command, struct side *side)
{
    struct error err = {0};
    int status;
    check_world_init(&side->world);
    if (!load_trial_settings(&side->settings, &command->arena, command->words, side->path, &status))
        return false;
    side->trial = trial_new(&side->settings, LOG_LEVEL_ERROR);
    if (!side->trial)
        return false;
    if (!trial_input(side->trial, command->asked.input_name, &side->input, &err)) {
        fprintf(stderr, "millrace diff: %s: %s; --input ID\n", side->path, err.text);
        return false;
    }
    struct trial_run run = {.observer = &side->world.observer,
                            .offline = command->asked.offline,
                            .random = check_random};
    side->begun = trial_begin(side->trial, &run);
    return side->begun;
}

static void close_side(struct side *side)
{
    if (side->begun)
        trial_end(side->trial);
    trial_free(side->trial);
    check_world_release(&side->world);
}

static void show(const struct diff_command *command)
{
    struct terminal terminal = terminal_of(STDOUT_FILENO);
    struct buf out;
    buf_init(&out, OUT_MAX_BYTES);
    if (command->asked.json)
        diff_show_json(&command->diff, &out);
    else
        diff_show_text(&command->diff, &terminal, &out);
    fwrite(out.ptr, 1, out.len, stdout);
    buf_release(&out);
}

/* Both have the same clock and the same random numbers. */
static int compare(struct diff_command *command)
{
    struct instant now = clock_now();
    bool ok = true;
    if (!command->asked.has_now)
        clock_stand(&now);
    command->reader = json_reader_new();
    diff_init(&command->diff);
    for (size_t i = 0; i < SIDES; i++) {
        command->sides[i].path = command->operands[i];
        ok = open_side(command, &command->sides[i]) && ok;
    }
    ok = ok && read_samples(command);
    if (ok) {
        end_sample(command);
        show(command);
    }
    bool differs = command->diff.first != NULL;
    for (size_t i = 0; i < SIDES; i++)
        close_side(&command->sides[i]);
    diff_release(&command->diff);
    json_reader_free(command->reader);
    return !ok ? EXIT_USAGE : differs ? EXIT_ERROR : EXIT_DONE;
}

/* ---- flags --------------------------------------------------------------------------------------- */

static bool take_flag(struct diff_command *command, const struct flags *flags, int id)
{
    if (id != FLAGS_OPERAND)
        return take_trial_flag(&command->asked, flags, id);
    command->operands[command->operand_count++] = flags->value;
    return true;
}

static int run_command(struct diff_command *command)
{
    struct flags flags = {command->words->ours_count, command->words->ours, diff_flags, .at = 1};
    bool good = true, asked = false;
    for (int id; good && !asked && (id = flags_next(&flags)) != FLAGS_END;) {
        asked = id == FLAG_HELP;
        good = asked || (id != FLAGS_BAD && take_flag(command, &flags, id));
    }
    if (good && !asked && command->operand_count < SIDES) {
        flags_missing(&flags, "OLD or NEW");
        good = false;
    }
    return !good || asked ? flags_end(&flags, asked, USAGE) : compare(command);
}

int cmd_diff(int argc, char **argv)
{
    struct diff_command *command = mem_zero(1, sizeof *command);
    struct run_words words;
    arena_init(&command->arena, NULL);
    run_words_part(&words, diff_flags, argc, argv);
    command->words = &words;
    command->operands = arena_zero(&command->arena, (size_t)argc * sizeof *command->operands);
    int status = run_command(command);
    run_words_release(&words);
    arena_release(&command->arena);
    mem_free(command);
    return status;
}
