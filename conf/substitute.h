/* SPDX-License-Identifier: Apache-2.0
 *
 * ${NAME} and ${NAME:default} in texts of the configuration and of logstash.yml. Also
 * ${file:/run/secrets/x}, which is the content of that file without the line end.
 */
#ifndef MILLRACE_CONF_SUBSTITUTE_H
#define MILLRACE_CONF_SUBSTITUTE_H

#include "base/arena.h"
#include "base/error.h"
#include "conf/source.h"

enum {
    SUBSTITUTE_FILE_MAX_BYTES = 64 * 1024,
    SUBSTITUTE_MAX_BYTES = 1024 * 1024 /* of one text after substitution */
};

struct substitution {
    struct str text; /* the given text itself when there is nothing to replace */
    bool replaced;
    bool nests; /* a default held the beginning of another placeholder: to be filled in once more */
};

/* False when a variable is not there and has no default. */
bool substitute(struct arena *arena, const struct conf_options *options, struct str text,
                struct substitution *out, struct error *err);

/* Whether the text is one placeholder and nothing else. */
bool substitute_is_whole(struct str text);

/* Values that came from variables lose one layer of quotes around the whole (first ', then "). */
struct str substitute_unquote(struct str text);

/* "[a, 'b']" as its items, without blanks and quotes around them; false when text is not in brackets. */
bool substitute_list(struct arena *arena, struct str text, struct str **items_out,
                     size_t *count_out);

#endif
