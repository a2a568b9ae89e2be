#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records what the loads of bench/instructions.py do in a build that counts (-Db_pgo=generate), for the compiler:
`bench/record.py FOLDER`, between two compilations of FOLDER, which is configured anew for the second.

All of it is on this machine's loopback, with lines that bench/lines.py makes. Where it cannot be done the folder is configured
without profile, which is said: the program is the same then, and slower."""
import pathlib
import subprocess
import sys
import tempfile

import instructions
import run

EVENTS = 5000
LANES = ('-w', '1')


class Recorded(run.Bench):
    """Runs of the counting program, which writes its counts when it ends."""

    def start(self, binary, arguments, env=None):
        return super().start(binary, [*arguments, *LANES], env)


def record(folder):
    class Options:
        binary, tools, events = str(folder / 'millrace'), folder / 'bench', EVENTS
    for case in instructions.CASES:
        with tempfile.TemporaryDirectory() as scratch:
            bench = Recorded(Options, pathlib.Path(scratch))
            try:
                with run.Sink(Options.tools / 'sink') as sink:
                    case.run(bench, Options.binary, sink)
                    arrived = sink.counts()['documents']
            except (RuntimeError, OSError, subprocess.SubprocessError) as error:
                raise RuntimeError(f'{error}\n{(bench.folder / "millrace.log").read_text(errors="replace")}') from error
            if arrived != (0 if isinstance(case, instructions.ToNull) else EVENTS):
                raise RuntimeError(f'{case.name}: {arrived} documents arrived of {EVENTS}')
    counted = list(folder.glob('libmillrace.a.p/*.gcda'))
    if not counted:
        raise RuntimeError(f'{folder}/millrace has counted nothing')
    return len(counted)


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    try:
        print(f'record: what {record(folder)} files do, with {len(instructions.CASES)} loads of {EVENTS} events', file=sys.stderr)
        use = 'use'
    except (RuntimeError, OSError) as error:
        print(f'record: WARNING: NO PROFILE, the program will be slower: {error}', file=sys.stderr)
        use = 'off'
    subprocess.run(['meson', 'configure', folder, f'-Db_pgo={use}'], check=True)


if __name__ == '__main__':
    main()
