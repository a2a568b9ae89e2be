/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the keystore of a folder with settings is, and the password that the environment has for it.
 */
#ifndef MILLRACE_CMD_KEYSTORE_H
#define MILLRACE_CMD_KEYSTORE_H

#include "base/arena.h"
#include "conf/settings.h"

const char *keystore_path(struct arena *arena, struct str settings);
const char *keystore_password(void); /* NULL: none */

/* settings_load, whose files take ${NAME} from the keystore as well. */
enum settings_result keystore_settings(struct settings *settings, struct arena *arena, int argc,
                                       char **argv, struct error_list *errors);

#endif
