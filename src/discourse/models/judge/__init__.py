"""The external coder: an outside language model that codes comments by the codebook, in several runs.

`prompt` says what is asked, `endpoint` where, `client` asks, `kept` keeps every raw answer, `answers` reads them,
`coding` puts these together, `consensus` makes one code of several runs, `coder` stands where a bundle would.
"""
