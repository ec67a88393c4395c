from tests.unit.evidence.scanning import brief, statements

POD = """\
$ kubectl describe pod api-6d8c5f7b9c-l2k8x -n shop
Name:             api-6d8c5f7b9c-l2k8x
Namespace:        shop
Priority:         0
Service Account:  runner
Node:             worker-1/172.18.0.3
Start Time:       Tue, 11 Mar 2025 08:14:02 +0100
Labels:           app=api
                  pod-template-hash=6d8c5f7b9c
Annotations:      <none>
Status:           Running
IP:               10.244.1.27
Controlled By:    ReplicaSet/api-6d8c5f7b9c
Init Containers:
  wait:
    Image:          busybox:1.36
    State:          Terminated
      Reason:       Completed
      Exit Code:    0
    Ready:          True
    Restart Count:  0
Containers:
  server:
    Container ID:  containerd://5d9b08ef
    Image:         ghcr.io/acme/api:1.2
    Ports:         8080/TCP, 9090/TCP
    Command:
      /bin/sh
      -c
      echo one: two

      exec server
    Args:
      --port=8080
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
      Started:      Tue, 11 Mar 2025 08:22:31 +0000
      Finished:     Tue, 11 Mar 2025 08:22:44 +0000
    Ready:          False
    Restart Count:  5
    Limits:
      cpu:                100m
      ephemeral-storage:  1Gi
      memory:             128Mi
    Requests:
      memory:  64Mi
    Liveness:   http-get http://:8080/healthz delay=10s timeout=1s period=5s #success=1 #failure=3
    Readiness:  exec [check --all] delay=5s timeout=1s period=3s #success=1 #failure=3
    Environment Variables from:
      api-settings  ConfigMap  Optional: false
      api-keys      Secret     Optional: true
    Environment:
      MODE:         prod
      DB_PASSWORD:  <set to the key 'password' in secret 'db'>  Optional: false
    Mounts:
      /data from data (rw)
      /etc/api from settings (ro,path="api.yaml")
Conditions:
  Type              Status
  Initialized       True
  Ready             False
Volumes:
  data:
    Type:       PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)
    ClaimName:  api-data
    ReadOnly:   false
  settings:
    Type:      ConfigMap (a volume populated by a ConfigMap)
    Name:      api-settings
QoS Class:       Burstable
Node-Selectors:  disk=ssd
Tolerations:     node.kubernetes.io/not-ready:NoExecute op=Exists for 300s
Events:
  Type     Reason   Age                From     Message
  ----     ------   ---                ----     -------
  Warning  BackOff  29s (x9 over 3m)   kubelet  Back-off restarting failed container server in pod api-6d8c5f7b9c-l2k8x_shop(0b7a8f0e-2a56-4b7a-9c36-5f70a1a8f6c1)
"""


def test_a_pod_tells_its_containers_states_conditions_and_events():
    assert [brief(s) for s in statements(POD)] == [
        (2, "status", "Running", "Deployment", "api", ""),
        (17, "status", "Completed", "Deployment", "api", "wait"),
        (35, "status", "CrashLoopBackOff", "Deployment", "api", "server"),
        (37, "status", "OOMKilled", "Deployment", "api", "server"),
        (64, "status", "Ready", "Deployment", "api", ""),
        (79, "event", "BackOff", "Deployment", "api", "server"),
    ]


def test_the_last_state_carries_every_fact_of_its_container():
    killed = next(s for s in statements(POD) if s.reason == "OOMKilled")
    expected = {
        "when": "last",
        "state": "Terminated",
        "exit_code": "137",
        "restart_count": "5",
        "memory_limit": "128Mi",
        "memory_request": "64Mi",
        "cpu_limit": "100m",
        "ephemeral_storage_limit": "1Gi",
        "ports": "8080/TCP, 9090/TCP",
        "command": "/bin/sh\n-c\necho one: two\nexec server",
        "args": "--port=8080",
        "env_MODE": "prod",
        "env_DB_PASSWORD": "<set to the key 'password' in secret 'db'>  Optional: false",
        "env_from": "ConfigMap/api-settings, Secret/api-keys",
        "mounts": '/data from data (rw); /etc/api from settings (ro,path="api.yaml")',
        "service_account": "runner",
        "node_selectors": "disk=ssd",
        "labels": "app=api, pod-template-hash=6d8c5f7b9c",
        "finished": "2025-03-11T08:22:44Z",
        "pod_started": "2025-03-11T07:14:02Z",
        "qos": "Burstable",
        "ready": "False",
    }
    assert {key: killed.facts.get(key) for key in expected} == expected
    assert killed.facts["liveness"].startswith("http-get http://:8080/healthz")
    assert (killed.subject.pod, killed.subject.node, killed.subject.image) == (
        "api-6d8c5f7b9c-l2k8x",
        "worker-1",
        "ghcr.io/acme/api:1.2",
    )


def test_a_pods_volumes_tell_what_they_refer_to():
    own = statements(POD)[0]
    assert (own.facts["volume_data"], own.facts["claims"], own.facts["config_maps"]) == (
        "PersistentVolumeClaim/api-data",
        "api-data",
        "api-settings",
    )


def test_a_repeated_event_keeps_its_count_and_ages():
    event = statements(POD)[-1]
    assert (event.count, event.level, event.facts["age"], event.facts["first_age"], event.facts["reporter"]) == (
        9,
        "Warning",
        "29s",
        "3m",
        "kubelet",
    )


NODE = """\
Name:               worker-1
Roles:              <none>
Labels:             kubernetes.io/os=linux
Taints:             node.kubernetes.io/memory-pressure:NoSchedule
Unschedulable:      false
Conditions:
  Type             Status  LastHeartbeatTime                 LastTransitionTime                Reason                       Message
  ----             ------  -----------------                 ------------------                ------                       -------
  MemoryPressure   True    Tue, 11 Mar 2025 08:22:31 +0000   Tue, 11 Mar 2025 08:20:00 +0000   KubeletHasInsufficientMemory  kubelet has insufficient memory available
  DiskPressure     False   Tue, 11 Mar 2025 08:22:31 +0000   Tue, 11 Mar 2025 08:00:00 +0000   KubeletHasNoDiskPressure     kubelet has no disk pressure
  Ready            True    Tue, 11 Mar 2025 08:22:31 +0000   Tue, 11 Mar 2025 08:00:00 +0000   KubeletReady                 kubelet is posting ready status
Capacity:
  cpu:     4
  memory:  16Gi
Allocatable:
  cpu:     3920m
  memory:  15Gi
Allocated resources:
  Resource           Requests      Limits
  --------           --------      ------
  cpu                850m (21%)    1 (25%)
  memory             390Mi (2%)    1Gi (6%)
Events:              <none>
"""


def test_a_node_tells_pressure_taints_and_what_is_left():
    own, pressure = statements(NODE)
    assert (own.subject.kind, own.subject.name, own.subject.node) == ("Node", "worker-1", "worker-1")
    assert own.facts["taints"] == "node.kubernetes.io/memory-pressure:NoSchedule"
    assert (own.facts["allocatable_cpu"], own.facts["requested_memory"]) == ("3920m", "390Mi")
    assert (pressure.reason, pressure.facts["condition"], pressure.last_seen) == (
        "KubeletHasInsufficientMemory",
        "MemoryPressure",
        "2025-03-11T08:20:00Z",
    )


def test_a_claim_and_a_service_are_known_without_their_command():
    claim = "Name:          data\nNamespace:     shop\nStorageClass:  fast\nStatus:        Pending\nVolume:\nLabels:        <none>\nVolumeMode:    Filesystem\nUsed By:       web-0\n"
    service = "Name:              web\nNamespace:         shop\nLabels:            <none>\nSelector:          app=wbe\nType:              ClusterIP\nPort:              http  80/TCP\nTargetPort:        8080/TCP\nEndpoints:         <none>\n"
    (pending,) = statements(claim)
    assert (pending.subject.kind, pending.reason, pending.facts["storageclass"], pending.facts["used_by"]) == (
        "PersistentVolumeClaim",
        "Pending",
        "fast",
        "web-0",
    )
    (served,) = statements(service)
    assert (served.subject.kind, served.facts["selector"], served.facts["targetport"]) == (
        "Service",
        "app=wbe",
        "8080/TCP",
    )
    assert "endpoints" not in served.facts


def test_a_workload_tells_its_template_and_its_conditions():
    text = """\
$ kubectl describe deployment web -n shop
Name:                   web
Namespace:              shop
Replicas:               3 desired | 1 updated | 4 total | 3 available | 1 unavailable
StrategyType:           RollingUpdate
Pod Template:
  Labels:  app=web
  Containers:
   app:
    Image:      nginx:1.27
    Limits:
      memory:  64Mi
    Environment:  <none>
Conditions:
  Type           Status  Reason
  ----           ------  ------
  Available      True    MinimumReplicasAvailable
  Progressing    False   ProgressDeadlineExceeded
OldReplicaSets:  web-76897854c (3/3 replicas created)
NewReplicaSet:   web-5d98ffcfd (1/1 replicas created)
"""
    own, template, stuck = statements(text)
    assert own.facts["replicas"].startswith("3 desired")
    assert own.facts["newreplicaset"] == "web-5d98ffcfd (1/1 replicas created)"
    assert (template.reason, template.facts["memory_limit"], template.subject.image) == (
        "Template",
        "64Mi",
        "nginx:1.27",
    )
    assert (stuck.reason, stuck.facts["condition"]) == ("ProgressDeadlineExceeded", "Progressing")


def test_events_cut_by_tail_regard_the_pod_that_one_of_them_names():
    text = """\
$ kubectl describe pod -n kube-system -l app=metrics | tail -4
Events:
  Type     Reason     Age                 From               Message
  ----     ------     ----                ----               -------
  Normal   Scheduled  2m                  default-scheduler  Successfully assigned kube-system/metrics-6467f65c76-z7t5v to node-7
  Warning  Unhealthy  10s (x10 over 90s)  kubelet            Readiness probe failed: HTTP probe failed with statuscode: 500
"""
    _, unhealthy = statements(text)
    assert (unhealthy.subject.name, unhealthy.subject.pod, unhealthy.subject.node) == (
        "metrics",
        "metrics-6467f65c76-z7t5v",
        "node-7",
    )
    assert (unhealthy.facts["probe"], unhealthy.facts["status_code"], unhealthy.count) == ("readiness", "500", 10)
