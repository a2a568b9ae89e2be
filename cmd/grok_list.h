/* SPDX-License-Identifier: Apache-2.0
 *
 * The names of the grok patterns that ship, by family.
 */
#ifndef MILLRACE_CMD_GROK_LIST_H
#define MILLRACE_CMD_GROK_LIST_H

/* Those of both sets, to standard output: for a terminal, or as the page of the reference. */
void grok_list_print(void);
void grok_list_print_markdown(void);

#endif
