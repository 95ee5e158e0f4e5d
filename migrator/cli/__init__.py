"""The command line: options, commands, and all that people read.

callbacks: what each command does, in a module of the name of the one that declares its options.
commands: the commands as the command line parses them.
help_pages: the pages of docs/, which every installation has, for `migrator help`.
logging_options: --debug and --log-format, which the program and every command accept.
main: the command line.
options: the options that several commands have.
output: what people read.
show_values: --show-values, an option of every command that opens a database.
"""
