/* SPDX-License-Identifier: Apache-2.0
 *
 * The grok patterns that ship, as tables. The names and what each matches are Logstash's (its users' files depend on
 * them); the expressions are written here. A pattern whose captures differ between legacy and ECS field names stands
 * in both of the last tables, every other one in a common table.
 */
#ifndef MILLRACE_BASE_GROK_GROK_PATTERNS_H
#define MILLRACE_BASE_GROK_GROK_PATTERNS_H

struct grok_pattern {
    const char *name, *text;
};

/* Each table ends with a NULL name, each list of tables with NULL. Later tables win. */
extern const struct grok_pattern *const GROK_PATTERNS_LEGACY[];
extern const struct grok_pattern *const GROK_PATTERNS_ECS[];

extern const struct grok_pattern GROK_APPLICATIONS_LEGACY[];
extern const struct grok_pattern GROK_APPLICATIONS_ECS[];

#endif
