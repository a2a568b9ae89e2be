/* SPDX-License-Identifier: Apache-2.0 */
#include "inputs/file/sincedb_place.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/md5.h"
#include "base/text/ascii.h"
#include "inputs/file/sincedb.h"
#include "pipeline/engine/data_path.h"

enum { OWNER_MAX = 1024, PLACE_MODE = 0600 };

/* ---- announcing --------------------------------------------------------------------------------- */

static const char *default_name(struct arena *arena, const struct option_strings *path)
{
    struct buf paths;
    buf_init(&paths, SIZE_MAX);
    for (size_t i = 0; i < path->count; i++) {
        (void)buf_append_str(&paths, i > 0 ? STR(",") : STR(""));
        (void)buf_append_str(&paths, path->items[i]);
    }
    char digest[MD5_TEXT_LEN + 1];
    md5_text(buf_str(&paths), digest);
    buf_release(&paths);
    return arena_printf(arena, ".sincedb_%s", digest).ptr;
}

static bool is_plain(char byte)
{
    return ascii_is_letter(byte) || ascii_is_digit(byte) || byte == '-' || byte == '.';
}

/* As a part of a file's name: other bytes as %XX, the underline too, which parts the number. */
static struct str name_part(struct arena *arena, struct str text)
{
    static const char DIGITS[] = "0123456789ABCDEF";
    char *out = arena_bytes(arena, 3 * text.len + 1), *to = out;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if (is_plain(text.ptr[i])) {
            *to++ = text.ptr[i];
        } else {
            *to++ = '%';
            *to++ = DIGITS[byte >> 4];
            *to++ = DIGITS[byte & 15];
        }
    }
    return str_make(out, (size_t)(to - out));
}

static const char *key_of(const struct sincedb_place *place)
{
    return place->given ? place->given : place->name;
}

static bool is_used_by(const struct data_path *data, const char *file, const char *user)
{
    const char *other;
    for (size_t i = 0; (other = data_path_user(data, file, i)); i++) {
        if (strcmp(other, user) == 0)
            return true;
    }
    return false;
}

/* /a//b/../c and /a/c are one file: the directory's real path, when it is there, and the name. */
static const char *tidy(struct arena *arena, struct str path)
{
    const char *text = arena_cstr(arena, path);
    const char *slash = strrchr(text, '/');
    if (!slash || slash == text)
        return text;
    char *directory = realpath(arena_cstr(arena, str_make(text, (size_t)(slash - text))), NULL);
    if (!directory)
        return text;
    const char *tidied = arena_printf(arena, "%s%s", directory, slash).ptr;
    free(directory);
    return tidied;
}

struct sincedb_place sincedb_place_announce(const struct plugin_env *env, struct str sincedb_path,
                                            const struct option_strings *path)
{
    struct arena *arena = env->arena;
    struct data_path *data = env->settings->data;
    struct sincedb_place place = {.name = default_name(arena, path)};
    if (sincedb_path.ptr)
        place.given = tidy(arena, sincedb_path);
    if (!data || !env->settings->pipeline_id || (place.given && sincedb_is_nowhere(place.given)))
        return place;
    struct str pipeline = name_part(arena, str_from(env->settings->pipeline_id));
    place.user = arena_cstr(arena, pipeline);
    for (unsigned number = 2; is_used_by(data, key_of(&place), place.user); number++)
        place.user = arena_printf(arena, "%.*s_%u", STR_FMT(pipeline), number).ptr;
    data_path_announce(data, key_of(&place), place.user);
    return place;
}

/* ---- finding ------------------------------------------------------------------------------------ */

struct finding {
    const struct sincedb_place *place;
    const struct plugin_env *env;
    const char *shared; /* the file without a user's name */
    const char *owner;  /* of that; NULL: not written down */
};

static const char *own_path(const struct finding *finding, const char *user)
{
    return arena_printf(finding->env->arena, "%s_%s", finding->shared, user).ptr;
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static const char *owner_path(const struct finding *finding)
{
    return arena_printf(finding->env->arena, "%s.owner", finding->shared).ptr;
}

static const char *read_owner(const struct finding *finding)
{
    char text[OWNER_MAX];
    int fd = open(owner_path(finding), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    ssize_t len = read(fd, text, sizeof text);
    close(fd);
    struct str owner = str_trim(str_make(text, len > 0 ? (size_t)len : 0));
    return owner.len > 0 ? arena_cstr(finding->env->arena, owner) : NULL;
}

static bool write_whole(const char *path, struct str text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, PLACE_MODE);
    if (fd < 0)
        return false;
    bool written = write(fd, text.ptr, text.len) == (ssize_t)text.len;
    return close(fd) == 0 && written;
}

/* What is not written down today is tomorrow: that it fails is told by the sincedb itself, in the same directory. */
static void take_over(struct finding *finding)
{
    const char *user = finding->place->user;
    if (finding->owner && strcmp(finding->owner, user) == 0)
        return;
    struct str line = arena_printf(finding->env->arena, "%s\n", user);
    (void)write_whole(owner_path(finding), line);
}

/* Everybody's positions so far: each of the others begins with them. */
static bool copy_to_others(const struct finding *finding, struct error *err)
{
    const struct data_path *data = finding->env->settings->data;
    struct sincedb all;
    sincedb_init(&all);
    bool copied = sincedb_load(&all, finding->shared, err);
    const char *other;
    for (size_t i = 0; copied && (other = data_path_user(data, key_of(finding->place), i)); i++) {
        const char *path = own_path(finding, other);
        if (strcmp(other, finding->place->user) == 0 || exists(path))
            continue;
        all.changed = true;
        copied = sincedb_save(&all, path, err);
    }
    sincedb_release(&all);
    return copied;
}

static bool is_known(const struct finding *finding, const char *user)
{
    return is_used_by(finding->env->settings->data, key_of(finding->place), user);
}

static const char *choose(struct finding *finding, struct error *err)
{
    const struct data_path *data = finding->env->settings->data;
    const char *user = finding->place->user;
    bool alone = !data_path_user(data, key_of(finding->place), 1);
    const char *own = own_path(finding, user);
    finding->owner = read_owner(finding);
    if (exists(own))
        return own;
    if (alone) {
        if (!finding->place->given)
            take_over(finding);
        return finding->shared;
    }
    if (finding->owner && strcmp(finding->owner, user) != 0 && is_known(finding, finding->owner))
        return own;
    if (!finding->owner && exists(finding->shared) && !copy_to_others(finding, err))
        return NULL;
    take_over(finding);
    return finding->shared;
}

static bool find_shared(struct finding *finding, struct error *err)
{
    finding->shared = finding->place->given;
    if (finding->shared)
        return true;
    const char *directory;
    if (!data_path_make(finding->env->settings->data, "plugins/inputs/file", finding->env->arena,
                        &directory, err))
        return error_prefix(err, "positions of files cannot be kept (see sincedb_path)");
    finding->shared =
        arena_printf(finding->env->arena, "%s/%s", directory, finding->place->name).ptr;
    return true;
}

bool sincedb_place_find(const struct sincedb_place *place, const struct plugin_env *env,
                        const char **path_out, struct error *err)
{
    struct finding finding = {.place = place, .env = env};
    assert(place->name);
    if (!find_shared(&finding, err))
        return false;
    *path_out = place->user ? choose(&finding, err) : finding.shared;
    if (*path_out && place->given && strcmp(*path_out, place->given) != 0)
        log_warn(env->log, "sincedb_path_shared",
                 "another input has the same sincedb_path; this one keeps its positions in a file "
                 "of its own",
                 LOG_STR("input", env->id), LOG_CSTR("sincedb_path", *path_out));
    return *path_out;
}
