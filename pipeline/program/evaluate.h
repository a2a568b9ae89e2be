/* SPDX-License-Identifier: Apache-2.0
 *
 * Templates and conditions of the configuration, evaluated against an event.
 */
#ifndef MILLRACE_PIPELINE_PROGRAM_EVALUATE_H
#define MILLRACE_PIPELINE_PROGRAM_EVALUATE_H

#include "base/regex/regex.h"
#include "conf/syntax.h"
#include "conf/template.h"
#include "pipeline/event/event.h"

/* The text of a template for this event, in the arena (or borrowed from the event or the template). False where
 * Logstash raises (a bad date pattern). */
bool template_text(const struct template *template, const struct event *event, struct arena *arena,
                   struct str *out);
/* The same for a filter's option: false as well when a placeholder is no legal reference, where Logstash raises.
 * Everywhere else it stays as it is written, so that an output loses nothing by it. */
bool template_filter_text(const struct template *template, const struct event *event,
                          struct arena *arena, struct str *out);
/* Appends to a buffer instead; false also when the buffer is at its maximum. */
bool template_append(const struct template *template, const struct event *event, struct buf *out);
/* The field that a template names for this event; what it points at lives in the event's arena or the template's.
 * False when the text is not a legal reference or evaluating raises. */
bool template_field(const struct template *template, const struct event *event,
                    enum field_escape escape, struct field_ref *out);

/* A condition compiled from the syntax tree: constants converted, field references parsed, expressions compiled. */
struct condition;
struct condition *condition_compile(struct arena *arena, const struct conf_expr *expr,
                                    enum field_escape escape, struct error_list *errors);
/* Frees the compiled expressions inside; the rest is the arena's. NULL is ok. */
void condition_release(struct condition *condition);

enum condition_result {
    CONDITION_FALSE,
    CONDITION_TRUE,
    CONDITION_ERROR /* Logstash drops the event */
};
enum condition_result condition_test(const struct condition *condition, const struct event *event,
                                     struct regex_scratch *scratch);

#endif
