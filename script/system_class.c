/* SPDX-License-Identifier: Apache-2.0
 *
 * What scripts may ask the machine: the environment, its name, random numbers, digests; and files, while the pipeline
 * starts (reading one for each event would hold up the lane).
 */
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/digest.h"
#include "script/library.h"

extern char **environ;

enum {
    FILE_MAX_BYTES = 16 * 1024 * 1024,
    GLOB_MAX_PATHS = 10000,
    RANDOM_MAX_BYTES = 64 * 1024,
    HOST_NAME_MAX_BYTES = 256,
};

/* LogStash.__env("NAME"): nil when not set. */
static mrb_value env(mrb_state *mrb, mrb_value self)
{
    const char *name;
    (void)self;
    mrb_get_args(mrb, "z", &name);
    const char *value = getenv(name);
    return value ? mrb_str_new_cstr(mrb, value) : mrb_nil_value();
}

/* LogStash.__environ: "NAME=value" … */
static mrb_value env_all(mrb_state *mrb, mrb_value self)
{
    mrb_value all = mrb_ary_new(mrb);
    (void)self;
    for (char **entry = environ; *entry; entry++)
        mrb_ary_push(mrb, all, mrb_str_new_cstr(mrb, *entry));
    return all;
}

static mrb_value host_name(mrb_state *mrb, mrb_value self)
{
    const struct plugin_env *plugin = script_vm_of(mrb)->env;
    char name[HOST_NAME_MAX_BYTES] = "";
    (void)self;
    if (plugin && plugin->settings && plugin->settings->host_name)
        return mrb_str_new_cstr(mrb, plugin->settings->host_name);
    if (gethostname(name, sizeof name - 1) != 0)
        return mrb_str_new_lit(mrb, "localhost");
    return mrb_str_new_cstr(mrb, name);
}

/* LogStash.__random(count): bytes. */
static mrb_value random_bytes(mrb_state *mrb, mrb_value self)
{
    mrb_int count;
    (void)self;
    mrb_get_args(mrb, "i", &count);
    if (count < 0 || count > RANDOM_MAX_BYTES)
        mrb_raise(mrb, E_ARGUMENT_ERROR, "number of random bytes out of range");
    mrb_value bytes = mrb_str_new(mrb, NULL, (size_t)count);
    for (mrb_int done = 0; done < count;) {
        ssize_t got = getrandom(RSTRING_PTR(bytes) + done, (size_t)(count - done), 0);
        if (got < 0 && errno != EINTR)
            mrb_raise(mrb, E_RUNTIME_ERROR, "no random numbers");
        done += got > 0 ? got : 0;
    }
    return bytes;
}

/* LogStash.__digest(algorithm, key or nil, bytes): the digest's bytes. algorithm as in enum digest_algorithm. */
static mrb_value digest(mrb_state *mrb, mrb_value self)
{
    mrb_int algorithm;
    mrb_value key, bytes;
    unsigned char out[DIGEST_MAX_BYTES];
    (void)self;
    mrb_get_args(mrb, "ioS", &algorithm, &key, &bytes);
    if (algorithm < DIGEST_MD5 || algorithm > DIGEST_SHA512)
        mrb_raise(mrb, E_ARGUMENT_ERROR, "unknown digest");
    size_t len =
        mrb_string_p(key)
            ? digest_hmac((enum digest_algorithm)algorithm, script_str(key), script_str(bytes), out)
            : digest_bytes((enum digest_algorithm)algorithm, script_str(bytes), out);
    return mrb_str_new(mrb, (const char *)out, len);
}

/* LogStash.__filtering?: an event is being filtered (and nothing may block). */
static mrb_value is_filtering(mrb_state *mrb, mrb_value self)
{
    const struct script_vm *vm = script_vm_of(mrb);
    (void)self;
    return mrb_bool_value(vm->call && vm->call->event);
}

/* LogStash.__read(path): nil when there is no such file. */
static mrb_value read_file(mrb_state *mrb, mrb_value self)
{
    const char *path;
    char block[8192];
    (void)self;
    mrb_get_args(mrb, "z", &path);
    mrb_value text = mrb_str_new_capa(mrb, sizeof block);
    FILE *file = fopen(path, "rb");
    if (!file)
        return mrb_nil_value();
    struct buf *buf =
        &script_vm_of(mrb)->json_text; /* the vm's, because appending to a String may raise */
    buf->len = 0;
    bool fits = true;
    for (size_t got; fits && (got = fread(block, 1, sizeof block, file)) > 0;)
        fits = buf->len + got <= FILE_MAX_BYTES && buf_append(buf, block, got);
    fclose(file);
    if (!fits)
        mrb_raisef(mrb, E_RUNTIME_ERROR, "'%s' is too long", path);
    return mrb_str_cat(mrb, text, buf->ptr ? buf->ptr : "", buf->len);
}

static mrb_value file_exists(mrb_state *mrb, mrb_value self)
{
    const char *path;
    (void)self;
    mrb_get_args(mrb, "z", &path);
    return mrb_bool_value(access(path, F_OK) == 0);
}

/* LogStash.__print(text, to_stderr) */
static mrb_value print_text(mrb_state *mrb, mrb_value self)
{
    mrb_value text;
    mrb_bool to_stderr;
    mrb_get_args(mrb, "Sb", &text, &to_stderr);
    FILE *out = to_stderr ? stderr : stdout;
    fwrite(RSTRING_PTR(text), 1, (size_t)RSTRING_LEN(text), out);
    fflush(out);
    return self;
}

/* LogStash.__glob(pattern): paths in order; braces stand for alternatives. */
static mrb_value glob_paths(mrb_state *mrb, mrb_value self)
{
    const char *pattern;
    glob_t found = {.gl_pathc = 0};
    (void)self;
    mrb_get_args(mrb, "z", &pattern);
    struct arena *arena = script_arena(script_vm_of(mrb));
    size_t count = 0;
    struct str *paths = NULL;
    if (glob(pattern, GLOB_BRACE, NULL, &found) == 0) {
        count = found.gl_pathc < GLOB_MAX_PATHS ? found.gl_pathc : GLOB_MAX_PATHS;
        paths = arena_alloc(arena, count * sizeof *paths);
        for (size_t i = 0; i < count; i++)
            paths[i] = arena_dup(arena, str_from(found.gl_pathv[i]));
    }
    globfree(&found); /* before anything can raise */
    mrb_value all = mrb_ary_new_capa(mrb, (mrb_int)count);
    for (size_t i = 0; i < count; i++)
        mrb_ary_push(mrb, all, script_new_str(mrb, paths[i]));
    return all;
}

static mrb_value is_directory(mrb_state *mrb, mrb_value self)
{
    const char *path;
    struct stat status;
    (void)self;
    mrb_get_args(mrb, "z", &path);
    return mrb_bool_value(stat(path, &status) == 0 && S_ISDIR(status.st_mode));
}

void script_define_system(struct script_vm *vm)
{
    mrb_state *mrb = vm->mrb;
    struct RClass *logstash = mrb_define_module(mrb, "LogStash");
    mrb_define_class_method(mrb, logstash, "__env", env, MRB_ARGS_REQ(1));
    mrb_define_class_method(mrb, logstash, "__environ", env_all, MRB_ARGS_NONE());
    mrb_define_class_method(mrb, logstash, "__host_name", host_name, MRB_ARGS_NONE());
    mrb_define_class_method(mrb, logstash, "__random", random_bytes, MRB_ARGS_REQ(1));
    mrb_define_class_method(mrb, logstash, "__digest", digest, MRB_ARGS_REQ(3));
    mrb_define_class_method(mrb, logstash, "__filtering?", is_filtering, MRB_ARGS_NONE());
    mrb_define_class_method(mrb, logstash, "__read", read_file, MRB_ARGS_REQ(1));
    mrb_define_class_method(mrb, logstash, "__glob", glob_paths, MRB_ARGS_REQ(1));
    mrb_define_class_method(mrb, logstash, "__directory?", is_directory, MRB_ARGS_REQ(1));
    mrb_define_class_method(mrb, logstash, "__print", print_text, MRB_ARGS_REQ(2));
    mrb_define_class_method(mrb, logstash, "__exist?", file_exists, MRB_ARGS_REQ(1));
}
