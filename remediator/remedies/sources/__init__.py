"""Sources that Argo CD cannot render: paths, value files, kustomizations, namespaces."""
