/* SPDX-License-Identifier: Apache-2.0
 *
 * A cloud id is LABEL:BASE64 of "DOMAIN[:PORT]$SEARCH[:PORT]$…": the search server is https://SEARCH.DOMAIN:PORT, port
 * 443 unless one is given.
 */
#ifndef MILLRACE_PIPELINE_CLOUD_ID_H
#define MILLRACE_PIPELINE_CLOUD_ID_H

#include "base/arena.h"
#include "base/error.h"

bool cloud_id_url(struct arena *arena, struct str cloud_id, struct str *url_out, struct error *err);

#endif
