"""Cutting, sending, following and resolving statements; following feed connections; limits and the gate.

`sender` cuts and posts, `answer` records what the post was answered, `follower` polls, `end` records how it ended.
"""
