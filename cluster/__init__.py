"""What is true of a cluster: values and pure functions, no I/O, no clock."""

from gossamer.cluster import build

build.choose()
