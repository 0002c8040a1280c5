"""A split in parquet files: footers first, then only the row groups and columns that are needed."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from include.finetune.data.mapping import Shape
from include.finetune.data.remote_file import RemoteFile
from include.finetune.data.slices import Take
from include.finetune.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

# Rows that are Python objects at a time.
BATCH: Final = 256


class ParquetSource:
    """The row groups of all files, in the order of the files."""

    def __init__(self, files: Sequence[RemoteFile]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._names, self._files, self._of_group = [file.name for file in files], [], []
        for place, file in enumerate(files):
            try:
                opened = pq.ParquetFile(file, pre_buffer=True)
            except pa.ArrowInvalid as error:
                raise InputError(f"{file.name} is no readable parquet file: {error}") from error
            self._files.append(opened)
            self._of_group += [(place, group) for group in range(opened.metadata.num_row_groups)]
        self.groups = [self._group(number).num_rows for number in range(len(self._of_group))]
        self.shape: Shape = {field.name: _inner(field.type) for field in self._files[0].schema_arrow}

    def bytes_of(self, takes: Sequence[Take], columns: Sequence[str]) -> int:
        """Compressed size of the columns in the row groups."""
        groups = [self._group(take.group) for take in takes]
        chunks = (group.column(number) for group in groups for number in range(group.num_columns))
        return sum(
            chunk.total_compressed_size
            for chunk in chunks
            if chunk.path_in_schema.partition(".")[0] in columns
        )

    def rows(self, takes: Sequence[Take], columns: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The chosen rows; a place is a file and the row in it, from 1."""
        import pyarrow as pa

        for take in takes:
            place, group = self._of_group[take.group]
            before = sum(self._files[place].metadata.row_group(n).num_rows for n in range(group))
            try:
                for number, row in self._rows_of_group(place, group, take.rows, columns):
                    yield f"{self._names[place]}, row {before + number + 1}", row
            except pa.ArrowException as error:
                raise InputError(f"{self._names[place]} is no readable parquet file: {error}") from error

    def _rows_of_group(
        self, place: int, group: int, rows: Sequence[int], columns: Sequence[str]
    ) -> Iterator[tuple[int, Mapping[str, Any]]]:
        begin = 0
        batches = self._files[place].iter_batches(
            BATCH, row_groups=[group], columns=list(columns), use_threads=False
        )
        for batch in batches:
            if begin > rows[-1]:
                return
            end = begin + batch.num_rows
            wanted = rows[bisect_left(rows, begin) : bisect_left(rows, end)]
            content = batch.take([row - begin for row in wanted]).to_pylist()
            yield from zip(wanted, content, strict=True)
            begin = end

    def _group(self, number: int) -> Any:
        place, group = self._of_group[number]
        return self._files[place].metadata.row_group(group)


def _inner(kind: pa.DataType) -> frozenset[str]:
    """Names of the fields of a list's elements."""
    import pyarrow as pa

    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)) or not pa.types.is_struct(
        kind.value_type
    ):
        return frozenset()
    return frozenset(field.name for field in kind.value_type)
