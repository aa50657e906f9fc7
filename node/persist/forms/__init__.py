"""The forms of each type of data in RDB: one module a type, with its readers and its writer."""
