"""What the source holds for a collection: the parts of `migrator.source.measuring.measure.measure`.

`ask` talks to the server; `facts` and `sampling` choose what is looked at; `relations`, `sizes` and `checks` write SQL
from a mapping's nodes; `documents`, `hot`, `rows`, `joins`, `uniques` and `tables` make measures and findings of the
answers.
"""
