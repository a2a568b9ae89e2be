# SPDX-License-Identifier: Apache-2.0
"""A stand-in for Elasticsearch in system tests: takes bulk requests, can refuse, fail and vanish on demand.

For what only a real server can say there are tests with a real one; this one is for what a real one does rarely."""
import json

import support

INFO = {'name': 'stub', 'cluster_name': 'stub', 'version': {'number': '8.11.0', 'build_flavor': 'default'},
        'tagline': 'You Know, for Search'}


class SearchStub:
    """Documents end up in `documents` as (action, index, source), with what else the action said in `targets`; each
    alert's body in `alerts`; `bulks` counts the requests.

    status_of(source) gives an item's status (201). While `failing` is a status, bulk requests get that instead."""

    def __init__(self, status_of=None, port=0):
        self.documents, self.targets, self.alerts, self.templates = [], [], [], {}
        self.failing, self.bulks = None, 0
        self.status_of = status_of or (lambda source: 201)
        self.server = support.Recorder(self._answer, port)
        self.port, self.address, self.close = self.server.port, self.server.address, self.server.close

    def _answer(self, request):
        path = request.path.split('?')[0]
        headers = {'X-elastic-product': 'Elasticsearch'}
        if path.endswith('_bulk'):
            return self._bulk(request) + (headers,)
        if path.endswith('/alerts'):
            self.alerts.append(request.json())
            return 200, {'status': 'success'}
        if 'template' in path:
            if request.method in ('PUT', 'POST'):
                self.templates[path] = request.json()
            known = request.method == 'PUT' or path in self.templates
            return (200 if known else 404), {'acknowledged': known}, headers
        return 200, INFO, headers

    def _bulk(self, request):
        self.bulks += 1
        if self.failing:
            return self.failing, {'error': {'type': 'unavailable', 'reason': 'as the test wants'}, 'status': self.failing}
        items, lines = [], iter(request.body.split(b'\n')[:-1])
        for line in lines:
            ((action, target),) = json.loads(line).items()
            source = json.loads(next(lines)) if action != 'delete' else None
            items.append(self._item(action, target, source))
        return 200, {'took': 1, 'errors': any('error' in item for entry in items for item in entry.values()), 'items': items}

    def _item(self, action, target, source):
        status = self.status_of(source)
        item = {'_index': target.get('_index'), '_id': target.get('_id') or str(len(self.documents)), 'status': status}
        if status < 300:
            self.documents.append((action, target.get('_index'), source))
            self.targets.append(target)
        else:
            item['error'] = {'type': 'refused', 'reason': 'as the test wants'}
        return {action: item}
