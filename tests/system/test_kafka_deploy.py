# SPDX-License-Identifier: Apache-2.0
"""What ships for clusters: the pipelines of sidecar, node and cluster from files to Elasticsearch through a real broker, and
the manifests of Kubernetes, read by its own types."""
import json
import re
import subprocess
import unittest

import kafka_broker
import search_stub
import support

PIPELINES, MANIFESTS = support.ROOT / 'deploy/pipelines', support.ROOT / 'deploy/kubernetes'
POD = 'shop_web-1_0a1b2c3d-0000-1111-2222-333344445555'
NODE_LOG = '''\
2026-01-02T03:04:05.678901234Z stdout F one line
2026-01-02T03:04:06.000000001Z stdout P first part, 
2026-01-02T03:04:06.000000002Z stdout P second part, 
2026-01-02T03:04:06.000000003Z stdout F the end
2026-01-02T03:04:07.000000000Z stderr F a F b P c
'''


class Pipelines(support.Case):
    def test_they_are_good(self):
        for name in ('sidecar', 'node', 'cluster'):
            with self.subTest(name):
                self.assertEqual('Configuration OK\n', self.run_to_end('-t', '-f', PIPELINES / f'{name}.conf', data=False).stdout)

    def run_pipeline(self, name, **environment):
        return self.start('-f', PIPELINES / f'{name}.conf', '-w', '1', '--path.data', self.folder / name,
                          env={'KAFKA': self.broker.address, 'TOPIC': self.topic, **environment})

    def test_from_files_of_pods_through_kafka_to_elasticsearch(self):
        self.broker, self.topic = kafka_broker.broker(), 'deployed'
        self.broker.create(self.topic, 4)
        stub = search_stub.SearchStub()
        self.addCleanup(stub.close)
        self.write('app/app.log', ''.join(json.dumps({'level': 'ERROR', 'number': number}) + '\n' for number in range(100)))
        self.write(f'pods/{POD}/app/0.log', NODE_LOG)
        running = [self.run_pipeline('sidecar', LOGS=str(self.folder / 'app'), SERVICE='shop', POD_NAME='web-1'),
                   self.run_pipeline('node', POD_LOGS=str(self.folder / 'pods'), NODE_NAME='node-7'),
                   self.run_pipeline('cluster', ELASTICSEARCH=stub.address, GROUP='deployed')]
        running[-1].wait_for(lambda: len(stub.documents) >= 103, '103 documents', 90)
        for millrace in running:
            self.assertEqual(0, millrace.stop(60), millrace.stderr)
        self.assertEqual(103, len({target['_id'] for target in stub.targets}))
        documents = [source for _, _, source in stub.documents]
        of_service = [source for source in documents if 'number' in source]
        self.assertEqual(list(range(100)), [source['number'] for source in of_service], 'one pod keeps its order')
        self.assertEqual([('shop', 'web-1', 'SYSTEM_ERROR')] * 100,
                         [(source['service']['name'], source['kubernetes']['pod'], source['error_category']) for source in of_service])
        of_node = [source for source in documents if 'number' not in source]
        self.assertEqual([('stdout', 'one line'), ('stdout', 'first part, second part, the end'), ('stderr', 'a F b P c')],
                         [(source['stream'], source['message']) for source in of_node])
        self.assertEqual({'namespace': 'shop', 'pod': 'web-1', 'uid': POD[-36:], 'container': 'app', 'node': 'node-7'},
                         of_node[0]['kubernetes'])
        self.assertEqual('2026-01-02T03:04:05.678Z', of_node[0]['@timestamp'])


class Manifests(support.Case):
    def validate(self, *files):
        support.need_command('go', "the types of Kubernetes are Go's; install golang-go")
        program = support.ROOT / 'build/tests/clients/manifests'
        done = subprocess.run(['go', 'build', '-o', program, '.'], cwd=support.ROOT / 'tests/clients/kubernetes',
                              capture_output=True, text=True, timeout=600)
        if done.returncode != 0:
            raise unittest.SkipTest(f'the types of Kubernetes cannot be fetched or built: {done.stderr.strip()[-300:]}')
        checked = subprocess.run([program, *files], capture_output=True, text=True, timeout=60)
        return checked.returncode, checked.stdout

    def test_kubernetes_takes_them(self):
        self.assertEqual((0, ''), self.validate(*sorted(MANIFESTS.glob('*.yaml'))))

    def test_what_it_would_not_take_is_found(self):
        text = (MANIFESTS / 'cluster.yaml').read_text()
        for right, wrong, said in (('terminationGracePeriodSeconds: 45', 'terminationGraceSeconds: 45', 'terminationGraceSeconds'),
                                   ('maxReplicas: 12', 'maxReplicas: twelve', 'maxReplicas'),
                                   ('    matchLabels: {app: millrace-cluster}\n  strategy', '    matchLabels: {app: other}\n  strategy',
                                    'does not choose its own pods'),
                                   ('- {name: data, mountPath', '- {name: state, mountPath', "mounts 'state'"),
                                   ('kind: Deployment, name: millrace-cluster', 'kind: Deployment, name: cluster', "scales 'cluster'")):
            with self.subTest(said):
                self.assertIn(right, text)
                status, output = self.validate(self.write('wrong.yaml', text.replace(right, wrong, 1)))
                self.assertEqual(1, status)
                self.assertIn(said, output)

    def test_probes_tell_a_process_that_is_ready_from_none(self):
        commands = {json.loads(text) for path in sorted(MANIFESTS.glob('*.yaml'))
                    for text in re.findall(r'command: \[bash, -c, (".*")\]$', path.read_text(), re.M)}
        self.assertEqual(4, len(commands))
        port, environment = support.free_port(), {'API_PASSWORD': 'it is "secret"'}
        login = ('--api.auth.type', 'basic', '--api.auth.basic.username', 'monitor', '--api.auth.basic.password',
                 environment['API_PASSWORD'])

        def probe(command):
            return subprocess.run(['bash', '-c', command.replace('/9600', f'/{port}')], env={'PATH': '/usr/bin:/bin', **environment},
                                  stderr=subprocess.DEVNULL, timeout=60).returncode

        for words, with_login in ((), False), (login, True):
            for command in commands:
                self.assertNotEqual(0, probe(command))
            millrace = self.start('-e', 'input { heartbeat { } } output { null { } }', '--api.http.port', str(port), *words)
            millrace.wait_for_log('monitoring API listens')
            for command in commands:
                with self.subTest(command):
                    self.assertEqual('Authorization' in command or not with_login, probe(command) == 0)
            self.assertEqual(0, millrace.stop())


if __name__ == '__main__':
    unittest.main()
