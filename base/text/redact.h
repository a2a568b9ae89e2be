/* SPDX-License-Identifier: Apache-2.0
 *
 * What logs and messages must not show: passwords, tokens, and values of events that a server quotes back.
 * The rules err towards hiding. Any thread.
 */
#ifndef MILLRACE_BASE_TEXT_REDACT_H
#define MILLRACE_BASE_TEXT_REDACT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/* True when what has this name (an option, a header, a URL's parameter) is a secret: password, token,
 * api_key, Authorization and the like, also as a part of the name. */
bool redact_is_secret(struct str name);

/* The part of a text that is "USER:PASSWORD" of a URL, between "//" and '@'; length 0 when there is none. */
struct str redact_user_info(struct str text);

/* Appends a URL without user and password, with its query as "?..." when it has one, and with "..." for parts of its path that
 * look like keys, as those of webhooks do. */
void redact_url(struct str url, struct buf *out);

/* Appends what a server gave as its reason, without the values that it quotes: what stands between quotes,
 * brackets or parentheses becomes "...", unless the word before it says that it is a name (a field, a
 * type, an index, a user). A quoted value may itself hold quotes: everything up to the last closing one
 * is taken for it. */
void redact_reason(struct str reason, struct buf *out);

#endif
