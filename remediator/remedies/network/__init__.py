"""Services, routes and policies between workloads."""
