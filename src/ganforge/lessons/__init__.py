"""Lessons: the same program that trains real generators explains them, from four pixels up.

NAME.py          the mathematics, free of drawing, small enough to read in one go
NAME_lesson.py   plays it: figures and numbers
texts/LANGUAGE/  what is said about it, once, for the docs and for ``ganforge learn``
"""
