"""The external coder: an outside language model that codes comments by the codebook, in several runs.

`prompt` says what is asked, `coder` who codes, `endpoint` where, `client` asks once, `session` many times, `kept` keeps
every raw answer, `answers` reads them, `cost` is said before, `coding` puts these together, `consensus` makes one code
of several runs, `comments` goes between these and the tables.
"""
