/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/settings.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/bind_value.h"
#include "conf/number.h"
#include "conf/settings_private.h"

const struct setting *setting_find(struct str name)
{
    for (const struct setting *at = settings_table; at->option.name; at++)
        if (str_equal(name, str_from(at->option.name)))
            return at;
    return NULL;
}

const struct setting *setting_find_letter(char letter)
{
    for (const struct setting *at = settings_table; at->option.name; at++)
        if (at->letter == letter)
            return at;
    return NULL;
}

const char *setting_suggest(struct settings *settings, struct str name)
{
    const char **names = arena_alloc(settings->arena, (settings_table_count() + 1) * sizeof *names);
    size_t count = 0;
    for (const struct setting *at = settings_table; at->option.name; at++)
        if (!(at->option.flags & (OPTION_IGNORED | OPTION_DEPRECATED)) &&
            !(at->traits & SETTING_WITHOUT_EFFECT))
            names[count++] = at->option.name;
    names[count] = NULL;
    return bind_suggest(name, names);
}

/* Sizes in settings count in 1024, those of plugins in 1000. */
static bool bind_size(const struct option *option, const struct conf_value *value,
                      struct settings *settings, struct error *err)
{
    int64_t bytes;
    if (value->type == CONF_ARRAY || !number_parse_setting_bytes(value->text, &bytes))
        return error_set(err, ERROR_CONFIG, "must be a size such as 1048576 or 64mb");
    if ((double)bytes < option->min || (double)bytes > option->max)
        return error_set(err, ERROR_CONFIG, "must be from %.15g to %.15g bytes", option->min,
                         option->max);
    memcpy((char *)settings + option->offset, &bytes, sizeof bytes);
    return true;
}

static bool bind_setting(struct settings *settings, const struct option *option,
                         const struct conf_value *value, struct error_list *errors)
{
    struct error err;
    struct bind_context ctx = {settings->arena, FIELD_ESCAPE_NONE, errors};
    if (option->offset == SIZE_MAX)
        return true;
    bool ok = option->type == OPTION_BYTES ? bind_size(option, value, settings, &err)
                                           : bind_value(&ctx, option, value, settings, &err);
    if (!ok)
        error_list_at(errors, value->position, "setting '%s' %s", option->name, err.text);
    return ok;
}

static bool check_flags(const struct option *option, struct error_position position,
                        struct error_list *errors)
{
    const char *note = option->note ? option->note : "";
    if (option->flags & OPTION_UNSUPPORTED) {
        error_list_at(errors, position, "setting '%s' is not supported: %s", option->name, note);
        return false;
    }
    if (option->flags & (OPTION_IGNORED | OPTION_DEPRECATED))
        error_list_warn_at(errors, position, "setting '%s' %s%s%s", option->name,
                           option->flags & OPTION_IGNORED ? "has no effect" : "is an old name",
                           *note ? ": " : "", note);
    return true;
}

/* What is the default asks for nothing. */
static void check_effect(const struct setting *setting, const struct conf_value *value,
                         struct error_list *errors)
{
    const struct option *option = &setting->option;
    bool is_default = option->def && str_equal(value->text, str_from(option->def));
    if ((setting->traits & SETTING_WITHOUT_EFFECT) && !is_default)
        error_list_warn_at(errors, value->position, "setting '%s' has no effect: %s", option->name,
                           option->note);
}

/* The strongest origin among the rows (names) of one member. */
static enum setting_origin member_origin(const struct settings *settings, size_t offset)
{
    enum setting_origin strongest = SETTING_FROM_DEFAULT;
    for (size_t i = 0; i < settings_table_count(); i++)
        if (settings_table[i].option.offset == offset && settings->origins[i] > strongest)
            strongest = settings->origins[i];
    return strongest;
}

bool setting_apply(struct settings *settings, const struct setting *setting,
                   const struct conf_value *value, enum setting_origin origin,
                   struct error_list *errors)
{
    const struct option *option = &setting->option;
    size_t row = (size_t)(setting - settings_table);
    assert(row < settings_table_count());
    if (!check_flags(option, value->position, errors))
        return false;
    /* what a flag has said stands; a file's value is checked all the same */
    struct settings ignored = *settings;
    bool weaker = option->offset != SIZE_MAX && member_origin(settings, option->offset) > origin;
    if (!bind_setting(weaker ? &ignored : settings, option, value, errors))
        return false;
    check_effect(setting, value, errors);
    if (!weaker)
        settings->origins[row] = (unsigned char)origin;
    return true;
}

bool setting_is_given(const struct settings *settings, const void *member)
{
    size_t offset = (size_t)((const char *)member - (const char *)settings);
    assert(offset < sizeof *settings);
    return member_origin(settings, offset) != SETTING_FROM_DEFAULT;
}

void settings_defaults(struct settings *settings, struct arena *arena, struct error_list *errors)
{
    *settings = (struct settings){.arena = arena};
    settings->origins = arena_zero(arena, settings_table_count());
    for (const struct setting *at = settings_table; at->option.name; at++) {
        struct conf_value value = {.type = CONF_STRING, .text = str_from(at->option.def)};
        if (at->option.def && !bind_setting(settings, &at->option, &value, errors))
            assert(!"a default in the table is wrong");
    }
}

static void default_path_data(struct settings *settings)
{
    struct arena *arena = settings->arena;
    const char *service = getenv("STATE_DIRECTORY");
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    if (settings->path_data.ptr)
        return;
    if (service && *service)
        settings->path_data = arena_dup(arena, str_from(service));
    else if (geteuid() == 0)
        settings->path_data = arena_dup(arena, STR("/var/lib/millrace"));
    else if (state && *state)
        settings->path_data = arena_printf(arena, "%s/millrace", state);
    else
        settings->path_data = arena_printf(arena, "%s/.local/state/millrace", home ? home : "/tmp");
}

static void default_node_name(struct settings *settings)
{
    enum { HOST_NAME_BYTES = 256 };
    char name[HOST_NAME_BYTES] = "localhost";
    if (settings->node_name.ptr)
        return;
    gethostname(name, sizeof name - 1);
    settings->node_name = arena_dup(settings->arena, str_from(name));
}

/* HOST:PORT:ADDRESS:PORT, where an IPv6 address stands in brackets and any part may be empty. */
static bool is_connect_to(struct str text)
{
    size_t colons = 0;
    bool inside = false;
    for (size_t i = 0; i < text.len; i++) {
        inside = text.ptr[i] == '[' || (inside && text.ptr[i] != ']');
        colons += !inside && text.ptr[i] == ':';
    }
    return colons == 3 && !inside;
}

static void check_connect_to(struct settings *settings, struct error_list *errors)
{
    size_t count = settings->connect_to_list.count;
    const char **list = arena_alloc(settings->arena, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        struct str item = settings->connect_to_list.items[i];
        list[i] = item.ptr;
        if (!is_connect_to(item))
            error_list_at(errors, (struct error_position){0},
                          "'connect-to' is HOST:PORT:ADDRESS:PORT, found '%.*s'", STR_FMT(item));
    }
    list[count] = NULL;
    settings->connect_to = list;
}

static void check_listen_at(struct settings *settings, struct error_list *errors)
{
    size_t count = settings->listen_at_list.count;
    struct listen_at *list = arena_zero(settings->arena, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        struct str item = settings->listen_at_list.items[i];
        if (!listen_at_parse(item, &list[i]))
            error_list_at(errors, (struct error_position){0},
                          "'listen-at' is PORT:ADDRESS:PORT, found '%.*s'", STR_FMT(item));
    }
    settings->listen_at = list;
}

/* The two maps come by flag or by file. */
static void check_maps(struct settings *settings, struct error_list *errors)
{
    check_connect_to(settings, errors);
    check_listen_at(settings, errors);
}

/* The pipeline that a flag names hides the one of the file. */
static void check_pipeline(struct settings *settings, struct error_list *errors)
{
    if (!settings->path_config.ptr || !settings->config_string.ptr)
        return;
    enum setting_origin path = member_origin(settings, offsetof(struct settings, path_config));
    enum setting_origin text = member_origin(settings, offsetof(struct settings, config_string));
    if (path > text)
        settings->config_string = (struct str){0};
    else if (text > path)
        settings->path_config = (struct str){0};
    else
        error_list_at(errors, (struct error_position){0},
                      "'path.config' and 'config.string' are both set: give one of them");
}

static void check_ordered(const struct settings *settings, struct error_list *errors)
{
    if (settings->ordered == SETTINGS_ORDERED_TRUE && settings->workers > 1)
        error_list_at(errors, (struct error_position){0},
                      "'pipeline.ordered' is true: 'pipeline.workers' must be 1, not %lld",
                      (long long)settings->workers);
}

enum settings_result settings_load(struct settings *settings, struct arena *arena, int argc,
                                   char **argv, struct error_list *errors)
{
    return settings_load_with(settings, arena, &(struct settings_given){argc, argv, NULL}, errors);
}

enum settings_result settings_load_with(struct settings *settings, struct arena *arena,
                                        const struct settings_given *given,
                                        struct error_list *errors)
{
    size_t before = errors->errors;
    settings_defaults(settings, arena, errors);
    settings->secrets = given->secrets;
    if (!settings_read_flags(settings, given->argc, given->argv, errors))
        return SETTINGS_USAGE;
    check_maps(settings, errors);
    if (settings->connect && !settings->test_and_exit)
        error_list_at(errors, (struct error_position){0}, "'--connect' goes with -t");
    if (errors->errors > before)
        return SETTINGS_USAGE;
    if (settings->show_help || settings->show_version)
        return SETTINGS_OK;
    settings_read_file(settings, errors);
    default_path_data(settings);
    default_node_name(settings);
    check_pipeline(settings, errors);
    settings_check_api(settings, errors);
    check_maps(settings, errors);
    check_ordered(settings, errors);
    return errors->errors == before ? SETTINGS_OK : SETTINGS_REFUSED;
}
