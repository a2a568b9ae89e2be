#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Calls that are never made here, macros that hide control flow, and files without their licence line.

A check of the text rather than `#pragma GCC poison`: poisoned names break the system headers that declare or use
them, and which headers those are changes with every library."""
import re
import sys

import source

BANNED = {
    'strcpy': 'memcpy with a known length', 'strcat': 'struct buf', 'sprintf': 'snprintf or buf_printf',
    'vsprintf': 'vsnprintf', 'strtok': 'str_find', 'atoi': 'str_to_int', 'atol': 'str_to_int', 'atof': 'str_to_double',
    'gmtime': 'gmtime_r', 'localtime': 'localtime_r', 'rand': 'the random source of plugin_env', 'gets': 'fgets',
}
# Of loops that have turns beside others (pipeline/engine/runtime.h): nobody who waits for such a loop sees these.
BANNED_BUT_IN_TESTS = {'uv_prepare_start': 'uv_idle_start', 'uv_check_start': 'uv_idle_start'}
BANNED.update(BANNED_BUT_IN_TESTS)
CALL = re.compile(r'(?<![\w.>])(' + '|'.join(BANNED) + r')\s*\(')
MACRO = re.compile(r'^[ \t]*#[ \t]*define[ \t]+(\w+)\((?:\\\n|[^\n])*', re.M)
LEAVES = re.compile(r'\b(return|goto|break|continue)\b')
LICENCE = 'SPDX-License-Identifier: Apache-2.0'


def problems(path, text):
    code = source.without_comments(text, literals=False)
    for match in CALL.finditer(code):
        if path.parts[0] == 'tests' and match.group(1) in BANNED_BUT_IN_TESTS:
            continue
        yield code.count('\n', 0, match.start()) + 1, f'{match.group(1)}() is banned: use {BANNED[match.group(1)]}'
    for match in MACRO.finditer(code):
        if path.parts[0] != 'tests' and LEAVES.search(match.group()):
            yield code.count('\n', 0, match.start()) + 1, f'the macro {match.group(1)} changes control flow'
    if LICENCE not in text.split('\n', 1)[0]:
        yield 1, f'the first line is not the licence line ({LICENCE})'


def self_test():
    path = source.pathlib.PurePosixPath('base/x.c')
    for code, wrong in (('strcpy(a, b);', 1), ('/* strcpy(a, b) */', 0), ('puts("rand()");', 0), ('my_strcpy(a);', 0),
                        ('x = rand ();', 1), ('uv_prepare_start(p, f);', 1), ('self->rand(x);', 0), ('gmtime_r(a, b);', 0),
                        ('#define TRY(x) \\\n    if (x) \\\n        return 1', 1), ('#define TWICE(x) ((x) * 2)', 0)):
        found = list(problems(path, f'/* {LICENCE} */\n{code}\n'))
        assert len(found) == wrong, (code, found)
    assert len(list(problems(path, 'int a;\n'))) == 1


def main():
    self_test()
    files = source.c_files()
    found = [f'{path}:{line}: {what}' for path in files for line, what in problems(path, source.read(path))]
    print('\n'.join(found) if found else f'{len(files)} files: no banned call, no macro that leaves, all licensed')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
