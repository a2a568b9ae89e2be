#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `./dev lint` runs: gcc's analyzer, clang-tidy and cppcheck, each over every C file of the program.

usage: lint.py [analyzer|clang-tidy|cppcheck]... [FILE]...      all three over all files unless named"""
import concurrent.futures
import json
import os
import re
import subprocess
import sys

import source

BUILD = source.ROOT / 'build'
FOLDERS = tuple(folder for folder in source.FOLDERS if folder not in ('tests', 'bench'))
FINDING = re.compile(r'^\S+:\d+:\d*:? ?(warning|error|style|performance|portability)\b.*$', re.M)


def commands():
    """The compiler's command of every C file, by its path."""
    entries = json.loads((BUILD / 'compile_commands.json').read_text())
    return {os.path.relpath(os.path.join(entry['directory'], entry['file']), source.ROOT): entry['command']
            for entry in entries}


def run(command, cwd=source.ROOT):
    done = subprocess.run(command, shell=isinstance(command, str), cwd=cwd, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    return done.stdout.replace(f'{source.ROOT}/', '').replace('build/../', '').replace('../', '')


def analyzer(path, compile_command):
    return run(re.sub(r' -o \S+', ' -o /dev/null', compile_command) + ' -fanalyzer -fdiagnostics-color=never', BUILD)


def clang_tidy(path, compile_command):
    return run(['clang-tidy', '--quiet', '-p', BUILD, path])


def cppcheck(path, compile_command):
    return run(['cppcheck', '--quiet', '--std=c11', '--enable=warning,performance,portability', '--inline-suppr',
                '--suppress=missingIncludeSystem', '--template={file}:{line}:{column}: {severity}: {message} [{id}]',
                f'-I{source.ROOT}', path])


TOOLS = {'analyzer': analyzer, 'clang-tidy': clang_tidy, 'cppcheck': cppcheck}


def main():
    chosen = [word for word in sys.argv[1:] if word in TOOLS] or list(TOOLS)
    named = [word for word in sys.argv[1:] if word not in TOOLS]
    known = commands()
    paths = named or [str(path) for path in source.c_files(FOLDERS) if str(path) in known]
    findings = set()
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for tool in chosen:
            outputs = pool.map(lambda path, tool=tool: TOOLS[tool](path, known[path]), paths)
            found = {match.group() for output in outputs for match in FINDING.finditer(output)}
            print(f'{tool}: {len(paths)} files, {len(found)} findings', flush=True)
            findings |= found
    print('\n'.join(sorted(findings)))
    return 1 if findings else 0


if __name__ == '__main__':
    sys.exit(main())
