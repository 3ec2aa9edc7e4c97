"""Inventories as a folder of Parquet files, read and written by DuckDB."""
