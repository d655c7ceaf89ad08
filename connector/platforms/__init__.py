"""Every endpoint of both platforms as a pure request builder and response parser (sans-IO).

One module a platform; `answers` and `rescue` are what they share: refusals in words, and JSON that is odd in places.
"""
