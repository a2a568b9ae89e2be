#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# A library that Debian 12 has not, or not with the options needed here: takes its source package from Debian and builds
# it once. meson calls this when it configures, so that every build has it: ./dev, the Debian package, the container.
#
#   libs/build.sh RECIPE [FILE...]       prints the folder in which include/ and lib/ are
#
# RECIPE says NAME, VERSION (upstream's; any Debian revision of it will do), SUITE, TOOLS (commands that it needs) and
# build_library, a function that is run in the unpacked source and installs into $prefix. FILEs are read by it. When any
# of these files changes the library is built anew.
#
# apt verifies the source by the keys of this machine's Debian and is given a state of its own: the system's lists are
# neither read nor changed, and root is not needed. Nothing is fetched when the library is there already. All of it lies
# in build-libs/ of the checkout (of the main one, for worktrees), or where MILLRACE_LIBS says.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
main=$(git -C "$here" rev-parse --path-format=absolute --git-common-dir 2>/dev/null) && main=${main%/.git} ||
    main=$(dirname "$here")
libs=${MILLRACE_LIBS:-$main/build-libs}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

die() { printf 'libs/build.sh: %s\n' "$*" >&2; exit 1; }

[ $# -gt 0 ] || die 'usage: libs/build.sh RECIPE [FILE...]'
recipe=$1
# shellcheck source=/dev/null
. "$recipe"
key=$(cat "$0" "$@" | sha256sum | cut -c1-12)
prefix=$libs/$NAME-$VERSION-$key
log=$libs/$NAME.log

finish() {
    printf '%s\n' "$prefix"
    exit 0
}

# Where this machine has Debian from.
mirror() {
    [ -z "${MILLRACE_DEBIAN_MIRROR:-}" ] || { printf '%s\n' "$MILLRACE_DEBIAN_MIRROR"; return; }
    # shellcheck disable=SC2016 # apt fills these in
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk '$3 == "main" && $2 ~ /^(bookworm|trixie|oldstable|stable|testing|unstable|sid)$/ { print $1; exit }'
}

private_apt() {
    command=$1
    shift
    "$command" -q -o Dir::Etc::SourceList="$apt/debian.sources" -o Dir::Etc::SourceParts=- -o Dir::State::Lists="$apt/lists" \
        -o Dir::Cache="$apt/cache" -o APT::Sandbox::User= -o Acquire::Retries=3 -o Acquire::Languages=none "$@"
}

# The newest Debian revision of VERSION in the main suite.
revision() {
    private_apt apt-cache showsrc --only-source "$NAME" 2>/dev/null |
        awk -v version="$VERSION" '$1 == "Version:" && index($2, version "-") == 1 { print $2 }' | sort -V | tail -n 1
}

# Leaves NAME_VERSION-….dsc and what belongs to it in $libs/source.
fetch() {
    command -v apt-get >/dev/null ||
        die "sources come by apt; on another system put $NAME $VERSION, as Debian's source package, into $libs/source"
    apt=$libs/apt
    uri=$(mirror)
    [ -n "$uri" ] || die 'no mirror of Debian in the settings of apt; name one: MILLRACE_DEBIAN_MIRROR=http://…/debian'
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$libs/source"
    printf 'Types: deb-src\nURIs: %s\nSuites: %s\nComponents: main\nSigned-By: %s\n' "$uri" "$SUITE" "$keyring" \
        >"$apt/debian.sources"
    private_apt apt-get update
    found=$(revision)
    [ -n "$found" ] || die "$SUITE has no source package $NAME $VERSION"
    (cd "$libs/source" && private_apt apt-get source --download-only --only-source "$NAME=$found")
    rm -rf "$apt"
}

dsc() {
    find "$libs/source" -name "${NAME}_$VERSION-*.dsc" 2>/dev/null | sort -V | tail -n 1
}

make_library() {
    for tool in dpkg-source $TOOLS; do
        command -v "$tool" >/dev/null || die "$NAME needs the command $tool; ./dev build installs what is missing"
    done
    [ -n "$(dsc)" ] || fetch
    work=$libs/work-$NAME
    rm -rf "$work" "$prefix"
    mkdir -p "$work"
    # apt has verified it; a package that was put there by hand is its owner's choice
    dpkg-source --no-check -x "$(dsc)" "$work/source"
    mkdir -p "$prefix"
    cd "$work/source"
    build_library
    cd "$libs"
    rm -rf "$work"
    touch "$prefix/complete"
}

[ ! -f "$prefix/complete" ] || finish
mkdir -p "$libs"
exec 9>"$libs/lock"
flock 9
[ ! -f "$prefix/complete" ] || finish
set +e # not in a condition: there set -e would not count inside either
(set -e; make_library) >"$log" 2>&1 9>&- </dev/null
[ $? -ne 0 ] || finish
tail -n 25 "$log" >&2
die "cannot build $NAME $VERSION; all of it is in $log"
