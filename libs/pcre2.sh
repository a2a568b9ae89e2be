# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154 # read and set by build.sh
#
# Debian's own has two bytes for an offset within a compiled pattern, so that it refuses what needs more than 64 KiB: seven
# %{IP}, 3,000 words. Built as its NON-AUTOTOOLS-BUILD says.
NAME=pcre2
VERSION=10.42
SUITE=bookworm
TOOLS='gcc ar'

build_library() {
    cp src/config.h.generic src/config.h
    cp src/pcre2.h.generic src/pcre2.h
    cp src/pcre2_chartables.c.dist src/pcre2_chartables.c
    for part in auto_possess chartables compile config context convert dfa_match error extuni find_bracket jit_compile \
        maketables match match_data newline ord2utf pattern_info script_run serialize string_utils study substitute \
        substring tables ucd valid_utf xclass; do
        printf '%s\n' "$part"
    done | xargs -P "$(nproc)" -I '{}' gcc -c -O2 -g -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2 -DHAVE_CONFIG_H \
        -DPCRE2_CODE_UNIT_WIDTH=8 -DPCRE2_STATIC -DSUPPORT_UNICODE -DSUPPORT_JIT -DLINK_SIZE=4 -DHAVE_MEMMOVE \
        -DHAVE_STDINT_H -DHAVE_INTTYPES_H -DHAVE_UNISTD_H -DHAVE_SYS_TYPES_H -DHAVE_SYS_STAT_H \
        -DHAVE_ATTRIBUTE_UNINITIALIZED 'src/pcre2_{}.c' -o 'src/pcre2_{}.o'
    mkdir -p "$prefix/lib" "$prefix/include"
    ar rcs "$prefix/lib/libpcre2-8.a" src/pcre2_*.o
    cp src/pcre2.h "$prefix/include/"
    cp LICENCE "$prefix/"
}
