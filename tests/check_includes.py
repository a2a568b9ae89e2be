#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Includes only point down, plugins do not know each other, and each foreign library has one home.

    cmd -> services -> inputs, filters, outputs -> codecs, script -> pipeline -> conf, io -> base

A file may include headers of its own folder and of folders further down; folders of one level do not include each
other. A plugin is one file, or one folder when it needs more than one, and includes of the folder of plugins only its own
headers. Rooms inside base/ and pipeline/ are ordered too (ROOMS)."""
import pathlib
import re
import sys

import source

LEVELS = (('base',), ('conf', 'io'), ('pipeline',), ('codecs', 'script'), ('inputs', 'filters', 'outputs'),
          ('services',), ('cmd',))
LEVEL = {folder: level for level, folders in enumerate(LEVELS) for folder in folders}
# Inside a folder: the rooms, each of which may include those before it and what stands in the folder itself.
ROOMS = {
    'base': ('text', 'json', 'time', 'regex', 'grok'),
    'pipeline': ('event',),
}
PLUGIN_FOLDERS = ('inputs', 'filters', 'outputs', 'codecs')
# Headers that several plugins of a folder share; whoever adds one says here what it is for.
SHARED = {
    'outputs/describe.h': 'where an event goes, in words',
    'outputs/item_parts.h': 'items of several parts, for email, kafka and rabbitmq',
    'outputs/labels.h': 'names with texts out of events, for metrics and alertmanager',
    'codecs/codecs.h': 'the declarations for the list of plugins',
    'inputs/command_fields.h': 'fields of events that a program wrote, for exec and pipe',
    'inputs/frame_server.h': 'a TCP port whose messages are decoded each by itself, for syslog and gelf',
    'inputs/frame_cutter.h': 'its cutting of bytes into messages',
    'inputs/schedule.h': 'intervals and cron, for exec and http_poller',
    'inputs/datagrams.h': 'a UDP port and its events',
    'inputs/host_name.h': 'the field for this machine',
    'inputs/codec_intake.h': 'bytes of a connection to batches',
    'inputs/proxy_header.h': 'what a proxy says first',
    'inputs/inputs.h': 'the declarations for the list of plugins',
    'inputs/server.h': 'listening, and connections spread over lanes',
    'inputs/server_private.h': 'what the two files of inputs/server.h share',
    'filters/filters.h': 'the declarations for the list of plugins',
    'filters/http_calls.h': 'requests that events wait for, for http and elasticsearch',
    'outputs/net_sender.h': 'groups as datagrams or over a connection, for syslog and gelf',
    'outputs/outputs.h': 'the declarations for the list of plugins',
    'filters/random_uuid.h': 'random identifiers, for uuid and fingerprint',
    'codecs/charset.h': 'the charset option',
    'codecs/csv_convert.h': 'cells to values, for the codec and the filter csv',
    'codecs/json_text.h': 'JSON to events, for json and json_lines',
    'codecs/target.h': 'what the target option does with a decoded value',
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
    'hiredis/': ('io',),
    'amqp': ('io',),
    'microhttpd': ('io',),
    'yajl/': ('base/json',),
    'pcre2': ('base/regex',),
    'mruby': ('script',),
    'yaml.h': ('conf',),
    'sqlite3': ('services',),
    'maxminddb': ('filters/geoip',),
    'libxml/': ('filters/xml',),
    'check.h': ('tests',),
}
INCLUDE = re.compile(r'^\s*#\s*include\s*(["<])([^">]+)[">]', re.M)


def same_plugin(path, header):
    if len(path.parts) > 2 or len(header.parts) > 2:
        return path.parts[1] == header.parts[1]
    return path.stem == header.stem


def problem_of_rooms(path, header):
    """A room that is in the list includes no room behind it, and none that is not in the list."""
    rooms = ROOMS.get(path.parts[0], ())
    if len(path.parts) < 3 or len(header.parts) < 3 or path.parts[1] not in rooms or path.parts[1] == header.parts[1]:
        return None
    before = rooms[:rooms.index(path.parts[1])]
    return None if header.parts[1] in before else f'{"/".join(path.parts[:2])}/ must not include {header.parts[1]}/'


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
    if problem_of_rooms(path, header):
        return problem_of_rooms(path, header)
    if folder in PLUGIN_FOLDERS and name not in SHARED and not same_plugin(path, header):
        return f'a plugin includes another: share it further down, or list "{name}" in SHARED'
    return None


def problem_of_library(path, name):
    for beginning, homes in HOMES.items():
        if name.startswith(beginning) and not any(path.is_relative_to(home) for home in (*homes, 'tests', 'bench')):
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
            ('filters/json.c', '#include "filters/date.h"', True), ('filters/json.c', '#include "pipeline/event/event.h"', False),
            ('filters/kv/kv.c', '#include "filters/kv/pattern.h"', False), ('filters/grok.c', '#include <uv.h>', True),
            ('filters/grok.c', '#include "filters/grok_patterns.h"', True),
            ('pipeline/event/event.c', '#include "pipeline/engine/lane.h"', True),
            ('base/time/clock.c', '#include "base/regex/regex.h"', True), ('base/grok/grok.c', '#include "base/regex/regex.h"', False),
            ('inputs/beats/frame.c', '#include "inputs/beats/frame.h"', False),
            ('inputs/beats/frame.c', '#include "inputs/file/tail.h"', True),
            ('pipeline/engine/lane.c', '// #include "cmd/main.h"', False), ('cmd/main.c', '#include "main.h"', True),
            ('outputs/http.c', '#include <curl/curl.h>', True), ('base/json/json.c', '#include <yajl/yajl_parse.h>', False)):
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
