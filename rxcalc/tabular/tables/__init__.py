"""Files that hold tables with types: Parquet, workbooks, databases."""
