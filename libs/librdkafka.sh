# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154 # read and set by build.sh
#
# Debian 12 has 2.0.2, which can crash when it is closed before the first assignment and hang in a cooperative rebalance.
# Left out: Kerberos (would need Cyrus SASL), OAuth by HTTP. PLAIN, SCRAM and TLS are in it.
NAME=librdkafka
VERSION=2.8.0
SUITE=trixie
TOOLS='gcc ar make bash'

build_library() {
    patch -p1 -s <"$here/librdkafka.patch"
    unset CFLAGS CPPFLAGS CXXFLAGS LDFLAGS
    # it wants a C++ compiler to be there, for a part that is not built
    CFLAGS='-fPIC' CXX=gcc ./configure --prefix="$prefix" --enable-static --disable-gssapi --disable-curl --disable-syslog \
        --enable-ssl --enable-zlib --enable-zstd --enable-lz4-ext
    make -j "$(nproc)" -C src
    mkdir -p "$prefix/lib" "$prefix/include/librdkafka"
    cp src/librdkafka.a "$prefix/lib/"
    cp src/rdkafka.h "$prefix/include/librdkafka/"
    cp LICENSE LICENSES.txt "$prefix/"
}
