# SPDX-License-Identifier: Apache-2.0
"""Kubernetes documents held strictly to the API: unknown fields, wrong types, missing ones.

The API comes from Debian's python3-kubernetes (1.22); the Prometheus operator's resources, which it
does not have, are written down here as far as the chart uses them.
"""
import re

import kubernetes.client as api

# What appeared in Kubernetes after the packaged API: field -> its type.
NEWER = {"V1VolumeMount": {"recursiveReadOnly": "str"}}

SELECTOR = "V1LabelSelector"
RELABELING = [{"sourceLabels": ["str"], "targetLabel": "str", "action": "str", "regex": "str", "replacement": "str",
               "separator": "str"}]
ENDPOINT = {"port": "str", "path": "str", "scheme": "str", "interval": "str", "scrapeTimeout": "str",
            "tlsConfig": "object", "basicAuth": "object", "honorLabels": "bool", "relabelings": RELABELING,
            "metricRelabelings": RELABELING}
MONITORING = {
    "ServiceMonitor": {"jobLabel": "str", "selector": SELECTOR, "endpoints": [ENDPOINT]},
    "PodMonitor": {"jobLabel": "str", "selector": SELECTOR, "podMetricsEndpoints": [ENDPOINT]},
    "PrometheusRule": {"groups": [{"name": "str", "interval": "str", "rules": [
        {"record": "str", "alert": "str", "expr": "str", "for": "str", "labels": "dict(str, str)",
         "annotations": "dict(str, str)"}]}]},
}
SCALARS = {"str": str, "int": int, "bool": bool, "float": (int, float), "datetime": str}


def check(value, kind, path):
    """Yields what is wrong with `value`, which should be of type `kind`."""
    if isinstance(kind, list):
        if not isinstance(value, list):
            yield f"{path}: no list"
            return
        for index, item in enumerate(value):
            yield from check(item, kind[0], f"{path}[{index}]")
    elif isinstance(kind, dict):
        if not isinstance(value, dict):
            yield f"{path}: no object"
            return
        for key, item in value.items():
            if key not in kind:
                yield f"{path}.{key}: there is no such field"
            else:
                yield from check(item, kind[key], f"{path}.{key}")
    elif kind == "object":
        return
    elif kind in SCALARS:
        if not isinstance(value, SCALARS[kind]) or (kind == "int" and isinstance(value, bool)):
            yield f"{path}: {value!r} is no {kind}"
    elif nested := re.fullmatch(r"list\[(.*)\]", kind):
        yield from check(value, [nested[1]], path)
    elif nested := re.fullmatch(r"dict\(str, (.*)\)", kind):
        if not isinstance(value, dict):
            yield f"{path}: no map"
            return
        for key, item in value.items():
            yield from check(item, nested[1], f"{path}.{key}")
    else:
        yield from check_model(value, getattr(api, kind), path)


def check_model(value, model, path):
    if not isinstance(value, dict):
        yield f"{path}: no object"
        return
    fields = {model.attribute_map[name]: kind for name, kind in model.openapi_types.items()}
    fields.update(NEWER.get(model.__name__, {}))
    yield from check(value, fields, path)
    names = {json_name: name for name, json_name in model.attribute_map.items()}
    try:  # the model refuses to be made without what is required
        model(**{names[key]: item for key, item in value.items() if key in names})
    except ValueError as error:
        yield f"{path}: {error}"


def check_document(document):
    kind, version = document.get("kind", ""), document.get("apiVersion", "")
    name = f"{kind} {document.get('metadata', {}).get('name', '')}"
    if version == "monitoring.coreos.com/v1" and kind in MONITORING:
        yield from check(document, {"apiVersion": "str", "kind": "str", "metadata": "V1ObjectMeta",
                                    "spec": MONITORING[kind]}, name)
        return
    model = getattr(api, "V1" + kind, None)
    groups = {"v1", "apps/v1", "rbac.authorization.k8s.io/v1", "networking.k8s.io/v1"}
    if model is None or version not in groups:
        yield f"{name}: {version} {kind} is not known here"
        return
    yield from check_model(document, model, name)
