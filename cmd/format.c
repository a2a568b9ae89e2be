/* SPDX-License-Identifier: Apache-2.0
 *
 * `millrace format`: pipeline files in canonical form (conf/format.h). What it has made is parsed again and compared with
 * what was read, so that no file is written that means something else.
 */
#include "conf/format.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text/line_diff.h"
#include "cmd/commands.h"
#include "cmd/terminal.h"

enum { FORMATTED_MAX_BYTES = 4 * CONF_SOURCE_MAX_BYTES };

static const char USAGE[] =
    "usage: millrace format FILE            print the file in canonical form\n"
    "       millrace format -i FILE...      rewrite files\n"
    "       millrace format --check FILE... show what would change\n"
    "Two blanks for a level, one option on a line, comments where they are; FILE - is\n"
    "standard input. Only blanks change, so the pipeline means the same.\n"
    "  -i, --in-place  write the result to the file\n"
    "      --check     print a diff and write nothing\n"
    "Exit status: 0 done; 1 a file has mistakes, or with --check would change.\n";

enum { FLAG_IN_PLACE, FLAG_CHECK, FLAG_HELP };

const struct flag format_flags[] = {
    {"in-place", 'i', false, FLAG_IN_PLACE},
    {"check", 0, false, FLAG_CHECK},
    {"help", 'h', false, FLAG_HELP},
    {NULL, 0, false, 0},
};

/* What is wanted of each file, and the one at hand. */
struct formatting {
    bool in_place, check;
    struct terminal terminal;
    struct arena arena;
    const char *path;
    struct conf_source source;
    struct str text; /* as it was read, with a byte order mark */
    struct buf out;
};

/* ---- reading -------------------------------------------------------------------------------------- */

static bool complain(const struct formatting *work, const char *what)
{
    fprintf(stderr, "millrace format: '%s': %s\n", work->path, what);
    return false;
}

static bool read_input(struct formatting *work, struct error *err)
{
    struct buf text;
    buf_init(&text, CONF_SOURCE_MAX_BYTES);
    enum { READ_BYTES = 16 * 1024 };
    size_t got = 0;
    bool fits;
    while ((fits = buf_reserve(&text, READ_BYTES)) &&
           (got = fread(text.ptr + text.len, 1, READ_BYTES, stdin)) > 0)
        text.len += got;
    work->text = arena_dup(&work->arena, buf_str(&text));
    buf_release(&text);
    return fits || error_set(err, ERROR_LIMIT, "larger than %d bytes", CONF_SOURCE_MAX_BYTES);
}

static bool read_text(struct formatting *work)
{
    struct error err = {0};
    bool input = strcmp(work->path, "-") == 0;
    bool ok = input ? read_input(work, &err)
                    : file_read(&work->arena, work->path, CONF_SOURCE_MAX_BYTES, &work->text, &err);
    if (!ok) {
        fprintf(stderr, "millrace format: %s\n", err.text);
        return false;
    }
    struct str mark = STR("\xEF\xBB\xBF");
    struct str text = work->text;
    if (str_starts_with(text, mark))
        text = str_from_offset(text, mark.len);
    conf_source_text(&work->arena, text, input ? "standard input" : work->path, &work->source);
    return true;
}

static bool parse(struct formatting *work, const struct conf_source *source, struct conf_tree *out)
{
    struct conf_options options = {.as_written = true};
    struct error_list errors;
    error_list_init(&errors);
    bool ok = conf_parse(&work->arena, source, &options, out, &errors);
    if (!ok)
        conf_print_errors(stderr, source, &errors);
    error_list_release(&errors);
    return ok;
}

/* ---- what was made -------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c != '\0' && strchr(" \t\r\n", c);
}

/* Whether both are equal but for blanks. */
static bool same_but_blanks(struct str a, struct str b)
{
    size_t i = 0, j = 0;
    for (;; i++, j++) {
        while (i < a.len && is_blank(a.ptr[i]))
            i++;
        while (j < b.len && is_blank(b.ptr[j]))
            j++;
        if (i == a.len || j == b.len)
            return i == a.len && j == b.len;
        if (a.ptr[i] != b.ptr[j])
            return false;
    }
}

static bool make(struct formatting *work)
{
    struct conf_tree before, after;
    struct conf_source made;
    if (!parse(work, &work->source, &before))
        return false;
    if (!conf_format(&work->source, &work->out))
        return complain(work, "the result would be too large");
    conf_source_text(&work->arena, buf_str(&work->out), "the result", &made);
    if (!same_but_blanks(work->source.text, made.text) || !parse(work, &made, &after) ||
        !conf_tree_same(&before, &after))
        return complain(work, "not formatted: the result would mean something else; please report "
                              "this file");
    return true;
}

/* ---- writing -------------------------------------------------------------------------------------- */

/* Beside the file, so that it can take its place at once. */
static bool write_beside(const struct formatting *work, const char *path, char *beside, mode_t mode)
{
    int fd = mkstemp(beside);
    if (fd < 0)
        return false;
    FILE *file = fdopen(fd, "w");
    bool ok = file && fchmod(fd, mode) == 0 &&
              fwrite(work->out.ptr, 1, work->out.len, file) == work->out.len && fflush(file) == 0 &&
              fsync(fd) == 0;
    int failed = errno;
    if (file)
        ok = fclose(file) == 0 && ok;
    ok = ok && rename(beside, path) == 0;
    if (!ok) {
        failed = errno != 0 ? errno : failed;
        unlink(beside);
        errno = failed;
    }
    return ok;
}

/* A link stays a link. */
static bool rewrite(struct formatting *work)
{
    struct stat info;
    char *path = realpath(work->path, NULL);
    bool ok = path && stat(path, &info) == 0;
    if (ok) {
        char *beside = arena_cstr(&work->arena, arena_printf(&work->arena, "%s.XXXXXX", path));
        ok = write_beside(work, path, beside, info.st_mode & 07777);
    }
    free(path);
    return ok || complain(work, strerror(errno));
}

static void show_line(void *ctx, char mark, struct str line)
{
    struct formatting *work = ctx;
    struct buf text;
    buf_init(&text, FORMATTED_MAX_BYTES);
    enum style style = mark == '+'   ? STYLE_GOOD
                       : mark == '-' ? STYLE_BAD
                       : mark == '@' ? STYLE_DIM
                                     : STYLE_PLAIN;
    struct str whole = line;
    if (mark != '@')
        whole = arena_printf(&work->arena, "%c%.*s", mark, STR_FMT(line));
    terminal_text(&work->terminal, style, whole, &text);
    if (text.len > 0)
        fwrite(text.ptr, 1, text.len, stdout);
    putchar('\n');
    buf_release(&text);
}

static void show_difference(struct formatting *work)
{
    printf("--- %s\n+++ %s (formatted)\n", work->path, work->path);
    line_diff(work->text, buf_str(&work->out), show_line, work);
}

static bool give_out(struct formatting *work)
{
    if (!work->in_place && !work->check)
        return work->out.len == 0 ||
               fwrite(work->out.ptr, 1, work->out.len, stdout) == work->out.len;
    if (str_equal(work->text, buf_str(&work->out)))
        return true;
    if (!work->check)
        return rewrite(work);
    show_difference(work);
    return false;
}

static bool format_one(struct formatting *work, const char *path)
{
    work->path = path;
    arena_init(&work->arena, NULL);
    buf_init(&work->out, FORMATTED_MAX_BYTES);
    bool ok = read_text(work) && make(work) && give_out(work);
    buf_release(&work->out);
    arena_release(&work->arena);
    return ok;
}

/* ---- flags ---------------------------------------------------------------------------------------- */

static bool is_wanted(const struct formatting *work, const struct flags *flags, char **files,
                      size_t count)
{
    if (count == 0) {
        flags_missing(flags, "FILE");
        return false;
    }
    if (work->in_place && work->check) {
        fputs("millrace format: --check and -i exclude each other\n", stderr);
        return false;
    }
    if (count > 1 && !work->in_place && !work->check) {
        fputs("millrace format: several files need -i or --check\n", stderr);
        return false;
    }
    for (size_t i = 0; work->in_place && i < count; i++)
        if (strcmp(files[i], "-") == 0) {
            fputs("millrace format: standard input cannot be rewritten; leave out -i\n", stderr);
            return false;
        }
    return true;
}

int cmd_format(int argc, char **argv)
{
    struct formatting work = {.terminal = terminal_of(STDOUT_FILENO)};
    struct flags flags = {.argc = argc, .argv = argv, .table = format_flags, .at = 1};
    size_t count = 0;
    char **files = argv + 1;
    for (int id; (id = flags_next(&flags)) != FLAGS_END;) {
        if (id == FLAGS_OPERAND)
            files[count++] = (char *)(uintptr_t)flags.value; /* in front of what is read */
        else if (id == FLAG_IN_PLACE)
            work.in_place = true;
        else if (id == FLAG_CHECK)
            work.check = true;
        else
            return flags_end(&flags, id == FLAG_HELP, USAGE);
    }
    if (!is_wanted(&work, &flags, files, count))
        return flags_end(&flags, false, USAGE);
    int status = EXIT_DONE;
    for (size_t i = 0; i < count; i++)
        if (!format_one(&work, files[i]))
            status = EXIT_ERROR;
    return fflush(stdout) == 0 ? status : EXIT_ERROR;
}
