/* SPDX-License-Identifier: Apache-2.0
 *
 * Where the text of a schema comes from: a file, or a server over HTTP. A codec is opened for each connection, which must not
 * wait for a server; so the text is got once, when the configuration is checked, and remembered for the process by its
 * address. Any thread.
 */
#ifndef MILLRACE_CODECS_AVRO_AVRO_SOURCE_H
#define MILLRACE_CODECS_AVRO_AVRO_SOURCE_H

#include "pipeline/client_options.h"

struct avro_source {
    struct str uri; /* a path, file://… or http(s)://… */
    struct str user, password, proxy;
    struct client_tls tls;
};

/* Gets it anew. Waits for a server at most AVRO_SOURCE_WAIT_MS. */
enum { AVRO_SOURCE_WAIT_MS = 10 * 1000 };
bool avro_source_fetch(const struct avro_source *source, const struct plugin_env *env,
                       struct str *text_out, struct error *err);
/* What was got last, or gets it. */
bool avro_source_text(const struct avro_source *source, const struct plugin_env *env,
                      struct str *text_out, struct error *err);
bool avro_source_is_remote(const struct avro_source *source);

#endif
