#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Includes only point down, plugins do not know each other, and each foreign library has one home.

    cmd -> services -> inputs, filters, outputs -> codecs, script -> pipeline -> conf, io -> base

A file may include headers of its own folder and of folders further down; folders of one level do not include each
other. In the folders of plugins a file includes, of its own folder, only headers that belong to the same plugin:
those in its subfolder, or whose name begins like its own (`grok.c` may include `grok_patterns.h`)."""
import pathlib
import re
import sys

import source

LEVELS = (('base',), ('conf', 'io'), ('pipeline',), ('codecs', 'script'), ('inputs', 'filters', 'outputs'),
          ('services',), ('cmd',))
LEVEL = {folder: level for level, folders in enumerate(LEVELS) for folder in folders}
PLUGIN_FOLDERS = ('inputs', 'filters', 'outputs', 'codecs')
# Headers that several plugins of a folder share; whoever adds one says here what it is for.
SHARED = {
    'outputs/client_options.h': 'TLS options, headers and files of the outputs that speak HTTP',
    'codecs/codecs.h': 'the declarations for the list of plugins',
    'inputs/host_name.h': 'the field for this machine',
    'inputs/inputs.h': 'the declarations for the list of plugins',
    'filters/filters.h': 'the declarations for the list of plugins',
    'filters/random_uuid.h': 'a random UUID as text, for uuid and fingerprint',
    'outputs/outputs.h': 'the declarations for the list of plugins',
    'filters/random_uuid.h': 'random identifiers, for uuid and fingerprint',
    'codecs/charset.h': 'the charset option',
    'codecs/json_text.h': 'JSON to events, for json and json_lines',
    'codecs/text_event.h': 'events of text, and the format option',
    'codecs/tokenizer.h': 'lines of a stream',
}
# Where a library may be included, by the beginning of its header's name.
HOMES = {
    'uv': ('io', 'pipeline', 'inputs', 'services', 'cmd'),
    'openssl/': ('io',),
    'curl/': ('io',),
    'ares': ('io',),
    'idn2': ('io',),
    'librdkafka/': ('io',),
    'microhttpd': ('io',),
    'yajl/': ('base',),
    'pcre2': ('base',),
    'mruby': ('script',),
    'yaml.h': ('conf',),
    'sqlite3': ('services',),
    'maxminddb': ('filters',),
    'libxml/': ('filters',),
    'check.h': ('tests',),
}
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.M)


def same_plugin(path, header):
    if len(path.parts) > 2 or len(header.parts) > 2:
        return path.parts[1] == header.parts[1] or path.stem == header.parts[1] or path.parts[1] == header.stem
    short, long = sorted((path.stem, header.stem), key=len)
    return long == short or long.startswith(short + '_')


def problem_of_ours(path, name):
    header = pathlib.PurePosixPath(name)
    folder, target = path.parts[0], header.parts[0]
    if len(header.parts) < 2 or target not in LEVEL and target != 'tests':
        return f'"{name}" is not written from the root of the tree (folder/file.h)'
    if folder not in LEVEL:
        return None
    if target == 'tests':
        return f'{folder}/ includes a header of the tests'
    if target != folder:
        return None if LEVEL[target] < LEVEL[folder] else f'{folder}/ must not include {target}/: includes point down'
    if folder in PLUGIN_FOLDERS and name not in SHARED and not same_plugin(path, header):
        return f'a plugin includes another: share it further down, or list "{name}" in SHARED'
    return None


def problem_of_library(path, name):
    for beginning, homes in HOMES.items():
        if name.startswith(beginning) and path.parts[0] not in (*homes, 'tests', 'bench'):
            return f'<{name}> belongs to {" and ".join(home + "/" for home in homes)}'
    return None


def problems(path, text):
    for match in INCLUDE.finditer(source.without_comments(text)):
        check = problem_of_ours if match.group(1) == '"' else problem_of_library
        problem = check(path, match.group(2))
        if problem:
            yield f'{path}:{text.count(chr(10), 0, match.start(2)) + 1}: {problem}'


def self_test():
    for path, line, wrong in (
            ('base/str.c', '#include "base/str.h"', False), ('base/str.c', '#include "io/tcp.h"', True),
            ('conf/bind.c', '#include "io/tcp.h"', True), ('io/tcp.c', '#include <uv.h>', False),
            ('filters/json.c', '#include "filters/date.h"', True), ('filters/json.c', '#include "pipeline/event.h"', False),
            ('filters/grok.c', '#include "filters/grok_patterns.h"', False), ('filters/grok.c', '#include <uv.h>', True),
            ('inputs/beats/frame.c', '#include "inputs/beats/frame.h"', False),
            ('inputs/beats.c', '#include "inputs/beats/frame.h"', False),
            ('inputs/beats/frame.c', '#include "inputs/file/tail.h"', True),
            ('pipeline/lane.c', '// #include "cmd/main.h"', False), ('cmd/main.c', '#include "main.h"', True),
            ('outputs/http.c', '#include <curl/curl.h>', True), ('base/json.c', '#include <yajl/yajl_parse.h>', False)):
        found = list(problems(pathlib.PurePosixPath(path), line + '\n'))
        assert bool(found) == wrong, (path, line, found)


def main():
    self_test()
    files = source.c_files()
    found = [problem for path in files for problem in problems(path, source.read(path))]
    print('\n'.join(found) if found else f'{len(files)} files: includes point down')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
