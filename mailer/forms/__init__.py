"""Forms: pages by which people sign up, with the lists and fields that somebody chose.

A form can stand in another site without script. Nobody is on a list by it before they have
confirmed where the list asks for that, and robots get the answer that people get.
"""
