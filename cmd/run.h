/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MILLRACE_CMD_RUN_H
#define MILLRACE_CMD_RUN_H

#include "cmd/run_pipeline.h"

/* Runs pipelines as `millrace run` does with these flags. change: what becomes of each pipeline's tree before it runs; may
 * be NULL. Returns the exit status. */
int run_pipelines(int argc, char **argv, const struct run_change *change);

#endif
