"""Every way of bringing nodes to life: on this machine, and a running cluster administered from outside."""
