"""Texts that are longer than a model as windows that overlap."""


def windows(length: int, room: int, overlap: int) -> list[tuple[int, int]]:
    """Cut a text into windows, each of which begins with the end of the one before.

    Args:
        length: Tokens of the text.
        room: Tokens of a window at most, at least 1.
        overlap: Tokens that neighbours share, but never more than three quarters of the room.

    Returns:
        First token of every window and the token after its last. A text without tokens is one empty window.
    """
    step = room - min(overlap, 3 * room // 4)
    return [(begin, min(begin + room, length)) for begin in range(0, max(1, length - room + step), step)]
