/* SPDX-License-Identifier: Apache-2.0
 *
 * The codecs, for the list of plugins.
 */
#ifndef MILLRACE_CODECS_CODECS_H
#define MILLRACE_CODECS_CODECS_H

#include "pipeline/plugin.h"

extern const struct codec codec_avro;
extern const struct codec codec_cef;
extern const struct codec codec_cloudtrail;
extern const struct codec codec_csv;
extern const struct codec codec_dots;
extern const struct codec codec_edn;
extern const struct codec codec_edn_lines;
extern const struct codec codec_es_bulk;
extern const struct codec codec_fluent;
extern const struct codec codec_graphite;
extern const struct codec codec_gzip_lines;
extern const struct codec codec_json;
extern const struct codec codec_json_lines;
extern const struct codec codec_line;
extern const struct codec codec_msgpack;
extern const struct codec codec_multiline;
extern const struct codec codec_netflow;
extern const struct codec codec_plain;
extern const struct codec codec_rubydebug;

#endif
