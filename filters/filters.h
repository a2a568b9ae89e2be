/* SPDX-License-Identifier: Apache-2.0
 *
 * The filters, for the list of plugins.
 */
#ifndef MILLRACE_FILTERS_FILTERS_H
#define MILLRACE_FILTERS_FILTERS_H

#include "pipeline/plugin.h"

extern const struct filter filter_aggregate;
extern const struct filter filter_alter;
extern const struct filter filter_bytes;
extern const struct filter filter_categorize;
extern const struct filter filter_cidr;
extern const struct filter filter_clone;
extern const struct filter filter_csv;
extern const struct filter filter_date;
extern const struct filter filter_de_dot;
extern const struct filter filter_dissect;
extern const struct filter filter_dns;
extern const struct filter filter_elasticsearch;
extern const struct filter filter_http;
extern const struct filter filter_memcached;
extern const struct filter filter_drop;
extern const struct filter filter_elapsed;
extern const struct filter filter_extractnumbers;
extern const struct filter filter_fingerprint;
extern const struct filter filter_geoip;
extern const struct filter filter_grok;
extern const struct filter filter_json;
extern const struct filter filter_json_encode;
extern const struct filter filter_kv;
extern const struct filter filter_metrics;
extern const struct filter filter_multiline;
extern const struct filter filter_mutate;
extern const struct filter filter_prune;
extern const struct filter filter_range;
extern const struct filter filter_ruby;
extern const struct filter filter_split;
extern const struct filter filter_syslog_pri;
extern const struct filter filter_throttle;
extern const struct filter filter_tier;
extern const struct filter filter_tld;
extern const struct filter filter_translate;
extern const struct filter filter_truncate;
extern const struct filter filter_urldecode;
extern const struct filter filter_useragent;
extern const struct filter filter_uuid;
extern const struct filter filter_xml;

#endif
