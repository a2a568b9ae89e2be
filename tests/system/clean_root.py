# SPDX-License-Identifier: Apache-2.0
"""A minimal Debian in a folder, in which nothing of this machine is installed; needs root and debootstrap.

    with clean_root.CleanRoot(folder) as root:
        root.run('apt-get', 'install', '-y', 'millrace')     # output; a failure raises
        (root.path / 'etc/hostname').read_text()

What debootstrap made is kept as build-package/root.tar for the next time. Packages come from where this machine has
its own from. What cannot be had (root, network) skips the test."""
import fcntl
import os
import pathlib
import re
import shutil
import subprocess
import unittest

import support

KEPT = support.ROOT / 'build-package' / 'root.tar'
DEBOOTSTRAP_SECONDS, COMMAND_SECONDS = 600, 300
# Mounts end with the namespace, whatever happens to the command.
ENTER = 'mount --bind /dev "$0/dev" && mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
ENVIRONMENT = {'PATH': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME': '/root',
               'LANG': 'C.UTF-8', 'DEBIAN_FRONTEND': 'noninteractive'}


def quiet(command, seconds, **options):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=seconds, **options)
    return done.returncode, done.stdout.decode('utf-8', 'replace')


def apt_files():
    """Those that apt reads: it goes by the ending."""
    parts = pathlib.Path('/etc/apt/sources.list.d')
    return [path for path in [pathlib.Path('/etc/apt/sources.list'), *parts.glob('*.list'), *parts.glob('*.sources')]
            if path.is_file()]


def mirror():
    """Where this machine has Debian 12 itself from, if it says so; other sources and security updates are no mirror."""
    for path in apt_files():
        for stanza in re.split(r'\n\s*\n', path.read_text()):
            line = re.search(r'^deb(?: \[.*?\])? *(https?://\S+) bookworm main\b', stanza, re.M)
            found = line or re.search(r'^URIs: *(https?://\S+)', stanza, re.M)
            if found and (line or re.search(r'^Suites:(.* )?bookworm( |$)', stanza, re.M)):
                return [found[1]]
    return []


def need_namespaces():
    """A root that is no mount of its own, as in a chroot, has no mount namespaces to give."""
    status, output = quiet(['unshare', '--mount', '--pid', '--fork', 'true'], COMMAND_SECONDS)
    if status != 0:
        raise unittest.SkipTest(f'no clean root inside this one: {output.strip()[-300:]}')


def make(tar):
    folder = tar.with_suffix('.new')
    shutil.rmtree(folder, ignore_errors=True)
    status, output = quiet(['debootstrap', '--variant=minbase', '--include=ca-certificates', 'bookworm', folder, *mirror()],
                           DEBOOTSTRAP_SECONDS)
    if status != 0:
        raise unittest.SkipTest(f'debootstrap cannot make a root here:\n{output[-1000:]}')
    quiet(['umount', folder / 'proc'], COMMAND_SECONDS)
    quiet(['umount', folder / 'sys'], COMMAND_SECONDS)
    subprocess.run(['tar', '-C', folder, '--one-file-system', '-cf', f'{tar}.part', '.'], check=True)
    os.rename(f'{tar}.part', tar)
    shutil.rmtree(folder)


def kept():
    """The archive, made at the first use; two processes do not make it at once."""
    KEPT.parent.mkdir(exist_ok=True)
    with open(KEPT.with_suffix('.lock'), 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not KEPT.exists():
            make(KEPT)
    return KEPT


class CleanRoot:
    def __init__(self, path):
        if os.geteuid() != 0:
            raise unittest.SkipTest('only root can make a clean root')
        need_namespaces()
        support.need_command('debootstrap', 'it makes a clean root')
        self.path = pathlib.Path(path)
        self.path.mkdir(parents=True)
        self.path.chmod(0o755)
        subprocess.run(['tar', '-C', self.path, '-xf', kept()], check=True)
        self._take_sources()
        status, output = self.try_run('apt-get', 'update')
        if status != 0:
            self.remove()
            raise unittest.SkipTest(f'apt has no network in a clean root:\n{output[-1000:]}')

    def _take_sources(self):
        """Package sources, settings of apt's downloads, certificates and names of hosts, as this machine has them."""
        settings = [path for path in pathlib.Path('/etc/apt/apt.conf.d').glob('*') if 'Acquire::' in path.read_text()]
        certificates = list(pathlib.Path('/usr/local/share/ca-certificates').glob('*.crt'))
        if apt_files():
            (self.path / 'etc/apt/sources.list').unlink(missing_ok=True)
        hosts = [pathlib.Path('/etc/resolv.conf'), pathlib.Path('/etc/hosts')]
        for path in [*apt_files(), *settings, *certificates, *hosts]:
            inside = self.path / path.relative_to('/')
            inside.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, inside)
        if certificates:
            self.run('update-ca-certificates')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    def command(self, *arguments):
        """The words that run a program inside."""
        return ['unshare', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', ENTER, str(self.path),
                *[str(word) for word in arguments]]

    def try_run(self, *arguments):
        return quiet(self.command(*arguments), COMMAND_SECONDS, env=ENVIRONMENT)

    def run(self, *arguments, status=0):
        got, output = self.try_run(*arguments)
        if got != status:
            raise AssertionError(f'{" ".join(map(str, arguments))[:300]}: exit status {got}\n{output[-4000:]}')
        return output

    def remove(self):
        subprocess.run(['rm', '-rf', '--one-file-system', str(self.path)], check=True)
