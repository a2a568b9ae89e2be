/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to the readers of files of tests: ours (check_pipeline_read.c), and those of logstash-filter-verifier
 * (check_pipeline_verifier.c). `what` is how an error calls the node.
 */
#ifndef MILLRACE_CMD_CHECK_PIPELINE_READ_H
#define MILLRACE_CMD_CHECK_PIPELINE_READ_H

#include "cmd/check_pipeline.h"

struct check_reader {
    struct arena *arena;
    struct error *err;
};

bool check_refuse(const struct check_reader *reader, const struct yaml_tree *node, const char *what,
                  const char *expected);
bool check_take_text(const struct check_reader *reader, const struct yaml_tree *node,
                     const char *what, struct str *out);
/* A list of texts; a single one is a list of one. */
bool check_take_texts(const struct check_reader *reader, const struct yaml_tree *node,
                      const char *what, struct value *out);
bool check_take_object(const struct check_reader *reader, const struct yaml_tree *node,
                       const char *what, struct value *out);
/* An event of which nothing is expected. */
void check_init_event(const struct check_reader *reader, const struct yaml_tree *node,
                      struct check_event *event);

bool check_take_verifier(const struct check_reader *reader, const struct yaml_tree *tree,
                         struct check_file *file);

#endif
