"""What this machine does per second, and what of it Packshot costs: the sections of a bench run.

Every section runs its work in processes of its own, so that none warms another one's caches, and
the rounds of all sections are interleaved, so that a busy minute of the machine hurts all alike.
"""

#: Photos that a process runs before it is measured: its first ones also pay for the memory that all
#: later ones find, at 2000 px with two fifths more time.
WARM = 8
