/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/io/suites.h"
#include "tests/unit/runner.h"

SUITE_MAIN(client_stream_suite, curl_suite, http_client_suite, http_front_suite, http_reader_suite,
           http_server_suite, java_store_suite, kafka_suite, keystore_suite, resolver_suite,
           segment_log_suite, service_notify_suite)
