"""Data as bytes: RDB files and the payloads of DUMP. Nothing here reads or writes a file or a socket."""
