"""The verbs of consent, as other slices call them. Each stands with its family.

What somebody agreed to is kept in the words that were shown to them. Whoever asks by an open form
is told nothing about who is on the roll, and can send an address one letter a day and three in all
until its owner answers.
"""

from mailer.consent.asking import (
    Came,
    ConfirmationUnknown,
    NoAddress,
    ask,
    ask_many,
    blind_confirmation,
    join_at_once,
    renew,
)
from mailer.consent.confirming import (
    CodeSpent,
    CodeWrong,
    agree,
    agree_many,
    code_of,
    confirm,
    confirm_by_code,
    decline,
)
from mailer.consent.leaving import (
    LeavingTooOld,
    LeavingUnknown,
    StillSuppressed,
    undo_unsubscribe,
    undo_unsubscribe_many,
    unsubscribe,
    unsubscribe_many,
)
from mailer.consent.limiting import TooManySignUps, note_sign_up
from mailer.consent.listing import (
    TooManyAlike,
    close_list,
    describe_list,
    furnish,
    greet,
    open_list,
    reopen_list,
    wording_of,
)
from mailer.consent.standing import state_of, states_of
from mailer.consent.suppressing import (
    ComplaintStands,
    put_back,
    put_back_many,
    suppress_many,
    take_off,
    take_off_many,
)

__all__ = [
    "Came",
    "CodeSpent",
    "CodeWrong",
    "ComplaintStands",
    "ConfirmationUnknown",
    "LeavingTooOld",
    "LeavingUnknown",
    "NoAddress",
    "StillSuppressed",
    "TooManyAlike",
    "TooManySignUps",
    "agree",
    "agree_many",
    "ask",
    "ask_many",
    "blind_confirmation",
    "close_list",
    "code_of",
    "confirm",
    "confirm_by_code",
    "decline",
    "describe_list",
    "furnish",
    "greet",
    "join_at_once",
    "note_sign_up",
    "open_list",
    "put_back",
    "put_back_many",
    "renew",
    "reopen_list",
    "state_of",
    "states_of",
    "suppress_many",
    "take_off",
    "take_off_many",
    "undo_unsubscribe",
    "undo_unsubscribe_many",
    "unsubscribe",
    "unsubscribe_many",
    "wording_of",
]
