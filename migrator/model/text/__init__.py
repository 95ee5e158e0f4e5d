"""Text for people.

values: values of the source.
formatting: numbers, sizes, times and names.
"""
