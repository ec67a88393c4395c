"""A value that all workloads of a chart share: only the one at fault gets its own, where its template reads one."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.unit.remedies.small_repository import application, propose

pytestmark = pytest.mark.needs_tools("helm")

TEMPLATE = """\
{{- range $name, $job := .Values.jobs }}
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {{ $name }}
spec:
  schedule: {{ $job.schedule | quote }}
  jobTemplate:
    spec:
      {{- with $job.failure }}
      podFailurePolicy: {{ toJson . }}
      {{- end }}
      template:
        spec:
          restartPolicy: OWN
          containers:
            - {name: job, image: registry.example.com/shop/jobs:2}
{{- end }}
"""
VALUES = """\
restartPolicy: OnFailure
jobs:
  mail:
    schedule: "5 1 * * *"
  pay:
    schedule: "9 2 * * *"
    failure: {rules: [{action: Ignore, onPodConditions: [{type: DisruptionTarget, status: "True"}]}]}
"""
REFUSED = """\
$ argocd app get jobs
Name:               argocd/jobs
Project:            default
Sync Status:        OutOfSync from main (5b0e7c1)
Health Status:      Healthy

GROUP  KIND     NAMESPACE  NAME  STATUS     HEALTH  HOOK  MESSAGE
batch  CronJob  shop       mail  Synced                   cronjob.batch/mail unchanged
batch  CronJob  shop       pay   OutOfSync                CronJob.batch "pay" is invalid: spec.jobTemplate.spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified
"""


def files(own: str) -> dict[str, str]:
    return {
        "apps/jobs.yaml": yaml.safe_dump(application("jobs", "jobs"), sort_keys=False),
        "jobs/Chart.yaml": "apiVersion: v2\nname: jobs\nversion: 1.0.0\n",
        "jobs/values.yaml": VALUES,
        "jobs/templates/jobs.yaml": TEMPLATE.replace("OWN", own),
    }


def test_the_own_block_of_the_object_is_filled_where_its_template_reads_one(tmp_path: Path) -> None:
    told = propose(tmp_path, files("{{ $job.restartPolicy | default $.Values.restartPolicy }}"), REFUSED)
    changed = yaml.safe_load(told.changed["jobs/values.yaml"])
    assert changed["jobs"]["pay"]["restartPolicy"] == "Never"
    assert changed["restartPolicy"] == "OnFailure"


def test_without_a_block_of_its_own_the_shared_value_is_what_can_be_changed(tmp_path: Path) -> None:
    told = propose(tmp_path, files("{{ $.Values.restartPolicy }}"), REFUSED)
    assert yaml.safe_load(told.changed["jobs/values.yaml"])["restartPolicy"] == "Never"
    assert any("also sets" in note for note in told.outcomes[0].proposals[0].places[0].notes)
