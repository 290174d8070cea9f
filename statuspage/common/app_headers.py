"""The headers in which the front door tells the app about the client's connection. Uses no Django."""

# The front door removes all headers with this prefix from what clients send.
OWN_PREFIX = "x-candor-"
CLIENT_HEADER = "x-candor-client"
SCHEME_HEADER = "x-candor-scheme"
