# SPDX-License-Identifier: Apache-2.0
"""A real Kafka broker (KRaft, one node), started once for all tests that want one and stopped at the end.

    broker = kafka_broker.broker()   # skips the test when there is no JDK, Maven or kcat
    broker.create('name', 4); broker.produce('name', lines); broker.read('name', count); broker.committed('group')

Records are written and read by kcat, which is no part of millrace. tests/servers/kafka/build.sh fetches the jars at the
first use."""
import atexit
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import unittest

import support

FOLDER = support.ROOT / 'tests' / 'servers' / 'kafka'
SETTINGS = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={folder}/data
num.network.threads=2
num.io.threads=2
num.partitions=1
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=2
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=2
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
log.cleaner.dedupe.buffer.size=8388608
"""
# Listeners with TLS, with TLS that wants a certificate of the client, with a login, and with both.
SECURE = """
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port},TLS://127.0.0.1:{tls},\
MUTUAL://127.0.0.1:{mutual},LOGIN://127.0.0.1:{login},BOTH://127.0.0.1:{both}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},TLS://localhost:{tls},MUTUAL://localhost:{mutual},\
LOGIN://127.0.0.1:{login},BOTH://localhost:{both}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,TLS:SSL,MUTUAL:SSL,LOGIN:SASL_PLAINTEXT,BOTH:SASL_SSL
listener.name.mutual.ssl.client.auth=required
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512
ssl.keystore.type=PEM
ssl.keystore.location={folder}/server.pem
ssl.truststore.type=PEM
ssl.truststore.location={folder}/ca.crt
"""
LISTENERS = ('tls', 'mutual', 'login', 'both')
PLAIN_LOGIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_kim="secret one";'
SCRAM_LOGIN = 'org.apache.kafka.common.security.scram.ScramLoginModule required;'
_brokers = []


def make_certificates(folder):
    """ca.crt signs server.pem (for localhost) and client.pem, each with its key in PKCS#8."""
    def openssl(*words):
        subprocess.run(['openssl', *map(str, words)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', 2, '-subj', '/CN=millrace test', '-keyout', folder / 'ca.key',
            '-out', folder / 'ca.crt')
    (folder / 'names').write_text('subjectAltName=DNS:localhost\n')
    for name in ('server', 'client'):
        key, request, certificate = (folder / f'{name}.{end}' for end in ('key', 'csr', 'crt'))
        openssl('req', '-newkey', 'rsa:2048', '-nodes', '-subj', f'/CN={name}', '-keyout', key, '-out', request)
        openssl('x509', '-req', '-in', request, '-CA', folder / 'ca.crt', '-CAkey', folder / 'ca.key', '-CAcreateserial',
                '-days', 2, '-extfile', folder / 'names', '-out', certificate)
        whole = folder / f'{name}.pem'
        whole.touch(0o600)  # a key that others can read is refused
        whole.write_text(key.read_text() + certificate.read_text())


class Broker:
    def __init__(self, secure=False):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='millrace-kafka-'))
        self.port = support.free_port()
        self.classes = f'{FOLDER / "built" / "classes"}:{FOLDER / "built" / "lib"}/*'
        self.settings = self.folder / 'server.properties'
        names = {'port': self.port, 'controller_port': support.free_port(), 'folder': self.folder}
        settings = SETTINGS.format(**names)
        if secure:
            make_certificates(self.folder)
            self.ports = {name: support.free_port() for name in LISTENERS}
            settings += SECURE.format(**names, **self.ports) + ''.join(
                f'listener.name.{name}.{mechanism}.sasl.jaas.config={login}\n' for name in ('login', 'both')
                for mechanism, login in (('plain', PLAIN_LOGIN), ('scram-sha-256', SCRAM_LOGIN), ('scram-sha-512', SCRAM_LOGIN)))
        self.settings.write_text(settings)
        self.process = self.asked = None
        self.asking = threading.Lock()
        self.java('kafka.tools.StorageTool', 'format', '-t', 'bWlsbHJhY2UtdGVzdHMtMQ', '-c', str(self.settings))

    @property
    def address(self):
        return f'127.0.0.1:{self.port}'

    def java_command(self, *arguments):
        return ['java', '-Xmx64m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC',
                '-Dorg.slf4j.simpleLogger.defaultLogLevel=error', '-cp', self.classes, *arguments]

    def java(self, *arguments):
        done = subprocess.run(self.java_command(*arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
        if done.returncode != 0:
            raise AssertionError(done.stdout.decode('utf-8', 'replace')[-2000:])
        return done.stdout.decode()

    def start(self):
        command = ['java', '-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1',
                   '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
                   '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info',
                   '-cp', self.classes, 'kafka.Kafka', str(self.settings)]
        log = self.folder / 'log'
        with open(log, 'wb') as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        support.wait_until(lambda: self._is_up(log.read_text('utf-8', 'replace')), 'Kafka', timeout=300)

    def _is_up(self, log):
        if self.process.poll() is not None:
            raise AssertionError(f'Kafka ended with {self.process.returncode}:\n{log[-4000:]}')
        return 'Kafka Server started' in log

    def stop(self):
        """The broker ends and its data stays; start() brings it back on the same port."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def remove(self):
        if self.asked:
            self.asked.stdin.close()
            self.asked.wait()
            self.asked.stdout.close()
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, *words):
        """What Topics answers, its lines; it waits for a broker that is away."""
        with self.asking:
            if not self.asked:
                self.asked = subprocess.Popen(self.java_command('Topics', self.address), stdin=subprocess.PIPE,
                                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            self.asked.stdin.write(' '.join(words).encode() + b'\n')
            self.asked.stdin.flush()
            lines = []
            while (line := self.asked.stdout.readline().decode().rstrip('\n')) != '.':
                if not line:
                    raise AssertionError(f'Topics ended with {self.asked.wait()}')
                lines.append(line)
        if lines and lines[0].startswith('!'):
            raise AssertionError(f'{" ".join(words)}: {lines[0]}')
        return lines

    def create(self, topic, partitions=1):
        """The controller has made it before the broker tells clients of it: returns when it does."""
        self.ask('create', topic, str(partitions))
        wanted = f'topic "{topic}" with {partitions} partitions:'
        support.wait_until(lambda: wanted in self.kcat('-L', '-t', topic), f'the topic {topic}')

    def committed(self, group):
        """{(topic, partition): offset} as the broker has it."""
        lines = (line.split() for line in self.ask('committed', group))
        return {(topic, int(partition)): int(offset) for topic, partition, offset in lines}

    def ends(self, topic):
        """{partition: offset behind its last record}"""
        return {int(partition): int(end) for partition, end in (line.split() for line in self.ask('ends', topic))}

    def members(self, group):
        """How many members have partitions, and how many partitions they have."""
        return tuple(int(number) for number in self.ask('members', group)[0].split())

    def kcat(self, *arguments, given=None):
        command = ['kcat', '-b', self.address, '-q', *arguments]
        done = subprocess.run(command, input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        if done.returncode != 0:
            raise AssertionError(done.stderr.decode('utf-8', 'replace')[-2000:])
        return done.stdout.decode()

    def produce(self, topic, lines, *arguments):
        self.kcat('-P', '-t', topic, *arguments, given=''.join(line + '\n' for line in lines).encode())

    def produce_to_partitions(self, topic, lines):
        """lines: {partition: its records}"""
        running = []
        for partition, records in lines.items():
            child = subprocess.Popen(['kcat', '-b', self.address, '-q', '-P', '-t', topic, '-p', str(partition)],
                                     stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
            child.stdin.write(''.join(line + '\n' for line in records).encode())
            child.stdin.close()
            running.append(child)
        if any([child.wait() for child in running]):
            raise AssertionError(f'kcat could not write to {topic}')

    def read(self, topic, form='%s\n'):
        """All records that are there now, one line each."""
        return self.kcat('-C', '-t', topic, '-o', 'beginning', '-e', '-f', form).splitlines()


def broker(secure=False):
    """The running broker; what the first test of a process wants of it holds for all."""
    if not _brokers:
        for command, why in (('java', 'Kafka runs in a JVM'), ('mvn', 'Maven fetches the jars of Kafka'),
                             ('kcat', 'it writes and reads the records')):
            support.need_command(command, why)
        done = subprocess.run([str(FOLDER / 'build.sh')], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise unittest.SkipTest(f'the jars of Kafka cannot be fetched:\n{done.stdout.decode("utf-8", "replace")[-1000:]}')
        _brokers.append(Broker(secure))
        atexit.register(_brokers[0].remove)
    if _brokers[0].process is None or _brokers[0].process.poll() is not None:
        _brokers[0].start()
    return _brokers[0]
