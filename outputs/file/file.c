/* SPDX-License-Identifier: Apache-2.0
 *
 * file: events appended to files whose path may come from the event. An item of a group is the path (its length in four
 * bytes, then its text; nothing for a path without placeholders) and then what the codec wrote. Events count as delivered
 * when they are written; a full disk is tried again.
 *
 * The path of an event must stay below the part of `path` that has no placeholder: else the event goes to
 * filename_failure there.
 */
#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "outputs/describe.h"
#include "outputs/file/file_targets.h"
#include "outputs/outputs.h"
#include "pipeline/delivery/group.h"
#include "pipeline/program/evaluate.h"

enum {
    FILE_GROUP_ITEMS = 5000,
    FILE_GROUP_BYTES = 1024 * 1024,
    FILE_FLUSH_MS = 20,
    FILE_GZIP_FLUSH_MS = 1000, /* at most: larger members are smaller in sum */
    FILE_RETRY_INITIAL_MS = 500,
    FILE_RETRY_MAX_MS = 10 * 1000,
    FILE_LOG_WINDOW_MS = 10 * 1000,
    DEFAULT_DIR_MODE = 0777, /* less the umask */
    DEFAULT_FILE_MODE = 0666,
};

enum write_behavior { BEHAVIOR_APPEND, BEHAVIOR_OVERWRITE };

struct file_output {
    const struct conf_plugin *codec_option;
    struct str path_option, filename_failure, dir_mode, file_mode;
    struct template message_format;
    bool gzip, create_if_deleted;
    int write_behavior;
    int64_t flush_interval_s, stale_cleanup_interval_ms;

    const struct plugin_env *env;
    struct codec_instance codec;
    struct template path; /* absolute */
    struct str root;      /* without the last slash; the part before the first placeholder */
    struct str failure_path;
    struct file_targets targets;
    struct log_limit failures;
    uv_timer_t *sweep; /* allocated, because it is closed after the instance is */
};

/* ---- options -------------------------------------------------------------------------------------- */

/* "0640" is octal, as in Ruby; -1 is the default. */
static bool parse_mode(const char *name, struct str text, mode_t fallback, mode_t *out,
                       struct error *err)
{
    char digits[16];
    if (text.len == 0 || str_equal(text, STR("-1"))) {
        *out = fallback;
        return true;
    }
    if (text.len >= sizeof digits)
        return error_set(err, ERROR_CONFIG, "%s is too long for a mode", name);
    memcpy(digits, text.ptr, text.len);
    digits[text.len] = '\0';
    char *end;
    unsigned long mode = strtoul(digits, &end, digits[0] == '0' ? 8 : 10);
    if (*end || mode > 07777)
        return error_set(err, ERROR_CONFIG, "%s is '%s', expected a mode such as 0640", name,
                         digits);
    *out = (mode_t)mode;
    return true;
}

/* ---- paths ----------------------------------------------------------------------------------------- */

/* Takes "." and ".." and doubled slashes out of an absolute path, by its text alone. False when it has no room, is not
 * absolute or holds a NUL. */
static bool normalize(struct str path, char out[PATH_MAX], size_t *len_out)
{
    size_t len = 0;
    if (path.len >= PATH_MAX || !str_starts_with(path, STR("/")) ||
        memchr(path.ptr, '\0', path.len))
        return false;
    for (size_t at = 1; at <= path.len;) {
        const char *slash = memchr(path.ptr + at, '/', path.len - at);
        size_t end = slash ? (size_t)(slash - path.ptr) : path.len;
        struct str part = str_make(path.ptr + at, end - at);
        at = end + 1;
        if (part.len == 0 || str_equal(part, STR(".")))
            continue;
        if (str_equal(part, STR(".."))) {
            while (len > 0 && out[--len] != '/')
                ;
            continue;
        }
        if (part.len > NAME_MAX)
            return false;
        out[len++] = '/';
        memcpy(out + len, part.ptr, part.len);
        len += part.len;
    }
    *len_out = len;
    return len > 0;
}

/* The path from the root of the file system, without changing what it has of placeholders. */
static struct str absolute(const struct plugin_env *env, struct str path)
{
    char directory[PATH_MAX];
    const char *home = getenv("HOME");
    if (home && home[0] == '/' && (str_equal(path, STR("~")) || str_starts_with(path, STR("~/"))))
        return arena_printf(env->arena, "%s%.*s", home, STR_FMT(str_from_offset(path, 1)));
    if (str_starts_with(path, STR("/")) || !getcwd(directory, sizeof directory))
        return path;
    return arena_printf(env->arena, "%s/%.*s", directory, STR_FMT(path));
}

/* As the paths of events are compared with it: "./a/%{b}" would have no event below it. */
static struct str expand(const struct plugin_env *env, struct str path)
{
    char normal[PATH_MAX];
    size_t len;
    path = absolute(env, path);
    return normalize(path, normal, &len) ? arena_dup(env->arena, str_make(normal, len)) : path;
}

/* Up to the last slash before the first placeholder, or of all. */
static struct str static_root(struct str path)
{
    size_t end = str_find(path, STR("%{"));
    end = end == SIZE_MAX ? path.len : end;
    while (end > 0 && path.ptr[end - 1] != '/')
        end--;
    return str_make(path.ptr, end > 0 ? end - 1 : 0);
}

static bool file_check(void *self, const struct plugin_env *env, struct error *err)
{
    const struct file_output *output = self;
    (void)env;
    mode_t ignored;
    struct str path = output->path_option;
    if (str_starts_with(path, STR("/")) && static_root(path).len == 0 &&
        str_find(path, STR("%{")) != SIZE_MAX)
        return error_set(err, ERROR_CONFIG,
                         "path '%.*s' must begin with a directory that has no placeholder",
                         STR_FMT(path));
    return parse_mode("dir_mode", output->dir_mode, 0, &ignored, err) &&
           parse_mode("file_mode", output->file_mode, 0, &ignored, err);
}

/* ---- paths of events ------------------------------------------------------------------------------ */

static bool is_below(struct str path, struct str root)
{
    return str_starts_with(path, root) && path.len > root.len + 1 && path.ptr[root.len] == '/';
}

static bool append_path(struct buf *out, struct str path)
{
    uint32_t len = (uint32_t)path.len;
    assert(path.len < PATH_MAX);
    return buf_append(out, &len, sizeof len) && buf_append_str(out, path);
}

static bool encode_path(const struct file_output *output, const struct event *event,
                        struct arena *scratch, struct buf *out)
{
    if (output->path.is_literal)
        return append_path(out, STR(""));
    char normal[PATH_MAX];
    size_t len;
    struct str text;
    if (template_text(&output->path, event, scratch, &text) && normalize(text, normal, &len) &&
        is_below(str_make(normal, len), output->root))
        return append_path(out, str_make(normal, len));
    return append_path(out, output->failure_path);
}

static struct str decode_path(const struct file_output *output, struct str *item)
{
    uint32_t len;
    assert(item->len >= sizeof len);
    memcpy(&len, item->ptr, sizeof len);
    struct str path = str_make(item->ptr + sizeof len, len);
    *item = str_from_offset(*item, sizeof len + len);
    return len > 0 ? path : output->path.text;
}

/* ---- the output ----------------------------------------------------------------------------------- */

static void on_sweep(uv_timer_t *timer)
{
    struct file_output *output = timer->data;
    file_targets_sweep(&output->targets);
}

static void begin_sweeps(struct file_output *output)
{
    output->sweep = mem_zero(1, sizeof *output->sweep);
    uv_timer_init(output->env->loop, output->sweep);
    output->sweep->data = output;
    uint64_t interval = (uint64_t)output->stale_cleanup_interval_ms;
    uv_timer_start(output->sweep, on_sweep, interval, interval);
    uv_unref((uv_handle_t *)output->sweep);
}

static void set_limits(const struct file_output *output, struct output_limits *limits)
{
    int64_t flush_ms = output->flush_interval_s * 1000;
    int64_t most = output->gzip ? FILE_GZIP_FLUSH_MS : FILE_FLUSH_MS;
    *limits = (struct output_limits){
        .max_items = FILE_GROUP_ITEMS,
        .max_bytes = FILE_GROUP_BYTES,
        .max_in_flight = 1,
        .flush_ms = (unsigned)(flush_ms < most ? flush_ms : most),
        .retry_initial_ms = FILE_RETRY_INITIAL_MS,
        .retry_max_ms = FILE_RETRY_MAX_MS,
    };
}

static bool file_open_encoder(void *self, const struct plugin_env *env, struct error *err)
{
    struct file_output *output = self;
    if (!file_check(self, env, err) ||
        !codec_open_writer(env, output->codec_option, "json_lines", &output->codec, err))
        return false;
    struct str path = expand(env, output->path_option);
    template_parse(env->arena, path, env->settings->escape, &output->path);
    output->root = static_root(path);
    output->failure_path = arena_printf(env->arena, "%.*s/%.*s", STR_FMT(output->root),
                                        STR_FMT(output->filename_failure));
    return true;
}

static bool file_open(void *self, const struct plugin_env *env, struct output_limits *limits,
                      struct error *err)
{
    struct file_output *output = self;
    output->env = env;
    set_limits(output, limits);
    struct file_targets_options options = {
        .gzip = output->gzip,
        .overwrite = output->write_behavior == BEHAVIOR_OVERWRITE,
        .create_if_deleted = output->create_if_deleted,
        .has_file_mode = output->file_mode.len > 0 && !str_equal(output->file_mode, STR("-1")),
    };
    if (!parse_mode("dir_mode", output->dir_mode, DEFAULT_DIR_MODE, &options.dir_mode, err) ||
        !parse_mode("file_mode", output->file_mode, DEFAULT_FILE_MODE, &options.file_mode, err))
        return false;
    options.failure_path = output->failure_path.ptr;
    file_targets_init(&output->targets, &options);
    output->failures = (struct log_limit){.window_ms = FILE_LOG_WINDOW_MS, .burst = 1};
    begin_sweeps(output);
    return true;
}

/* As the codec writes it, or as the old option message_format says. */
static enum encode_result encode_text(struct file_output *output, const struct event *event,
                                      struct arena *scratch, struct buf *out, struct error *err)
{
    struct str text;
    if (!output->message_format.parts)
        return codec_encode(&output->codec, event, scratch, out, err);
    bool fits = template_text(&output->message_format, event, scratch, &text) &&
                buf_append_str(out, text) && buf_append_char(out, '\n');
    return fits ? ENCODE_DONE : ENCODE_FULL;
}

static enum encode_result file_encode(void *self, const struct event *event, struct arena *scratch,
                                      struct buf *out, struct error *err)
{
    struct file_output *output = self;
    return encode_path(output, event, scratch, out) ? encode_text(output, event, scratch, out, err)
                                                    : ENCODE_FULL;
}

/* Whether items have a path of their own. */
static uint32_t file_form(const void *self)
{
    const struct file_output *output = self;
    return output->path.is_literal ? 1 : 2;
}

static void log_failure(struct file_output *output, const struct file_target *target)
{
    char sentence[sizeof target->err.text + 16];
    uint64_t held_back;
    snprintf(sentence, sizeof sentence, "%s; retrying", target->err.text);
    if (log_limit_allow(&output->failures, uv_now(output->env->loop), &held_back))
        log_warn(output->env->log, "file_not_written", sentence,
                 LOG_INT_IF("not_logged_before", held_back));
}

static void file_send(void *self, struct group *group)
{
    struct file_output *output = self;
    size_t count = group_count(group);
    assert(count > 0);
    struct file_target **targets = mem_zero(count, sizeof(struct file_target *));
    for (size_t i = 0; i < count; i++) {
        struct str item = group_item(group, i);
        targets[i] = file_targets_get(&output->targets, decode_path(output, &item));
        file_target_add(&output->targets, targets[i], item);
    }
    file_targets_write(&output->targets);
    for (size_t i = 0; i < count; i++) {
        bool failed = targets[i]->failed;
        if (failed)
            log_failure(output, targets[i]);
        group_answer(group, i, failed ? VERDICT_RETRY : VERDICT_DELIVERED,
                     failed ? str_from(targets[i]->err.text) : STR(""));
    }
    mem_free(targets);
    group_answered(group);
}

static void on_handle_closed(uv_handle_t *handle)
{
    mem_free(handle);
}

static void file_close(void *self)
{
    struct file_output *output = self;
    if (!output->sweep)
        return;
    file_targets_release(&output->targets);
    uv_close((uv_handle_t *)output->sweep, on_handle_closed);
}

static void file_close_encoder(void *self)
{
    struct file_output *output = self;
    codec_close(&output->codec);
}

static const char *const BEHAVIORS[] = {"append", "overwrite", NULL};

static const struct option file_options[] = {
    {
        .name = "path",
        .doc = "File to write to; %{} takes parts of the event, but not in the first directory.",
        OPTION_IN_STRING(struct file_output, path_option),
        .flags = OPTION_REQUIRED,
    },
    {
        .name = "codec",
        .doc = "How events are written; json_lines when not given.",
        OPTION_IN_CODEC(struct file_output, codec_option),
    },
    {
        .name = "flush_interval",
        .doc = "Seconds that an event may wait for others before it is written; never more than a "
               "fraction is used, "
               "because an event counts as delivered when it is written.",
        OPTION_IN_INT(struct file_output, flush_interval_s),
        .min = 0,
        .max = 86400,
        .def = "2",
    },
    {
        .name = "gzip",
        .doc = "Whether to compress; each write is a gzip member of its own, so a file is whole at "
               "any time.",
        OPTION_IN_BOOL(struct file_output, gzip),
        .def = "false",
    },
    {
        .name = "create_if_deleted",
        .doc = "Whether a file that was deleted is made again; else its events go to "
               "filename_failure.",
        OPTION_IN_BOOL(struct file_output, create_if_deleted),
        .def = "true",
    },
    {
        .name = "dir_mode",
        .doc =
            "Permissions of directories that are made, such as 0750; -1 for the system's default.",
        OPTION_IN_STRING(struct file_output, dir_mode),
        .def = "-1",
    },
    {
        .name = "file_mode",
        .doc = "Permissions of files that are made, such as 0640; -1 for the system's default.",
        OPTION_IN_STRING(struct file_output, file_mode),
        .def = "-1",
    },
    {
        .name = "filename_failure",
        .doc =
            "File, in the part of path without placeholders, for events whose path would leave it.",
        OPTION_IN_STRING(struct file_output, filename_failure),
        .def = "_filepath_failures",
    },
    {
        .name = "write_behavior",
        .doc = "append adds events; overwrite keeps only the last one.",
        OPTION_IN_CHOICE(struct file_output, write_behavior),
        .choices = BEHAVIORS,
        .def = "append",
    },
    {
        .name = "stale_cleanup_interval",
        .doc = "Files that were not written to for this many seconds are closed.",
        OPTION_IN_DURATION_MS(struct file_output, stale_cleanup_interval_ms),
        .min = 1,
        .max = 86400000,
        .def = "10",
    },
    {
        .name = "message_format",
        .doc = "The text of an event.",
        .note = "write codec => line { format => \"...\" }",
        OPTION_IN_TEMPLATE(struct file_output, message_format),
        .flags = OPTION_DEPRECATED,
    },
    {
        .name = "max_size",
        .doc = "Largest size of a file.",
        .note = "it never had one in Logstash either: rotate files by the dates in path",
        OPTION_NOWHERE,
        .flags = OPTION_DEPRECATED | OPTION_IGNORED,
    },
    OPTION_END,
};

static struct str file_describe_item(const void *self, struct str item, struct arena *arena,
                                     struct value *object)
{
    describe_text(arena, object, "path", decode_path(self, &item));
    return item;
}

const struct output output_file = {
    .plugin = {.name = "file",
               .summary = "events appended to files",
               .options = file_options,
               .size = sizeof(struct file_output),
               .shared_size = sizeof(struct codec_shared),
               .scope = SCOPE_PIPELINE,
               .check = file_check},
    .open_encoder = file_open_encoder,
    .open = file_open,
    .encode = file_encode,
    .form = file_form,
    .describe_item = file_describe_item,
    .send = file_send,
    .close = file_close,
    .close_encoder = file_close_encoder,
};
