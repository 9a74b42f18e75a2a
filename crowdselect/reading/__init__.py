"""The one reader of every file that a person gives: its encoding, its shape, its limits.

:func:`read_text` for recipes, prompts and the like, :func:`read_table` for rows. What streams large
files by itself (the ingest) takes the parts: :func:`kind_of`, :func:`csv_layout`,
:func:`utf8_copy`, :func:`shards_of`, :func:`open_bytes`.
"""

from crowdselect.reading.columnar import texts_of, unpacked_bytes
from crowdselect.reading.decoding import (
    Lines,
    Text,
    encoding_of,
    read_text,
    replaced_remark,
    utf8_copy,
    without_lone_escapes,
    without_surrogates,
)
from crowdselect.reading.delimited import CsvLayout, csv_layout, read_delimited
from crowdselect.reading.folders import ALL_SPLITS, Shards, shards_of
from crowdselect.reading.kinds import SUFFIXES, Kind, kind_of
from crowdselect.reading.numbers import VERDICTS, decimal_mark, number
from crowdselect.reading.objects import (
    mended_cells,
    parse_cell,
    parse_json,
    read_document,
    read_json,
    read_lines,
)
from crowdselect.reading.opening import (
    DEEPEST,
    MOST_BYTES,
    MOST_COLUMNS,
    check_regular,
    open_bytes,
    too_large,
)
from crowdselect.reading.table import (
    Table,
    exists,
    name_list,
    plain_name,
    read_table,
    sha256_of,
    small_letters,
)

__all__ = [
    "ALL_SPLITS",
    "DEEPEST",
    "MOST_BYTES",
    "MOST_COLUMNS",
    "SUFFIXES",
    "VERDICTS",
    "CsvLayout",
    "Kind",
    "Lines",
    "Shards",
    "Table",
    "Text",
    "check_regular",
    "csv_layout",
    "decimal_mark",
    "encoding_of",
    "exists",
    "kind_of",
    "mended_cells",
    "name_list",
    "number",
    "open_bytes",
    "parse_cell",
    "parse_json",
    "plain_name",
    "read_delimited",
    "read_document",
    "read_json",
    "read_lines",
    "read_table",
    "read_text",
    "replaced_remark",
    "sha256_of",
    "shards_of",
    "small_letters",
    "texts_of",
    "too_large",
    "unpacked_bytes",
    "utf8_copy",
    "without_lone_escapes",
    "without_surrogates",
]
