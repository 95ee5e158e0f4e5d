"""What the work needs of a source and of a target, as protocols.

copy: what the work needs of a source and of a target.
cutover: what the switch needs of a source and of a target beyond migrator.ports.verify.
endpoints: how a process opens its own source and target; travels to worker processes.
sync: what sync needs of a source and of a target beyond migrator.ports.copy.
sync_state: what sync keeps in the target, a protocol a role.
verify: what verify needs of a target beyond migrator.ports.copy.
"""
