"""What time does to the ladder: questions whether people are still with us, the letter of the year.

Nobody is written to because of a mail they did not open: what counts is what people did. Both are
walks over the roll in small steps, once a day, and each day writes to a hundredth of it at most, so
that a number typed on the page of the levels is no flood.
"""
