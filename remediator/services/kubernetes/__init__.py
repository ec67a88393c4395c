"""The Kubernetes API, read-only: events, pods and logs to collect, rollouts to judge."""
