"""Asks: concrete things to do, and who has said yes to them.

Saying yes is a *pledge*; saying yes twice is saying yes once. What is here so far is the yes, what
became of it, and the conditions by which segments ask about both.
"""
