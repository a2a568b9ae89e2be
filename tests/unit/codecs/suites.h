/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MILLRACE_TESTS_UNIT_CODECS_SUITES_H
#define MILLRACE_TESTS_UNIT_CODECS_SUITES_H

#include <check.h>

Suite *avro_suite(void);
Suite *charset_suite(void);
Suite *codec_suite(void);
Suite *formats_suite(void);
Suite *netflow_suite(void);
Suite *record_suite(void);
Suite *rubydebug_suite(void);
Suite *tokenizer_suite(void);

#endif
