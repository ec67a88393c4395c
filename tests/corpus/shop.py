"""A healthy repository in several layouts: the same workloads, their values in other places."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from textwrap import dedent, indent

REPO_URL = "https://git.example.com/platform/gitops.git"

API = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  replicas: 2
  selector:
    matchLabels:
      app: api
  template:
    metadata:
      labels:
        app: api
    spec:
      serviceAccountName: api
      nodeSelector:
        kubernetes.io/os: linux
      containers:
        - name: api
          image: registry.example.com/shop/api:2.4.1
          command: ["/srv/api"]
          args:
            - --config=/etc/api/config.yaml
            - --log-level=info
          ports:
            - name: http
              containerPort: 8080
          env:
            - name: DATABASE_HOST
              value: orders-db
            - name: CACHE_URL
              value: redis://cache:6379/0
            - name: DATABASE_PASSWORD
              valueFrom:
                secretKeyRef:
                  name: orders-db-credentials
                  key: password
          envFrom:
            - configMapRef:
                name: api-settings
          readinessProbe:
            httpGet:
              path: /healthz
              port: http
            periodSeconds: 10
          livenessProbe:
            httpGet:
              path: /healthz
              port: 8080
            initialDelaySeconds: 60
            periodSeconds: 10
          resources:
            requests:
              cpu: 100m
              memory: 256Mi
            limits:
              cpu: 500m
              memory: 512Mi
          volumeMounts:
            - name: config
              mountPath: /etc/api/config.yaml
              subPath: config.yaml
            - name: scratch
              mountPath: /var/cache/api
          securityContext:
            readOnlyRootFilesystem: true
      volumes:
        - name: config
          configMap:
            name: api-config
        - name: scratch
          emptyDir: {}
"""

CONFIG = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: api-settings
data:
  FEATURE_SEARCH: "on"
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: api-config
data:
  config.yaml: |
    listen: 0.0.0.0:8080
    upstream: http://catalogue:80
"""

SECRETS = """\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  name: orders-db-credentials
spec:
  secretStoreRef:
    name: vault
    kind: ClusterSecretStore
  target:
    name: orders-db-credentials
  data:
    - secretKey: password
      remoteRef:
        key: shop/orders-db
    - secretKey: username
      remoteRef:
        key: shop/orders-db
"""

NETWORK = """\
apiVersion: v1
kind: Service
metadata:
  name: api
spec:
  selector:
    app: api
  ports:
    - name: http
      port: 80
      targetPort: http
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: api
spec:
  ingressClassName: nginx
  rules:
    - host: shop.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: api
                port:
                  number: 80
"""

SCALING = """\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: catalogue
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: catalogue
  minReplicas: 2
  maxReplicas: 6
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: 80
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: catalogue
spec:
  minAvailable: 1
  selector:
    matchLabels:
      app: catalogue
"""

ACCESS = """\
apiVersion: v1
kind: ServiceAccount
metadata:
  name: api
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: api
rules:
  - apiGroups: [""]
    resources: ["pods", "configmaps"]
    verbs: ["get", "list", "watch"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: api
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: api
subjects:
  - kind: ServiceAccount
    name: api
"""

CATALOGUE = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: catalogue
spec:
  selector:
    matchLabels:
      app: catalogue
  template:
    metadata:
      labels:
        app: catalogue
    spec:
      containers:
        - name: catalogue
          image: registry.example.com/shop/catalogue:1.9.0
          ports:
            - containerPort: 8000
          readinessProbe:
            tcpSocket:
              port: 8000
          resources:
            requests:
              cpu: 50m
              memory: 64Mi
            limits:
              memory: 128Mi
---
apiVersion: v1
kind: Service
metadata:
  name: catalogue
spec:
  selector:
    app: catalogue
  ports:
    - port: 80
      targetPort: 8000
"""

DATABASE = """\
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: orders-db
spec:
  serviceName: orders-db
  selector:
    matchLabels:
      app: orders-db
  template:
    metadata:
      labels:
        app: orders-db
    spec:
      tolerations:
        - key: dedicated
          operator: Equal
          value: database
          effect: NoSchedule
      containers:
        - name: postgres
          image: docker.io/library/postgres:16.4
          ports:
            - containerPort: 5432
          env:
            - name: PGDATA
              value: /var/lib/postgresql/data/pgdata
            - name: POSTGRES_PASSWORD
              valueFrom:
                secretKeyRef:
                  name: orders-db-credentials
                  key: password
          volumeMounts:
            - name: data
              mountPath: /var/lib/postgresql/data
  volumeClaimTemplates:
    - metadata:
        name: data
      spec:
        accessModes: ["ReadWriteOnce"]
        storageClassName: fast-ssd
        resources:
          requests:
            storage: 10Gi
---
apiVersion: v1
kind: Service
metadata:
  name: orders-db
spec:
  selector:
    app: orders-db
  ports:
    - port: 5432
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: cache
spec:
  selector:
    matchLabels:
      app: cache
  template:
    metadata:
      labels:
        app: cache
    spec:
      containers:
        - name: redis
          image: docker.io/library/redis:7.4
          ports:
            - containerPort: 6379
          volumeMounts:
            - name: store
              mountPath: /data
      volumes:
        - name: store
          persistentVolumeClaim:
            claimName: cache-store
---
apiVersion: v1
kind: Service
metadata:
  name: cache
spec:
  selector:
    app: cache
  ports:
    - port: 6379
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: cache-store
spec:
  accessModes: ["ReadWriteOnce"]
  storageClassName: standard
  resources:
    requests:
      storage: 2Gi
"""

PARTS: Mapping[str, str] = {
    "api.yaml": API,
    "config.yaml": CONFIG,
    "secrets.yaml": SECRETS,
    "network.yaml": NETWORK,
    "scaling.yaml": SCALING,
    "access.yaml": ACCESS,
    "catalogue.yaml": CATALOGUE,
    "data.yaml": DATABASE,
}


def application(name: str, path: str, *, namespace: str = "shop", extra: str = "") -> str:
    """An Argo CD Application in this repository."""
    text = f"""\
    apiVersion: argoproj.io/v1alpha1
    kind: Application
    metadata:
      name: {name}
      namespace: argocd
    spec:
      project: default
      source:
        repoURL: {REPO_URL}
        targetRevision: main
        path: {path}
    """
    tail = f"""\
      destination:
        server: https://kubernetes.default.svc
        namespace: {namespace}
      syncPolicy:
        automated:
          prune: true
        syncOptions:
          - CreateNamespace=true
    """
    return dedent(text) + indent(dedent(extra), "    ") + indent(dedent(tail), "  ")


ROOT = application("root", "argocd", namespace="argocd")


def plain() -> dict[str, str]:
    """A directory of manifests."""
    files = {"root.yaml": ROOT, "argocd/shop.yaml": application("shop", "shop")}
    return files | {f"shop/{name}": text for name, text in PARTS.items()}


def kustomize() -> dict[str, str]:
    """A base and a production overlay; staging shares the base."""
    listed = "".join(f"  - {name}\n" for name in PARTS)
    base = f"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n{listed}"
    files = {"root.yaml": ROOT, "shop/base/kustomization.yaml": base}
    files |= {f"shop/base/{name}": text for name, text in PARTS.items()}
    overlay = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: shop\nresources:\n  - ../../base\n"
    files["shop/overlays/prod/kustomization.yaml"] = overlay
    return files | {"argocd/shop.yaml": application("shop", "shop/overlays/prod")}


def generated() -> dict[str, str]:
    """The same directory, its Application made by an ApplicationSet with a git directory generator."""
    appset = f"""\
    apiVersion: argoproj.io/v1alpha1
    kind: ApplicationSet
    metadata:
      name: teams
      namespace: argocd
    spec:
      goTemplate: true
      generators:
        - git:
            repoURL: {REPO_URL}
            revision: main
            directories:
              - path: teams/*
      template:
        metadata:
          name: '{{{{ .path.basename }}}}'
        spec:
          project: default
          source:
            repoURL: {REPO_URL}
            targetRevision: main
            path: '{{{{ .path.path }}}}'
          destination:
            server: https://kubernetes.default.svc
            namespace: '{{{{ .path.basename }}}}'
    """
    return {"root.yaml": ROOT, "argocd/teams.yaml": dedent(appset)} | {
        f"teams/shop/{name}": text for name, text in PARTS.items()
    }


VALUES = """\
# Production values of the api
replicaCount: 2
image:
  repository: registry.example.com/shop/api
  tag: 2.4.1
nodeSelector:
  kubernetes.io/os: linux
env:
  - name: DATABASE_HOST
    value: orders-db
  - name: CACHE_URL
    value: redis://cache:6379/0
probe:
  path: /healthz
  port: 8080
  delay: 60
resources:
  requests:
    cpu: 100m
    memory: 256Mi
  limits:
    cpu: 500m
    memory: 512Mi
"""

TEMPLATE = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: api
spec:
  replicas: {{ .Values.replicaCount }}
  selector:
    matchLabels:
      app: api
  template:
    metadata:
      labels:
        app: api
    spec:
      nodeSelector: {{- toYaml .Values.nodeSelector | nindent 8 }}
      containers:
        - name: api
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
          ports:
            - containerPort: 8080
          env: {{- toYaml .Values.env | nindent 12 }}
          livenessProbe:
            httpGet:
              path: {{ .Values.probe.path }}
              port: {{ .Values.probe.port }}
            initialDelaySeconds: {{ .Values.probe.delay }}
          readinessProbe:
            httpGet:
              path: /healthz
              port: 8080
          resources: {{- toYaml .Values.resources | nindent 12 }}
"""

_CHART = "apiVersion: v2\nname: api\nversion: 0.1.0\n"
_DEFAULTS = VALUES.replace("Production values", "Defaults").replace("512Mi", "256Mi")


def helm() -> dict[str, str]:
    """A chart in the repository with values of its environment; the other services stand beside it."""
    files = {
        "root.yaml": ROOT,
        "argocd/shop.yaml": application(
            "shop", "charts/api", extra="helm:\n  valueFiles:\n    - ../../envs/prod/api.yaml\n"
        ),
        "argocd/data.yaml": application("data", "shop-data"),
        "charts/api/Chart.yaml": _CHART,
        "charts/api/values.yaml": _DEFAULTS,
        "charts/api/templates/deployment.yaml": TEMPLATE,
        "charts/api/templates/service.yaml": NETWORK.split("---\n", maxsplit=1)[0],
        "envs/prod/api.yaml": VALUES,
    }
    return files | {"shop-data/data.yaml": DATABASE, "shop-data/catalogue.yaml": CATALOGUE}


def inline() -> dict[str, str]:
    """The same chart, its values as a text inside the Application."""
    files = helm()
    del files["envs/prod/api.yaml"]
    values = indent(VALUES, "    ")
    files["argocd/shop.yaml"] = application("shop", "charts/api", extra=f"helm:\n  values: |\n{values}")
    return files


LAYOUTS: Mapping[str, Callable[[], dict[str, str]]] = {
    "plain": plain,
    "kustomize": kustomize,
    "applicationset": generated,
    "helm": helm,
    "helm-inline": inline,
}
