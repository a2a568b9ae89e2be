/* SPDX-License-Identifier: Apache-2.0
 *
 * `millrace plugins [NAME]`: what is built in, and a plugin's options, from the tables that bind them. With --markdown the
 * page of docs/reference/ for it, with --compatibility that of docs/compatibility.md.
 */
#include <stdio.h>
#include <string.h>

#include "cmd/bundled.h"
#include "cmd/commands.h"
#include "cmd/examples.h"
#include "cmd/flags.h"
#include "pipeline/program/common_options.h"
#include "pipeline/registry.h"

enum { FLAG_MARKDOWN, FLAG_COMPATIBILITY, FLAG_HELP, SECTIONS = 4, DEFAULT_SHOWN = 24 };

const struct flag plugins_flags[] = {
    {"markdown", 0, false, FLAG_MARKDOWN},
    {"compatibility", 0, false, FLAG_COMPATIBILITY},
    {"help", 'h', false, FLAG_HELP},
    {NULL, 0, false, 0},
};

static const struct plugin *plugin_at(enum conf_section section, size_t index)
{
    return registry_at(&builtin_plugins, section, index);
}

static const char *type_name(enum option_type type)
{
    static const char *const NAMES[] = {
        [OPTION_STRING] = "string",       [OPTION_PASSWORD] = "password",
        [OPTION_PATH] = "path",           [OPTION_INT] = "number",
        [OPTION_FLOAT] = "number",        [OPTION_BOOL] = "boolean",
        [OPTION_BYTES] = "bytes",         [OPTION_DURATION_MS] = "duration",
        [OPTION_CHOICE] = "choice",       [OPTION_FIELD] = "field",
        [OPTION_TEMPLATE] = "string %{}", [OPTION_STRINGS] = "list",
        [OPTION_TEMPLATES] = "list %{}",  [OPTION_FIELDS] = "list of fields",
        [OPTION_HASH] = "hash",           [OPTION_ARRAY] = "array",
        [OPTION_VALUE] = "any value",     [OPTION_CODEC] = "codec",
    };
    return NAMES[type];
}

static const char *standing(const struct option *option)
{
    if (option->flags & OPTION_REQUIRED)
        return "required";
    if (option->flags & OPTION_UNSUPPORTED)
        return "not supported";
    if (option->flags & OPTION_DEPRECATED)
        return "deprecated";
    return option->flags & OPTION_IGNORED ? "no effect" : "";
}

static bool has_type(const struct option *option)
{
    return !(option->flags & (OPTION_UNSUPPORTED | OPTION_IGNORED));
}

/* A default on one line: a line break as \n, nothing as "". */
static void print_default(const char *text)
{
    if (!*text)
        printf("\"\"");
    for (; *text; text++)
        printf(*text == '\n' ? "\\n" : *text == '\t' ? "\\t" : "%c", *text);
}

/* ---- for a terminal ------------------------------------------------------------------------------- */

static void print_choices(const struct option *option)
{
    if (option->type != OPTION_CHOICE || !option->choices)
        return;
    printf("      one of");
    for (const char *const *choice = option->choices; *choice; choice++)
        printf("%s %s", choice == option->choices ? "" : ",", *choice);
    printf("\n");
}

static void print_options(const struct option *options)
{
    for (const struct option *option = options; option->name; option++) {
        const char *mark = standing(option);
        printf("  %s%s%s", option->name, has_type(option) ? "  " : "",
               has_type(option) ? type_name(option->type) : "");
        if (option->def) {
            printf("  [");
            print_default(option->def);
            printf("]");
        }
        if (*mark)
            printf("  (%s)", mark);
        printf("\n      %s\n", option->doc ? option->doc : "");
        print_choices(option);
        if (option->note)
            printf("      %s\n", option->note);
    }
}

static void print_plugin(enum conf_section section, const struct plugin *plugin)
{
    printf("%s %s: %s\n\n", registry_section_name(section), plugin->name,
           plugin->summary ? plugin->summary : "");
    print_options(plugin->options);
    printf("\ncommon to every %s:\n", registry_section_name(section));
    print_options(common_options_table(section));
}

static void print_list(void)
{
    for (int section = 0; section < SECTIONS; section++) {
        printf("%ss\n", registry_section_name((enum conf_section)section));
        const struct plugin *plugin;
        for (size_t i = 0; (plugin = plugin_at((enum conf_section)section, i)); i++)
            printf("  %-16s %s\n", plugin->name, plugin->summary ? plugin->summary : "");
    }
    printf("\n");
    bundled_print_summary();
}

/* ---- for the manual ------------------------------------------------------------------------------- */

/* Text in a table's cell: a bar would end it. */
static void print_cell(const char *text)
{
    for (; text && *text; text++)
        printf(*text == '|' ? "\\|" : "%c", *text);
}

static void print_row(const struct option *option)
{
    const char *mark = standing(option);
    printf("| `%s` | %s | ", option->name, has_type(option) ? type_name(option->type) : "");
    if (option->def && strlen(option->def) <= DEFAULT_SHOWN) {
        printf("`");
        print_default(option->def);
        printf("`");
    }
    printf(" | ");
    if (*mark)
        printf("**%s.** ", mark);
    print_cell(option->doc);
    if (option->type == OPTION_CHOICE && option->choices) {
        printf(" One of");
        for (const char *const *choice = option->choices; *choice; choice++)
            printf("%s `%s`", choice == option->choices ? "" : ",", *choice);
        printf(".");
    }
    if (option->def && strlen(option->def) > DEFAULT_SHOWN)
        printf(" Default: `%s`.", option->def);
    if (option->note) {
        printf(" ");
        print_cell(option->note);
        printf(".");
    }
    printf(" |\n");
}

static void print_table(const struct option *options)
{
    printf("| option | type | default | |\n| --- | --- | --- | --- |\n");
    for (; options->name; options++)
        print_row(options);
}

/* What goes in and what comes out, where an example has both. */
static void print_example(enum conf_section section, const char *name)
{
    const struct example *example = example_find(section, name);
    if (!example)
        return;
    printf("```logstash\n%s\n```\n\n", example->config);
    if (example->in)
        printf("%s\n\n```%s\n%s\n```\n\nbecomes\n\n```json\n%s\n```\n\n",
               section == CONF_CODEC ? "The text" : "The event",
               section == CONF_CODEC ? "text" : "json", example->in, example->out);
}

static void print_markdown(enum conf_section section, const struct plugin *plugin)
{
    printf("# %s `%s`\n\n%s\n\n", registry_section_name(section), plugin->name,
           plugin->summary ? plugin->summary : "");
    print_example(section, plugin->name);
    print_table(plugin->options);
    printf("\n## Common to every %s\n\n", registry_section_name(section));
    print_table(common_options_table(section));
    printf("\n*Made from the option table by `millrace plugins --markdown %s/%s`.*\n",
           registry_section_name(section), plugin->name);
}

/* ---- the command ---------------------------------------------------------------------------------- */

/* "json" shows every plugin of that name, "filter/json" one. */
static bool is_meant(const char *wanted, enum conf_section section, const struct plugin *plugin)
{
    size_t len = strlen(registry_section_name(section));
    if (strncmp(wanted, registry_section_name(section), len) == 0 && wanted[len] == '/')
        return strcmp(wanted + len + 1, plugin->name) == 0;
    return strcmp(wanted, plugin->name) == 0;
}

/* Of one that is not built in but known: what -t says. */
static bool advise(const char *wanted)
{
    bool known = false;
    for (int section = 0; section < SECTIONS; section++) {
        const char *kind = registry_section_name((enum conf_section)section);
        size_t len = strlen(kind);
        bool named = strncmp(wanted, kind, len) == 0 && wanted[len] == '/';
        const char *name = named ? wanted + len + 1 : wanted;
        const char *advice = bundled_advice((enum conf_section)section, str_from(name));
        if (!advice || registry_find(&builtin_plugins, (enum conf_section)section, str_from(name)))
            continue;
        fprintf(stderr, "millrace plugins: %s '%s' is not supported: %s\n", kind, name, advice);
        known = true;
    }
    return known;
}

static int show(const char *wanted, bool markdown)
{
    bool found = false;
    for (int section = 0; section < SECTIONS; section++) {
        const struct plugin *plugin;
        for (size_t i = 0; (plugin = plugin_at((enum conf_section)section, i)); i++) {
            if (!is_meant(wanted, (enum conf_section)section, plugin))
                continue;
            if (found)
                printf("\n");
            found = true;
            (markdown ? print_markdown : print_plugin)((enum conf_section)section, plugin);
        }
    }
    if (!found && !advise(wanted))
        fprintf(stderr, "millrace plugins: there is no plugin '%s'\n", wanted);
    return found ? EXIT_DONE : EXIT_ERROR;
}

int cmd_plugins(int argc, char **argv)
{
    struct flags flags = {argc, argv, plugins_flags, .at = 1};
    const char *wanted = NULL;
    bool markdown = false;
    for (int id; (id = flags_next(&flags)) != FLAGS_END;) {
        if (id == FLAGS_OPERAND) {
            wanted = flags.value;
        } else if (id == FLAG_MARKDOWN) {
            markdown = true;
        } else if (id == FLAG_COMPATIBILITY) {
            bundled_print_markdown();
            return EXIT_DONE;
        } else {
            fprintf(id == FLAG_HELP ? stdout : stderr,
                    "usage: millrace plugins [--markdown] [NAME | SECTION/NAME]\n"
                    "       millrace plugins --compatibility\n");
            return id == FLAG_HELP ? EXIT_DONE : EXIT_USAGE;
        }
    }
    if (wanted)
        return show(wanted, markdown);
    print_list();
    return EXIT_DONE;
}
