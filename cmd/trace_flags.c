/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/trace_flags.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/time/clock.h"
#include "cmd/commands.h"
#include "cmd/keystore.h"
#include "conf/source.h"

bool take_now(const struct flags *flags)
{
    struct instant at;
    if (!instant_parse_iso8601(str_from(flags->value), &at)) {
        fprintf(stderr,
                "millrace %s: --now is '%s', expected a time such as "
                "2026-01-02T03:04:05Z\n",
                flags->argv[0], flags->value);
        return false;
    }
    clock_stand(&at);
    return true;
}

static bool take_format(const struct flags *flags, bool *json_out)
{
    *json_out = strcmp(flags->value, "json") == 0;
    if (*json_out || strcmp(flags->value, "text") == 0)
        return true;
    fprintf(stderr, "millrace %s: --format is '%s', expected text or json\n", flags->argv[0],
            flags->value);
    return false;
}

bool take_trial_flag(struct trial_flags *trial, const struct flags *flags, int id)
{
    switch (id) {
    case TRIAL_INPUT:
        trial->input_name = str_from(flags->value);
        return true;
    case TRIAL_LINE:
        trial->as_line = true;
        return true;
    case TRIAL_OFFLINE:
        trial->offline = true;
        return true;
    case TRIAL_NOW:
        trial->has_now = true;
        return take_now(flags);
    case TRIAL_FORMAT:
        return take_format(flags, &trial->json);
    }
    assert(false);
    return false;
}

/* Of several pipelines (pipelines.yml) the one that --pipeline.id names. */
static bool choose(struct settings *settings, const char *command, struct error_list *errors)
{
    struct settings *items = NULL;
    size_t count = 0;
    if (!settings_pipelines(settings, &items, &count, errors))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (count > 1 && !str_equal(items[i].pipeline_id, settings->pipeline_id))
            continue;
        *settings = items[i];
        return true;
    }
    fprintf(stderr,
            "millrace %s: there are %zu pipelines, name one with --pipeline.id "
            "or -f FILE\n",
            command, count);
    return false;
}

bool load_trial_settings(struct settings *settings, struct arena *arena,
                         const struct run_words *words, const char *path, int *status_out)
{
    struct error_list errors;
    int count = words->theirs_count;
    char **theirs = arena_zero(arena, ((size_t)count + 3) * sizeof *theirs);
    memcpy(theirs, words->theirs, (size_t)count * sizeof *theirs);
    if (path) {
        theirs[count++] = arena_cstr(arena, STR("-f"));
        theirs[count++] = arena_cstr(arena, str_from(path));
    }
    error_list_init(&errors);
    enum settings_result result = keystore_settings(settings, arena, count, theirs, &errors);
    bool ok = result == SETTINGS_OK && choose(settings, theirs[0], &errors);
    conf_print_errors(stderr, NULL, &errors);
    error_list_release(&errors);
    *status_out = result == SETTINGS_USAGE ? EXIT_USAGE : EXIT_ERROR;
    return ok;
}

bool samples_of(const char *command, FILE *in, bool (*take)(void *ctx, struct str line), void *ctx)
{
    char *line = NULL;
    size_t capacity = 0;
    ssize_t len;
    bool ok = true;
    while (ok && (len = getline(&line, &capacity, in)) >= 0) {
        while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
            len--;
        if (len > 0)
            ok = take(ctx, str_make(line, (size_t)len));
    }
    free(line);
    if (!ferror(in))
        return ok;
    fprintf(stderr, "millrace %s: cannot read on: %s\n", command, strerror(errno));
    return false;
}

bool sample_is_event(struct json_reader *reader, struct arena *arena, struct str text,
                     struct value *fields_out)
{
    text = str_trim(text);
    return str_starts_with(text, STR("{")) &&
           json_decode(reader, arena, arena_dup(arena, text), fields_out, NULL) &&
           value_type(fields_out) == VALUE_OBJECT;
}
