# SPDX-License-Identifier: Apache-2.0
"""Real Prometheus, Alertmanager and node exporter for tests, each with a folder and loopback ports of its own.

    self.prometheus = prom.Prometheus(self, config_text)     # skips the test, loudly, when it is not installed
    self.prometheus.query('up')                              # [{metric: …, value: [time, text]}]
They are stopped by the test's cleanup. Debian packages: prometheus, prometheus-alertmanager, prometheus-node-exporter."""
import json
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request

import support

NAMES = {'alertmanager': ('prometheus-alertmanager', 'alertmanager')}


def command(name):
    for other in NAMES.get(name, (name,)):
        if support.shutil.which(other):
            return other
    return support.need_command(name, f'install it from Debian ({NAMES.get(name, (name,))[0]}); ./dev test does')


class Server:
    def __init__(self, case, name, arguments, ready):
        self.name, self.port = name, support.free_port()
        self.folder = case.folder / f'{name}-{self.port}'
        self.folder.mkdir()
        self.log = self.folder / 'log'
        words = [command(name), *(str(word).format(port=self.port, folder=self.folder) for word in arguments)]
        with open(self.log, 'wb') as log:
            self.child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)
        case.addCleanup(self.stop)
        support.wait_until(lambda: self._answers(ready), name, timeout=60)

    def _answers(self, path):
        if self.child.poll() is not None:
            raise AssertionError(f'{self.name} ended with {self.child.returncode}:\n{self.log.read_text("utf-8", "replace")[-3000:]}')
        try:
            return self.get(path) is not None
        except (OSError, urllib.error.URLError):
            return False

    def get(self, path):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f'http://127.0.0.1:{self.port}{path}', timeout=30) as answer:
            return answer.read().decode()

    def stop(self):
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(20)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()


class Prometheus(Server):
    def __init__(self, case, config, files=()):
        """config: text of prometheus.yml; files: (name beside it, text)."""
        place = case.folder / 'prometheus-config'
        for name, text in [('prometheus.yml', config), *files]:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(text)
        super().__init__(case, 'prometheus', [f'--config.file={place}/prometheus.yml', '--storage.tsdb.path={folder}/data',
                                              '--web.listen-address=127.0.0.1:{port}'], '/-/ready')

    def query(self, expression):
        """The vector; a query that Prometheus does not take fails the test with its reason."""
        try:
            answer = json.loads(self.get('/api/v1/query?' + urllib.parse.urlencode({'query': expression})))
        except urllib.error.HTTPError as error:
            raise AssertionError(f'{expression}\n{error.read().decode()}') from None
        assert answer['status'] == 'success', answer
        return answer['data']['result']

    def firing(self):
        alerts = json.loads(self.get('/api/v1/alerts'))['data']['alerts']
        return {alert['labels']['alertname'] for alert in alerts if alert['state'] == 'firing'}


class Alertmanager(Server):
    def __init__(self, case, config):
        path = case.folder / 'alertmanager.yml'
        path.write_text(config)
        super().__init__(case, 'alertmanager', [f'--config.file={path}', '--storage.path={folder}/data', '--cluster.listen-address=',
                                                '--web.listen-address=127.0.0.1:{port}'], '/-/ready')

    def alerts(self):
        return json.loads(self.get('/api/v2/alerts'))


class NodeExporter(Server):
    def __init__(self, case):
        super().__init__(case, 'prometheus-node-exporter', ['--web.listen-address=127.0.0.1:{port}', '--collector.disable-defaults',
                                                            '--collector.cpu', '--collector.meminfo'], '/metrics')


def set_targets(text, targets):
    """A scrape configuration with the target of each named job replaced and every other job taken out."""
    head, *jobs = re.split(r"(?m)^(?=  - job_name: )", text)
    kept = []
    for job in jobs:
        name = re.match(r"  - job_name: '([^']+)'", job).group(1)
        if name in targets:
            kept.append(re.sub(r'targets:.*', f"targets: ['{targets[name]}']", job, count=1, flags=re.S) + '\n')
    return head + ''.join(kept)
