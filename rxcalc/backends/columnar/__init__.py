"""The columnar back end: whole numbers in Polars columns, proven not to overflow."""

from rxcalc.backends.columnar.run import Columnar, ColumnarResult, Scalar

__all__ = ["Columnar", "ColumnarResult", "Scalar"]
