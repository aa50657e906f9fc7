"""The data of a node: databases of keys, the one place where they change, and what each type of data can do."""
