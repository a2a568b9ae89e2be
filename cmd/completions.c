/* SPDX-License-Identifier: Apache-2.0
 *
 * `millrace completions SHELL`: a script with which bash, zsh or fish complete a command line, made from the list of
 * commands, their tables of flags, the table of settings and the list of plugins. A script is a few functions with
 * what the tables say, and a fixed part that uses them.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "cmd/commands.h"
#include "conf/settings.h"
#include "pipeline/registry.h"

enum { SECTIONS = 4, FLAG_HELP = 0 };

const struct flag completions_flags[] = {{"help", 'h', false, FLAG_HELP}, {NULL, 0, false, 0}};

/* What stands behind a flag, or where a command takes a word that is no flag. */
enum word_kind { WORD_NONE, WORD_ANY, WORD_FILE, WORD_DIRECTORY, WORD_CHOICE };

struct shell_flag {
    const char *name, *doc;
    char letter;
    enum word_kind value;
    const char *const *choices; /* of WORD_CHOICE */
};

static bool run_flag_at(size_t index, struct shell_flag *out)
{
    struct settings_flag row;
    if (!settings_flag_at(index, &row))
        return false;
    enum word_kind value = WORD_ANY;
    if (!row.value)
        value = WORD_NONE;
    else if (row.choices)
        value = WORD_CHOICE;
    else if (strcmp(row.value, "DIR") == 0)
        value = WORD_DIRECTORY;
    else if (strcmp(row.value, "PATH") == 0 || strcmp(row.value, "FILE") == 0)
        value = WORD_FILE;
    *out = (struct shell_flag){row.name, row.doc, row.letter, value, row.choices};
    return true;
}

/* A table of a command says no more than that a value follows: it may be a file. */
static bool flag_at(const struct command *command, size_t index, struct shell_flag *out)
{
    assert(command->name);
    if (!command->flags)
        return run_flag_at(index, out);
    const struct flag *row = &command->flags[index];
    *out = (struct shell_flag){.name = row->name,
                               .doc = "",
                               .letter = row->letter,
                               .value = row->takes_value ? WORD_FILE : WORD_NONE};
    return row->name;
}

static void print_commands(const char *between)
{
    for (const struct command *at = commands; at->name; at++)
        printf("%s%s", at == commands ? "" : between, at->name);
}

static void print_plugins(void)
{
    for (int section = 0; section < SECTIONS; section++) {
        const struct plugin *plugin;
        for (size_t i = 0; (plugin = registry_at(&builtin_plugins, (enum conf_section)section, i));
             i++)
            printf("%s%s/%s", section + i == 0 ? "" : " ",
                   registry_section_name((enum conf_section)section), plugin->name);
    }
}

static void print_choices(const char *const *choices)
{
    assert(choices);
    for (const char *const *choice = choices; *choice; choice++)
        printf("%s%s", choice == choices ? "" : " ", *choice);
}

static void print_operands(enum command_operand operand)
{
    switch (operand) {
    case OPERAND_PLUGIN:
        print_plugins();
        return;
    case OPERAND_COMMAND:
        print_commands(" ");
        return;
    case OPERAND_SHELL:
        printf("bash fish zsh");
        return;
    case OPERAND_NONE:
    case OPERAND_FILE:
        return;
    }
}

/* Text between two quotes of a shell, with a backslash before each of the characters named. */
static void print_escaped(const char *text, const char *specials, const char *quote)
{
    for (; *text; text++) {
        if (*text == '\'')
            printf("%s", quote);
        else
            printf(strchr(specials, *text) ? "\\%c" : "%c", *text);
    }
}

/* ---- bash ----------------------------------------------------------------------------------------- */

static const char BASH_BODY[] =
    "_millrace() {\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=run "
    "what=\n"
    "    # bash cuts --flag=value into three words\n"
    "    if [[ $word == = ]]; then\n"
    "        word=\n"
    "    elif [[ $before == = && COMP_CWORD -gt 1 ]]; then\n"
    "        before=${COMP_WORDS[COMP_CWORD - 2]}\n"
    "    fi\n"
    "    if [[ COMP_CWORD -gt 1 && \" $_millrace_commands \" == *\" ${COMP_WORDS[1]} \"* ]]; then\n"
    "        command=${COMP_WORDS[1]}\n"
    "    fi\n"
    "    what=$(_millrace_value \"$command\" \"$before\")\n"
    "    if [[ $what ]]; then\n"
    "        :\n"
    "    elif [[ $word == -* ]]; then\n"
    "        what=\"words $(_millrace_flags \"$command\")\"\n"
    "    elif [[ COMP_CWORD -eq 1 ]]; then\n"
    "        what=\"words $_millrace_commands\"\n"
    "    else\n"
    "        what=$(_millrace_operand \"$command\")\n"
    "    fi\n"
    "    COMPREPLY=()\n"
    "    case $what in\n"
    "    words*) mapfile -t COMPREPLY < <(compgen -W \"${what#words }\" -- \"$word\") ;;\n"
    "    file) compopt -o filenames 2>/dev/null\n"
    "        mapfile -t COMPREPLY < <(compgen -f -- \"$word\") ;;\n"
    "    directory) compopt -o filenames 2>/dev/null\n"
    "        mapfile -t COMPREPLY < <(compgen -d -- \"$word\") ;;\n"
    "    esac\n"
    "}\n"
    "complete -F _millrace millrace\n";

static void bash_flags(const struct command *command)
{
    struct shell_flag flag;
    printf("    %s) echo '", command->name);
    for (size_t i = 0; flag_at(command, i, &flag); i++) {
        if (flag.letter)
            printf("-%c ", flag.letter);
        printf("--%s ", flag.name);
    }
    printf("' ;;\n");
}

static void bash_values(const struct command *command)
{
    static const char *const WORDS[] = {[WORD_ANY] = "any",
                                        [WORD_FILE] = "file",
                                        [WORD_DIRECTORY] = "directory",
                                        [WORD_CHOICE] = "words "};
    struct shell_flag flag;
    for (size_t i = 0; flag_at(command, i, &flag); i++) {
        if (flag.value == WORD_NONE)
            continue;
        printf("    %s:--%s", command->name, flag.name);
        if (flag.letter)
            printf(" | %s:-%c", command->name, flag.letter);
        printf(") echo '%s", WORDS[flag.value]);
        if (flag.value == WORD_CHOICE)
            print_choices(flag.choices);
        printf("' ;;\n");
    }
}

static void bash_operand(const struct command *command)
{
    if (command->operand == OPERAND_NONE)
        return;
    printf("    %s) echo '%s", command->name, command->operand == OPERAND_FILE ? "file" : "words ");
    print_operands(command->operand);
    printf("' ;;\n");
}

static void bash_function(const char *head, void (*cases)(const struct command *))
{
    printf("%s", head);
    for (const struct command *at = commands; at->name; at++)
        cases(at);
    printf("    esac\n}\n");
}

static void print_bash(void)
{
    printf("# Made by `millrace completions bash`.\n_millrace_commands='");
    print_commands(" ");
    printf("'\n");
    bash_function("_millrace_flags() {\n    case $1 in\n", bash_flags);
    bash_function("_millrace_value() {\n    case $1:$2 in\n", bash_values);
    bash_function("_millrace_operand() {\n    case $1 in\n", bash_operand);
    printf("%s", BASH_BODY);
}

/* ---- zsh ------------------------------------------------------------------------------------------ */

static const char ZSH_SPECIALS[] = "[]:\\", ZSH_QUOTE[] = "'\\''";

static void zsh_action(enum word_kind kind, const char *const *choices)
{
    static const char *const ACTIONS[] = {[WORD_ANY] = "value: ",
                                          [WORD_FILE] = "file:_files",
                                          [WORD_DIRECTORY] = "directory:_files -/",
                                          [WORD_CHOICE] = "choice:("};
    if (kind == WORD_NONE)
        return;
    printf(":%s", ACTIONS[kind]);
    if (kind == WORD_CHOICE) {
        print_choices(choices);
        printf(")");
    }
}

static void zsh_spelling(const char *dashes, const char *name, const struct shell_flag *flag)
{
    bool joined = dashes[1] && flag->value != WORD_NONE;
    printf(" \\\n            '*%s%s%s[", dashes, name, joined ? "=" : "");
    print_escaped(flag->doc, ZSH_SPECIALS, ZSH_QUOTE);
    printf("]");
    zsh_action(flag->value, flag->choices);
    printf("'");
}

static void zsh_command(const struct command *command)
{
    struct shell_flag flag;
    printf("    %s)\n        _arguments", command->name);
    for (size_t i = 0; flag_at(command, i, &flag); i++) {
        char letter[2] = {flag.letter, '\0'};
        zsh_spelling("--", flag.name, &flag);
        if (flag.letter)
            zsh_spelling("-", letter, &flag);
    }
    if (command->operand == OPERAND_FILE)
        printf(" \\\n            '*:file:_files'");
    else if (command->operand != OPERAND_NONE) {
        printf(" \\\n            '*:word:(");
        print_operands(command->operand);
        printf(")'");
    }
    printf(" ;;\n");
}

static void print_zsh(void)
{
    printf("#compdef millrace\n# Made by `millrace completions zsh`.\n_millrace() {\n"
           "    local command=run\n    local -a commands=(\n");
    for (const struct command *at = commands; at->name; at++) {
        printf("        '%s:", at->name);
        print_escaped(at->summary, ZSH_SPECIALS, ZSH_QUOTE);
        printf("'\n");
    }
    printf("    )\n    if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then\n"
           "        _describe command commands\n        return\n    fi\n    if [[ $words[2] == (");
    print_commands("|");
    printf(") ]]; then\n        command=$words[2]\n        shift words\n        (( CURRENT-- ))\n"
           "    fi\n    case $command in\n");
    for (const struct command *at = commands; at->name; at++)
        zsh_command(at);
    printf("    esac\n}\n"
           "# Loaded as the function itself, or read by a shell that has compinit already.\n"
           "if [[ $funcstack[1] == _millrace ]]; then\n    _millrace \"$@\"\n"
           "else\n    compdef _millrace millrace\nfi\n");
}

/* ---- fish ----------------------------------------------------------------------------------------- */

static void fish_flag(const struct command *command, const struct shell_flag *flag)
{
    static const char *const VALUES[] = {[WORD_NONE] = "",
                                         [WORD_ANY] = " -x",
                                         [WORD_FILE] = " -r -F",
                                         [WORD_DIRECTORY] =
                                             " -x -a '(__fish_complete_directories)'",
                                         [WORD_CHOICE] = " -x -a '"};
    printf("complete -c millrace -n '__millrace_in %s' -l %s", command->name, flag->name);
    if (flag->letter)
        printf(" -s %c", flag->letter);
    printf("%s", VALUES[flag->value]);
    if (flag->value == WORD_CHOICE) {
        print_choices(flag->choices);
        printf("'");
    }
    printf(" -d '");
    print_escaped(flag->doc, "\\", "\\'");
    printf("'\n");
}

static void fish_command(const struct command *command)
{
    struct shell_flag flag;
    printf("complete -c millrace -n __millrace_first -a %s -d '", command->name);
    print_escaped(command->summary, "\\", "\\'");
    printf("'\n");
    for (size_t i = 0; flag_at(command, i, &flag); i++)
        fish_flag(command, &flag);
    if (command->operand == OPERAND_NONE)
        return;
    printf("complete -c millrace -n '__millrace_in %s' ", command->name);
    printf(command->operand == OPERAND_FILE ? "-F" : "-a '");
    print_operands(command->operand);
    printf(command->operand == OPERAND_FILE ? "\n" : "'\n");
}

static void print_fish(void)
{
    printf("# Made by `millrace completions fish`.\n"
           "function __millrace_first\n    test (count (commandline -opc)) -eq 1\nend\n"
           "function __millrace_in\n    set -l words (commandline -opc)\n    set -l command run\n"
           "    if set -q words[2]; and contains -- $words[2] ");
    print_commands(" ");
    printf("\n        set command $words[2]\n    end\n    test $command = $argv[1]\nend\n"
           "complete -c millrace -f\n");
    for (const struct command *at = commands; at->name; at++)
        fish_command(at);
}

/* ---- the command ---------------------------------------------------------------------------------- */

static const char USAGE[] = "usage: millrace completions bash | fish | zsh\n"
                            "Prints a script for that shell. To try it in bash:\n"
                            "  source <(millrace completions bash)\n";

static bool print_script(const char *shell)
{
    static const struct {
        const char *shell;
        void (*print)(void);
    } SCRIPTS[] = {{"bash", print_bash}, {"fish", print_fish}, {"zsh", print_zsh}};
    for (size_t i = 0; i < sizeof SCRIPTS / sizeof *SCRIPTS; i++)
        if (strcmp(shell, SCRIPTS[i].shell) == 0) {
            SCRIPTS[i].print();
            return true;
        }
    fprintf(stderr, "millrace completions: there is no script for '%s'\n", shell);
    return false;
}

int cmd_completions(int argc, char **argv)
{
    struct flags flags = {argc, argv, completions_flags, .at = 1};
    int id = flags_next(&flags);
    const char *shell = flags.value;
    if (id == FLAG_HELP)
        return flags_end(&flags, true, USAGE);
    if (id == FLAGS_OPERAND && flags_next(&flags) == FLAGS_END && print_script(shell))
        return EXIT_DONE;
    if (flags.value)
        flags_unexpected(&flags);
    else if (id == FLAGS_END)
        flags_missing(&flags, "bash, fish or zsh");
    return flags_end(&flags, false, USAGE);
}
