# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034,SC2154 # read and set by build.sh
NAME=mruby
VERSION=3.3.0
SUITE=trixie
TOOLS='gcc ar ruby rake bison'

build_library() {
    patch -p1 -s <"$here/mruby.patch"
    cat "$here/mruby_options.h" include/mrbconf.h >mrbconf.new
    mv mrbconf.new include/mrbconf.h
    unset CFLAGS CPPFLAGS CXXFLAGS LDFLAGS
    MRUBY_CONFIG=$here/mruby_build.rb rake --jobs "$(nproc)"
    mkdir -p "$prefix/lib"
    cp build/host/lib/libmruby.a "$prefix/lib/"
    cp -r include "$prefix/include"
    cp -r build/host/include/. "$prefix/include/"
    cp LEGAL LICENSE "$prefix/"
}
