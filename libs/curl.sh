# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154 # read and set by build.sh
#
# Debian's own brings LDAP, Kerberos, SSH, RTMP with GnuTLS, HTTP/2 and more into the process: two thirds of what the loader
# does at start and 4 MiB at rest, none of it asked for. Here: HTTP and SMTP, TLS by OpenSSL, proxies, cookies, names that are
# not ASCII; codings gzip, deflate and zstd. curl_config.h says what its configure finds on Debian 12, which takes longer than
# the rest.
NAME=curl
VERSION=7.88.1
SUITE=bookworm
TOOLS='gcc ar'

build_library() {
    cp "$here/curl_config.h" lib/curl_config.h
    find lib -name '*.c' -print0 | xargs -0 -P "$(nproc)" -I '{}' gcc -c -O2 -g -fPIE -fstack-protector-strong -fstack-clash-protection \
        -fcf-protection -D_FORTIFY_SOURCE=2 -DHAVE_CONFIG_H -DBUILDING_LIBCURL -DCURL_STATICLIB -Iinclude -Ilib '{}' -o '{}.o'
    mkdir -p "$prefix/lib" "$prefix/include"
    find lib -name '*.o' -print0 | sort -z | xargs -0 ar rcs "$prefix/lib/libcurl.a"
    cp -r include/curl "$prefix/include/"
    rm -f "$prefix"/include/curl/Makefile*
    cp COPYING "$prefix/"
}
