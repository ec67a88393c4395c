"""Files that do not parse, versions that are gone, fields that are refused: one right line, or none."""

from __future__ import annotations

import shutil

import pytest

from tests.unit.remedies.network.test_services import APPLICATION, SERVICE, WORKLOAD
from tests.unit.remedies.small_repository import propose
from tests.unit.remedies.sources.test_sources import CHART, KUSTOMIZATION, cannot_generate, refused, with_values

UNPARSABLE = cannot_generate(
    'Failed to unmarshal \\"api.yaml\\": failed to unmarshal manifest: error converting YAML to JSON: yaml: line 12: did not find expected key'
)


def tell_shop(tmp_path, text, log, *, before=None, **more):
    files = {
        "argocd/shop.yaml": APPLICATION,
        "shop/api.yaml": text,
        **{f"shop/{name}.yaml": body for name, body in more.items()},
    }
    return propose(tmp_path, files, log, before=[{"shop/api.yaml": before}] if before else [])


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        pytest.param("image: registry", "image:registry", id="no-space"),
        pytest.param("      containers:\n", "      containers\n", id="no-colon"),
        pytest.param("        - name: api\n          image", "\t- name: api\n          image", id="tab"),
        pytest.param("image: registry.example.com/api:1.0", 'image: "registry.example.com/api:1.0', id="open-quote"),
        pytest.param(
            "            - name: http\n              containerPort",
            "            -name: http\n              containerPort",
            id="no-space-after-dash",
        ),
        pytest.param("  replicas: 2\n  selector", "  replicas: 2\n   selector", id="indented-too-far"),
    ],
)
def test_the_one_line_is_mended_as_its_siblings_are(tmp_path, right, wrong):
    assert right in WORKLOAD
    told = tell_shop(tmp_path, WORKLOAD.replace(right, wrong, 1), UNPARSABLE)
    assert told.changed.get("shop/api.yaml", "").replace('"', "") == WORKLOAD


def test_the_broken_line_alone_goes_back_to_what_it_was(tmp_path):
    broken = WORKLOAD.replace("image: registry.example.com/api:1.0", "image registry.example.com/api:1.1 {").replace(
        "replicas: 2", "replicas: 3"
    )
    told = tell_shop(tmp_path, broken, UNPARSABLE, before=WORKLOAD)
    assert told.changed["shop/api.yaml"] == WORKLOAD.replace("replicas: 2", "replicas: 3")


def test_a_conflict_that_was_committed_is_left_to_a_person(tmp_path):
    text = WORKLOAD.replace("  replicas: 2\n", "<<<<<<< HEAD\n  replicas: 2\n=======\n  replicas: 3\n>>>>>>> other\n")
    assert not tell_shop(tmp_path, text, UNPARSABLE).changed


def test_a_file_that_parses_by_now_is_left_alone(tmp_path):
    assert not tell_shop(
        tmp_path, WORKLOAD, UNPARSABLE, before=WORKLOAD.replace("image: registry", "image:registry")
    ).changed


def test_another_broken_file_is_not_touched(tmp_path):
    assert not tell_shop(
        tmp_path, WORKLOAD.replace("image: registry", "image:registry"), UNPARSABLE.replace("api.yaml", "web.yaml")
    ).changed


def test_a_values_file_is_mended(tmp_path):
    files = {
        "argocd/shop.yaml": with_values("values-prod.yaml"),
        **CHART,
        "shop/values-prod.yaml": "image:\n  tag: v1\nreplicas:2\nhost: a\n",
    }
    log = cannot_generate(
        "failed to execute helm template command: `helm template . --values <path to cached source>/shop/values-prod.yaml` failed exit status 1: Error: failed to parse <path to cached source>/shop/values-prod.yaml: error converting YAML to JSON: yaml: line 4: could not find expected ':'"
    )
    assert propose(tmp_path, files, log).changed["shop/values-prod.yaml"] == "image:\n  tag: v1\nreplicas: 2\nhost: a\n"


@pytest.mark.skipif(not shutil.which("helm"), reason="needs helm on PATH: scripts/install_tools.py DIR")
def test_a_chart_template_is_mended(tmp_path):
    files = {"argocd/shop.yaml": with_values("values.yaml"), **CHART, "shop/values.yaml": "tag: v1\n"}
    template = WORKLOAD.replace("api:1.0", "api:{{ .Values.tag }}")
    files["shop/templates/api.yaml"] = template.replace("replicas: 2", "replicas:2")
    log = cannot_generate(
        "failed to execute helm template command: `helm template .` failed exit status 1: Error: YAML parse error on shop/templates/api.yaml: error converting YAML to JSON: yaml: line 7: could not find expected ':'"
    )
    assert propose(tmp_path, files, log).changed["shop/templates/api.yaml"] == template


BUDGET = "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata:\n  name: api\nspec:\n  minAvailable: 1\n  selector:\n    matchLabels:\n      app: api\n"
GONE = refused(
    'The Kubernetes API could not find version \\"v1beta1\\" of {kind} for requested resource shop/api. Version \\"v1\\" of {kind} is installed on the destination cluster.'
)


def test_a_version_that_is_gone_is_replaced(tmp_path):
    told = tell_shop(tmp_path, WORKLOAD, GONE.format(kind="policy/PodDisruptionBudget"), budget=BUDGET)
    assert told.changed == {"shop/budget.yaml": BUDGET.replace("v1beta1", "v1")}


def test_a_version_whose_fields_were_renamed_is_left_to_a_person(tmp_path):
    ingress = "apiVersion: networking.k8s.io/v1beta1\nkind: Ingress\nmetadata:\n  name: api\nspec:\n  rules:\n    - http:\n        paths:\n          - path: /\n            backend:\n              serviceName: api\n              servicePort: 80\n"
    assert not tell_shop(tmp_path, WORKLOAD, GONE.format(kind="networking.k8s.io/Ingress"), ingress=ingress).changed


def test_an_empty_selector_means_something_else_in_the_new_version(tmp_path):
    budget = BUDGET.split("  selector", maxsplit=1)[0] + "  selector: {}\n"
    assert not tell_shop(tmp_path, WORKLOAD, GONE.format(kind="policy/PodDisruptionBudget"), budget=budget).changed


def test_a_custom_resource_that_is_not_installed_is_not_guessed(tmp_path):
    monitor = "apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata:\n  name: api\nspec:\n  selector: {}\n  endpoints: []\n"
    log = refused(
        'The Kubernetes API could not find monitoring.coreos.com/ServiceMonitor for requested resource shop/api. Make sure the \\"ServiceMonitor\\" CRD is installed on the destination cluster.'
    )
    assert not tell_shop(tmp_path, WORKLOAD, log, monitor=monitor).changed


def invalid(rest, kind="Deployment.apps", name="api"):
    return refused(f'{kind} \\"{name}\\" is invalid: {rest}')


@pytest.mark.parametrize(
    ("right", "wrong", "message"),
    [
        pytest.param(
            "imagePullPolicy: IfNotPresent",
            "imagePullPolicy: IfNotPresents",
            'spec.template.spec.containers[0].imagePullPolicy: Unsupported value: \\"IfNotPresents\\": supported values: \\"Always\\", \\"IfNotPresent\\", \\"Never\\"',
            id="enum",
        ),
        pytest.param(
            "mountPath: /scratch\n              name: scratch",
            "mountPath: /scratch\n              name: scrtch",
            'spec.template.spec.containers[0].volumeMounts[0].name: Not found: \\"scrtch\\"',
            id="mount",
        ),
        pytest.param(
            "cpu: 100m",
            "cpu: 700m",
            'spec.template.spec.containers[0].resources.requests: Invalid value: \\"700m\\": must be less than or equal to cpu limit of 500m',
            id="request",
        ),
        pytest.param(
            "successThreshold: 1",
            "successThreshold: 3",
            "spec.template.spec.containers[0].livenessProbe.successThreshold: Invalid value: 3: must be 1",
            id="must-be",
        ),
    ],
)
def test_a_refused_field_gets_the_value_that_the_message_demands(tmp_path, right, wrong, message):
    assert right in FULL
    told = tell_shop(tmp_path, FULL.replace(right, wrong), invalid(message), service=SERVICE)
    assert told.changed["shop/api.yaml"] == FULL.replace(right, "cpu: 500m" if "cpu" in right else right)


FULL = (
    WORKLOAD.replace(
        "          ports:\n",
        """\
          imagePullPolicy: IfNotPresent
          resources:
            requests:
              cpu: 100m
            limits:
              cpu: 500m
          livenessProbe:
            successThreshold: 1
            tcpSocket:
              port: http
          volumeMounts:
            - mountPath: /scratch
              name: scratch
          ports:
""",
    )
    + "      volumes:\n        - name: scratch\n          emptyDir: {}\n"
)


def test_labels_follow_the_selector_that_a_service_shares(tmp_path):
    message = 'spec.template.metadata.labels: Invalid value: map[string]string{\\"app\\":\\"apii\\"}: `selector` does not match template `labels`'
    told = tell_shop(
        tmp_path,
        WORKLOAD.replace("      labels:\n        app: api", "      labels:\n        app: apii"),
        invalid(message),
        service=SERVICE,
    )
    assert told.value("spec.template.metadata.labels.app", "shop/api.yaml") == "api"


def test_a_setting_without_effect_goes(tmp_path):
    text = WORKLOAD.replace(
        "  replicas: 2\n", "  replicas: 2\n  strategy:\n    type: Recreate\n    rollingUpdate:\n      maxSurge: 1\n"
    )
    told = tell_shop(
        tmp_path,
        text,
        invalid("spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"),
    )
    assert told.value("spec.strategy", "shop/api.yaml") == {"type": "Recreate"}


def test_a_port_named_twice_is_left_to_a_person(tmp_path):
    service = SERVICE + "    - name: http\n      port: 81\n"
    assert not tell_shop(
        tmp_path, WORKLOAD, invalid('spec.ports[1].name: Duplicate value: \\"http\\"', "Service"), service=service
    ).changed


def test_a_name_that_no_rule_can_guess_goes_back_to_what_it_was(tmp_path):
    message = 'spec.template.spec.containers[0].name: Invalid value: \\"API_1\\": a lowercase RFC 1123 label must consist of lower case alphanumeric characters'
    wrong = WORKLOAD.replace("- name: api", "- name: API_1")
    assert not tell_shop(tmp_path / "now", wrong, invalid(message)).changed
    assert tell_shop(tmp_path / "then", wrong, invalid(message), before=WORKLOAD).changed["shop/api.yaml"] == WORKLOAD


def test_a_value_that_was_mended_since_is_left_alone(tmp_path):
    message = 'spec.template.spec.containers[0].imagePullPolicy: Unsupported value: \\"Never-\\": supported values: \\"Always\\", \\"IfNotPresent\\", \\"Never\\"'
    assert not tell_shop(tmp_path, FULL, invalid(message)).changed


def test_a_misspelt_field_is_renamed(tmp_path):
    log = refused(
        'error when patching \\"/dev/shm/1\\": Deployment in version \\"v1\\" cannot be handled as a Deployment: strict decoding error: unknown field \\"spec.template.spec.containers[0].imagePullPolcy\\"'
    )
    told = tell_shop(tmp_path, FULL.replace("imagePullPolicy", "imagePullPolcy"), log)
    assert told.changed["shop/api.yaml"] == FULL


def test_a_field_that_stands_in_the_wrong_place_is_left_to_a_person(tmp_path):
    log = refused(
        'error when patching \\"/dev/shm/1\\": Deployment in version \\"v1\\" cannot be handled as a Deployment: strict decoding error: unknown field \\"spec.containers\\"'
    )
    assert not tell_shop(
        tmp_path, WORKLOAD.replace("  replicas: 2\n", "  replicas: 2\n  containers: []\n"), log
    ).changed


def test_a_number_where_text_is_asked_for_is_quoted_as_it_stands(tmp_path):
    text = (
        WORKLOAD
        + "          env:\n            - name: VERSION\n              value: 1.10\n            - name: MODE\n              value: yes\n            - name: TEXT\n              value: a\n"
    )
    log = refused(
        'error when patching \\"/dev/shm/1\\": Deployment in version \\"v1\\" cannot be handled as a Deployment: json: cannot unmarshal number into Go struct field EnvVar.spec.template.spec.containers.env.value of type string'
    )
    told = tell_shop(tmp_path, text, log)
    env = told.value("spec.template.spec.containers.0.env", "shop/api.yaml")
    assert [item["value"] for item in env] == ["1.10", "yes", "a"]


def test_a_unit_with_a_byte_too_much_is_written_as_kubernetes_does(tmp_path):
    log = refused(
        'error when patching \\"/dev/shm/1\\": Deployment in version \\"v1\\" cannot be handled as a Deployment: quantities must match the regular expression \'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$\''
    )
    told = tell_shop(tmp_path, FULL.replace("cpu: 500m", "cpu: 500m\n              memory: 512MiB"), log)
    assert told.value("spec.template.spec.containers.0.resources.limits.memory", "shop/api.yaml") == "512Mi"


IMMUTABLE = invalid(
    'spec.selector: Invalid value: v1.LabelSelector{MatchLabels:map[string]string{\\"component\\":\\"api\\"}, MatchExpressions:[]v1.LabelSelectorRequirement(nil)}: field is immutable'
)


def test_an_immutable_selector_goes_back_with_its_labels(tmp_path):
    changed = WORKLOAD.replace("app: api", "component: api")
    told = tell_shop(tmp_path, changed, IMMUTABLE, before=WORKLOAD)
    assert told.value("spec.selector.matchLabels", "shop/api.yaml") == {"app": "api"}
    assert told.value("spec.template.metadata.labels.app", "shop/api.yaml") == "api"


def test_an_immutable_field_without_a_history_is_left_to_a_person(tmp_path):
    assert not tell_shop(tmp_path, WORKLOAD.replace("app: api", "component: api"), IMMUTABLE).changed


def test_the_forbidden_fields_of_a_stateful_set_go_back_and_the_others_stay(tmp_path):
    healthy = WORKLOAD.replace("kind: Deployment", "kind: StatefulSet").replace(
        "  replicas: 2\n", "  replicas: 2\n  serviceName: api\n"
    )
    log = invalid(
        "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        "StatefulSet.apps",
    )
    told = tell_shop(
        tmp_path,
        healthy.replace("serviceName: api", "serviceName: web").replace("replicas: 2", "replicas: 5"),
        log,
        before=healthy,
    )
    assert told.changed["shop/api.yaml"] == healthy.replace("replicas: 2", "replicas: 5")


def test_a_base_that_does_not_parse_is_mended_in_the_base(tmp_path):
    files = {
        "argocd/shop.yaml": APPLICATION.replace("path: shop", "path: shop/prod"),
        "shop/prod/kustomization.yaml": KUSTOMIZATION.replace("deployment.yaml", "../base"),
        "shop/base/kustomization.yaml": KUSTOMIZATION,
        "shop/base/deployment.yaml": WORKLOAD.replace("replicas: 2", "replicas:2"),
    }
    log = cannot_generate(
        "`kustomize build <path to cached source>/shop/prod` failed exit status 1: Error: accumulating resources: accumulation err='accumulating resources from 'deployment.yaml': MalformedYAMLError: yaml: line 7: could not find expected ':' in File: deployment.yaml'"
    )
    assert propose(tmp_path, files, log).changed["shop/base/deployment.yaml"] == WORKLOAD
