/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/check_pipeline.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/trace_flags.h"
#include "conf/source.h"

enum { FOLDERS_MAX_DEPTH = 32, DIFFERENCE_MAX_BYTES = 64 * 1024 * 1024 };

static const char USAGE[] =
    "usage: millrace test DIR|FILE...\n"
    "       millrace test --record FILE -f PIPELINE EVENT...\n"
    "Runs tests of pipelines: files that end in _test.yml or _test.yaml, with events\n"
    "and what is to become of them.\n"
    "  --junit FILE            write the results as JUnit XML too\n"
    "  -q, --quiet             show failures only\n"
    "  -f PATH                 the pipeline of files that name none\n"
    "  --record FILE           write tests of what the pipeline does today: one for\n"
    "                          each EVENT, a line or a JSON object\n"
    "  --input ID              with --record: the input that gets it\n"
    "  --now TIME              with --record: the time of the test\n"
    "Flags of 'millrace run' are taken as well.\n"
    "Exit status: 0 all passed, 1 some failed, 2 a file or a pipeline cannot be read.\n";

enum { FLAG_JUNIT, FLAG_QUIET, FLAG_RECORD, FLAG_INPUT, FLAG_NOW, FLAG_HELP };

const struct flag test_flags[] = {
    {"junit", 0, true, FLAG_JUNIT},
    {"quiet", 'q', false, FLAG_QUIET},
    {"record", 0, true, FLAG_RECORD},
    {"input", 0, true, FLAG_INPUT},
    {"now", 0, true, FLAG_NOW},
    {"help", 'h', false, FLAG_HELP},
    {NULL, 0, false, 0},
};

struct test_command {
    struct arena arena;
    const struct run_words *words;
    const char *junit, *record;
    struct str input_name;
    bool quiet, has_now, broken;
    const char **operands;
    size_t operand_count;
    struct option_strings files;
    size_t file_capacity;
    struct terminal terminal;
    struct check_world world;
    struct check_results results;
};

/* ---- files --------------------------------------------------------------------------------------- */

static void add_file(struct test_command *command, struct str path)
{
    command->files.items = mem_grow(command->files.items, command->files.count,
                                    &command->file_capacity, sizeof *command->files.items);
    command->files.items[command->files.count++] = arena_dup(&command->arena, path);
}

static bool is_test(struct str name)
{
    return str_ends_with(name, STR("_test.yml")) || str_ends_with(name, STR("_test.yaml"));
}

static void find_files(struct test_command *command, const char *folder, unsigned depth)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;
    if (!directory || depth > FOLDERS_MAX_DEPTH) {
        if (directory)
            closedir(directory);
        return;
    }
    while ((entry = readdir(directory))) {
        struct stat status;
        struct str path =
            arena_printf(&command->arena, "%s%s%s", folder,
                         str_ends_with(str_from(folder), STR("/")) ? "" : "/", entry->d_name);
        if (entry->d_name[0] == '.' || lstat(path.ptr, &status) != 0)
            continue;
        if (S_ISDIR(status.st_mode))
            find_files(command, path.ptr, depth + 1);
        else if (is_test(path))
            add_file(command, path);
    }
    closedir(directory);
}

static int by_name(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static bool collect_files(struct test_command *command)
{
    for (size_t i = 0; i < command->operand_count; i++) {
        const char *path = command->operands[i];
        struct stat status;
        size_t before = command->files.count;
        if (stat(path, &status) != 0) {
            fprintf(stderr, "millrace test: there is no '%s'\n", path);
            return false;
        }
        if (!S_ISDIR(status.st_mode)) {
            add_file(command, str_from(path));
            continue;
        }
        find_files(command, path, 0);
        if (command->files.count == before) {
            fprintf(stderr, "millrace test: no file in '%s' ends in _test.yml or _test.yaml\n",
                    path);
            return false;
        }
        qsort(command->files.items + before, command->files.count - before,
              sizeof *command->files.items, by_name);
    }
    return true;
}

/* ---- running ------------------------------------------------------------------------------------- */

static void report(struct test_command *command, const struct check_file *file,
                   const struct check_case *what, struct check_result *result)
{
    struct check_results *results = &command->results;
    result->file = str_from(file->path);
    result->name = arena_dup(&results->arena, what->name);
    result->position = what->position;
    results->passed += result->difference.len == 0;
    results->failed += result->difference.len > 0;
    results->took_ns += result->took_ns;
    if (results->last)
        results->last->next = result;
    else
        results->first = result;
    results->last = result;
    check_report_case(result, &command->terminal, command->quiet);
}

static void run_case(struct test_command *command, const struct check_file *file,
                     struct trial *trial, const struct check_case *what)
{
    struct check_result *result = arena_zero(&command->results.arena, sizeof *result);
    struct error err = {0};
    struct buf difference;
    uint64_t began_ns = uv_hrtime();
    buf_init(&difference, DIFFERENCE_MAX_BYTES);
    if (check_world_run(&command->world, trial, what, file->online, &err)) {
        check_compare(what, &command->world, &command->terminal, &difference);
    } else {
        result->broken = true;
        buf_printf(&difference, "%s\n", err.text);
    }
    result->took_ns = uv_hrtime() - began_ns;
    result->difference = arena_dup(&command->results.arena, buf_str(&difference));
    buf_release(&difference);
    report(command, file, what, result);
}

static struct str beside(struct arena *arena, const char *file, struct str path)
{
    const char *slash = strrchr(file, '/');
    if (!slash || str_starts_with(path, STR("/")))
        return path;
    return arena_printf(arena, "%.*s/%.*s", (int)(slash - file), file, STR_FMT(path));
}

static bool set_environment(const struct check_file *file)
{
    for (size_t i = 0; i < file->env.count; i++)
        if (setenv(file->env.keys[i].text.ptr, file->env.items[i].text.ptr, 1) != 0)
            return false;
    return true;
}

/* The settings of the words, with the pipeline that the file names. */
static bool load_for(const struct test_command *command, const struct check_file *file,
                     struct settings *settings, struct arena *arena)
{
    int status;
    const char *path =
        file->pipeline.ptr ? arena_cstr(arena, beside(arena, file->path, file->pipeline)) : NULL;
    return load_trial_settings(settings, arena, command->words, path, &status);
}

static bool run_file(struct test_command *command, const struct check_file *file)
{
    struct arena arena;
    struct settings settings = {0};
    struct trial *trial = NULL;
    arena_init(&arena, NULL);
    clock_stand(&file->now);
    if (set_environment(file) && load_for(command, file, &settings, &arena))
        trial = trial_new(&settings, LOG_LEVEL_ERROR);
    for (size_t i = 0; trial && i < file->case_count; i++)
        run_case(command, file, trial, &file->cases[i]);
    bool ok = trial != NULL;
    trial_free(trial);
    arena_release(&arena);
    return ok;
}

static void say_error(const struct error *err, const char *path)
{
    if (err->position.line > 0)
        fprintf(stderr, "%s:%u:%u: error: %s\n", err->position.file ? err->position.file : path,
                err->position.line, err->position.column, err->text);
    else
        fprintf(stderr, "%s: error: %s\n", path, err->text);
}

/* Variables that one file sets are not there for the next one: each is a
 * process of its own, so to speak. */
static char **copy_environment(void)
{
    extern char **environ;
    size_t count = 0;
    while (environ[count])
        count++;
    char **copy = mem_zero(count + 1, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = environ[i];
    return copy;
}

static void restore_environment(char **copy)
{
    clearenv();
    for (size_t i = 0; copy[i]; i++)
        putenv(copy[i]);
}

static void check_one(struct test_command *command, const char *path)
{
    struct check_file file;
    struct error err = {0};
    bool read = check_file_read(&command->arena, path, &file, &err);
    if (!read)
        say_error(&err, path);
    char **environment = copy_environment();
    command->broken |= !read || !run_file(command, &file);
    restore_environment(environment);
    mem_free(environment);
    check_file_release(&file);
}

static int run_tests(struct test_command *command)
{
    struct error err = {0};
    if (command->operand_count == 0) {
        fputs("millrace test: DIR or FILE is missing\n", stderr);
        return EXIT_USAGE;
    }
    if (!collect_files(command))
        return EXIT_USAGE;
    check_world_init(&command->world);
    arena_init(&command->results.arena, NULL);
    for (size_t i = 0; i < command->files.count; i++)
        check_one(command, command->files.items[i].ptr);
    check_report_end(&command->results, &command->terminal);
    if (command->junit && !check_report_junit(&command->results, command->junit, &err)) {
        fprintf(stderr, "millrace test: %s\n", err.text);
        command->broken = true;
    }
    bool failed = command->results.failed > 0;
    check_world_release(&command->world);
    arena_release(&command->results.arena);
    return command->broken ? EXIT_USAGE : failed ? EXIT_ERROR : EXIT_DONE;
}

/* ---- recording ----------------------------------------------------------------------------------- */

static int record(struct test_command *command)
{
    struct settings settings = {0};
    struct json_reader *reader = json_reader_new();
    struct check_case *cases =
        arena_zero(&command->arena, (command->operand_count + 1) * sizeof *cases);
    int status;
    for (size_t i = 0; i < command->operand_count; i++)
        check_case_of(&command->arena, reader, str_from(command->operands[i]), &cases[i]);
    for (size_t i = 0; i < command->operand_count; i++)
        cases[i].input_name = command->input_name;
    json_reader_free(reader);
    if (!load_trial_settings(&settings, &command->arena, command->words, NULL, &status))
        return status;
    struct trial *trial = trial_new(&settings, LOG_LEVEL_ERROR);
    struct instant now = command->has_now ? clock_now() : check_default_now();
    bool ok = trial && check_record(trial, settings.path_config.ptr, command->record, cases,
                                    command->operand_count, now);
    trial_free(trial);
    if (ok)
        printf("%zu test%s written to %s\n", command->operand_count,
               command->operand_count == 1 ? "" : "s", command->record);
    return ok ? EXIT_DONE : EXIT_USAGE;
}

/* ---- flags --------------------------------------------------------------------------------------- */

static bool take_flag(struct test_command *command, const struct flags *flags, int id)
{
    switch (id) {
    case FLAG_JUNIT:
        command->junit = flags->value;
        return true;
    case FLAG_QUIET:
        command->quiet = true;
        return true;
    case FLAG_RECORD:
        command->record = flags->value;
        return true;
    case FLAG_INPUT:
        command->input_name = str_from(flags->value);
        return true;
    case FLAG_NOW:
        command->has_now = true;
        return take_now(flags);
    default:
        command->operands[command->operand_count++] = flags->value;
        return true;
    }
}

static int run_command(struct test_command *command, struct run_words *words)
{
    struct flags flags = {words->ours_count, words->ours, test_flags, .at = 1};
    bool good = true, asked = false;
    for (int id; good && !asked && (id = flags_next(&flags)) != FLAGS_END;) {
        asked = id == FLAG_HELP;
        good = asked || (id != FLAGS_BAD && take_flag(command, &flags, id));
    }
    if (!good || asked)
        return flags_end(&flags, asked, USAGE);
    return command->record ? record(command) : run_tests(command);
}

int cmd_test(int argc, char **argv)
{
    struct test_command *command = mem_zero(1, sizeof *command);
    struct run_words words;
    arena_init(&command->arena, NULL);
    run_words_part(&words, test_flags, argc, argv);
    command->words = &words;
    command->operands = arena_zero(&command->arena, (size_t)argc * sizeof *command->operands);
    command->terminal = terminal_of(STDOUT_FILENO);
    int status = run_command(command, &words);
    run_words_release(&words);
    mem_free(command->files.items);
    arena_release(&command->arena);
    mem_free(command);
    return status;
}
