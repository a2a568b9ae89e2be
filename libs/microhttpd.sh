# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154 # read and set by build.sh
#
# Debian's own brings GnuTLS with seven libraries behind it; TLS in front of HTTP servers is ours (io/http_front.h). Logins,
# forms and upgrades are left out as well: nothing here asks for them. microhttpd_config.h says what its configure finds on
# Debian 12.
NAME=libmicrohttpd
VERSION=0.9.75
SUITE=bookworm
TOOLS='gcc ar'

build_library() {
    cp "$here/microhttpd_config.h" MHD_config.h
    cd src/microhttpd
    for part in connection daemon internal memorypool mhd_compat mhd_itc mhd_mono_clock mhd_send mhd_sockets mhd_str \
        mhd_threads reason_phrase response sysfdsetsize; do
        printf '%s\n' "$part"
    done | xargs -P "$(nproc)" -I '{}' gcc -c -O2 -g -fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection \
        -D_FORTIFY_SOURCE=2 -I../.. -I../include -I. '{}.c' -o '{}.o'
    mkdir -p "$prefix/lib" "$prefix/include"
    ar rcs "$prefix/lib/libmicrohttpd.a" ./*.o
    cp ../include/microhttpd.h "$prefix/include/"
    cp ../../COPYING "$prefix/"
}
