#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# For the package's Static-Built-Using: which source packages of Debian the libraries were built from that build.sh has made.
#
#   libs/versions.sh FOLDER       that of the libraries; prints NAME (= VERSION), …
set -eu
here=$(cd "$(dirname "$0")" && pwd)
for recipe in "$here"/*.sh; do
    NAME='' VERSION=''
    case ${recipe##*/} in
    build.sh | versions.sh) continue ;;
    esac
    # shellcheck source=/dev/null
    . "$recipe"
    # the one that build.sh takes
    dsc=$(find "$1/source" -name "${NAME}_$VERSION-*.dsc" | sort -V | tail -n 1)
    [ -n "$dsc" ] || continue # its source package was put away: nobody knows
    dsc=${dsc##*/}
    dsc=${dsc#*_}
    printf '%s (= %s), ' "$NAME" "${dsc%.dsc}"
done
