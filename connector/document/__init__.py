"""YAML files as this project reads them: a strict, small part of YAML 1.2, with the place of every value.

Plain scalars are text unless JSON literals. Aliases, anchors, merge keys, tags, directives, duplicate keys, keys that
are not text and second documents are refused, each with its place; so are comments that swallow part of a value.
"""

from connector.document.file import read_file
from connector.document.reader import DEPTH, LIMIT, read, scalar
from connector.document.tree import Document, Where, did_you_mean

__all__ = ["DEPTH", "LIMIT", "Document", "Where", "did_you_mean", "read", "read_file", "scalar"]
