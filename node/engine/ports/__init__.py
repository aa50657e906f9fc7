"""What the engine asks of floors above it: of the cluster, of replication, of whoever moves slots."""
