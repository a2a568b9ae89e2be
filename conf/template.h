/* SPDX-License-Identifier: Apache-2.0
 *
 * A text with %{…} in it, parsed once. Evaluation against an event is pipeline/program/evaluate.h.
 */
#ifndef MILLRACE_CONF_TEMPLATE_H
#define MILLRACE_CONF_TEMPLATE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"
#include "conf/field_ref.h"

struct date_pattern; /* base/time/date_pattern.h */

enum template_part_type {
    TEMPLATE_LITERAL,
    TEMPLATE_FIELD,    /* %{ref}; text keeps the placeholder for a missing field */
    TEMPLATE_EPOCH,    /* %{+%s} */
    TEMPLATE_DATE,     /* %{+JODA} or %{{JAVA}} */
    TEMPLATE_NOW,      /* %{{TIME_NOW}} */
    TEMPLATE_BAD_DATE, /* a pattern that no library would take: evaluation fails */
};

struct template_part {
    enum template_part_type type;
    struct str text; /* LITERAL: the text; else the placeholder as written */
    struct field_ref ref;
    const struct date_pattern *date;
};

struct template
{
    struct str text; /* as written */
    struct template_part *parts;
    size_t count;
    bool is_literal;  /* no placeholder: text is the result */
    bool has_illegal; /* a placeholder that is no legal reference */
};

/* Never fails: what is not a placeholder is literal (Logstash's StringInterpolation). A field reference
 * that is not legal gives a part that evaluates to its placeholder. */
void template_parse(struct arena *arena, struct str text, enum field_escape escape,
                    struct template *out);

/* The first part of it that looks like a placeholder and gives none: "%{" that nothing closes, a reference that is not
 * legal, a date pattern that is none. *why says what becomes of it. False when there is none. */
bool template_doubt(const struct template *template, struct str *what, const char **why);

#endif
