"""A naive model of documents, permissions and queries: loops and no indexes.

Written from the specification's pages on documents, queries and sessions alone. It shares nothing
with the server, so where both agree they probably understood the same page.
"""
