/* SPDX-License-Identifier: Apache-2.0
 *
 * A program for the build: compiles the Ruby files of the prelude to bytecode in a C array, so that a lane starts
 * without parsing them, and a mistake in one stops the build.
 *   compile_prelude OUTPUT.c FILE.rb...
 */
#include <mruby.h>
#include <mruby/compile.h>
#include <mruby/dump.h>
#include <mruby/internal.h>
#include <mruby/proc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOURCE_MAX = 1 << 20 };

static size_t append_file(char *source, size_t len, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(1);
    }
    len += fread(source + len, 1, SOURCE_MAX - len, file);
    fclose(file);
    if (len >= SOURCE_MAX) {
        fprintf(stderr, "%s: the prelude is too long\n", path);
        exit(1);
    }
    return len;
}

/* Each file is compiled on its own to report its own lines; all of them together are what is written. */
static struct RProc *compile(mrb_state *mrb, const char *source, size_t len, const char *name)
{
    mrbc_context *context = mrbc_context_new(mrb);
    context->no_exec = true;
    context->no_optimize = true; /* as for scripts: "é"[0] must not be by bytes */
    mrbc_filename(mrb, context, name);
    struct mrb_parser_state *parser = mrb_parse_nstring(mrb, source, len, context);
    struct RProc *proc = parser && parser->nerr == 0 ? mrb_generate_code(mrb, parser) : NULL;
    if (!proc)
        exit(1);
    mrb_parser_free(parser);
    mrbc_context_free(mrb, context);
    return proc;
}

int main(int argc, char **argv)
{
    mrb_state *mrb = mrb_open_core(mrb_default_allocf, NULL);
    char *source = malloc(SOURCE_MAX);
    size_t len = 0;
    FILE *out = argc > 2 ? fopen(argv[1], "wb") : NULL;
    if (!mrb || !source || !out) {
        fprintf(stderr, "usage: compile_prelude OUTPUT.c FILE.rb...\n");
        return 1;
    }
    for (int i = 2; i < argc; i++) {
        size_t start = len;
        len = append_file(source, len, argv[i]);
        compile(mrb, source + start, len - start, argv[i]);
    }
    struct RProc *proc = compile(mrb, source, len, "prelude");
    fputs("#include \"script/prelude.h\"\n", out);
    if (mrb_dump_irep_cfunc(mrb, proc->body.irep, MRB_DUMP_DEBUG_INFO, out, "script_prelude") !=
        MRB_DUMP_OK) {
        fprintf(stderr, "cannot dump the prelude\n");
        return 1;
    }
    fclose(out);
    free(source);
    mrb_close(mrb);
    return 0;
}
