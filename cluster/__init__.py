"""What is true of a cluster: values and pure functions, no I/O, no clock."""

from cluster import build

build.choose()
