# SPDX-License-Identifier: Apache-2.0
"""A real OpenSearch node, started once for all tests that want one and stopped at the end; or one of Elasticsearch 7.17.

    node = opensearch.node()         # skips the test when there is no JDK or Maven
    node = opensearch.node(folder=opensearch.ELASTICSEARCH)
    node.get('/index/_count')        # the decoded answer; raises HTTPError

Needs a JDK 17 and Maven; tests/servers/opensearch/build.sh fetches the jars at the first use."""
import atexit
import json
import pathlib
import shutil
import signal
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

import support

FOLDER = support.ROOT / 'tests' / 'servers' / 'opensearch'
ELASTICSEARCH = support.ROOT / 'tests' / 'servers' / 'elasticsearch'
SETTINGS = """\
cluster.name: millrace-tests
node.name: node-1
network.host: 127.0.0.1
http.port: {port}
transport.port: {transport_port}
discovery.type: single-node
path.data: {folder}/data
path.logs: {folder}/logs
cluster.routing.allocation.disk.threshold_enabled: false
"""
_nodes = {}


def mounted_folder():
    """Java finds no file store where / is no mount, as in a chroot; /dev/shm is one there."""
    with open('/proc/self/mounts') as mounts:
        has_root = any(line.split()[1] == '/' for line in mounts)
    return None if has_root else '/dev/shm'


class Node:
    """One node on ports of its own; its data lives in a folder that goes with it."""

    def __init__(self, settings='', server=FOLDER):
        self.server = server
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='millrace-opensearch-', dir=mounted_folder()))
        self.port, transport_port = support.free_port(), support.free_port()
        text = SETTINGS.format(port=self.port, transport_port=transport_port, folder=self.folder) + settings
        (self.folder / 'config').mkdir()
        (self.folder / 'tmp').mkdir()
        (self.folder / 'config' / 'node.yml').write_text(text)
        self.process = None

    @property
    def url(self):
        return f'http://127.0.0.1:{self.port}'

    def start(self):
        built = self.server / 'built'
        log4j = f'-Dlog4j2.configurationFile={self.server / "log4j2.xml"}'
        command = ['java', '-Xms256m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', log4j,
                   '-Dlog4j2.disable.jmx=true', f'-Djava.io.tmpdir={self.folder / "tmp"}',
                   '-cp', f'{built / "classes"}:{built / "lib"}/*', 'SearchNode', str(self.folder),
                   str(self.folder / 'config' / 'node.yml')]
        with open(self.folder / 'log', 'ab') as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        support.wait_until(self._is_up, 'OpenSearch', timeout=180)

    def _is_up(self):
        if self.process.poll() is not None:
            log = (self.folder / 'log').read_text('utf-8', 'replace')
            raise AssertionError(f'OpenSearch ended with {self.process.returncode}:\n{log[-4000:]}')
        try:
            return self.get('/_cluster/health?wait_for_status=yellow&timeout=2s')['status'] != 'red'
        except (OSError, urllib.error.URLError):
            return False

    def stop(self):
        """The node ends and its data stays; start() brings it back on the same port."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def start_if_stopped(self):
        if self.process is None or self.process.poll() is not None:
            self.start()

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def request(self, method, path, body=None):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {'content-type': 'application/json'}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as answer:
            return json.loads(answer.read() or b'null')

    def get(self, path):
        return self.request('GET', path)

    def put(self, path, body=None):
        return self.request('PUT', path, body)

    def count(self, index):
        """Documents that a search finds; 0 for an index that is not there, or whose shards have not started."""
        try:
            self.request('POST', f'/{index}/_refresh')
            return self.get(f'/{index}/_count')['count']
        except urllib.error.HTTPError as error:
            if error.code in (404, 503):
                return 0
            raise

    def documents(self, index, size=1000):
        self.request('POST', f'/{index}/_refresh')
        hits = self.get(f'/{index}/_search?size={size}&version=true')['hits']['hits']
        return {hit['_id']: hit['_source'] for hit in hits}


def build(folder=FOLDER):
    name = folder.name
    support.need_command('java', f'{name} runs in a JVM')
    support.need_command('mvn', f'Maven fetches the jars of {name}')
    done = subprocess.run([str(folder / 'build.sh')], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise unittest.SkipTest(f'the jars of {name} cannot be fetched:\n{done.stdout.decode("utf-8", "replace")[-1000:]}')


def node(settings='', folder=FOLDER):
    """The running node with these settings (lines of its YAML file)."""
    key = (settings, folder)
    if key not in _nodes:
        build(folder)
        _nodes[key] = Node(settings, folder)
        atexit.register(_nodes[key].remove)
    _nodes[key].start_if_stopped()
    return _nodes[key]


def remove(settings, folder=FOLDER):
    """Ends the node with these settings, when no other test wants it."""
    if (settings, folder) in _nodes:
        _nodes.pop((settings, folder)).remove()
