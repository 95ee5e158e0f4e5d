"""Rows in events of the change log.

table_map: what a table map event says of a table.
row_images: the values of some columns in a row image.
column_values: logged bytes of a column as the text that a SELECT prints.
number_text: numbers and addresses as the server prints them.
watched_table: a watched table as one table map event describes it.
last_changed_row: the row that was changed last.
"""
