/* SPDX-License-Identifier: Apache-2.0
 *
 * Option tables: one row for each option that Logstash documents for a plugin, whether it is supported
 * or not. From a table come the checks at start, the binding into the plugin's struct,
 * `millrace plugins NAME` and docs/reference/. A table is `static const struct option[]` and ends with
 * OPTION_END. The macros check at compile time that the member has the type the row says.
 *
 *   { .name = "pool_max", .doc = "Largest number of connections open at once.",
 *     OPTION_IN_INT(struct http_output, pool_max), .min = 1, .max = 1024, .def = "50" },
 *
 * Everything bound lives in the arena of the configuration; texts have a NUL after them. A deprecated row
 * that points at the same member as another one is its old name: the other's default and OPTION_REQUIRED
 * are satisfied by it, and giving both is an error.
 */
#ifndef MILLRACE_CONF_OPTION_H
#define MILLRACE_CONF_OPTION_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "conf/field_ref.h"
#include "conf/syntax.h"
#include "conf/template.h"

enum option_type {
    OPTION_STRING,      /* struct str: exactly one value; ptr NULL when absent and no default */
    OPTION_PASSWORD,    /* struct str, never printed */
    OPTION_PATH,        /* struct str: must name something that exists */
    OPTION_INT,         /* int64_t within min..max */
    OPTION_FLOAT,       /* double within min..max ("number" where a fraction makes sense) */
    OPTION_BOOL,        /* bool */
    OPTION_BYTES,       /* int64_t: 1048576, "10 MiB", "10mb" */
    OPTION_DURATION_MS, /* int64_t: a number is in the row's unit; "1 hour", "500 ms" */
    OPTION_CHOICE,      /* int: index into .choices */
    OPTION_FIELD,       /* struct field_ref; count 0 and root EVENT when absent */
    OPTION_TEMPLATE,    /* struct template; parts NULL when absent */
    OPTION_STRINGS,     /* struct option_strings: a list; a single value is a list of one */
    OPTION_TEMPLATES,   /* struct option_templates */
    OPTION_FIELDS,      /* struct option_fields */
    OPTION_HASH,        /* struct option_hash: pairs in Logstash's order, values as parsed */
    OPTION_ARRAY, /* struct option_array: values as parsed; a single one, also a hash, is a list of one */
    OPTION_VALUE, /* const struct conf_value *: whatever it is, as parsed; NULL absent */
    OPTION_CODEC, /* const struct conf_plugin *: name and options of the codec, NULL absent */
};

enum option_flags {
    OPTION_REQUIRED = 1,
    OPTION_SECRET = 2,
    OPTION_DEPRECATED = 4,  /* accepted with one warning that shows .note */
    OPTION_UNSUPPORTED = 8, /* refused; .note says what to do instead */
    OPTION_IGNORED = 16,    /* accepted without effect, with a note in the log */
    OPTION_PATTERNS = 64,   /* a hash whose texts have a %{…} of their own */
    OPTION_PAIRS = 128,     /* a hash that may also be a list of pairs: [["a", "b"], ["c", "d"]] */
    OPTION_AS_WRITTEN = 32, /* a hash whose pairs stay in the order of the file (java_order.h) */
};

struct option_strings {
    struct str *items;
    size_t count;
};
struct option_templates {
    struct template *items;
    size_t count;
};
struct option_fields {
    struct field_ref *items;
    size_t count;
};
struct option_hash {
    const struct conf_pair *pairs;
    size_t count;
};
struct option_array {
    const struct conf_value *items;
    size_t count;
};

struct option {
    const char *name;
    const char *doc;  /* one line */
    const char *note; /* why unsupported, or what replaces it */
    const char *def;  /* default as a user would write it, read by the same code; NULL: absent */
    const char *const *choices; /* NULL-terminated; OPTION_CHOICE */
    double min, max;            /* of the bound value (bytes, ms); both 0: any */
    int64_t unit_ms; /* OPTION_DURATION_MS: what a bare number counts in; 0 means seconds (1000) */
    size_t offset;
    enum option_type type;
    unsigned flags;
};

#define OPTION_END                                                                                 \
    {                                                                                              \
        .name = NULL                                                                               \
    }
#define OPTION_MEMBER(struct_type, member, member_type)                                            \
    (offsetof(struct_type, member) + 0 * sizeof(&((struct_type *)0)->member == (member_type *)0))
#define OPTION_IN(kind, struct_type, member, member_type)                                          \
    .type = (kind), .offset = OPTION_MEMBER(struct_type, member, member_type)
#define OPTION_IN_STRING(s, m)      OPTION_IN(OPTION_STRING, s, m, struct str)
#define OPTION_IN_PASSWORD(s, m)    OPTION_IN(OPTION_PASSWORD, s, m, struct str)
#define OPTION_IN_PATH(s, m)        OPTION_IN(OPTION_PATH, s, m, struct str)
#define OPTION_IN_INT(s, m)         OPTION_IN(OPTION_INT, s, m, int64_t)
#define OPTION_IN_FLOAT(s, m)       OPTION_IN(OPTION_FLOAT, s, m, double)
#define OPTION_IN_BOOL(s, m)        OPTION_IN(OPTION_BOOL, s, m, bool)
#define OPTION_IN_BYTES(s, m)       OPTION_IN(OPTION_BYTES, s, m, int64_t)
#define OPTION_IN_DURATION_MS(s, m) OPTION_IN(OPTION_DURATION_MS, s, m, int64_t)
#define OPTION_IN_CHOICE(s, m)      OPTION_IN(OPTION_CHOICE, s, m, int)
#define OPTION_IN_FIELD(s, m)       OPTION_IN(OPTION_FIELD, s, m, struct field_ref)
#define OPTION_IN_TEMPLATE(s, m)    OPTION_IN(OPTION_TEMPLATE, s, m, struct template)
#define OPTION_IN_STRINGS(s, m)     OPTION_IN(OPTION_STRINGS, s, m, struct option_strings)
#define OPTION_IN_TEMPLATES(s, m)   OPTION_IN(OPTION_TEMPLATES, s, m, struct option_templates)
#define OPTION_IN_FIELDS(s, m)      OPTION_IN(OPTION_FIELDS, s, m, struct option_fields)
#define OPTION_IN_HASH(s, m)        OPTION_IN(OPTION_HASH, s, m, struct option_hash)
#define OPTION_IN_ARRAY(s, m)       OPTION_IN(OPTION_ARRAY, s, m, struct option_array)
#define OPTION_IN_VALUE(s, m)       OPTION_IN(OPTION_VALUE, s, m, const struct conf_value *)
#define OPTION_IN_CODEC(s, m)       OPTION_IN(OPTION_CODEC, s, m, const struct conf_plugin *)
/* A row without a member: only for UNSUPPORTED and IGNORED. */
#define OPTION_NOWHERE .type = OPTION_ARRAY, .offset = SIZE_MAX

#endif
