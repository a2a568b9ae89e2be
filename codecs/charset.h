/* SPDX-License-Identifier: Apache-2.0
 *
 * The `charset` option of the codecs: bytes in some encoding become valid UTF-8. What does not decode becomes U+FFFD;
 * a text that should be UTF-8 and is not is shown as Ruby inspects it ("caf\xE9"), as Logstash does.
 * Names are those Logstash takes (Ruby's); the conversion is the C library's iconv. One instance for each codec instance.
 */
#ifndef MILLRACE_CODECS_CHARSET_H
#define MILLRACE_CODECS_CHARSET_H

#include <iconv.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

/* For OPTION_CHOICE; NULL-terminated. */
extern const char *const charset_names[];

struct charset {
    enum { CHARSET_UTF8, CHARSET_ASCII, CHARSET_ICONV } kind;
    iconv_t decoder;  /* ICONV */
    const char *name; /* for iconv */
    unsigned unit;    /* bytes of the smallest code unit: 1, 2 or 4 */
};

/* choice: an index into charset_names. */
bool charset_open(struct charset *charset, int choice, struct error *err);
void charset_close(struct charset *charset);
/* Returns text itself when it is valid UTF-8 already. */
struct str charset_to_utf8(struct charset *charset, struct arena *arena, struct str text);
/* A short UTF-8 text (a delimiter) in this encoding; text itself where it has no other form. */
struct str charset_encode(const struct charset *charset, struct arena *arena, struct str text);

#endif
