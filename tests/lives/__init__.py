"""Simulated lives of workloads after a merge, with the truth known: what verdicts are held against."""
