"""The front door: serves published pages from memory on an event loop, and forwards all other requests to the app.

It runs without Django and without a database, so nothing that a request does in the app can delay a published page.
Start it with `python -m statuspage.frontdoor`; docs/published-page.md describes it.
"""
