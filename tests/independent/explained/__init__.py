"""A reader of printed explanations: redoes every line of arithmetic, and asks of every number where it comes from.

It sees the text only and shares no code with the program that printed it: nothing but the standard library.
`page.py` reads a text into lines of known kinds, `language.py` reads formulas and figures, `calculator.py` works
them out, `checker.py` says what does not follow.
"""
