/* SPDX-License-Identifier: Apache-2.0
 *
 * Flags: --name value, --name=value, --name and --no-name for switches, -f value, -fvalue, and letters of
 * switches together (-tr).
 */
#include <assert.h>

#include "conf/merge.h"
#include "conf/settings_private.h"

struct flags {
    struct settings *settings;
    struct error_list *errors;
    char **argv;
    int argc, at;
    struct conf_value *values; /* one for each row: what was given so far */
    struct str *last;          /* one for each row: what was given last */
};

static const struct error_position COMMAND_LINE = {0};

static bool is_switch(const struct setting *setting)
{
    return setting->value == NULL;
}

/* Of a setting that has one value the last one counts. */
static void warn_twice(struct flags *flags, const struct setting *setting, struct str text)
{
    struct str *last = &flags->last[setting - settings_table];
    bool secret = setting->option.type == OPTION_PASSWORD;
    if (last->ptr && !is_switch(setting) && !str_equal(*last, text))
        error_list_warn_at(flags->errors, COMMAND_LINE,
                           "flag '--%s' is given more than once: only the last one counts%s%.*s%s",
                           setting->option.name, secret ? "" : ", '", secret ? 0 : (int)text.len,
                           text.ptr, secret ? "" : "'");
    *last = text;
}

static bool apply(struct flags *flags, const struct setting *setting, struct str text)
{
    struct conf_value value = {.type = CONF_STRING, .text = text};
    struct conf_value *all = &flags->values[setting - settings_table];
    if (setting->option.type == OPTION_STRINGS) {
        struct conf_value list = {.type = CONF_ARRAY, .items = &value, .count = 1};
        bool first = all->count == 0;
        *all = first ? (struct conf_value){.type = CONF_ARRAY} : *all;
        merge_values(flags->settings->arena, all, &list, NULL);
        value = *all;
    } else {
        warn_twice(flags, setting, text);
    }
    return setting_apply(flags->settings, setting, &value, SETTING_FROM_FLAG, flags->errors);
}

/* The word after a flag, which is its value. */
static bool next_word(struct flags *flags, const char *flag, struct str *out)
{
    if (flags->at + 1 >= flags->argc) {
        error_list_at(flags->errors, COMMAND_LINE, "'%s' needs a value", flag);
        return false;
    }
    *out = str_from(flags->argv[++flags->at]);
    return true;
}

/* A switch may be followed by true or false; there are no other words that could be meant. */
static struct str switch_word(struct flags *flags)
{
    const char *next = flags->at + 1 < flags->argc ? flags->argv[flags->at + 1] : "";
    if (strcmp(next, "true") != 0 && strcmp(next, "false") != 0)
        return STR("true");
    flags->at++;
    return str_from(next);
}

/* What may be its value is read over: it would be another error for the same mistake. */
static bool unknown_flag(struct flags *flags, struct str name, bool has_value)
{
    const char *near = setting_suggest(flags->settings, name);
    const char *next = flags->at + 1 < flags->argc ? flags->argv[flags->at + 1] : "-";
    if (!has_value && next[0] != '-' && !(near && is_switch(setting_find(str_from(near)))))
        flags->at++;
    error_list_at(flags->errors, COMMAND_LINE, "unknown flag '--%.*s'%s%s%s", STR_FMT(name),
                  near ? "; did you mean '--" : "", near ? near : "", near ? "'?" : "");
    return false;
}

static bool is_family(struct str name)
{
    for (const struct setting_family *at = settings_families; at->prefix; at++)
        if (str_starts_with(name, str_from(at->prefix)))
            return true;
    return false;
}

static bool long_flag(struct flags *flags, const char *word)
{
    struct str text = str_from(word + 2), value = {0};
    size_t equals = str_find(text, STR("="));
    struct str name = equals == SIZE_MAX ? text : str_make(text.ptr, equals);
    const struct setting *setting = setting_find(name);
    bool no = !setting && str_starts_with(name, STR("no-"));
    if (no)
        setting = setting_find(str_from_offset(name, 3));
    if (!setting || (no && !is_switch(setting))) {
        if (!is_family(name))
            return unknown_flag(flags, name, equals != SIZE_MAX);
        error_list_warn_at(flags->errors, COMMAND_LINE, "flag '--%.*s' has no effect",
                           STR_FMT(name));
        return equals != SIZE_MAX || next_word(flags, word, &value);
    }
    if (no)
        value = STR("false");
    else if (equals != SIZE_MAX)
        value = str_from_offset(text, equals + 1);
    else if (is_switch(setting))
        value = switch_word(flags);
    else if (!next_word(flags, word, &value))
        return false;
    return apply(flags, setting, value);
}

/* One word of letters; the first one that takes a value takes the rest of the word, or the next one. */
static bool short_flags(struct flags *flags, const char *word)
{
    for (const char *at = word + 1; *at; at++) {
        const struct setting *setting = setting_find_letter(*at);
        struct str value = STR("true");
        if (!setting) {
            error_list_at(flags->errors, COMMAND_LINE, "unknown flag '-%c'; see --help", *at);
            return false;
        }
        if (is_switch(setting)) {
            if (!apply(flags, setting, value))
                return false;
            continue;
        }
        char name[3] = {'-', *at, 0};
        if (at[1])
            value = str_from(at + 1);
        else if (!next_word(flags, name, &value))
            return false;
        return apply(flags, setting, value);
    }
    return true;
}

static bool one_word(struct flags *flags)
{
    assert(flags->at < flags->argc);
    const char *word = flags->argv[flags->at];
    if (word[0] == '-' && word[1] == '-' && word[2])
        return long_flag(flags, word);
    if (word[0] == '-' && word[1] && word[1] != '-')
        return short_flags(flags, word);
    error_list_at(flags->errors, COMMAND_LINE, "unexpected argument '%s'; use -f %s", word, word);
    return false;
}

bool settings_read_flags(struct settings *settings, int argc, char **argv,
                         struct error_list *errors)
{
    struct flags flags = {.settings = settings, .errors = errors, .argv = argv, .argc = argc};
    bool ok = true;
    assert(argc >= 1);
    flags.values = arena_zero(settings->arena, settings_table_count() * sizeof *flags.values);
    flags.last = arena_zero(settings->arena, settings_table_count() * sizeof *flags.last);
    for (flags.at = 1; flags.at < argc; flags.at++)
        ok = one_word(&flags) && ok;
    if (ok && settings->path_config.ptr && settings->config_string.ptr) {
        error_list_at(errors, COMMAND_LINE, "give the pipeline by -f or by -e, not both");
        ok = false;
    }
    return ok;
}
