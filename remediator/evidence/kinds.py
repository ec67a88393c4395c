"""Kubernetes' spelling of kinds, from every way in which kubectl, events and alerts write them."""

from __future__ import annotations

_NAMES = {
    "Pod": "po pod pods",
    "Deployment": "deploy deployment deployments",
    "ReplicaSet": "rs replicaset replicasets",
    "ReplicationController": "rc replicationcontroller replicationcontrollers",
    "StatefulSet": "sts statefulset statefulsets",
    "DaemonSet": "ds daemonset daemonsets",
    "Job": "job jobs",
    "CronJob": "cj cronjob cronjobs",
    "Service": "svc service services",
    "Endpoints": "ep endpoint endpoints",
    "EndpointSlice": "endpointslice endpointslices",
    "Ingress": "ing ingress ingresses",
    "IngressClass": "ingressclass ingressclasses",
    "NetworkPolicy": "netpol networkpolicy networkpolicies",
    "PersistentVolumeClaim": "pvc persistentvolumeclaim persistentvolumeclaims",
    "PersistentVolume": "pv persistentvolume persistentvolumes",
    "StorageClass": "sc storageclass storageclasses",
    "VolumeAttachment": "volumeattachment volumeattachments",
    "HorizontalPodAutoscaler": "hpa horizontalpodautoscaler horizontalpodautoscalers",
    "VerticalPodAutoscaler": "vpa verticalpodautoscaler verticalpodautoscalers",
    "PodDisruptionBudget": "pdb poddisruptionbudget poddisruptionbudgets",
    "ResourceQuota": "quota resourcequota resourcequotas",
    "LimitRange": "limits limitrange limitranges",
    "ConfigMap": "cm configmap configmaps",
    "Secret": "secret secrets",
    "ServiceAccount": "sa serviceaccount serviceaccounts",
    "Role": "role roles",
    "RoleBinding": "rolebinding rolebindings",
    "ClusterRole": "clusterrole clusterroles",
    "ClusterRoleBinding": "clusterrolebinding clusterrolebindings",
    "Namespace": "ns namespace namespaces",
    "Node": "no node nodes",
    "Event": "ev event events",
    "PriorityClass": "pc priorityclass priorityclasses",
    "Lease": "lease leases",
    "CustomResourceDefinition": "crd crds customresourcedefinition customresourcedefinitions",
    "MutatingWebhookConfiguration": "mutatingwebhookconfiguration mutatingwebhookconfigurations",
    "ValidatingWebhookConfiguration": "validatingwebhookconfiguration validatingwebhookconfigurations",
    "Application": "app apps application applications",
    "ApplicationSet": "appset appsets applicationset applicationsets",
    "AppProject": "appproj appprojs appproject appprojects",
    "Rollout": "ro rollout rollouts",
    "Certificate": "cert certs certificate certificates",
    "ExternalSecret": "es externalsecret externalsecrets",
    "SealedSecret": "sealedsecret sealedsecrets",
    "HelmRelease": "hr helmrelease helmreleases",
    "Gateway": "gtw gateway gateways",
    "HTTPRoute": "httproute httproutes",
}

_KINDS = {word: kind for kind, words in _NAMES.items() for word in words.split()}

WORKLOADS = frozenset(
    {
        "Deployment",
        "StatefulSet",
        "DaemonSet",
        "ReplicaSet",
        "Job",
        "CronJob",
        "Rollout",
        "ReplicationController",
        "Pod",
    }
)
"""Kinds that run pods."""


def kind_of(word: str) -> str:
    """Return the kind that `po`, `deployments.apps`, `Deployment` … mean; an unknown word without its API group."""
    bare = word.strip().split(".", 1)[0]
    return _KINDS.get(bare.lower(), bare)


def is_kind(word: str) -> bool:
    """Return True if the word is a known kind or resource name."""
    return word.strip().split(".", 1)[0].lower() in _KINDS
