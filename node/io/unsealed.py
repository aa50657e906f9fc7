"""What the log says of a file that is not sealed as the configuration wants it: what will seal it."""

from gossamer.node.io.data_file import DataFile
from gossamer.node.io.keys import KEY_FILE, OLD_KEY_FILE, Keys
from gossamer.node.io.log import Log


def tell_unsealed(path: str, file: DataFile, keys: Keys, command: str, log: Log) -> None:
    """``file`` has read what is at ``path``; ``command`` writes it anew."""
    if keys.seals is None:
        if file.is_sealed:
            log.write("warning", f"{path} is sealed, and {KEY_FILE} is not set: the next {command} writes it unsealed")
    elif not file.is_sealed:
        if file.size:
            log.write("warning", f"{path} is not sealed: the next {command} seals it")
    elif file.is_old:
        log.write("notice", f"{path} is sealed with the key of {OLD_KEY_FILE}: the next {command} seals it anew")
