#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Fetches the jars of an Elasticsearch 7.17 node from Maven Central (48 MiB, once) and compiles SearchNode.
# Quick when nothing has changed. Needs a JDK 17 and Maven.
# usage: tests/servers/elasticsearch/build.sh          env: MVN_ARGS, more arguments for Maven
set -eu
cd "$(dirname "$0")"
exec 9<pom.xml
flock 9 # one at a time: test files run side by side
stamp=$(cat pom.xml SearchNode.java | sha256sum | cut -d ' ' -f 1)
if [ -f built/stamp ] && [ "$(cat built/stamp)" = "$stamp" ]; then
    exit 0
fi
rm -rf built
mkdir built
# shellcheck disable=SC2086
mvn --batch-mode --quiet ${MVN_ARGS:-} dependency:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory=built/lib
javac -cp 'built/lib/*' -d built/classes SearchNode.java
echo "$stamp" >built/stamp
