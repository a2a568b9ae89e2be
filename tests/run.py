#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs every test and counts: `./dev test`. The last line is `N passed, N failed, N skipped`.

Parts, in this order: the structure checks (tests/check_*.py), the instructions that an event costs (bench/instructions.py),
the Check programs of tests/unit, the replay of every
fuzz corpus, the system tests (tests/system/test_*.py, one process for each file, as many at once as there are cores) and
the fault tests (tests/faults). All but the first run again with the binaries of build-asan. Each suite has a line when it
ends, each part one with its sum. What was skipped is listed by its reason, what failed with its output. Nothing executed
counts as a failure.

--thread-sanitizer (`./dev tsan`): instead of all that the programs and tests in which threads meet, with the binaries of
build-tsan; with --every all of them, and the fault tests (an hour). What libraries do is left out by tests/tsan.supp.

--folder NAME, once or more (`./dev variants`): what runs the program of a folder, with that of each of these, and the recorded
compatibility cases where they lie beside the project or in MILLRACE_CASES. A folder whose name ends in -asan has sanitizers.

--again (what CI gives): system tests that failed beside others run once more, alone. Those that pass then are listed as
UNSTEADY, with what they said at first: the machine of CI is shared, and a landing does not hang on it, but each is a fault
of the test or of the program that is to be mended."""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[1]
CHECK_LINE = re.compile(r'^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)$', re.M)
PROGRAM_SECONDS, SYSTEM_FILE_SECONDS = 300, 900
BENCH_SKIPPED = 77
SANITIZED = {
    'MILLRACE_PATIENCE': '4', 'MILLRACE_SANITIZED': '1',
    'ASAN_OPTIONS': 'detect_stack_use_after_return=1:strict_string_checks=1:allocator_may_return_null=1',
    'UBSAN_OPTIONS': 'print_stacktrace=1:halt_on_error=1',
}

CASES = pathlib.Path(os.environ.get('MILLRACE_CASES') or ROOT.parent / 'shared/compat')
CASES_SECONDS = 1800
# System tests of something else than the program of the folder that they are given.
OF_NO_FOLDER = ('test_dev.py', 'test_libs.py', 'test_package.py')

THREADED = {
    'MILLRACE_PATIENCE': '6', 'MILLRACE_SANITIZED': 'thread',
    'TSAN_OPTIONS': f'halt_on_error=0:exitcode=66:history_size=4:suppressions={ROOT}/tests/tsan.supp',
}
THREADED_UNITS = ('io', 'pipeline', 'inputs', 'outputs')
THREADED_SYSTEM = ('beats_delivery', 'dead_letters', 'disk_queue', 'kafka_input', 'lanes', 'order', 'outage', 'pipeline_to_pipeline', 'pipelines',
                   'reload')


class Outcome:
    """What one part found: how many passed, and texts for what failed and what was skipped; unsteady failed at first.

    again: runs what failed once more and returns the outcome that then counts, or None where there is no such thing."""

    def __init__(self, passed=0, failed=(), skipped=(), again=None):
        self.passed, self.failed, self.skipped, self.unsteady = passed, list(failed), list(skipped), []
        self.again = again

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.unsteady += other.unsteady


def run_program(command, env=None, seconds=PROGRAM_SECONDS):
    """Exit status and output of a program; a time-out is status None."""
    try:
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=seconds, cwd=ROOT, env={**os.environ, **(env or {})})
        return done.returncode, done.stdout.decode('utf-8', 'replace')
    except subprocess.TimeoutExpired as late:
        return None, (late.stdout or b'').decode('utf-8', 'replace') + f'\nstopped after {seconds} s'


def run_whole(name, command, env=None):
    """A program that is one test: its exit status decides."""
    status, output = run_program(command, env)
    return Outcome(1) if status == 0 else Outcome(0, [f'{name} (exit {status})\n{output}'])


def failed_checks(name, output):
    """The lines in which Check names what failed; of a crash also what a sanitizer or an assert said."""
    failed = [f'{name}: {line}' for line in re.findall(r'^\S+:\d+:[FE]:.*$', output, re.M)]
    if failed and re.search(r'^\S+:\d+:E:', output, re.M):
        failed[0] += f'\n{output}'
    return failed


def run_check_program(name, program, env):
    """A Check program counts its own checks; one that dies before it has counted is one failure."""
    status, output = run_program([program], env)
    counts = CHECK_LINE.search(output)
    if not counts:
        return Outcome(0, [f'{name} (exit {status}) did not count its checks\n{output}'])
    checks, wrong = int(counts[1]), int(counts[2]) + int(counts[3])
    failed = failed_checks(name, output)
    if status != 0 and not wrong:
        failed.append(f'{name} (exit {status})\n{output}')
    return Outcome(checks - wrong, failed)


def run_sanitized_check_program(name, program, env):
    """A process for each check, as Check does it, costs ten times the checks themselves under sanitizers. So all checks
    run in one, and those cases that fail in it again as they are meant to."""
    status, output = run_program([program], {**env, 'CK_FORK': 'no'})
    counts, cases = CHECK_LINE.search(output), set(re.findall(r'^\S+:\d+:[FE]:([^:]+):', output, re.M))
    if not counts:
        return run_check_program(name, program, env)
    if not cases:
        return Outcome(int(counts[1]), [] if status == 0 else [f'{name} (exit {status})\n{output}'])
    failed = []
    for case in cases:
        failed += run_check_program(name, program, {**env, 'CK_RUN_CASE': case}).failed
    return Outcome(int(counts[1]) - len(failed), failed)


def run_again(name, path, env, first, tests):
    """The tests of a file of system tests that failed, or all of it where none can be named."""
    second = run_system_file(name, path, {**env, 'MILLRACE_TESTS': ' '.join(tests)})
    if tests:
        second.passed, second.skipped = first.passed + second.passed, first.skipped
    if not second.failed:
        second.unsteady = first.failed
    return second


def run_system_file(name, path, env):
    """One file of system tests in a process of its own, which leaves its report as JSON in a file."""
    with tempfile.NamedTemporaryFile('r') as report:
        status, output = run_program([sys.executable, __file__, '--report', report.name, path], env,
                                     SYSTEM_FILE_SECONDS)
        text = report.read()
    if text:
        found = json.loads(text)
        outcome = Outcome(found['passed'], [f'{name}: {what}' for what in found['failed']],
                          [f'{name}: {what}' for what in found['skipped']])
    else:
        found, outcome = {'again': []}, Outcome(0, [f'{name} (exit {status}) ended without a report\n{output}'])
    outcome.again = lambda: run_again(name, path, env, outcome, found['again'])
    return outcome


class CountingResult(unittest.TextTestResult):
    """unittest counts what ran; what passed is not the rest of it, because a skipped class runs nothing."""

    passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1


def names_of(tests):
    """What the loader finds these tests by; nothing when one is no test, like a setUpClass that failed."""
    tests = [getattr(test, 'test_case', test) for test in tests]
    return sorted({test.id() for test in tests}) if all(isinstance(test, unittest.TestCase) for test in tests) else []


def report_system_file(report_path, path, pattern, names):
    """The other side of run_system_file."""
    sys.path[:0] = [str(path.parent), str(ROOT / 'tests/system')]
    loader = unittest.TestLoader()
    if pattern:
        loader.testNamePatterns = [f'*{pattern}*']
    suite = loader.loadTestsFromNames(names or [path.stem])
    result = unittest.TextTestRunner(verbosity=0, descriptions=False, resultclass=CountingResult).run(suite)
    wrong = [f'{test}\n{trace}' for test, trace in result.failures + result.errors]
    wrong += [f'{test}: passed, but is marked as failing' for test in result.unexpectedSuccesses]
    skipped = [f'{test}: {reason}' for test, reason in result.skipped]
    skipped += [f'{test}: known to fail' for test, _ in result.expectedFailures]
    again = names_of([test for test, _ in result.failures + result.errors])
    with open(report_path, 'w') as report:
        json.dump({'passed': result.passed, 'failed': wrong, 'skipped': skipped, 'again': again}, report)


def part_structure(chosen):
    for path in chosen(sorted((ROOT / 'tests').glob('check_*.py'))):
        yield path.stem, lambda path=path: run_whole(path.stem, [sys.executable, path])


def part_unit(chosen, build, env):
    programs = (path for path in (build / 'tests' / 'unit').glob('*/test_*') if path.is_file())
    for path in chosen(sorted(programs)):
        name = f'{build.name} unit {path.parent.name}'
        run = run_sanitized_check_program if 'MILLRACE_SANITIZED' in env else run_check_program
        yield name, lambda run=run, path=path, name=name: run(name, path, env)


def part_fuzz(chosen, build, env):
    programs = (path for path in (build / 'tests' / 'fuzz').glob('fuzz_*') if path.is_file())
    for path in chosen(sorted(programs)):
        name, corpus = f'{build.name} {path.name}', ROOT / 'tests/fuzz/corpus' / path.name[len('fuzz_'):]
        yield name, lambda path=path, name=name, corpus=corpus: run_whole(name, [path, corpus], env)


def run_instructions():
    """The counts of bench/instructions.py, against those that are kept. It says itself when there is nothing to compare."""
    name = 'instructions'
    if not shutil.which('valgrind'):
        return Outcome(0, [], [f'{name}: valgrind is not there'])
    status, output = run_program([sys.executable, ROOT / 'bench/instructions.py'], seconds=SYSTEM_FILE_SECONDS)
    if status == BENCH_SKIPPED:
        return Outcome(0, [], [f'{name}: {output.strip()}'])
    return Outcome(1) if status == 0 else Outcome(0, [f'{name} (exit {status})\n{output}'])


def run_cases(name, build, env):
    """The recorded compatibility cases; as many as tests/compat_minimum says have to pass. Some write files where they are run."""
    if not (CASES / 'run_cases.py').exists():
        return Outcome(0, [], [f'{name}: no recorded cases in {CASES}'])
    minimum = int((ROOT / 'tests/compat_minimum').read_text().split()[0])
    with tempfile.TemporaryDirectory() as folder:
        command = ['env', '-C', folder, sys.executable, CASES / 'run_cases.py', '--dir', CASES / 'cases', '--list-failures',
                   '--cmd', f'{ROOT}/tests/recorded_day.sh $MILLRACE -e {{config}}', '--timeout', '60', '--min-pass', minimum]
        status, output = run_program(command, {**env, 'MILLRACE': str(build / 'millrace')}, CASES_SECONDS)
    return Outcome(1) if status == 0 else Outcome(0, [f'{name} (exit {status})\n{output}'])


def part_system(chosen, build, env, folder='system'):
    env = {**env, 'MILLRACE': str(build / 'millrace')}
    for path in chosen(sorted((ROOT / 'tests' / folder).glob('test_*.py'))):
        name = f'{build.name} {folder} {path.stem}'
        yield name, lambda path=path, name=name: run_system_file(name, path, env)


def counts_of(outcome):
    return outcome.passed + len(outcome.failed) + len(outcome.skipped)


def counts_line(title, outcome, seconds):
    """Title, counts and time; what did not happen is not mentioned."""
    counts = f'{outcome.passed:5} passed'
    for what in ('failed', 'skipped', 'unsteady'):
        count = len(getattr(outcome, what))
        counts += f'  {count} {what}' if count else ''
    return f'{title:<44} {seconds:7.1f} s {counts}'


def run_job(name, run):
    start = time.monotonic()
    return name, run(), time.monotonic() - start


def run_parts(title, jobs, at_once, total, again=False, each=False):
    """Runs the jobs of a part, several at once, and prints a line for the part; each: one for every job that has tests, too."""
    start, outcome = time.monotonic(), Outcome()
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        parts = [pool.submit(run_job, name, run) for name, run in jobs]
        for part in concurrent.futures.as_completed(parts):
            name, found, seconds = part.result()
            if each and counts_of(found): # none has the name that -k asks for
                print(counts_line(f'  {name}', found, seconds), flush=True)
    for part in parts:
        found = part.result()[1]
        outcome.add(found.again() if again and found.failed and found.again else found)
    print(counts_line(title, outcome, time.monotonic() - start), flush=True)
    total.add(outcome)


def by_reason(skipped):
    """Lines for what was skipped: each reason once, with those that gave it."""
    reasons = {}
    for what in skipped:
        name, _, reason = what.partition(': ')
        test, _, reason = reason.partition(': ')
        reasons.setdefault(reason or test or name, []).append(f'{name} {test}'.strip())
    for reason, names in reasons.items():
        yield f'SKIPPED {reason}: {names[0]}' + (f' and {len(names) - 1} more' if len(names) > 1 else '')


def run_threaded(chosen, cores, total, every):
    """ThreadSanitizer needs memory and time: few at once."""
    build = ROOT / 'build-tsan'

    def units(paths):
        return [path for path in chosen(paths) if path.parent.name in THREADED_UNITS]

    def files(paths):
        return [path for path in chosen(paths) if every or path.stem[len('test_'):] in THREADED_SYSTEM]
    run_parts(f'{build.name} unit', part_unit(units, build, THREADED), cores, total)
    run_parts(f'{build.name} system', part_system(files, build, THREADED), cores, total)
    if every:
        run_parts(f'{build.name} faults', part_system(files, build, THREADED, 'faults'), cores, total)


def run_build(chosen, build, env, options, total):
    """What runs the programs of one build folder."""
    cores = len(os.sched_getaffinity(0))
    env = {**env, **({'MILLRACE_ONLY': options.k} if options.k else {})}
    run_parts(f'{build.name} unit', part_unit(chosen, build, env), cores, total, each=True)
    run_parts(f'{build.name} fuzz corpora', part_fuzz(chosen, build, env), cores, total)
    run_parts(f'{build.name} system', part_system(chosen, build, env), cores, total, options.again, each=True)
    run_parts(f'{build.name} faults', part_system(chosen, build, env, 'faults'), cores, total, options.again, each=True)


def run_folders(chosen, options, total):
    def of_folder(paths):
        return [path for path in chosen(paths) if path.name not in OF_NO_FOLDER]
    for folder in options.folder:
        build, env = ROOT / folder, SANITIZED if folder.endswith('-asan') else {}
        run_build(of_folder, build, env, options, total)
        if not options.k or options.k in 'compatibility cases':
            name = f'{folder} compatibility cases'
            run_parts(name, [(name, lambda: run_cases(name, build, env))], 1, total)


def run_all(options, total):
    def chosen(paths):
        # Inside a system test file -k chooses tests; a whole program is chosen by its name.
        return [path for path in paths if not options.k or options.k in path.name or path.name.startswith('test_')
                and path.suffix == '.py']
    cores = len(os.sched_getaffinity(0))
    if options.only == 'faults':
        run_parts('faults', part_system(chosen, ROOT / 'build', {}, 'faults'), 1, total, each=True)
        return
    if options.thread_sanitizer:
        run_threaded(chosen, cores, total, options.every)
        return
    if options.folder:
        run_folders(chosen, options, total)
        return
    run_parts('structure', part_structure(chosen), cores, total)
    if not options.k or options.k in 'instructions':
        run_parts('instructions', [('instructions', run_instructions)], 1, total, options.again)
    builds = [(ROOT / 'build', {})] + ([] if options.no_sanitizers else [(ROOT / 'build-asan', SANITIZED)])
    for build, env in builds:
        run_build(chosen, build, env, options, total)


def main():
    parser = argparse.ArgumentParser(description='Runs every test and counts.')
    parser.add_argument('--no-sanitizers', action='store_true', help='leave out the second run in build-asan')
    parser.add_argument('--only', choices=['faults'], help='the fault tests instead of the suite')
    parser.add_argument('--thread-sanitizer', action='store_true', help='where threads meet, in build-tsan')
    parser.add_argument('--every', action='store_true', help='with --thread-sanitizer: all system and fault tests')
    parser.add_argument('--folder', action='append', help='what runs the programs of this build folder, and nothing else')
    parser.add_argument('-k', metavar='TEXT', help='only programs and system tests whose name has TEXT')
    parser.add_argument('--again', action='store_true', help='run system tests that failed once more, alone')
    parser.add_argument('--report', help=argparse.SUPPRESS)
    parser.add_argument('path', nargs='?', help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.report is not None:
        report_system_file(options.report, pathlib.Path(options.path), os.environ.get('MILLRACE_ONLY'),
                           os.environ.get('MILLRACE_TESTS', '').split())
        return 0
    total = Outcome()
    run_all(options, total)
    for number, line in enumerate(by_reason(total.skipped)):
        print(('' if number else '\n') + line)
    for what in total.unsteady:
        print(f'\nUNSTEADY, failed beside others and passed alone: {what}')
    for what in total.failed:
        print(f'\nFAILED {what}')
    nothing = not (total.passed or total.failed)
    if nothing:
        print('\nno test was executed')
    print(f'\n{total.passed} passed, {len(total.failed)} failed, {len(total.skipped)} skipped', flush=True)
    return 1 if total.failed or nothing else 0


if __name__ == '__main__':
    sys.exit(main())
