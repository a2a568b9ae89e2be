/* SPDX-License-Identifier: Apache-2.0
 *
 * Private to conf/: one merged value becomes the member that an option's row describes.
 */
#ifndef MILLRACE_CONF_BIND_VALUE_H
#define MILLRACE_CONF_BIND_VALUE_H

#include "conf/bind.h"

/* err gets what was expected and what was found, without the option's name. */
bool bind_value(const struct bind_context *ctx, const struct option *option,
                const struct conf_value *value, void *self, struct error *err);

/* The default of a row as a value: text, or a list or hash where the row's type is one. */
bool bind_default_value(const struct bind_context *ctx, const struct option *option,
                        struct conf_value *out, struct error *err);

#endif
