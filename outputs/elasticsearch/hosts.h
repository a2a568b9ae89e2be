/* SPDX-License-Identifier: Apache-2.0
 *
 * The servers of one output: which there are, whose turn it is, which are dead. A server is dead after a request that
 * could not reach it, until a health check says otherwise. Knows no network.
 */
#ifndef MILLRACE_OUTPUTS_ELASTICSEARCH_HOSTS_H
#define MILLRACE_OUTPUTS_ELASTICSEARCH_HOSTS_H

#include "outputs/elasticsearch/options.h"

enum { HOSTS_MAX = 256 };

struct elasticsearch;

struct host {
    struct str name; /* for people: scheme, host, port and path, no password */
    struct str root; /* what a path is put after to make a URL; no slash at its end */
    struct str bulk_url, check_url;
    bool dead, checking;
    struct elasticsearch *output; /* whose server it is, for health checks */
};

struct hosts {
    struct host *items;
    size_t count;
    size_t turn;
    struct str user, password; /* of the URL, of cloud_auth or of the options; ptr NULL: none */
};

/* Everything is made in arena. */
bool hosts_parse(struct arena *arena, const struct elasticsearch_options *options,
                 struct hosts *out, struct error *err);
/* The next living server; NULL when all are dead. */
struct host *hosts_next(struct hosts *hosts);
bool hosts_all_dead(const struct hosts *hosts);
/* root, path and the parameters of the options. */
struct str hosts_url(struct arena *arena, const struct elasticsearch_options *options,
                     const struct host *host, struct str path);

#endif
