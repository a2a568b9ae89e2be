/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "conf/settings_private.h"

enum { HELP_COLUMNS = 80, HELP_DOC_AT = 34 };

/* One setting's name and what it is for: beside each other where the name is short, else below. Lines are
 * broken at blanks; all of it is ASCII. */
static void print_wrapped(FILE *out, const char *name, struct str text)
{
    int at = fprintf(out, "  %s", name);
    if (at > HELP_DOC_AT - 2) {
        fputc('\n', out);
        at = 0;
    }
    fprintf(out, "%*s", HELP_DOC_AT - at, "");
    at = HELP_DOC_AT;
    while (text.len > 0) {
        size_t blank = str_find(text, STR(" "));
        struct str word = str_make(text.ptr, blank == SIZE_MAX ? text.len : blank);
        text = str_from_offset(text, word.len + 1);
        if (at > HELP_DOC_AT && at + 1 + (int)word.len > HELP_COLUMNS)
            at = fprintf(out, "\n%*s", HELP_DOC_AT, "") - 1;
        else if (at > HELP_DOC_AT)
            at += fprintf(out, " ");
        at += fprintf(out, "%.*s", STR_FMT(word));
    }
    fputc('\n', out);
}

static void print_setting(FILE *out, const struct setting *setting)
{
    enum { NAME_MAX_BYTES = 128, DOC_MAX_BYTES = 512 };
    char name[NAME_MAX_BYTES], doc[DOC_MAX_BYTES], letter[8] = "    ";
    const struct option *option = &setting->option;
    bool shows_default = option->def && setting->value;
    if (setting->letter)
        snprintf(letter, sizeof letter, "-%c, ", setting->letter);
    snprintf(name, sizeof name, "%s--%s%s%s", letter, option->name, setting->value ? " " : "",
             setting->value ? setting->value : "");
    snprintf(doc, sizeof doc, "%s%s%s%s", option->doc, shows_default ? " [" : "",
             shows_default ? option->def : "", shows_default ? "]" : "");
    print_wrapped(out, name, str_from(doc));
}

static bool is_listed(const struct setting *setting)
{
    return setting->group && !(setting->option.flags & (OPTION_IGNORED | OPTION_UNSUPPORTED)) &&
           !(setting->traits & SETTING_WITHOUT_EFFECT);
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
    fputs("Flags. Each of them, without its dashes, is also a setting of logstash.yml in\n"
          "--path.settings; a flag is stronger. --no-NAME turns a switch off.\n",
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
