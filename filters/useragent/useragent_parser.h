/* SPDX-License-Identifier: Apache-2.0
 *
 * What a user agent text says, by the expressions of uap-core's regexes.yaml: in each of its three lists (programs,
 * systems, devices) the first expression that matches and names something wins.
 *
 * A parser is shared by the instances of a plugin: it is read once, an expression is compiled when it is first tried, on
 * whichever lane that is. Each lane gives its reference back on its own thread.
 */
#ifndef MILLRACE_FILTERS_USERAGENT_USERAGENT_PARSER_H
#define MILLRACE_FILTERS_USERAGENT_USERAGENT_PARSER_H

#include "base/arena.h"
#include "base/error.h"
#include "base/log.h"
#include "base/regex/regex.h"
#include "base/str.h"

enum { USERAGENT_VERSIONS = 4, USERAGENT_TEXT_BYTES_MAX = 8192 };

struct useragent_product {
    struct str family; /* "Other" when nothing matched */
    struct str
        versions[USERAGENT_VERSIONS]; /* major, minor, patch, patch minor; ptr NULL: not known */
};

struct useragent_facts {
    struct useragent_product program, os;
    struct str device;
};

struct useragent_parser;

/* Reads the file. NULL and *err. */
struct useragent_parser *useragent_parser_read(const char *path, struct error *err);
struct useragent_parser *useragent_parser_ref(struct useragent_parser *parser);
void useragent_parser_unref(struct useragent_parser *parser); /* NULL is ok */

/* Only the first USERAGENT_TEXT_BYTES_MAX bytes of the text are looked at. What is found points into the text, the
 * arena or the parser. */
void useragent_parse(struct useragent_parser *parser, struct arena *arena,
                     struct regex_scratch *scratch, struct str text, struct useragent_facts *out);
/* How many expressions turned out not to compile so far: they are passed over. */
size_t useragent_parser_broken(const struct useragent_parser *parser);

#endif
