"""Bringing a file from the network: resumed after a drop, after a kill and on another day, and never a wrong one.

    url ─► target.part, which grows ─► length and hashes checked ─► target, which appears whole
            └ target.part.json: of which version of the file these bytes are

A resume asks for the missing bytes alone (Range), and only if the file is still the same (If-Range): RFC 9110, sections
13.1.5 and 14. Bytes of two versions never meet in one file: where the server gives neither ETag nor Last-Modified and no
hash is known, a download starts over.
"""

from ganforge.fetching.download import Fetched, PageReader, Patience, fetch, in_words

__all__ = ["Fetched", "PageReader", "Patience", "fetch", "in_words"]
