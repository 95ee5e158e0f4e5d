"""What the work needs of a source and of a target, as protocols.

copy: what the work needs of a source and of a target.
cutover: what the switch needs of a source and of a target beyond migrator.ports.verify.
sync: what sync needs of a source and of a target beyond migrator.ports.copy.
verify: what verify needs of a target beyond migrator.ports.copy.
"""
