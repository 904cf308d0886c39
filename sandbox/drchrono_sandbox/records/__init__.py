"""Records of a practice: invented ones, small ones, and those that a test wrote down.

Each invented record is a function of its number, so hardly anything is stored. The
references fit: a line item belongs to an appointment of the practice, a transaction to
a line item, and so on. Field by field the records follow the vendor's OpenAPI, with the
traits of real data: money as strings, empty strings, ids that are no numbers,
references that are sometimes numbers and sometimes strings, texts with newlines.
"""
