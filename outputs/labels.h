/* SPDX-License-Identifier: Apache-2.0
 *
 * Labels of an output: a name and a text that may have fields of the event in it, as Prometheus and Alertmanager want them.
 */
#ifndef MILLRACE_OUTPUTS_LABELS_H
#define MILLRACE_OUTPUTS_LABELS_H

#include "pipeline/plugin.h"

enum { LABEL_BYTES_MAX = 512 /* a longer value is cut */ };

struct label {
    struct str name;
    struct template value;
};

/* From an option, by name; in env->arena. NULL and *err when there are more than max, one has no text, or one is there
 * twice. */
struct label *labels_read(const struct option_hash *option, size_t max,
                          const struct plugin_env *env, struct error *err);

/* The field that this template consists of is not there. */
bool label_is_missing(const struct template *template, const struct event *event);
/* The template's text, at most max bytes of it; empty when its field is missing. Lives as template_text's. */
struct str label_text(const struct template *template, const struct event *event,
                      struct arena *scratch, size_t max);
/* The beginning of valid text, at most max bytes, no character cut. */
struct str label_cut(struct str text, size_t max);

#endif
