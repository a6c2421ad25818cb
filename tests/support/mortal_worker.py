"""`packshot`, but a worker that dies of a corrected job: SIGKILL when its new pictures are in the
store and not yet in the ledger. `python -m tests.support.mortal_worker worker all ...`
"""

import os
import signal

from packshot.cli import main
from packshot.contract import Step
from packshot.store.ledger import Ledger, Outcome, Ticket


def _die_of_a_correction() -> None:
    commit = Ledger.commit

    def last_words(self: Ledger, ticket: Ticket, outcome: Outcome) -> None:
        if ticket.step is Step.FINISH and ticket.correction:
            os.kill(os.getpid(), signal.SIGKILL)
        commit(self, ticket, outcome)

    Ledger.commit = last_words  # type: ignore[method-assign] # a crash, as close as one can get


if __name__ == "__main__":
    _die_of_a_correction()
    main()
