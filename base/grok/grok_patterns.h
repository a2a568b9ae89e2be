/* SPDX-License-Identifier: Apache-2.0
 *
 * The grok patterns that ship. The names and what each matches are Logstash's (its users' files depend on them); the
 * expressions are written here, in patterns/FAMILY.grok, from which pattern_tables.py makes these tables. A pattern whose
 * captures or matches differ between the two sets stands in both, every other one in the common table of its family.
 */
#ifndef MILLRACE_BASE_GROK_GROK_PATTERNS_H
#define MILLRACE_BASE_GROK_GROK_PATTERNS_H

struct grok_pattern {
    const char *name, *text;
};

/* Each table ends with a NULL name; a family without one has NULL. No name stands twice in a set. */
struct grok_family {
    const char *name, *title;
    const struct grok_pattern *common, *legacy, *ecs;
};

extern const struct grok_family GROK_FAMILIES[]; /* ends with a NULL name */

#endif
