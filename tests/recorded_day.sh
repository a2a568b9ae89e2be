#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Runs a program on the day on which the compatibility cases were recorded: some ask what year a January without one is of, and
# Logstash says the next one in December. Without libfaketime it runs today.
for library in /usr/lib/*/faketime/libfaketime.so.1; do
    break
done
if [ -f "$library" ]; then
    export FAKETIME='@2026-11-23 17:00:00' FAKETIME_DONT_FAKE_MONOTONIC=1
    export LD_PRELOAD="$library" ASAN_OPTIONS="${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0"
fi
exec "$@"
