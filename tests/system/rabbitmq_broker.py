# SPDX-License-Identifier: Apache-2.0
"""A RabbitMQ broker of its own folder, ports and name service, with as few threads as it takes."""
import os
import pathlib
import shutil
import subprocess
import tempfile

import support

BIN = pathlib.Path('/usr/lib/rabbitmq/bin')


class Broker:
    def __init__(self, certificate=None, key=None):
        support.need_file(BIN / 'rabbitmq-server', 'rabbitmq-server is the broker of these tests')
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='millrace-rabbitmq-'))
        self.port, self.tls_port, self.epmd_port, distribution = (support.free_port() for _ in range(4))
        lines = [f'listeners.tcp.default = 127.0.0.1:{self.port}', 'vm_memory_high_watermark.absolute = 256MB',
                 'disk_free_limit.absolute = 1MB', 'log.file = false', 'log.console = false']
        if certificate:
            lines += [f'listeners.ssl.default = 127.0.0.1:{self.tls_port}', f'ssl_options.cacertfile = {certificate}',
                      f'ssl_options.certfile = {certificate}', f'ssl_options.keyfile = {key}', 'ssl_options.verify = verify_none']
        (self.folder / 'rabbitmq.conf').write_text('\n'.join(lines) + '\n')
        (self.folder / 'enabled_plugins').write_text('[].\n')
        self.environment = {
            **os.environ, 'HOME': str(self.folder), 'RABBITMQ_CONFIG_FILE': str(self.folder / 'rabbitmq.conf'),
            'RABBITMQ_NODENAME': f'test{self.port}@localhost', 'RABBITMQ_MNESIA_BASE': str(self.folder / 'data'),
            'RABBITMQ_LOG_BASE': str(self.folder / 'log'), 'RABBITMQ_ENABLED_PLUGINS_FILE': str(self.folder / 'enabled_plugins'),
            'RABBITMQ_DIST_PORT': str(distribution), 'ERL_EPMD_PORT': str(self.epmd_port), 'ERL_EPMD_ADDRESS': '127.0.0.1',
            'RABBITMQ_PID_FILE': str(self.folder / 'pid'),
            'RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS': '+S 1:1 +SDcpu 1:1 +SDio 1 +A 1 +sbwt none +sbwtdcpu none +sbwtdio none',
        }
        self.start()

    def start(self):
        with open(self.folder / 'stderr', 'ab') as stderr:
            self.child = subprocess.Popen([str(BIN / 'rabbitmq-server')], env=self.environment, cwd=self.folder, start_new_session=True,
                                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr)
        support.wait_until(self.is_up, 'the RabbitMQ broker', 120)

    def is_up(self):
        if self.child.poll() is not None:
            raise AssertionError(f'the broker ended: {(self.folder / "stderr").read_text()[-2000:]}')
        return support.is_listening(self.port)

    def kill(self):
        """As a crash does it."""
        os.killpg(self.child.pid, 9)
        self.child.wait()

    def stop(self):
        if self.child.poll() is None:
            os.killpg(self.child.pid, 9)
        self.child.wait()
        epmd = shutil.which('epmd')
        if epmd:
            subprocess.run([epmd, '-port', str(self.epmd_port), '-kill'], env=self.environment, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=60)
        shutil.rmtree(self.folder, True)

    def tool(self, name, *arguments, stdin=b''):
        """A program of amqp-tools against this broker; its output."""
        program = support.need_command(f'amqp-{name}', 'amqp-tools speaks to the broker')
        done = subprocess.run([program, f'--url=amqp://guest:guest@127.0.0.1:{self.port}', *map(str, arguments)], input=stdin,
                              capture_output=True, timeout=120)
        if done.returncode != 0:
            raise AssertionError(f'amqp-{name}: {done.stderr.decode()}')
        return done.stdout
