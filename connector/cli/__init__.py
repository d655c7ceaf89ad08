"""The commands, one small function each, a module a noun.

Nothing heavy is imported at the top of these modules: what a command needs, it imports when it is called.
"""
