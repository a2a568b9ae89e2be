/* SPDX-License-Identifier: Apache-2.0
 *
 * `millrace keystore`: secrets for ${NAME} in pipelines (io/keystore.h).
 */
#include "io/keystore.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cmd/commands.h"
#include "cmd/keystore.h"

static const char USAGE[] =
    "usage: millrace keystore create [--force]\n"
    "       millrace keystore add NAME...\n"
    "       millrace keystore list\n"
    "       millrace keystore remove NAME...\n"
    "Secrets for ${NAME} in pipelines, in one encrypted file that only its owner may\n"
    "read. They come before variables of the environment of the same name.\n"
    "  create   a new, empty one\n"
    "  add      ask for a value, or take a line of standard input for each name\n"
    "  list     the names\n"
    "  --path.settings DIR   where the file millrace.keystore is (/etc/millrace)\n"
    "  --force               create: in place of one that is there\n"
    "MILLRACE_KEYSTORE_PASS or LOGSTASH_KEYSTORE_PASS is its password, for this\n"
    "command and for whoever runs the pipelines. Without one it is as secret as the\n"
    "file is.\n";

enum { FLAG_SETTINGS, FLAG_FORCE, FLAG_HELP };

const struct flag keystore_flags[] = {
    {"path.settings", 0, true, FLAG_SETTINGS},
    {"force", 0, false, FLAG_FORCE},
    {"help", 'h', false, FLAG_HELP},
    {NULL, 0, false, 0},
};

struct request {
    const char *settings;
    bool force;
    char **words; /* the verb, then names */
    size_t count;
    struct arena arena;
    const char *path;
};

const char *keystore_password(void)
{
    const char *own = getenv("MILLRACE_KEYSTORE_PASS");
    return own ? own : getenv("LOGSTASH_KEYSTORE_PASS");
}

const char *keystore_path(struct arena *arena, struct str settings)
{
    return arena_printf(arena, "%.*s/millrace.keystore", STR_FMT(settings)).ptr;
}

/* ---- what it does --------------------------------------------------------------------------------- */

static bool complain(const struct request *request, const char *what)
{
    fprintf(stderr, "millrace keystore: '%s': %s\n", request->path, what);
    return false;
}

static struct keystore *load(const struct request *request)
{
    struct error err = {0};
    if (access(request->path, F_OK) != 0) {
        complain(request, "is not there; 'millrace keystore create' makes it");
        return NULL;
    }
    struct keystore *keystore = keystore_load(request->path, keystore_password(), &err);
    if (!keystore)
        complain(request, err.text);
    return keystore;
}

static bool save(const struct request *request, const struct keystore *keystore)
{
    struct error err = {0};
    return keystore_save(keystore, request->path, keystore_password(), &err) ||
           complain(request, err.text);
}

static bool create(const struct request *request)
{
    if (!request->force && access(request->path, F_OK) == 0)
        return complain(request, "is there already; --force makes an empty one in its place");
    if (!keystore_password())
        fputs("millrace keystore: MILLRACE_KEYSTORE_PASS is not set: made without a password, so "
              "only the file's permissions protect it\n",
              stderr);
    struct keystore *keystore = keystore_new();
    bool ok = save(request, keystore);
    keystore_free(keystore);
    return ok;
}

/* A line of standard input; typed ones are not shown. */
static bool read_value(const char *name, char **line, size_t *capacity, struct str *out)
{
    struct termios before, silent;
    bool asks = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
    if (asks) {
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent); /* before it asks: what was typed is dropped */
        fprintf(stderr, "value of %s: ", name);
    }
    ssize_t len = getline(line, capacity, stdin);
    if (asks) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    while (len > 0 && ((*line)[len - 1] == '\n' || (*line)[len - 1] == '\r'))
        len--;
    *out = str_make(*line, len > 0 ? (size_t)len : 0);
    return len > 0;
}

static bool add_all(const struct request *request, struct keystore *keystore)
{
    struct error err = {0};
    char *line = NULL;
    size_t capacity = 0;
    bool ok = true;
    for (size_t i = 1; ok && i < request->count; i++) {
        struct str value;
        if (!read_value(request->words[i], &line, &capacity, &value))
            error_set(&err, ERROR_FORMAT, "no value was given for '%s'", request->words[i]);
        else if (keystore_put(keystore, str_from(request->words[i]), value, &err))
            continue;
        ok = complain(request, err.text);
    }
    if (line)
        explicit_bzero(line, capacity);
    free(line);
    return ok;
}

static bool remove_all(const struct request *request, struct keystore *keystore)
{
    for (size_t i = 1; i < request->count; i++)
        if (!keystore_remove(keystore, str_from(request->words[i]))) {
            fprintf(stderr, "millrace keystore: there is no '%s' in '%s'\n", request->words[i],
                    request->path);
            return false;
        }
    return true;
}

static bool list(const struct keystore *keystore)
{
    struct str name;
    for (size_t i = 0; (name = keystore_name(keystore, i)).ptr; i++)
        printf("%.*s\n", STR_FMT(name));
    return fflush(stdout) == 0;
}

static int change(const struct request *request)
{
    const char *verb = request->words[0];
    struct keystore *keystore = load(request);
    bool ok = keystore;
    if (ok && strcmp(verb, "list") == 0)
        ok = list(keystore);
    else if (ok)
        ok = (strcmp(verb, "add") == 0 ? add_all : remove_all)(request, keystore) &&
             save(request, keystore);
    keystore_free(keystore);
    return ok ? EXIT_DONE : EXIT_ERROR;
}

/* ---- flags ---------------------------------------------------------------------------------------- */

static bool is_wanted(const struct request *request)
{
    static const struct {
        const char *verb;
        bool names;
    } VERBS[] = {{"create", false}, {"add", true}, {"list", false}, {"remove", true}};
    for (size_t i = 0; request->count > 0 && i < sizeof VERBS / sizeof *VERBS; i++)
        if (strcmp(request->words[0], VERBS[i].verb) == 0) {
            if (VERBS[i].names == (request->count > 1))
                return true;
            fprintf(stderr, "millrace keystore: %s %s\n", VERBS[i].verb,
                    VERBS[i].names ? "needs the name of a secret" : "takes no names");
            return false;
        }
    fprintf(stderr, "millrace keystore: expected create, add, list or remove%s%s\n",
            request->count > 0 ? ", found " : "", request->count > 0 ? request->words[0] : "");
    return false;
}

int cmd_keystore(int argc, char **argv)
{
    struct request request = {.settings = MILLRACE_SETTINGS, .words = argv + 1};
    struct flags flags = {.argc = argc, .argv = argv, .table = keystore_flags, .at = 1};
    for (int id; (id = flags_next(&flags)) != FLAGS_END;) {
        if (id == FLAGS_OPERAND)
            request.words[request.count++] = (char *)(uintptr_t)flags.value;
        else if (id == FLAG_SETTINGS)
            request.settings = flags.value;
        else if (id == FLAG_FORCE)
            request.force = true;
        else
            return flags_end(&flags, id == FLAG_HELP, USAGE);
    }
    if (!is_wanted(&request))
        return flags_end(&flags, false, USAGE);
    arena_init(&request.arena, NULL);
    request.path = keystore_path(&request.arena, str_from(request.settings));
    int status = strcmp(request.words[0], "create") != 0 ? change(&request)
                 : create(&request)                      ? EXIT_DONE
                                                         : EXIT_ERROR;
    arena_release(&request.arena);
    return status;
}
