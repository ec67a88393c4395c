"""What a container runs with: command, environment, mounts, security, replicas."""
