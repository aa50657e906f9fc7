"""The data on disk: when it is saved, how that goes on beside the requests, and how it is loaded at the start."""
