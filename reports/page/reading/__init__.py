"""What a page takes of the lines of a record, read a few times whatever their number."""
