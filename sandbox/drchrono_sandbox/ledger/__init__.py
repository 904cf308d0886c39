"""The money of an invented practice, which adds up.

Each line item draws one story from its number: self-pay, open, denied, appealed, paid
with a contractual write-off and a share of the patient, paid by a second insurer,
retracted, or overpaid. From the story follow its amounts, its transactions, the status
of its visit's claim, the patient's payments and the remittances.

| file | what it is |
| --- | --- |
| `calendar.py` | The days of the practice: its visits and what came of them. |
| `claims.py` | The claim of a visit: who pays, when it is sent and answered. |
| `charges.py`, `stories.py` | The story of a line item; `parts.py` has its words. |
| `layout.py` | How far each story had come by the practice's last day. |
| `registers.py`, `remittances.py` | Which transaction, payment and check is which. |
| `books.py` | All of that, and what follows from an edit or a deletion. |
| `accounts.py` | Sums of a line item; `visits.py`: of a visit. |
| `../records/money.py` | How it looks from outside: the records about money. |

Exceptions, each of which real books have:

- `billed` is null, and no amount is known but the price: one line item in
  `charges.NULL_BILLED_EVERY`.
- A payment is for no line item, and so in no `pt_paid`: one patient payment in
  `stories.UNALLOCATED_EVERY`, and those of deleted line items.
- Nobody could match a remittance: one transaction in `layout.UNMATCHED_EVERY` has
  neither line item nor visit; more where more transactions are asked for than happened.
- Transactions stay when their line item is deleted: one deleted line item in
  `books.ORPHANED_EVERY` leaves them behind.
- The visit is deleted, or gone after a purge: its line items stay.
"""
