"""Argo CD: whether a merged change has arrived, through its REST API or its custom resources; nothing is synced unless the policy says so."""
