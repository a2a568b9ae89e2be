/* SPDX-License-Identifier: Apache-2.0
 *
 * ${NAME} in logstash.yml and pipelines.yml: what the keystore says comes before the environment, as in pipelines.
 */
#include <unistd.h>

#include "cmd/keystore.h"
#include "io/keystore.h"

bool keystore_of(struct arena *arena, struct str settings, struct keystore **out, struct error *err)
{
    const char *path = keystore_path(arena, settings);
    *out = NULL;
    if (access(path, F_OK) != 0)
        return true;
    *out = keystore_load(path, keystore_password(), err);
    return *out || error_prefix(err, "keystore '%s'", path);
}

static void *open_store(const struct settings *settings, struct error *err)
{
    struct keystore *keystore;
    (void)keystore_of(settings->arena, settings->path_settings, &keystore, err);
    return keystore;
}

static const char *find_secret(void *store, const char *name)
{
    return keystore_get(store, str_from(name));
}

static void close_store(void *store)
{
    keystore_free(store);
}

enum settings_result keystore_settings(struct settings *settings, struct arena *arena, int argc,
                                       char **argv, struct error_list *errors)
{
    static const struct settings_secrets SECRETS = {open_store, find_secret, close_store};
    return settings_load_with(settings, arena, &(struct settings_given){argc, argv, &SECRETS},
                              errors);
}
