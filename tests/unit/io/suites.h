/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MILLRACE_TESTS_UNIT_IO_SUITES_H
#define MILLRACE_TESTS_UNIT_IO_SUITES_H

#include <check.h>

Suite *client_stream_suite(void);
Suite *curl_suite(void);
Suite *http_client_suite(void);
Suite *http_front_suite(void);
Suite *http_reader_suite(void);
Suite *http_server_suite(void);
Suite *kafka_suite(void);
Suite *java_store_suite(void);
Suite *keystore_suite(void);
Suite *resolver_suite(void);
Suite *segment_log_suite(void);
Suite *service_notify_suite(void);

#endif
