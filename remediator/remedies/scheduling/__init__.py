"""Why a pod finds no node: selectors, tolerations, classes, affinity."""
