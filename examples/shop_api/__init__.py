"""A small HTTP API over the generated repositories; `python -m examples.shop_api --help`."""
