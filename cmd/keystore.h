/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the keystore of a folder with settings is, and the password that the environment has for it.
 */
#ifndef MILLRACE_CMD_KEYSTORE_H
#define MILLRACE_CMD_KEYSTORE_H

#include "base/arena.h"
#include "conf/settings.h"

struct keystore;

const char *keystore_path(struct arena *arena, struct str settings);
const char *keystore_password(void); /* NULL: none */
/* That of a folder with settings, loaded; *out is NULL when there is none. False and *err: it cannot be read. */
bool keystore_of(struct arena *arena, struct str settings, struct keystore **out,
                 struct error *err);

/* settings_load, whose files take ${NAME} from the keystore as well. */
enum settings_result keystore_settings(struct settings *settings, struct arena *arena, int argc,
                                       char **argv, struct error_list *errors);

#endif
