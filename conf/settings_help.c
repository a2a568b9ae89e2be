/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/settings_private.h"

enum { HELP_NAME_WIDTH = 46 };

static void print_setting(FILE *out, const struct setting *setting)
{
    char name[128];
    int len = 0;
    const struct option *option = &setting->option;
    if (setting->letter)
        len = snprintf(name, sizeof name, "-%c, ", setting->letter);
    else
        len = snprintf(name, sizeof name, "    ");
    snprintf(name + len, sizeof name - (size_t)len, "--%s%s%s", option->name,
             setting->value ? " " : "", setting->value ? setting->value : "");
    fprintf(out, "  %-*s %s", HELP_NAME_WIDTH, name, option->doc);
    if (option->def && setting->value)
        fprintf(out, " [%s]", option->def);
    fputc('\n', out);
}

static bool is_listed(const struct setting *setting)
{
    return setting->group && !(setting->option.flags & (OPTION_IGNORED | OPTION_UNSUPPORTED));
}

bool settings_flag_at(size_t index, struct settings_flag *out)
{
    const struct setting *at = settings_table;
    for (; at->option.name; at++)
        if (is_listed(at) && index-- == 0)
            break;
    *out = (struct settings_flag){
        .name = at->option.name,
        .doc = at->option.doc,
        .letter = at->letter,
        .value = at->value,
        .choices = at->option.choices,
    };
    return at->option.name;
}

void settings_print_help(FILE *out)
{
    const char *group = NULL;
    fputs(
        "Flags. Each without its dashes is also a setting of logstash.yml in --path.settings; the "
        "flag is\n"
        "the stronger one. A switch is put off by --no-NAME.\n",
        out);
    for (const struct setting *at = settings_table; at->option.name; at++) {
        if (!is_listed(at))
            continue;
        if (at->group != group)
            fprintf(out, "\n%s\n", at->group);
        group = at->group;
        print_setting(out, at);
    }
}
