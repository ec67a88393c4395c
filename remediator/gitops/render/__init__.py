"""Render Applications to the objects that Argo CD would apply: plain manifests, Kustomize, Helm."""
